# Every target sets itself up: the first call makes $(VENV), later calls see that nothing changed.
# `make VENV=somewhere PYTHON=/path/to/python3.11 demo` uses another folder or another interpreter.
#
# CPU or CUDA: whichever torch 2.13.0 build pip finds is taken. TORCH_INDEX=<index url> asks for one of them.

VENV ?= .venv
PYTEST_FLAGS ?=
# A process a core, 2.5 GB each at most. `make test WORKERS=` runs one test after another.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile
RUN := $(VENV)/bin
RECIPE := pyproject.toml constraints.txt scripts/setup.sh Makefile

export VENV PYTHON TORCH_INDEX

# One thing after another, even under `make -j`: the targets share one environment.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-slow test-all lint format types contracts docs check pins screenshots clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.covermaker  ## make the virtual environment with everything covermaker needs to run

setup-dev: $(VENV)/.covermaker-dev  ## the same, and what tests and checks need

$(VENV)/.covermaker: $(RECIPE)
	@sh scripts/setup.sh run

$(VENV)/.covermaker-dev: $(VENV)/.covermaker
	@sh scripts/setup.sh dev

demo: setup  ## render the demo song and print what came out
	$(RUN)/covermaker render projects/demo --score

test: setup-dev  ## the test suite without its slow part
	OMP_NUM_THREADS=1 $(RUN)/python -m pytest -m "not slow and not gpu and not network" $(WORKERS) $(PYTEST_FLAGS)

test-slow: setup-dev  ## only the slow tests
	$(RUN)/python -m pytest -m "slow and not gpu and not network" $(PYTEST_FLAGS)

test-all: setup-dev  ## the whole suite: slow tests, and GPU tests where there is a GPU
	$(RUN)/python -m pytest -m "not network" $(PYTEST_FLAGS)

lint: setup-dev  ## ruff: rules and format
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/python scripts/make_reference.py --check
	$(RUN)/python scripts/make_keys.py --check

format: setup-dev  ## let ruff rewrite what it can
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

types: setup-dev  ## mypy, strict
	$(RUN)/mypy

contracts: setup-dev  ## import-linter: imports run against the stream
	$(RUN)/lint-imports

docs: setup-dev  ## write the reference pages from the code
	$(RUN)/python scripts/make_reference.py
	$(RUN)/python scripts/make_keys.py

check: lint types contracts test  ## what to run before a commit

screenshots: setup-dev  ## walk through the studio and write docs/tour.md with its pictures; trains a voice, 25 minutes
	$(RUN)/python scripts/tour.py $(TOUR_FLAGS)

pins: setup-dev  ## write constraints.txt anew from the environment
	$(RUN)/python scripts/pins.py

clean:  ## drop the environment, tool caches and the demo's output
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis projects/demo/out projects/demo/.covermaker
