"""Exactly once across crashes of the gateway: a real process, killed."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from airflow_provider_osonsms.protocol.vocabulary import SEND_PATH

COMMAND = [
    sys.executable,
    "-m",
    "airflow_provider_osonsms.simulator",
    "--port",
    "0",
    "--account",
    "demo:salt",
]


@contextmanager
def run_gateway(state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a simulator on a state file, and kill it in the end."""
    with subprocess.Popen([*COMMAND, "--state", state], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0], process
        finally:
            process.kill()


def send(url: str, txn_id: str) -> int | None:
    """Send a message: the HTTP status, or None without an answer."""
    query = {
        "from": "SHOP",
        "phone_number": "992900000101",
        "msg": "Салом",
        "login": "demo",
        "txn_id": txn_id,
    }
    request = urllib.request.Request(  # noqa: S310
        f"{url}{SEND_PATH}?{urlencode(query)}", headers={"Authorization": "Bearer salt"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def read_ledger(url: str) -> dict[str, Any]:
    """Read what the gateway knows."""
    with urllib.request.urlopen(f"{url}/_simulator/ledger", timeout=10) as response:  # noqa: S310
        return json.load(response)


def test_killed_among_many_requests(tmp_path: Path) -> None:
    """Whatever was answered before the kill is there after it, and a repeat of all sends nobody twice."""
    state, txn_ids = tmp_path / "state.sqlite", [f"t-{number}" for number in range(900)]
    with run_gateway(state) as (url, process), ThreadPoolExecutor(8) as pool:
        answers = []
        for number, answer in enumerate(pool.map(lambda txn_id: send(url, txn_id), txn_ids)):
            answers.append(answer)
            if number == 60:
                process.kill()
    accepted = {txn_id for txn_id, answer in zip(txn_ids, answers, strict=True) if answer == 201}
    assert 60 < len(accepted) < 900

    with run_gateway(state) as (url, _):
        kept = [message["txn_id"] for message in read_ledger(url)["messages"]]
        assert accepted <= set(kept)
        assert len(kept) == len(set(kept))
        repeats = {txn_id: send(url, txn_id) for txn_id in txn_ids}
        ledger = read_ledger(url)

    assert {txn_id for txn_id, answer in repeats.items() if answer == 409} == set(kept)
    assert sorted(message["txn_id"] for message in ledger["messages"]) == sorted(txn_ids)
    assert ledger["accounts"][0]["balance"] == 10.0
