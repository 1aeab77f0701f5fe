"""A bulk operator that texts five people tomorrow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsBulkCreateOperator


@pytest.fixture
def make_operator():
    """Make an operator that texts five people tomorrow, but for what is given."""
    people = [f"99290000{number:04}" for number in range(1, 6)]

    def make_operator(**kwargs: Any) -> OsonSmsBulkCreateOperator:
        defaults = {
            "task_id": "bulk",
            "recipients": pd.DataFrame({"phone": people}),
            "message": "Тахфиф 20%!",
            "send_at": datetime.now(UTC) + timedelta(days=1),
            "retries": 5,
        }
        return OsonSmsBulkCreateOperator(**{**defaults, **kwargs})

    return make_operator
