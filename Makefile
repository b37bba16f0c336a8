# `make help` lists what can be done here. Needs Python 3.11 or newer with venv, and nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help

CANDIDATES := python3 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --constraint constraints.txt
ARGS ?=
# Tests run side by side, a few more than there are processors: many of them wait. `make test PARALLEL=` runs one by one.
PARALLEL ?= --numprocesses auto --dist worksteal

FOREIGN := tests/foreign/node_modules/.package-lock.json

.PHONY: help demo test check foreign format-check lint types contracts tests soak cassettes mutants compiled dist bench docs format constraints clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.demo ## sync, plan, promise, deliver and sync again, against an emulator on this machine
	@$(BIN)/ar-connectors demo $(ARGS)

test: $(VENV)/.dev ## run the tests (ARGS="-k promise" and the like are passed on)
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: format-check lint types contracts docs tests ## everything a change must pass; `make -k check` goes on after a failure

.NOTPARALLEL: # the tests come last, so that their summary closes the output
format-check: $(VENV)/.dev
	$(BIN)/ruff format --check .
lint: $(VENV)/.dev
	$(BIN)/ruff check .
types: $(VENV)/.dev
	$(BIN)/mypy
contracts: $(VENV)/.dev
	$(BIN)/lint-imports
tests: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

foreign: $(FOREIGN) ## install the JavaScript clients that tests run against the emulators
$(FOREIGN): tests/foreign/package.json tests/foreign/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the JavaScript clients"; exit 1; }
	@cd tests/foreign && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $(FOREIGN)

soak: $(VENV)/.dev ## long randomized runs, 200 to 1,000 seeds each; what has passed is remembered in build/soak.json
	@$(BIN)/python -m pytest $(PARALLEL) -p tests.soak -m soak $(ARGS)

cassettes: $(VENV)/.dev ## record the contract tests anew from the emulators (AR_CONTRACT_RECORD=sandbox: from a real one)
	@AR_CONTRACT_RECORD=$${AR_CONTRACT_RECORD:-emulator} $(BIN)/python -m pytest tests/contract $(ARGS)

mutants: $(VENV)/.mutants ## change ar_core a little, many times, and count what no test notices; goes on where it was stopped (ARGS="'ar_core.aging.*' --show")
	@$(BIN)/python scripts/mutants $(ARGS)

compiled: $(VENV)/.dev ## build the wheel with the compiled evaluator and install it in build/compiled-venv (two minutes, needs a C compiler)
	@$(BIN)/python -m benchmarks.environment

dist: $(VENV)/.dev ## build what is released into dist/: the source, a wheel for every platform and one with the compiled evaluator for this one
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist
	@AR_COMPILE=1 $(BIN)/python -m build --no-isolation --wheel --outdir dist

bench: $(VENV)/.bench ## measure against raw requests and the vendors' clients, as ratios in one run
	@$(BIN)/python -m benchmarks.run $(ARGS)
	@$(BIN)/python -m benchmarks.evaluate
	@$(BIN)/python -m benchmarks.evaluate --compiled

docs: $(VENV)/.dev ## build the documentation into site/, warnings are errors
	@$(BIN)/zensical build --clean --strict

format: $(VENV)/.dev ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

constraints: ## pin every dependency anew, from a clean environment
	rm -rf build/pins
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip --disable-pip-version-check --no-input install --quiet --editable '.[all,dev,mutants]'
	{ echo '# Exact versions that make installs and CI tests. Refresh: make constraints'; \
	  build/pins/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf build/pins

clean: ## remove what was built, downloaded and cached here
	rm -rf $(VENV) build dist site mutants .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or run make PYTHON=/path/to/python"; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# Stamps: install once, and again when a dependency changes. `dev` holds all that the demo needs.
$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing ar-connectors with its emulators"
	@$(PIP) --editable '.[testkit]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing ar-connectors with every extra and the development tools (about a minute)"
	@$(PIP) --editable '.[all,dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/.dev
	@$(PIP) --editable '.[all,dev,bench]'
	@touch $@

$(VENV)/.mutants: pyproject.toml constraints.txt | $(VENV)/.dev
	@$(PIP) --editable '.[all,dev,mutants]'
	@touch $@
