# Two commands to begin with: `make demo` shows what dokja does, `make test` checks all of it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UP_TO_DATE := $(VENV)/.up-to-date

.PHONY: setup demo test messages clean

setup: $(UP_TO_DATE)

$(UP_TO_DATE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dokja needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing dokja and its tools into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@$(BIN)/python -m compileall -q dokja
	@touch $@

demo: setup
	@rm -rf build/demo
	@$(BIN)/dokja demo --keep build/demo

# The order is from quick to slow; pytest's closing line is the last one.
test: setup
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports
	@$(BIN)/pytest --numprocesses auto

# Bring the Korean catalogue in line with the messages in the source; what is new has an empty translation.
messages: setup
	@$(BIN)/python -m tests.messages

clean:
	rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
