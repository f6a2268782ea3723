#!/usr/bin/env bash
# Installs Chromium for the browser tests when it is missing and apt can. Where it can't, those tests fail and say so.
set -u
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests…" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null >&2 && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu </dev/null >&2 && exit 0
fi
echo "Chromium is missing: the browser tests will fail until it is installed (Debian: apt-get install chromium fonts-dejavu)." >&2
exit 0
