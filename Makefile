# Every target sets up what it needs: `make run` and `make test` work in a fresh clone.

VENV := .venv
PY := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
# As CI runs it: no questions, and nothing that depends on who is logged in.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help run dev test lint format bench docs gallery screenshots lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 18

run: $(RUNTIME) ## start the workbench on http://127.0.0.1:8501
	$(VENV)/bin/workbench serve

dev: $(DEV) ## set up the environment with the tools of a developer

# Files of tests run two at a time, but those that watch a browser's clock alone; which of both has
# none of the tests asked for (5) is no fault. They share the cores with servers that they start, so
# idle threads should not spin.
PYTEST := GOMP_SPINCOUNT=1000 $(PY) -m pytest
test: lint ## run every check: lint, types, layers, all tests (ARGS="-k shapley" for a few)
	@sh tests/bring_chromium.sh $(PY)
	$(PYTEST) --numprocesses=2 --dist=loadfile -m "not browser" $(ARGS) || [ $$? -eq 5 ]
	$(PYTEST) -m browser $(ARGS) || [ $$? -eq 5 ]

lint: $(DEV) ## check style, types and layers
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: $(DEV) ## put the code into the project's format
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

bench: $(DEV) ## measure against peers, and the running workbench (half an hour)
	@sh tests/bring_chromium.sh $(PY)
	$(PY) -m benchmarks.shapley
	$(PY) -m benchmarks.games
	$(PY) -m benchmarks.fastshap
	$(PY) -m benchmarks.what_if
	$(PY) -m benchmarks.local
	$(PY) -m benchmarks.measures
	$(PY) -m benchmarks.rashomon
	$(PY) -m benchmarks.profiles
	$(PY) -m benchmarks.interactions
	$(PY) -m benchmarks.fairness
	$(PY) -m benchmarks.flips
	$(PY) -m benchmarks.lib
	$(PY) -m benchmarks.report
	$(PY) -m benchmarks.server

docs: $(DEV) ## build the documentation as a site in docs/_build/html, without network
	$(PY) -m sphinx -b html -W -q docs docs/_build/html
	@echo "Open docs/_build/html/index.html."

gallery: $(DEV) ## run the worked examples and write what they print and draw
	$(PY) -m docs.gallery
	$(VENV)/bin/workbench methods --check --out docs/methods/table.md

screenshots: $(DEV) ## take the pictures of pages anew
	$(PY) -m docs.screenshots

lock: $(DEV) ## pin in requirements*.txt what the environment has
	$(PY) .ci/lock.py

clean: ## remove the environment and every cache
	rm -rf $(VENV) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are as old as the last installation, so a changed lock installs again.
$(RUNTIME): requirements.txt pyproject.toml | $(PY)
	@echo "Installing the pinned packages into $(VENV)."
	$(PIP) -r requirements.txt
	$(PIP) --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.txt requirements.txt pyproject.toml | $(PY)
	@echo "Installing the pinned packages and the developer's tools into $(VENV)."
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-deps --editable .
	@touch $(RUNTIME) $@

# A name on PATH may be a shim without a version behind it, so each candidate has to run.
$(PY):
	@for python in $${PYTHON:-python3 python3.11 python3.12 python3.13}; do \
	  if "$$python" -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	    2>/dev/null; then \
	    echo "Making $(VENV) with $$python."; \
	    exec "$$python" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 to 3.13 with its venv module was found; install one (Debian:" \
	  "apt-get install python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1
