# `make` lists what there is to make. Each target makes .venv by itself where it is missing or out of date.
PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUFF := $(BIN)/ruff check --quiet --output-format concise
WORKERS ?= 2

# What numba compiles is kept here, not in the home folder, and never outlives the code: nbs/_numba_cache.py
export NUMBA_CACHE_DIR ?= $(CURDIR)/.numba_cache
export NUMBA_CACHE_LOCATOR_CLASSES := _numba_cache.Locator
export PYTHONPATH := $(CURDIR)/nbs$(if $(PYTHONPATH),:$(PYTHONPATH))

.DEFAULT_GOAL := help
.PHONY: help study study-full test coverage dist lab docs readme export notebooks lint constraints venv clean
.DELETE_ON_ERROR:

help:  ## this list
	@echo "make TARGET; any Python >= 3.11 will do, PYTHON=/path/to/python picks one"
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

study: $(INSTALLED)  ## run the study on the embedded market, print the answer, write report/index.html
	@$(BIN)/portfolio-research study

study-full: $(INSTALLED)  ## all of the study; DATA=folder tries it on every set there, and writes the tables that are read
	@$(BIN)/python tools/study_full.py $(DATA)

test: $(INSTALLED)  ## check the code, run every notebook and test; NB_FLAGS="slow" adds the slow cells
	@$(RUFF); status=$$?; $(BIN)/mypy || status=1; $(BIN)/python -m pytest -n $(WORKERS) && exit $$status

coverage: $(INSTALLED)  ## measure which lines of the package the tests run; htmlcov/index.html
	@$(BIN)/coverage erase; $(BIN)/coverage run -m pytest -n $(WORKERS); status=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage html --quiet && $(BIN)/coverage report && exit $$status

dist: $(INSTALLED)  ## build a wheel and a source archive in dist/, and try the wheel in an empty environment
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation --outdir dist > dist.log 2>&1 || { cat dist.log; exit 1; }; rm dist.log
	@$(BIN)/python tools/try_wheel.py

lab: $(INSTALLED)  ## open JupyterLab at the index
	@$(BIN)/jupyter lab nbs/index.ipynb

docs: $(INSTALLED)  ## build the documentation, _docs/index.html
	@$(BIN)/python nbs/_sphinx/build_docs.py

readme: $(INSTALLED)  ## write README.md from nbs/index.ipynb
	@$(BIN)/python nbs/_sphinx/readme.py

export: $(INSTALLED)  ## write portfolio_research/ from the notebooks and clean them
	@$(BIN)/nbdev-clean
	@$(BIN)/nbdev-export

notebooks: $(INSTALLED)  ## run all notebooks and store their outputs
	@$(BIN)/python tools/run_notebooks.py $(WORKERS); status=$$?; $(BIN)/nbdev-clean; exit $$status

lint: $(INSTALLED)  ## check the code with ruff and mypy
	@$(RUFF); status=$$?; $(BIN)/mypy && exit $$status

# What .venv holds is pinned; `make constraints UPGRADE=--upgrade` takes the newest releases first.
constraints:  ## pin in constraints.txt what pyproject.toml needs
	@sh tools/venv.sh $(VENV) $(PYTHON)
	@$(PIP) install "setuptools>=77"
	@$(PIP) install --no-build-isolation $(UPGRADE) --upgrade-strategy eager --editable ".[dev,bench]"
	@$(BIN)/python tools/constraints.py > constraints.tmp && mv constraints.tmp constraints.txt
	@touch $(INSTALLED)

venv: $(INSTALLED)  ## only make .venv
	@:

# setuptools first: with it there, a later install finds all it needs without the network.
$(INSTALLED): pyproject.toml constraints.txt
	@sh tools/venv.sh $(VENV) $(PYTHON)
	@echo "Installing the packages in constraints.txt; the first time this takes some minutes"
	@$(PIP) install --constraint constraints.txt setuptools
	@PYTHONWARNINGS=ignore $(PIP) install --constraint constraints.txt --no-build-isolation --editable ".[dev]"
	@touch $@

clean:  ## remove what was made, but not .venv
	rm -rf _docs _proc report build dist htmlcov .coverage* .pytest_cache .ruff_cache .mypy_cache .numba_cache* constraints.tmp
	find . -name .venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
