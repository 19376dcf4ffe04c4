# chalkgrad's commands. They need python3 (>= 3.11) and make; everything else goes into .venv.
# A stamp in .venv/stamps says that a set of packages is installed; it is made again when
# pyproject.toml or constraints.txt changes.

PYTHON  ?= python3
WORKERS ?= 2
ARGS    ?=

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
PINS   := pyproject.toml constraints.txt
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
INSTALL := $(PIP) install --constraint constraints.txt

.PHONY: help demo test browser studio lint types layers parity bench stress marking pages format clean

help:
	@echo "make demo     install chalkgrad alone and run its demonstration"
	@echo "make test     the whole suite, without the comparison with PyTorch"
	@echo "make browser  the tests in a browser, with a notebook server (Chromium must be there)"
	@echo "make studio   build the studio's front end from web/ (Node and npm must be there)"
	@echo "make lint     ruff: rules and format        make format  let ruff rewrite"
	@echo "make types    mypy, strict                  make layers  the house's import rules"
	@echo "make parity   the comparison with PyTorch   make bench   the measurements"
	@echo "make stress   two hours of native steps at many shapes, hundreds of random graphs"
	@echo "make marking  how well the checker marks    make pages   write the generated docs again"
	@echo "make clean    remove .venv and every cache"

demo: $(STAMPS)/core
	@$(BIN)/chalkgrad demo

test: $(STAMPS)/test
	$(BIN)/python -m pytest -n $(WORKERS) -m "not parity and not stress" $(ARGS)

# Without Chromium these fail; in `make test` they are skipped then.
browser: $(STAMPS)/browser
	CHALKGRAD_BROWSER=required $(BIN)/python -m pytest -m browser $(ARGS)

studio:
	cd web && npm ci --no-audit --no-fund && npm run build

lint: $(STAMPS)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMPS)/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMPS)/lint
	$(BIN)/mypy

layers: $(STAMPS)/lint
	$(BIN)/lint-imports

parity: $(STAMPS)/parity
	$(BIN)/python -m pytest -n $(WORKERS) -m parity $(ARGS)

bench: $(STAMPS)/bench
	$(BIN)/python -m benchmarks.run --json build/benchmarks.json $(ARGS)

stress: $(STAMPS)/test
	$(BIN)/python -m pytest -n $(WORKERS) -m stress
	$(BIN)/python -m benchmarks.stress $(ARGS)

marking: $(STAMPS)/test
	$(BIN)/python -m benchmarks.marking --workers $(WORKERS) $(ARGS)

pages: $(STAMPS)/parity $(STAMPS)/browser
	$(BIN)/python tools/names.py
	$(BIN)/python tools/lectures.py
	$(BIN)/python tools/gallery.py
	$(BIN)/python tools/studio_tour.py
	$(BIN)/python -m benchmarks.page
	$(BIN)/python tools/kernels.py

clean:
	rm -rf $(VENV) web/node_modules build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------ environment

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "chalkgrad needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: $(PINS) | $(STAMPS)/venv
	@echo "installing chalkgrad"
	@$(INSTALL) hatchling editables
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

# Dependency groups (--group) need a newer pip than Python 3.11 brings.
$(STAMPS)/pip: $(PINS) | $(STAMPS)/venv
	@$(INSTALL) --upgrade pip
	@touch $@

$(STAMPS)/test: $(STAMPS)/core $(STAMPS)/pip
	@echo "installing the test tools and the extras tables and studio"
	@$(INSTALL) --no-build-isolation --editable '.[tables,studio]' --group test
	@touch $@

$(STAMPS)/browser: $(STAMPS)/test
	@echo "installing a notebook server"
	@$(INSTALL) --group browser
	@touch $@

$(STAMPS)/lint: $(STAMPS)/core $(STAMPS)/pip
	@echo "installing ruff, mypy and import-linter"
	@$(INSTALL) --group lint
	@touch $@

$(STAMPS)/parity: $(STAMPS)/test
	@echo "installing PyTorch"
	@$(INSTALL) --group parity
	@touch $@

$(STAMPS)/bench: $(STAMPS)/core $(STAMPS)/pip
	@echo "installing PyTorch, JAX and scikit-learn"
	@$(INSTALL) --group bench
	@touch $@
