"""A run in which something private is said fails, whichever worker said it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ear import Ear

LEAKS = {
    "a salt": "the salt is leaky-salt-7",
    "a hash": f"signed with {'0123456789abcdef' * 4}",
    "a hash in a longer one": f"f{'0123456789abcdef' * 4}f",
    "a phone": "to 992900000101",
    "a URL": "GET http://127.0.0.1:1/",
    "a path": "GET sendsms_v1.php",
}
TESTS = """
import logging
import os
from pathlib import Path

import pytest
import structlog

from airflow_provider_osonsms.protocol import signing
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import Account


@pytest.fixture(autouse=True)
def _note_process():
    (Path(__file__).parent / f"process-{os.getpid()}").touch()


@pytest.mark.xdist_group("learns")
def test_learns():
    Account(login="shop", secret="learned-elsewhere")


@pytest.mark.xdist_group("says")
def test_says():
    logging.getLogger("stranger").debug("learned-%s", "elsewhere")
    structlog.get_logger("task").info("signed", digest=signing._digest("one", "two"))
    OsonSmsError("texted 992900000101")
"""


@pytest.fixture
def run_tests(tmp_path: Path):
    """Run a test file under the ear in a pytest of its own, with so many workers: exit code and output."""

    def run(code: str, *, workers: int) -> tuple[int, str]:
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["ear"]\n')
        (tmp_path / "test_it.py").write_text(code)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers)]
        command += ["--dist", "loadgroup", "--max-worker-restart", "0"]
        done = subprocess.run(
            [*command, str(tmp_path)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent / "privacy")},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("workers", [0, 2])
def test_a_leak_fails_the_run(run_tests, tmp_path: Path, *, workers: int) -> None:
    """A run whose tests all pass fails for what was said in any process, also of secrets of another."""
    code, output = run_tests(TESTS, workers=workers)

    assert "2 passed" in output
    assert len(list(tmp_path.glob("process-*"))) == max(1, workers)
    assert code == 1, output
    assert "3 log lines, errors or XComs hold a secret, a hash, a URL or a phone" in output
    assert "log stranger: 'learned-elsewhere'" in output
    assert "structlog: " in output
    assert "OsonSmsError: " in output


def test_a_worker_that_dies_fails_the_run(run_tests) -> None:
    """A worker that dies with its last test has told nothing, and that is said."""
    code, output = run_tests("import os\n\ndef test_dies():\n    os._exit(0)\n", workers=1)

    assert code == 1, output
    assert "workers that died have not told what they heard: ['gw0']" in output


@pytest.mark.parametrize("said", LEAKS.values(), ids=LEAKS)
def test_what_is_a_leak(said: str) -> None:
    """A secret, a hash that was used, a phone and anything of a URL are found, whoever says them."""
    ear = Ear()
    ear.secrets |= {"leaky-salt-7", "0123456789abcdef" * 4}
    ear.hear("somebody", said)

    assert ear.find_leaks() == [("somebody", said)]


def test_what_is_no_leak() -> None:
    """A masked phone, a hash that signs nothing and a longer number are none."""
    ear = Ear()
    ear.secrets.add("leaky-salt-7")
    for said in ("992•••••101", "fedcba9876543210" * 4, "9929000001012", "the salt is hidden"):
        ear.hear("somebody", said)

    assert ear.find_leaks() == []


def test_surrogates_are_handed_over() -> None:
    """What was heard arrives at another ear as it was, halves of surrogate pairs too."""
    ear, other = Ear(), Ear()
    ear.hear("somebody", "\ud800")
    ear.secrets.add("leaky-salt-7")

    other.add(ear.write())

    assert (other.heard, other.secrets) == (ear.heard, ear.secrets)
