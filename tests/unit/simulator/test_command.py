"""``python -m airflow_provider_osonsms.simulator``."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from airflow_provider_osonsms.simulator.__main__ import main
from airflow_provider_osonsms.simulator.web.origin import is_loopback

COMMAND = [sys.executable, "-W", "error", "-m", "airflow_provider_osonsms.simulator"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(number: signal.Signals) -> None:
    """The command prints its address and the Connection to it, serves, and ends cleanly on a signal."""
    arguments = ["--port", "0", "--account", "cli:it's", "--sender", "A", "--sender", "B", "--balance", "7.5"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        title, command = process.stdout.readline(), process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        with urllib.request.urlopen(f"{url}/_simulator/ledger", timeout=5) as response:  # noqa: S310
            account = json.load(response)["accounts"][0]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)

    assert line == f"OsonSMS simulator on {url} (login cli, sender A, B)\n"
    assert title == "Its Connection for Airflow:\n"
    *words, written = shlex.split(command)
    assert " ".join(words) == "airflow connections add osonsms_default --conn-json"
    assert json.loads(written) == {
        "conn_type": "osonsms",
        "host": url,
        "port": int(url.rpartition(":")[2]),
        "login": "cli",
        "password": "it's",
        "extra": {"sender": "A", "bulk_url": url},
    }
    assert (account["login"], account["senders"], account["balance"]) == ("cli", ["A", "B"], 7.5)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken ends the command with a sentence, not a traceback."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
        signal.signal(number, handler)

    assert capsys.readouterr().err == (
        f"cannot listen on 127.0.0.1:{port}: the port is taken; choose another with --port\n"
    )


def test_an_open_address_is_warned_about() -> None:
    """Listening for other machines is possible, and said."""
    with subprocess.Popen(
        [*COMMAND, "--host", "0.0.0.0", "--port", "0"],  # noqa: S104
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        process.terminate()
        errors = process.communicate(timeout=10)[1]

    assert errors == "warning: 0.0.0.0 is not a loopback address: other machines may reach this simulator\n"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.1", False), ("example.org", False)],
)
def test_loopback(host: str, *, expected: bool) -> None:
    """Only addresses of this machine alone are loopback."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize("amount", ["much", "NaN", "Infinity"])
def test_an_amount_is_a_number(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Money that is not a finite number is refused."""
    assert main(["--balance", amount]) == 2
    assert capsys.readouterr().err.startswith("cannot start: accounts.0.balance: Input should be a")
