"""A pytest plugin that hears every log line and error of a run, in every worker, and fails it on a secret.

Each process hears its own tests. At its end a worker of pytest-xdist hands what it heard and which secrets it
saw to the controller, which searches everything for every secret: what one worker learned, another may not
say. Without workers the one process does both.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_osonsms.protocol import errors, models, signing

_SHORTEST_SECRET = 6
_ENOUGH_TESTS, _ENOUGH_HEARD = 1000, 100
"""A run of so many tests says more than so much, or the ear is deaf."""

_HASH = re.compile(r"[0-9a-f]{64}")
_EVERY_HASH = re.compile(r"(?=([0-9a-f]{64}))")
_URL = re.compile(r"https?://|\.php\b|str_hash=|bulk-sms/create")
_PHONE = re.compile(r"(?<!\d)992\d{9}(?!\d)")
_CHECKSUM = re.compile(r"[0-9a-f]{32,}")
"""One in forty thousand holds digits that look like a phone."""


class Ear:
    """Hears what leaves the code as text, and knows what must not be in it."""

    def __init__(self) -> None:
        self.heard: set[tuple[str, str]] = set()
        self.secrets: set[str] = set()
        self.missing: list[str] = []

    def hear(self, source: str, said: Any) -> None:
        """Keep what was *said*."""
        self.heard.add((source, str(said)))

    def hear_error(self, source: str, error: BaseException) -> None:
        """Keep an error as Airflow would log it."""
        self.hear(source, "".join(traceback.format_exception(error)) + repr(error))

    def write(self) -> str:
        """Write down what was heard and learned, for the controller."""
        return json.dumps([sorted(self.heard), sorted(self.secrets)])

    def add(self, written: str) -> None:
        """Take over what another process has heard and learned."""
        heard, secrets = json.loads(written)
        self.heard.update((source, said) for source, said in heard)
        self.secrets.update(secrets)

    def find_leaks(self) -> list[tuple[str, str]]:
        """Find what holds a secret, a hash that was used, a URL or a phone."""
        hashes = {secret for secret in self.secrets if _HASH.fullmatch(secret)}
        words = self.secrets - hashes
        return [
            (source, said)
            for source, said in sorted(self.heard)
            if _URL.search(said)
            or _PHONE.search(_CHECKSUM.sub(" ", said))
            or any(word in said for word in words)
            or not hashes.isdisjoint(_EVERY_HASH.findall(said))
        ]


_EAR = Ear()


class _EarHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _EAR.hear(f"log {record.name}", self.format(record))


@pytest.fixture(scope="session", autouse=True)
def ear() -> Iterator[Ear]:
    """Listen to every log line and every error of ours, and learn every secret and hash that is used."""
    patch = pytest.MonkeyPatch()
    make_account, make_error, digest = models.Account.__init__, errors.OsonSmsError.__init__, signing._digest

    def learn_account(self: models.Account, **fields: Any) -> None:
        make_account(self, **fields)
        if len(self.secret) >= _SHORTEST_SECRET:
            _EAR.secrets.add(self.secret)

    def learn_digest(*fields: str) -> str:
        _EAR.secrets.add(digest(*fields))
        return digest(*fields)

    def hear_error(self: errors.OsonSmsError, *args: object) -> None:
        make_error(self, *args)
        _EAR.hear(type(self).__name__, args)

    patch.setattr(models.Account, "__init__", learn_account)
    patch.setattr(signing, "_digest", learn_digest)
    patch.setattr(errors.OsonSmsError, "__init__", hear_error)
    _hear_structlog()  # Airflow, once imported, has replaced the handlers and the level of the root logger
    handler, root = _EarHandler(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield _EAR
    root.removeHandler(handler)
    root.setLevel(level)
    patch.undo()


def _hear_structlog() -> None:
    """Airflow's operators log through structlog: hand it to the standard library, where the ear listens."""
    import airflow.sdk  # noqa: F401  (configures structlog; ours must come after it)
    import structlog

    def hear(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        _EAR.hear("structlog", event)
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


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker has heard; one that died has told nothing."""
    written = getattr(node, "workeroutput", {}).get("ear")
    if written is None:
        _EAR.missing.append(node.gateway.id)
    else:
        _EAR.add(written)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hand over what was heard, or fail the run for it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["ear"] = _EAR.write()
    elif exitstatus == pytest.ExitCode.OK and list(_complaints(session)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say why the run fails."""
    complaints = list(_complaints(terminalreporter._session))
    if complaints:
        terminalreporter.section("private things were said", red=True)
    for complaint in complaints:
        terminalreporter.line(complaint)


def _complaints(session: pytest.Session) -> Iterator[str]:
    """Say what is wrong with what the whole run has said."""
    leaks = _EAR.find_leaks()
    if leaks:
        yield f"{len(leaks)} log lines, errors or XComs hold a secret, a hash, a URL or a phone, such as"
    yield from (f"  {source}: {said[:300]!r}" for source, said in leaks[:5])
    if _EAR.missing:
        yield f"workers that died have not told what they heard: {_EAR.missing}"
    is_whole = session.testscollected >= _ENOUGH_TESTS and not session.config.option.collectonly
    if is_whole and not (len(_EAR.heard) > _ENOUGH_HEARD and _EAR.secrets):
        yield f"of {session.testscollected} tests only {len(_EAR.heard)} lines were heard: the ear is deaf"
