# The only front door: make demo, make test, make check (everything CI runs).
PYTHON ?= python3
NEWEST := .venv/bin/python
OLDEST := .venv-3.0.6/bin/python
PARQUET := .venv-parquet
CELERY := .venv-celery
BETWEEN := 3.1.8 3.2.2
OTHER_PYTHONS := 3.12 3.13
NEXT := 3.4.0b2
PACKAGING := .venv-packaging/bin/python
# Half of the seconds of these tests are waits, so three of them run at a time on two cores.
PYTEST := -m pytest -q -n 3 --dist worksteal
# A file has an Airflow of its own; the one that keeps it running takes as long as the others together.
E2E := -m pytest -q -n 2 --dist loadfile tests/e2e
# Celery and the drivers of its database are laid over the newest Airflow.
PROOF := PYTHONPATH=$(abspath tests/standalone):$(abspath $(CELERY)) $(NEWEST) proof/run.py
# What depends on the version of Python, of Airflow, or of the packages that come with it: pandas, numpy, pydantic,
# pendulum, aiohttp and requests. The rest is our own text and arithmetic, which newest and oldest have tested.
OF_VERSIONS := tests/airflow tests/contract $(addprefix tests/unit/,audience bulk client delivery simulator transport)

.DEFAULT_GOAL := help
.SECONDARY:  # the stamps of packages stay
.PHONY: help demo test fuzz check lint types layers test-model test-parquet test-oldest test-airflow matrix \
	test-python pythons e2e e2e-oldest proof proof-core package sbom audit bench scale format clean

help:  ## list the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/installed  ## run the example DAGs in a real Airflow against the simulated gateway; KEEP=1 leaves its page open
	@$(NEWEST) demo/run.py $(if $(KEEP),--keep)

test: .venv/installed  ## run the tests on the newest Airflow
	@$(NEWEST) $(PYTEST) tests --ignore=tests/e2e --cov --cov-report=term

test-model: .venv/installed  ## 2,000 examples of the model, where the other tests make 200
	@OSONSMS_EXAMPLES=2000 $(NEWEST) $(PYTEST) tests/model

fuzz: .venv/installed  ## new examples: of every property (parsers, phones, texts, tables, sources, Connections), 100,000 of the models
	@OSONSMS_FUZZ=1 $(NEWEST) -m pytest tests --ignore=tests/e2e --ignore=tests/model -m hypothesis -q -n 2
	@OSONSMS_FUZZ=1 OSONSMS_EXAMPLES=100000 $(NEWEST) -m pytest tests/model -q -n 2

check: lint types layers test .venv-3.0.6/installed .venv-parquet/installed  ## everything CI runs
	@$(MAKE) --no-print-directory -j2 --output-sync=target e2e test-oldest test-model e2e-oldest test-parquet package matrix pythons
	@$(MAKE) --no-print-directory proof-core

lint: .venv/installed  ## style and formatting
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: .venv/installed  ## mypy --strict
	@.venv/bin/mypy

layers: .venv/installed  ## who may import whom; references to the docs lead somewhere
	@.venv/bin/lint-imports --no-logo
	@$(NEWEST) scripts/check_references.py

test-parquet: .venv/installed .venv-parquet/installed  ## the tests of tables again, with pyarrow
	@PYTHONPATH=$(PARQUET) $(NEWEST) $(PYTEST) tests/unit/audience tests/unit/delivery tests/unit/tables tests/airflow/bulk tests/airflow/campaign

test-oldest: .venv-3.0.6/installed  ## run the tests on the oldest supported Airflow
	@$(OLDEST) $(PYTEST) tests --ignore=tests/e2e

test-airflow: .venv-$(V)/installed  ## run the Airflow-facing tests on another Airflow: make test-airflow V=3.1.8
	@.venv-$(V)/bin/python $(PYTEST) tests/airflow tests/contract

matrix:  ## run test-airflow on the last patch of each minor between, and on the newest pre-release, which may fail
	@for version in $(BETWEEN); do $(MAKE) --no-print-directory test-airflow V=$$version || exit 1; done
	@$(MAKE) --no-print-directory test-airflow V=$(NEXT) || echo "the pre-release $(NEXT) fails: it may, look at it before it is released"

