"""The operators that spend money, each with three people (the send with one) and a price of 0.10 a part."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.operators import osonsms as operators
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

PEOPLE = [f"99290000{number:04}" for number in range(1, 4)]
SEND_AT = datetime(2036, 3, 5, 12, tzinfo=TAJIK_TIME)
"""A Wednesday."""
NOW = datetime.now(UTC)
"""For all these tests, so that the period of a budget does not end while one of them runs."""


@pytest.fixture(autouse=True)
def _priced(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part cost ten dirams, as the gateway bills it."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.10"))


@pytest.fixture
def set_balance(gateway: Any) -> Callable[[Any], None]:
    """Top the account up, or empty it."""

    def set_balance(somoni: Any) -> None:
        gateway.backend.change_account("demo", balance=Decimal(somoni))

    return set_balance


@pytest.fixture
def budget_folder(tmp_path: Any) -> Any:
    """The folder of a budget, without tables."""
    folder = tmp_path / "budget"
    folder.mkdir()
    return folder


@pytest.fixture
def make_task(budget_folder: Any) -> Callable[..., Any]:
    """Make an operator of a kind; its table or receipts lie in the folder of the budget."""
    results = {"results_path": str(budget_folder / "{{ run_id }}-{{ task.task_id }}.csv")}
    bulk = {"receipt_path": str(budget_folder / "receipts"), "send_at": SEND_AT}
    kinds = {
        "send": (operators.OsonSmsSendOperator, {"phone": PEOPLE[0]}),
        "campaign": (operators.OsonSmsCampaignOperator, {"recipients": PEOPLE, **results}),
        "bulk": (operators.OsonSmsBulkCreateOperator, {"recipients": PEOPLE, **bulk}),
        "preview": (operators.OsonSmsCampaignPreviewOperator, {"recipients": PEOPLE}),
    }

    def make(kind: str, *, clock: Callable[[], datetime] | None = None, **fields: Any) -> Any:
        operator, options = kinds[kind.removeprefix("dry ")]
        if kind.startswith("dry "):
            options = {**options, "dry_run": True}
        task = operator(
            **{"task_id": kind.replace(" ", "_"), "message": "Салом!", "retries": 5, **options, **fields}
        )
        task._clock = clock or (lambda: NOW)
        return task

    return make
