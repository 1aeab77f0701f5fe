"""What the model tests share: no log lines, and no pauses."""

import logging

import pytest

from airflow_provider_osonsms.campaign import journal, send_loop
from airflow_provider_osonsms.protocol import flows


@pytest.fixture(scope="session", autouse=True)
def ear():
    """A hundred thousand examples say too much to be kept, and nothing that other tests do not say."""


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """The package logs nothing and waits for nothing; of few people fewer go alone at first."""
    patch = pytest.MonkeyPatch()
    patch.setattr(flows, "FIRST_PAUSE", 0.0)
    patch.setattr(send_loop, "_HANDFUL", 2)
    patch.setattr(journal, "PAUSES_FOR_BACKENDS", (0.0, 0.0, 0.0))
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    patch.undo()
