# The only front door: make demo, make test, make check (everything CI runs).
PYTHON ?= python3
NEWEST := constraints/airflow-3.3.2.txt
OLDEST := constraints/airflow-3.0.6.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types floors test-oldest e2e e2e-oldest format clean

help:  ## list the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/installed: $(NEWEST) pyproject.toml
	@echo "setting up .venv from $(NEWEST) (a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $(NEWEST)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-oldest/installed: $(OLDEST) pyproject.toml
	@echo "setting up .venv-oldest from $(OLDEST) (a few minutes the first time)"
	@$(PYTHON) -m venv .venv-oldest
	@.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -r $(OLDEST)
	@.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
