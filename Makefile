# tobo: `make demo` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
STATE ?= .tobo
export TOBO_STATE := $(STATE)

.PHONY: demo serve test check format lint types contracts docs bench clean

# The environment is made once and again whenever what it is made from changes.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("tobo needs Python 3.11 or newer; make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,client,dev]'
	touch $@

demo: $(VENV)/ready
	$(BIN)/tobo demo $(if $(PHOTOS),--photos "$(PHOTOS)")

serve: $(VENV)/ready
	$(BIN)/tobo serve

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup --reruns 1

check: format lint types contracts test

format: $(VENV)/ready
	$(BIN)/ruff format --check .

lint: $(VENV)/ready
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy

contracts: $(VENV)/ready
	$(BIN)/lint-imports

bench: $(VENV)/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,client,dev,bench]'
	$(BIN)/python -m bench

docs: $(VENV)/ready
	$(BIN)/python tools/draw_docs.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
