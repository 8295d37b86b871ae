# The development loop, one word each; `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test compat check bench docs lock build clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Headgate needs Python 3.11 or newer; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what constraints.txt pins (once) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

install: $(READY) ## make the virtual environment in .venv

demo: $(READY) ## run the main job: simulator, server, example tickets and reports
	@$(BIN)/headgate demo

# Each of the processes would write five hundred files of tests anew, to tell what failed, if the
# bytecode of the last time were not there.
test: $(READY) ## run the tests
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

compat: $(READY) ## run the official Python SDK's own tests through Headgate (needs npm)
	@$(BIN)/python tests/sdk_suite

check: $(READY) ## format, lint, types, import layers, generated docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.generate --check

bench: $(READY) ## print the figures of docs/benchmarks.md
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks --detection
	@$(BIN)/python -m benchmarks --injection

docs: $(READY) ## write the reference pages anew from the code
	@$(BIN)/python -m docs.generate

lock: ## pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --upgrade -o constraints.txt

build: $(READY) ## build the wheel and the source archive into dist/
	@$(BIN)/python -m hatchling build

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
