"""A campaign operator with an audience."""

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator


@pytest.fixture
def make_people() -> Callable[..., list[dict[str, str]]]:
    """Make people with a phone and a name each."""

    def make(number: int, *, first: int = 0) -> list[dict[str, str]]:
        return [{"phone": f"99290{first + row:07}", "name": f"N{first + row}"} for row in range(number)]

    return make


@pytest.fixture
def make_campaign(make_people: Callable[..., Any]) -> Callable[..., OsonSmsCampaignOperator]:
    """Make the operator; every person gets a text with the name."""

    def make(recipients: Any = 20, **options: Any) -> OsonSmsCampaignOperator:
        if isinstance(recipients, int):
            recipients = make_people(recipients)
        defaults = {"task_id": "campaign", "message": "Салом, {name}!", "retries": 5}
        return OsonSmsCampaignOperator(recipients=recipients, **{**defaults, **options})

    return make
