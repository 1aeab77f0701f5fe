"""What every test shares: an Airflow without a database, no proxies, and an ear (``privacy/ear.py``)."""

import atexit
import os
import shutil
import tempfile

# Before any import of Airflow: no example DAGs, and any use of a database explodes.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="osonsms-tests-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "sqlite:////nonexistent/none.db"
for name in ("http_proxy", "https_proxy", "all_proxy"):  # tests never leave 127.0.0.1
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["ear"]

# A busy machine fails no property: seconds are for `make bench` to measure. A change is judged by nothing but
# itself, so each run draws the same examples; `make fuzz` draws new ones.
settings.register_profile(
    "patient",
    max_examples=2000 if "OSONSMS_FUZZ" in os.environ else 100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="OSONSMS_FUZZ" not in os.environ,
)
settings.load_profile("patient")


class StoppedClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StoppedClock:
    """09:00:00 in Dushanbe."""
    return StoppedClock()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder."""
    for item in items:
        folder = Path(item.path).relative_to(Path(__file__).parent).parts[0]
        if folder in {"unit", "contract", "airflow", "e2e", "model"}:
            item.add_marker(getattr(pytest.mark, folder))
