"""What every test shares: an Airflow without a database, and an ear that hears every log line and error."""

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

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_osonsms.protocol import errors, models, signing

_SHORTEST_SECRET = 6


class Ear:
    """Hears what leaves the code as text, and knows what must not be in it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.secrets: set[str] = set()

    def hear(self, source: str, said: Any) -> None:
        """Keep what was *said*."""
        self.heard.append((source, str(said)))

    def hear_error(self, source: str, error: BaseException) -> None:
        """Keep an error as Airflow would log it."""
        self.hear(source, "".join(traceback.format_exception(error)) + repr(error))


class _EarHandler(logging.Handler):
    def __init__(self, ear: Ear) -> None:
        super().__init__(level=logging.DEBUG)
        self._ear = ear

    def emit(self, record: logging.LogRecord) -> None:
        self._ear.hear(f"log {record.name}", self.format(record))


@pytest.fixture(scope="session", autouse=True)
def ear() -> Iterator[Ear]:
    """Listen to every log line and every error of ours, and learn every secret and hash that is used."""
    ear, patch = Ear(), pytest.MonkeyPatch()
    make_account, make_error, digest = models.Account.__init__, errors.OsonSmsError.__init__, signing._digest

    def learn_account(self: models.Account, **fields: Any) -> None:
        make_account(self, **fields)
        if len(self.secret) >= _SHORTEST_SECRET:
            ear.secrets.add(self.secret)

    def learn_digest(*fields: str) -> str:
        ear.secrets.add(digest(*fields))
        return digest(*fields)

    def hear_error(self: errors.OsonSmsError, *args: object) -> None:
        make_error(self, *args)
        ear.hear(type(self).__name__, args)

    patch.setattr(models.Account, "__init__", learn_account)
    patch.setattr(signing, "_digest", learn_digest)
    patch.setattr(errors.OsonSmsError, "__init__", hear_error)
    handler, root = _EarHandler(ear), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    _hear_structlog(ear)
    yield ear
    root.removeHandler(handler)
    root.setLevel(level)
    patch.undo()


def _hear_structlog(ear: Ear) -> None:
    """Airflow's operators log through structlog: hand it to the standard library, where the ear listens."""
    import airflow.sdk  # noqa: F401  (configures structlog; ours must come after it)
    import structlog

    def hear(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        ear.hear("structlog", event)
        return event

    structlog.configure(
        processors=[
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            hear,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, and let the search for secrets come last, when all has been heard."""
    for item in items:
        folder = Path(item.path).relative_to(Path(__file__).parent).parts[0]
        if folder in {"unit", "contract", "airflow", "e2e", "model"}:
            item.add_marker(getattr(pytest.mark, folder))
    items.sort(key=lambda item: Path(item.path).name == "test_privacy.py")
