# `make demo` and `make test` set everything up in .venv first. `make help` lists the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python -P
# Threads that wait for work give up the core: spinning costs 30x when something else runs.
export OMP_WAIT_POLICY ?= PASSIVE
# A process for each of two cores; a file's tests stay together, because they share fixtures.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile
DEBIAN := g++ make python3-venv python3-dev

.PHONY: help setup demo test test-all lint types quality bakeoff bench clean

help:
	@echo "make demo      compile the reference model for ios and android, verify it, generate text"
	@echo "make test      linter, types and all tests but the slow ones"
	@echo "make test-all  the slow tests too"
	@echo "make quality   quality table of the reference model (TEXT=file)"
	@echo "make bakeoff   our schemes and other tools' by file bytes (see tools/bakeoff/README.md)"
	@echo "make bench     time and memory of compiling a 1.1B-parameter shape"
	@echo "make clean     remove .venv and everything that was built"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml tools/dev/check_system.sh
	sh tools/dev/check_system.sh "$(PYTHON)" $(DEBIAN)
	test -x $(BIN)/python || $$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "torch==2.13.0"
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[coreml,executorch,onnxruntime,tvm,dev]"
	$(PY) tools/dev/link_typings.py
	touch $@

demo: setup
	$(BIN)/optimum-compile models/reference --target ios,android --policy cascade --name reference -o build --overwrite
	$(BIN)/optimum-compile inspect build/reference
	$(BIN)/optimum-compile verify build/reference
	$(BIN)/optimum-compile run build/reference --prompt "Once upon a time" --max-tokens 80

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(PY) tools/dev/link_typings.py
	$(BIN)/mypy

test: lint types
	PYTHONSAFEPATH=1 $(PYTEST) -m "not slow"

test-all: lint types
	PYTHONSAFEPATH=1 $(PYTEST)

TEXT ?= models/reference/evaluation.json
quality: setup
	$(PY) -m optimum_compile.tools.quality models/reference --text $(TEXT)

CALIBRATION ?= compiler/data/calibration.json
bakeoff: setup
	$(PY) -m optimum_compile.tools.bakeoff models/reference --text $(TEXT) --calibration $(CALIBRATION) $(BAKEOFF)

bench: setup
	$(PY) -m optimum_compile.tools.bench

clean:
	rm -rf $(VENV) .typings build dist .mypy_cache .ruff_cache .pytest_cache
