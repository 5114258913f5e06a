# The front door. `make help` lists what it does.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CACHE := .cache
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(CACHE)/node_modules/.bin:$(CURDIR)/$(CACHE)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: demo test test-tools check bench clauses mutants stubs format lock clean help \
  lint types layers contract fresh wheel dependencies readme budgets

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "counterfoil needs Python 3.11 or newer; say which: make PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/lock.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY) ## a day of a province in miniature, on this machine
	$(BIN)/counterfoil-day

test: $(READY) ## all tests that need nothing but Python
	$(BIN)/python -m pytest -m "not tools" --report=$(CACHE)/report-test.json

test-tools: $(READY) ## the tests that need other programs; says which
	$(BIN)/python -m tools.needs
	$(BIN)/python -m pytest -m tools --report=$(CACHE)/report-test-tools.json

check: lint types layers contract fresh wheel dependencies readme budgets ## every gate but the tests

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

contract: $(READY)
	$(BIN)/python -m tools.contract

fresh: $(READY)
	$(BIN)/python -m tools.stubs --check

wheel: $(READY)
	rm -rf $(CACHE)/dist
	$(BIN)/python -m build --no-isolation --wheel --outdir $(CACHE)/dist . >/dev/null
	$(BIN)/check-wheel-contents $(CACHE)/dist/*.whl

dependencies: $(READY)
	$(BIN)/deptry proto gateway store clients

readme: $(READY)
	$(BIN)/python -m tools.readme_help

budgets: $(READY)
	$(BIN)/python -m tools.budgets

bench: $(READY) ## speed and memory, measured here
	$(BIN)/python -m tests.bench

clauses: $(READY) ## each clause of the regulations with its tests
	$(BIN)/python -m tools.clauses --run

mutants: $(READY) ## switch off each check: does a test notice?
	$(BIN)/python -m tools.mutants

stubs: $(READY) ## generate the Python stubs from proto/
	$(BIN)/python -m tools.stubs

format: $(READY) ## format and fix what can be fixed; refresh README's help texts
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m tools.readme_help --write

lock: $(READY) ## choose the newest versions; takes minutes
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --extra gateway --extra dev --output-file requirements/lock.txt pyproject.toml

clean: ## remove all that can be made again
	rm -rf $(VENV) $(CACHE) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage
	find proto gateway store clients tests tools -name __pycache__ -prune -exec rm -rf {} +
