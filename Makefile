# Everything runs from a bare clone with Python 3.11 or newer and make: the first target that needs
# it makes .venv from the lock files, once. `make help` lists the targets.

PYTHON  ?=
VENV    ?= .venv
BIN     := $(VENV)/bin
WORKERS ?= 2
PYTEST  := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -q
PIP     := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo test check lint pages bench guarantee faults docs golden screenshots lock bill audit clean
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

demo: $(VENV)/.run ## the whole story in a simulated town; FAST=1: its scan alone, with a report to open
	@$(BIN)/riparian demo$(if $(FAST), --fast)$(if $(OPEN), --open)

test: $(VENV)/.dev $(VENV)/.chromium $(VENV)/.postgres lint pages ## everything: form, types, floors, documentation, all tests
	@$(PYTEST)

check: $(VENV)/.dev lint pages ## the same without the slow tests, in under a minute
	@$(PYTEST) -m "not slow"

bench: $(VENV)/.dev ## every program of bench/, one after the other
	@set -e; for program in $$(grep -l __main__ bench/*.py | grep -v -e /guarantee_ -e /faults.py); do \
	    echo "== $$program"; $(BIN)/python "$$program"; done

guarantee: $(VENV)/.dev ## the long Monte Carlo runs behind every stated chance
	@set -e; for program in $$(ls bench/guarantee_*.py 2>/dev/null); do \
	    echo "== $$program"; $(BIN)/python "$$program"; done

faults: $(VENV)/.dev ## break one thing while a town is watched, RUNS=200 times: nothing is lost, nothing counted twice
	@$(BIN)/python bench/faults.py --runs $(or $(RUNS),200)

docs: $(VENV)/.dev ## write docs/reference from the code, then build the site into site/
	@$(BIN)/python docs/generate.py
	@$(MAKE) --no-print-directory pages

golden: $(VENV)/.dev ## rewrite tests/golden from what the code says now; review it as a diff
	@$(PYTEST) tests --write-golden
	@git --no-pager diff --stat -- tests/golden

screenshots: $(VENV)/.dev $(VENV)/.chromium ## take the pictures of docs/images anew, in a browser; look at them
	@$(BIN)/python -m pytest -q tests/browser/test_pictures.py --write-screenshots
	@git --no-pager diff --stat -- docs/images

lint: $(VENV)/.dev ## form, types and floors only
	@$(BIN)/ruff format --check -q
	@$(BIN)/ruff check -q
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo > $(VENV)/floors.txt || { cat $(VENV)/floors.txt; exit 1; }

pages: $(VENV)/.dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

lock: ## resolve the lock files again (needs uv)
	@command -v uv > /dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv" >&2; exit 2; }
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" --group dev pyproject.toml -o requirements-dev.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" --group build -c requirements-dev.lock pyproject.toml -o requirements.lock

bill: $(VENV)/.dev ## what Riparian is made of, under which licences: dist/riparian.cdx.json (CycloneDX)
	@mkdir -p dist
	@$(BIN)/python deploy/bill.py > dist/riparian.cdx.json

audit: $(VENV)/.dev ## licences against the table, and what is locked against what is known of weaknesses (asks the network)
	@$(BIN)/python deploy/bill.py --check
	@test -x $(VENV)/audit/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/audit && \
	    $(VENV)/audit/bin/python -m pip --disable-pip-version-check -q install "pip-audit>=2.9,<3"; }
	@$(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

clean: ## remove what make made, the workspace of the demo excepted
	@rm -rf $(VENV) site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- the virtual environment -------------------------------------------------------------------

$(BIN)/python:
	@set -e; found=""; \
	for python in $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Riparian needs Python 3.11 or newer, and $(or $(PYTHON),python3) is not: install it, or name one with make PYTHON=/path/to/python3" >&2; exit 2; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2> /dev/null || ! "$$found" -m venv $(VENV) > /dev/null; then \
	    rm -rf $(VENV); \
	    echo "$$found cannot make a virtual environment: on Debian and Ubuntu, apt install python3-venv" >&2; exit 2; \
	fi
	@$(PIP) install --upgrade "pip>=25.1,<27"

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what requirements.lock names into $(VENV): once, about three minutes" >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "installing what requirements-dev.lock names into $(VENV): once, a minute or two" >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.chromium: | $(BIN)/python
	@set -e; browser="$${CHROMIUM:-chromium}"; \
	if ! command -v "$$browser" > /dev/null; then \
	    echo "installing Chromium for the tests that need a browser: once, about a minute" >&2; \
	    if [ "$$(id -u)" != 0 ] || ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-liberation; } > $(VENV)/chromium.txt 2>&1; then \
	        echo "make test needs Chromium, and cannot install it here: on Debian, as root, apt-get install chromium;" >&2; \
	        echo "elsewhere name one with CHROMIUM=/path/to/it make test. make check needs none." >&2; exit 2; \
	    fi; \
	fi
	@touch $@

$(VENV)/.postgres: | $(BIN)/python
	@set -e; \
	if ! command -v pg_ctl > /dev/null && ! ls /usr/lib/postgresql/*/bin/pg_ctl > /dev/null 2>&1; then \
	    echo "installing PostgreSQL for the tests that need a server: once, about a minute" >&2; \
	    if [ "$$(id -u)" != 0 ] || ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql; } > $(VENV)/postgres.txt 2>&1; then \
	        echo "make test needs PostgreSQL 14 or newer, and cannot install it here: on Debian, as root, apt-get install postgresql;" >&2; \
	        echo "elsewhere install it so that pg_ctl and initdb are on the path. make check needs none." >&2; exit 2; \
	    fi; \
	fi
	@touch $@