test-python: .venv-py$(P)/installed  ## run what depends on versions on another Python: make test-python P=3.13
	@.venv-py$(P)/bin/python $(PYTEST) $(OF_VERSIONS)

pythons:  ## run test-python on each other Python that this machine has
	@for python in $(OTHER_PYTHONS); do \
		if $(MAKE) --no-print-directory .venv-py$$python/installed; then \
			$(MAKE) --no-print-directory test-python P=$$python || exit 1; \
		else echo "Python $$python was not tested: it, or the pins for it, cannot be had here"; fi; done

e2e: .venv/installed  ## a whole Airflow: command line, dag.test(), scheduler and triggerer
	@$(NEWEST) $(E2E)

e2e-oldest: .venv-3.0.6/installed  ## the same on the oldest supported Airflow
	@$(OLDEST) $(E2E)

proof: .venv/installed .venv-celery/installed  ## campaigns on PostgreSQL and Celery under every fault, and a search for leaks
	@$(PROOF) $(if $(ONLY),--only $(ONLY)) $(if $(FOLDER),--home $(FOLDER))

proof-core: .venv/installed .venv-celery/installed  ## the part of it that CI runs
	@$(PROOF) --core

package: .venv-packaging/packages  ## build wheel and sdist, check them, and install the wheel into a bare Airflow
	@rm -rf dist && $(PACKAGING) -m build --no-isolation --outdir dist . >/dev/null
	@$(PACKAGING) -m twine check --strict dist/*
	@$(PACKAGING) scripts/check_package.py dist constraints/airflow-3.3.2.txt

sbom: .venv-packaging/packages  ## write dist/sbom.json (CycloneDX): what the pins of the newest Airflow consist of
	@mkdir -p dist
	@.venv-packaging/bin/cyclonedx-py requirements constraints/airflow-3.3.2.txt --pyproject pyproject.toml \
		--output-reproducible --of JSON -o dist/sbom.json

audit: .venv-packaging/packages  ## look up known weaknesses of all pins (needs a network that reaches the advisories)
	@for pins in constraints/*.txt; do .venv-packaging/bin/pip-audit --disable-pip --no-deps -r $$pins; done

bench: .venv/installed  ## speed and memory against other ways, side by side
	@for name in phones bulk texts simulator campaign campaign_memory rate scheduler delivery; do $(NEWEST) benchmarks/$$name.py; done

scale: .venv/installed  ## a campaign of a million rows end to end, and 20 waits for 50,000 messages each (a quarter of an hour)
	@for name in scale waits; do $(NEWEST) benchmarks/$$name.py || exit 1; done

format: .venv/installed  ## let ruff format and fix
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

clean:  ## remove what make has built
	@rm -rf .venv .venv-* dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# What is laid over .venv by PYTHONPATH.
.venv-parquet/installed .venv-celery/installed: .venv-%/installed: constraints/%.txt .venv/installed
	@echo "setting up $(@D) from $<"
	@rm -rf $(@D)
	@$(NEWEST) -m pip install --quiet --disable-pip-version-check --no-deps --target $(@D) -r $<
	@touch $@

# $(1) is the folder, $(2) the pins
define build
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "python3 is older than 3.11: name a newer one, as in make demo PYTHON=python3.12"; exit 1; }
@echo "setting up $(1) from $(2) (a minute or a few)"
@$(PYTHON) -m venv --clear $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check -r $(2)
@touch $(1)/packages
endef

.venv/packages: constraints/airflow-3.3.2.txt
	$(call build,.venv,$<)

.venv-packaging/packages: constraints/packaging.txt
	$(call build,.venv-packaging,$<)

# pyenv hides its Pythons until it is told which one is meant.
.venv-py%/packages: PYTHON = PYENV_VERSION=$(notdir $(lastword $(wildcard $(HOME)/.pyenv/versions/$*.*))) python$*

.venv-py%/packages: constraints/airflow-3.3.2.txt
	$(call build,$(@D),$<)

.venv-%/packages: constraints/airflow-%.txt
	$(call build,.venv-$*,$<)

%/installed: %/packages pyproject.toml
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
