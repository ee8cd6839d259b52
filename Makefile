# `make help` lists what there is. Everything works on a machine with Python 3.11 or newer and nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
NAME ?= all

.DEFAULT_GOAL := help
.PHONY: help run demo test test-all test-faults mutants check compress bench screens browser

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the product needs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-tests: requirements-tests.txt $(VENV)/.installed
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-tests.txt
	@touch $@

browser:
	@bash scripts/install-test-system.sh

run: $(VENV)/.installed ## Serve the product with its demo on http://127.0.0.1:8000
	@PORT=$(PORT) $(BIN)/flask prepare
	@PORT=$(PORT) $(BIN)/python app.py

demo: $(VENV)/.installed ## Build the demo again from the start
	@$(BIN)/flask demo --again

test: $(VENV)/.installed-tests browser ## Every test; what runs on both engines runs on both
	@bash scripts/run-tests.sh

test-all: $(VENV)/.installed-tests browser ## Every test, on both engines
	@ALL_ENGINES=1 bash scripts/run-tests.sh

test-faults: $(VENV)/.installed-tests ## The long kill tests
	@LONG_FAULTS=1 $(BIN)/python -m pytest tests/faults -q

mutants: $(VENV)/.installed-tests ## One-line breakages that the tests have to notice
	@$(BIN)/python -m tests.mutants

check: $(VENV)/.installed-tests ## Format, lint, types, floors
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy icbt_support app.py
	@$(BIN)/lint-imports

compress: $(VENV)/.installed ## The compressed copies of CSS and JavaScript, after a change of either
	@$(BIN)/python -m whitenoise.compress --quiet --no-brotli icbt_support/static gz svg txt woff2

bench: $(VENV)/.installed-tests ## Measure (NAME=delivery for one)
	@$(BIN)/python -m benchmarks $(NAME)

screens: $(VENV)/.installed-tests browser ## A picture of every page at 390 and 1280 px, in screens/
	@$(BIN)/python -m tests.browser.screens
