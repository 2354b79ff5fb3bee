# Two commands: `make demo` shows KubeYARN at work, `make test` runs every test.
# Both make what they need: a virtual environment here, programs in the per-user cache.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
GENERATED = --write crds --write charts/kubeyarn/files/crds --reference docs/reference

.PHONY: demo test programs lint unit conformance e2e crds clean help

help:
	@echo "make demo         a word count through YARN's ten steps on a real cluster on this machine"
	@echo "make test         every test: lint, unit, property, wire, conformance, end to end"
	@echo "make programs     the programs of the local cluster, downloaded or built into the cache"
	@echo "make lint         formatting, types, imports between rooms, generated files"
	@echo "make unit         the tests that need no cluster, those of the documentation included"
	@echo "make conformance  the recorded answers of Apache Hadoop"
	@echo "make e2e          the tests on a real control plane and kubelet"
	@echo "make crds         write the custom resource definitions and their reference anew"
	@echo "make clean        remove the virtual environment"

$(READY): requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: $(READY)
	$(BIN)/kubeyarn demo

test: programs lint unit conformance e2e

# Once, for minutes: no test waits for a build.
programs: $(READY)
	$(BIN)/kubeyarn cluster fetch

lint: $(READY)
	$(BIN)/ruff format --check operator tests
	$(BIN)/ruff check operator tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/kubeyarn crds $(GENERATED) --check

unit: $(READY)
	$(BIN)/pytest tests/house tests/unit tests/property tests/wire tests/docs -n 2

conformance: $(READY)
	$(BIN)/pytest tests/conformance -n 2

e2e: programs
	$(BIN)/pytest tests/e2e/local
	$(BIN)/pytest tests/e2e --ignore tests/e2e/local -n 2 --no-loadscope-reorder

crds: $(READY)
	$(BIN)/kubeyarn crds $(GENERATED)

clean:
	rm -rf $(VENV)
