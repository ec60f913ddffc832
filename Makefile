# tobo: `make demo` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
STATE ?= .tobo
export TOBO_STATE := $(STATE)

CLIENTS := $(patsubst tests/clients/environments/%.txt,.clients/%/ready,$(wildcard tests/clients/environments/*.txt))

.PHONY: demo line serve test test-clients setup-browser screenshots check format lint types contracts scripts docs bench clean

# The environment is made once and again whenever what it is made from changes.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("tobo needs Python 3.11 or newer; make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[server,broker,alerts,tracing,oidc,edge,train,compile,frameworks,notebooks,client,dev]'
	touch $@

demo: $(VENV)/ready
	$(BIN)/tobo demo $(if $(PHOTOS),--photos "$(PHOTOS)")

line: $(VENV)/ready
	$(BIN)/tobo line

serve: $(VENV)/ready
	$(BIN)/tobo serve

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup --reruns 1

# boto3, AWS CLI and both SageMaker SDKs as their registry gives them, each in an environment of its own.
test-clients: $(VENV)/ready $(CLIENTS)
	tools/offline $(BIN)/python -m pytest tests/clients

.clients/%/ready: tests/clients/environments/%.txt | $(VENV)/ready
	rm -rf $(@D)
	$(PYTHON) -m venv --without-pip $(@D)
	$(BIN)/pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

check: format lint types contracts scripts test

format: $(VENV)/ready
	$(BIN)/ruff format --check .

lint: $(VENV)/ready
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy

contracts: $(VENV)/ready
	$(BIN)/lint-imports

# The types of the console's scripts; node is needed for nothing else.
scripts: node_modules/ready
	$(if $(wildcard node_modules/.bin/tsc),node_modules/.bin/tsc,@echo "No npm here: the console's scripts were not checked.")

node_modules/ready: package.json package-lock.json
	if command -v npm >/dev/null; then npm ci --silent --no-fund --no-audit; else mkdir -p node_modules; fi
	touch $@

# What the console's browser tests need beside the environment: Chromium, and axe-core from npm.
setup-browser: node_modules/ready
	command -v chromium >/dev/null || apt-get install --yes --no-install-recommends chromium

# Every screen in both themes, of a server with something of everything in it.
screenshots: $(VENV)/ready setup-browser
	$(BIN)/python tools/console_world.py --screenshots docs/pictures/console

bench: $(VENV)/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[server,broker,alerts,tracing,oidc,edge,train,compile,frameworks,notebooks,client,dev,bench]'
	$(BIN)/python -m bench

docs: $(VENV)/ready
	$(BIN)/python tools/draw_docs.py

clean:
	rm -rf $(VENV) .clients .mypy_cache .ruff_cache .pytest_cache .hypothesis
