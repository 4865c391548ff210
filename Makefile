# Two commands do everything on a fresh machine: `make demo` and `make test`. Both make .venv first.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find nbfunc/labextension/src nbfunc/labextension/style nbfunc/labextension/schema -type f 2>/dev/null)
PAGE := nbfunc/web/static/manifest.json

.PHONY: help demo test lint bench soak clean

help:
	@echo "make demo   start JupyterLab on the demo notebook (Ctrl-C stops it)"
	@echo "make test   run the tests, in a real browser too"
	@echo "make lint   ruff, mypy, tsc, eslint"
	@echo "make bench  measure against func-to-web"
	@echo "make soak   the tests that take long"
	@echo "make clean  remove what the others made"

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit("nbfunc needs Python 3.10 or newer; set PYTHON=...") if sys.version_info < (3, 10) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

# Installing builds the page too: with node where there is one, else with one that pip brings.
.venv/demo-installed: .venv/pyvenv.cfg pyproject.toml hatch_build.py
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

.venv/test-installed: .venv/pyvenv.cfg pyproject.toml hatch_build.py
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/demo-installed

# The tests run over this older one too, in kernels whose PYTHONPATH begins with it.
.venv/ipykernel6-installed: .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target .venv/ipykernel6 ipykernel==6.29.5 || \
	  { echo "The tests also run over ipykernel 6.29.5, and pip could not get it: see above."; exit 1; }
	@touch $@

$(PAGE): $(SOURCES) nbfunc/labextension/package-lock.json nbfunc/labextension/build.mjs | .venv/demo-installed
	$(BIN)/python -m pip install --quiet --editable . --no-deps
	@touch $@

demo: .venv/demo-installed $(PAGE)
	$(BIN)/jupyter nbfunc notebooks/quickstart.ipynb --NbfuncApp.default_url=/lab/tree/quickstart.ipynb \
	  $(if $(filter 0,$(shell id -u)),--allow-root)

test: .venv/test-installed .venv/ipykernel6-installed $(PAGE)
	$(BIN)/python -m tests.chromium --install
	$(BIN)/python -m tests.programs --install
	$(BIN)/python -m pytest -m "not soak"

soak: .venv/test-installed .venv/ipykernel6-installed $(PAGE)
	$(BIN)/python -m tests.chromium --install
	$(BIN)/python -m tests.programs --install
	$(BIN)/python -m pytest -m soak --timeout 3600

lint: .venv/test-installed $(PAGE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd nbfunc/labextension && npm run --silent check && npm run --silent lint && npm run --silent test

bench: .venv/test-installed $(PAGE)
	$(BIN)/python -m tests.programs --install
	$(BIN)/python -m bench

clean:
	rm -rf .venv .bench nbfunc/web/static artifacts build dist
	cd nbfunc/labextension && rm -rf node_modules dist lib
