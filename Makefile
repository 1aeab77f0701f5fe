# The only front door: make demo, make test, make check (everything CI runs).
PYTHON ?= python3
NEWEST := .venv/bin/python
OLDEST := .venv-oldest/bin/python
PARQUET := .venv-parquet

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz check lint types layers test-parquet test-oldest e2e e2e-oldest bench format clean

help:  ## list the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/installed  ## run the example DAGs in a real Airflow against the simulated gateway; KEEP=1 leaves its page open
	@$(NEWEST) demo/run.py $(if $(KEEP),--keep)

test: .venv/installed  ## run the tests on the newest Airflow
	@$(NEWEST) -m pytest tests --ignore=tests/e2e --cov --cov-report=term -q

fuzz: .venv/installed  ## 100,000 examples of the model: campaigns, sends and bulk jobs under any faults (half an hour)
	@OSONSMS_EXAMPLES=100000 $(NEWEST) -m pytest tests/model -q -n 2

check: lint types layers test test-parquet test-oldest e2e e2e-oldest  ## everything CI runs

lint: .venv/installed  ## style and formatting
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: .venv/installed  ## mypy --strict
	@.venv/bin/mypy

layers: .venv/installed  ## who may import whom; references to the docs lead somewhere
	@.venv/bin/lint-imports --no-logo
	@$(NEWEST) scripts/check_references.py

test-parquet: .venv/installed .venv-parquet/installed  ## the tests of tables again, with pyarrow
	@PYTHONPATH=$(PARQUET) $(NEWEST) -m pytest tests/unit/audience tests/unit/delivery tests/unit/tables tests/airflow/bulk tests/airflow/campaign -q

test-oldest: .venv-oldest/installed  ## run the tests on the oldest supported Airflow
	@$(OLDEST) -m pytest tests --ignore=tests/e2e -q

e2e: .venv/installed  ## a whole Airflow: command line, dag.test(), scheduler and triggerer
	@$(NEWEST) -m pytest tests/e2e -q

e2e-oldest: .venv-oldest/installed  ## the same on the oldest supported Airflow
	@$(OLDEST) -m pytest tests/e2e -q

bench: .venv/installed  ## speed and memory against other ways, side by side
	@for name in phones bulk texts simulator campaign campaign_memory scheduler delivery; do $(NEWEST) benchmarks/$$name.py; done

format: .venv/installed  ## let ruff format and fix
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

clean:  ## remove what make has built
	@rm -rf .venv .venv-oldest .venv-parquet .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv-parquet/installed: constraints/parquet.txt .venv/installed
	@echo "setting up $(PARQUET) from $<"
	@rm -rf $(PARQUET)
	@$(NEWEST) -m pip install --quiet --disable-pip-version-check --no-deps --target $(PARQUET) -r $<
	@touch $@

.venv/packages: constraints/airflow-3.3.2.txt
.venv-oldest/packages: constraints/airflow-3.0.6.txt

%/packages:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "python3 is older than 3.11: name a newer one, as in make demo PYTHON=python3.12"; exit 1; }
	@echo "setting up $* from $< (a minute or a few)"
	@$(PYTHON) -m venv --clear $*
	@$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

%/installed: %/packages pyproject.toml
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
