# Everything from a fresh clone, with python3 (3.11 or newer, with venv) and make. `make` alone lists the targets.
# Paths are relative, so that the clone may lie in a folder with spaces in its name.

PYTHON ?= python3
ARGS ?=
# Test files run side by side, each process with services of its own.
JOBS ?= auto

PY := .venv/bin/python
WEFT := .venv/bin/weft
PYTEST := $(PY) -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up test check bench torture fuzz schema web format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

demo: .venv/demo-installed ## a workflow over real records with live progress, everything embedded
	$(WEFT) demo $(ARGS)

up: .venv/demo-installed ## the server, until Ctrl-C
	$(WEFT) up $(ARGS)

test: .venv/dev-installed ## the tests; ARGS='tests/engine -x' for some of them
	$(PYTEST) $(ARGS)

check: .venv/dev-installed ## everything that must hold: style, types, layers, schema, tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pyright
	.venv/bin/lint-imports
	$(WEFT) schema --check
	$(PYTEST) $(ARGS)

bench: .venv/dev-installed ## the speed, figure by figure; ARGS='w1 one-item' for some of them
	$(PY) -m benchmarks $(ARGS)

torture: .venv/dev-installed ## two minutes of everything that can go wrong; ARGS='--seed 123' does the same again
	PYTHONPATH=tests $(PY) -m torture $(ARGS)

fuzz: .venv/dev-installed ## ten minutes of everything that strangers may send; ARGS='--seed 123 --seconds 60' for less
	PYTHONPATH=tests $(PY) -m fuzzing $(ARGS)

schema: .venv/dev-installed ## writes schema.graphql from the code
	$(WEFT) schema --write

web: ## builds the explorer from web/ into the package; needs Node
	cd web && npm ci && npm run check && npm run build

format: .venv/dev-installed ## formats the sources and puts right what can be put right without thinking
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

clean: ## back to a fresh clone: the environment, the caches, and the data in .weft with it
	@if [ -e .weft ]; then $(PY) -c "from pathlib import Path; from weft.embedded import remove_data_folder as r; r(Path('.weft'))"; fi
	rm -rf web/node_modules tests/javascript/node_modules
	rm -rf .venv build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# What runs Weft, and what develops it: two sets in one environment, so that a first demo does not wait for the second.
.venv/demo-installed: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Weft into .venv (once, about a minute)"
	@$(INSTALL) '.[demo,models]'
	@touch $@

.venv/dev-installed: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Weft and its development tools into .venv (once, about a minute)"
	@$(INSTALL) '.[dev]'
	@touch $@ .venv/demo-installed

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Weft needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .venv
