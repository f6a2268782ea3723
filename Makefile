# One command each: run, setup, test, check, bench, format. See README.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: help
help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

.PHONY: setup
setup: $(STAMP) ## Create .venv and install the locked dependencies

$(STAMP): requirements/dev.txt requirements/creer_venv.sh
	@bash requirements/creer_venv.sh .venv requirements/dev.txt
	@touch $@

.PHONY: run
run: $(STAMP) ## Start everything: database, broker, web, worker, beat (PORT, HOST, VAR_DIR, DATABASE_URL, BROKER_URL)
	@exec $(PY) -m backoffice.embarque run --sous-make

.PHONY: test
test: check chromium ## Run the checks, then every test (PYTEST="…" adds options)
	@$(PY) -m pytest -n 2 --dist worksteal $(PYTEST)

.PHONY: chromium
chromium:
	@bash tests/navigateur_requis.sh

CONTROLES := types mise-en-forme contrats migrations gabarits
.PHONY: check $(CONTROLES)
check: $(STAMP) ## Format, lint, types, import contracts, missing migrations, templates
	@$(MAKE) --no-print-directory -j2 --output-sync $(CONTROLES)
types:
	@$(PY) -m mypy
mise-en-forme:
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
contrats:
	@.venv/bin/lint-imports --no-cache
migrations:
	@$(PY) manage.py makemigrations --check --dry-run
gabarits:
	@$(PY) -m djlint templates --lint --quiet

.PHONY: format
format: $(STAMP) ## Write the code as `make check` wants it
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

.PHONY: bench
bench: $(STAMP) ## Run every benchmark (benchmarks/), but that of the register of national size
	@$(PY) -m benchmarks

.PHONY: audit
audit: $(STAMP) ## Known vulnerabilities in what is installed (asks the network)
	@.venv/bin/pip-audit --require-hashes -r requirements/runtime.txt

.PHONY: lock
lock: ## Lock requirements/*.in again (needs uv; UPGRADE=--upgrade for newer versions)
	@for file in runtime dev; do \
	  uv pip compile requirements/$$file.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements/$$file.txt || exit 1; \
	done
