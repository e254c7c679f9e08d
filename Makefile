# `make demo` shows Ballast at work; `make check` is what a change has to pass.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# extras are large (embeddings brings torch, some 6 GB), so each has an environment of its own
EMBEDDINGS := .venv-embeddings
EMBEDDINGS_READY := $(EMBEDDINGS)/.ready
PRESIDIO := .venv-presidio
PRESIDIO_READY := $(PRESIDIO)/.ready
COMPILE := uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url
# most tests wait for processes, so three workers keep two cores busy
TOGETHER := -m 'not alone and not embeddings and not presidio' --numprocesses 3 --dist worksteal
ALONE := -m alone
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# an image may set it, and then each of the hundreds of processes of the tests compiles all our code again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install test test-embeddings test-presidio check format chaos soak bench-loop bench-stages bench-monitor bench-sandbox bench-verify bench-generate schemas lock clean

demo: install
	@$(BIN)/ballast demo

install: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Ballast needs Python 3.11 or newer; set PYTHON to one, as in: make demo PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing Ballast into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

test: install
	$(BIN)/pytest $(TOGETHER)
	$(BIN)/pytest $(ALONE)

test-embeddings: $(EMBEDDINGS_READY)
	$(EMBEDDINGS)/bin/pytest -m embeddings

$(EMBEDDINGS_READY): requirements-embeddings.lock pyproject.toml
	@echo "Installing Ballast with sentence vectors into $(EMBEDDINGS); that is some 6 GB ..."
	@$(PYTHON) -m venv $(EMBEDDINGS)
	@$(EMBEDDINGS)/bin/pip install --quiet --require-hashes -r requirements-embeddings.lock
	@$(EMBEDDINGS)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

test-presidio: $(PRESIDIO_READY)
	$(PRESIDIO)/bin/pytest -m presidio

$(PRESIDIO_READY): requirements-presidio.lock pyproject.toml
	@echo "Installing Ballast with Presidio into $(PRESIDIO); that is some 1.5 GB ..."
	@$(PYTHON) -m venv $(PRESIDIO)
	@$(PRESIDIO)/bin/pip install --quiet --require-hashes -r requirements-presidio.lock
	@$(PRESIDIO)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

chaos: install
	BALLAST_CHAOS=full $(BIN)/pytest tests/chaos -s --timeout 3000

soak: install
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest $(TOGETHER) --timeout 3000
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest $(ALONE) --ignore tests/chaos --timeout 3000

bench-loop: install
	$(BIN)/python bench/loop.py

bench-stages: install
	$(BIN)/python bench/stages.py

bench-monitor: install
	$(BIN)/python bench/monitor.py

bench-sandbox: install
	$(BIN)/python bench/sandbox.py

bench-verify: install
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests:tests/services/verify $(BIN)/python bench/verify.py

bench-generate: install
	PYTHONPATH=tests $(BIN)/python bench/generate.py

schemas: install
	$(BIN)/python tests/schemas/release.py

lock:
	$(COMPILE) -o requirements.lock
	$(COMPILE) --extra embeddings -c requirements.lock -o requirements-embeddings.lock
	$(COMPILE) --extra presidio -o requirements-presidio.lock # Presidio bears no numpy as new as the others have

clean:
	rm -rf $(VENV) $(EMBEDDINGS) $(PRESIDIO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
