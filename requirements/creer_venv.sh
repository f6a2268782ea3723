#!/usr/bin/env bash
# creer_venv.sh VENV LOCK: a virtual environment with exactly the locked packages. Runs again only when the lock changed.
set -euo pipefail
venv=$1 lock=$2

say() { echo "$*" >&2; exit 1; }

if [ ! -x "$venv/bin/python" ]; then
  for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      found=$python
      break
    fi
  done
  [ -n "${found:-}" ] || say "Python 3.11, 3.12 or 3.13 is needed and was not found: install one (Debian: apt-get install python3 python3-venv), or set PYTHON to it."
  "$found" -c 'import ensurepip, venv' 2>/dev/null || say "The venv module of $found is missing: install it (Debian: apt-get install python3-venv), then start again."
  "$found" -m venv "$venv" || say "The virtual environment $PWD/$venv could not be created: check that the directory can be written."
fi
echo "Installing the locked dependencies into $venv (a minute the first time)…" >&2
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --only-binary :all: --require-hashes -r "$lock" ||
  say "The dependencies could not be installed: check the network or pip's index settings, then start again."
