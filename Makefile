# Everything that people and CI do with this checkout. Each target brings what it needs into .venv, once;
# nothing but Python 3.11 or later (with its venv module) must be there.

PYTHON ?= python3
VENV := .venv
GRPC := src/pilothouse/scoring/grpc
BIN := $(VENV)/bin
UV := $(BIN)/uv
# The version of uv is the one that the lock names, so that the locks are read by what wrote them.
UV_VERSION = $(shell sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/demo.txt)
LOCK := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.PHONY: help demo demo-stop test check lint format types imports doctest unit docs openapi proto bench-skeleton bench-decisions bench-lifecycle bench-evaluator lock clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: $(VENV)/.demo ## From a model file to production, on this machine
	@$(BIN)/python examples/employment/demo.py

demo-stop: $(VENV)/.demo ## Stop the scoring processes that `pilothouse up` over the demo's home has started
	@$(BIN)/python examples/employment/demo.py --stop

test: $(VENV)/.dev ## Every test, with real servers
	@$(BIN)/python -m pytest -rs -n auto --dist loadfile tests

check: $(VENV)/.dev ## The gate: format, lint, types, imports, doctests, unit tests
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target lint types imports doctest unit

lint: $(VENV)/.dev ## Look at form and style
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .

types: $(VENV)/.dev
	@$(BIN)/mypy --no-error-summary

imports: $(VENV)/.dev
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }

doctest: $(VENV)/.dev
	@$(BIN)/python -m pytest --doctest-modules src

unit: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto tests/unit

format: $(VENV)/.dev ## Bring everything into form
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Write the reference pages anew from the code
	@$(BIN)/python docs/generate.py

openapi: $(VENV)/.dev ## Write openapi.json anew from the code
	@$(BIN)/python -m tests.contract.openapi

proto: $(VENV)/.dev ## Write the messages of gRPC anew from their definitions
	@$(BIN)/python -m grpc_tools.protoc --proto_path=$(GRPC) --descriptor_set_out=$(GRPC)/schema.binpb \
		open_inference.proto health.proto

bench-skeleton: $(VENV)/.dev ## Measure scoring, snapshots, deployments and life-cycle steps
	@$(BIN)/python -m benchmarks.skeleton

bench-decisions: $(VENV)/.dev ## Measure conditions and decision tables against other engines
	@$(BIN)/python -m benchmarks.decisions

bench-lifecycle: $(VENV)/.dev ## Measure durable steps of life cycles against SpiffWorkflow
	@$(BIN)/python -m benchmarks.lifecycle

bench-evaluator: $(VENV)/.dev ## Measure compiled models against scikit-learn and ONNX Runtime
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.evaluator

lock: $(UV) ## Resolve the requirements anew
	@$(LOCK) --extra demo --output-file requirements/demo.txt pyproject.toml
	@$(LOCK) --extra demo --extra grpc --extra log --extra postgres --group dev --constraints requirements/demo.txt \
		--output-file requirements/dev.txt pyproject.toml

clean: ## Remove what was built, and the demo's folder; the sources stay
	@if [ -f .demo/made-by-the-pilothouse-demo ] && [ -x $(BIN)/python ]; then \
		$(BIN)/python examples/employment/demo.py --stop && rm -rf .demo; fi
	@rm -rf $(VENV) build dist src/*.egg-info src/pilothouse/evaluator/*.so .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)

$(UV): $(BIN)/python requirements/demo.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# The kernel of compiled models is built with the package, where a C compiler is.
KERNEL := setup.py $(wildcard src/pilothouse/evaluator/native/*.[ch])

# Whoever has the tools for development has all that the demo needs.
$(VENV)/.demo: $(UV) requirements/demo.txt pyproject.toml $(KERNEL)
	@if [ -f $(VENV)/.dev ]; then $(MAKE) --no-print-directory $(VENV)/.dev; else \
		echo "installing into $(VENV) ..."; \
		$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/demo.txt && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .; fi
	@touch $@

$(VENV)/.dev: $(UV) requirements/dev.txt pyproject.toml $(KERNEL)
	@echo "installing into $(VENV) ..."
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@ $(VENV)/.demo
