"""What a simulator is started with."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from airflow_provider_osonsms.simulator.__main__ import main
from airflow_provider_osonsms.simulator.settings import read_settings

FILE = """
port = 0
seed = 7

[behavior]
latency = "20ms"
enroute_seconds = 0

[[accounts]]
login = "shop"
secret = "file-salt"
senders = ["SHOP", "BANK"]
balance = "50.00"

[[faults]]
fault = "cut_after"
every = 10
times = "always"
"""


def test_a_file_and_options_over_it(tmp_path: Path) -> None:
    """Options go before the file, behavior field by field."""
    file = tmp_path / "simulator.toml"
    file.write_text(FILE)

    settings = read_settings(file, overrides={"seed": 8, "behavior": {"latency": "1s"}})

    assert (settings.port, settings.seed) == (0, 8)
    assert (settings.behavior.latency, settings.behavior.enroute_seconds) == (1.0, 0.0)
    assert [(account.login, account.balance) for account in settings.accounts] == [("shop", 50)]
    assert settings.faults[0].times is None
    assert "file-salt" not in repr(settings)


def test_the_command_does_as_it_is_told(tmp_path: Path) -> None:
    """Accounts, behavior and faults of the command line and of a file are those of the gateway that runs."""
    file = tmp_path / "simulator.toml"
    file.write_text(FILE)
    options = [
        "--config", str(file), "--account", "one:s-1", "--account", "two:s-2", "--sender", "A",
        "--balance", "7", "--max-rate", "900", "--throttle-status", "503",
        "--retry-after", "2s", "--fault", "not_sent:call=query,probability=0.5,times=3",
    ]  # fmt: skip
    command = [sys.executable, "-W", "error", "-m", "airflow_provider_osonsms.simulator", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            url = re.search(r"http://\S+", lines[0])[0]

            def get(path: str) -> object:
                with urllib.request.urlopen(f"{url}/_simulator{path}", timeout=5) as response:  # noqa: S310
                    return json.load(response)

            accounts, behavior, (fault,) = get("/accounts"), get("/behavior"), get("/faults")
        finally:
            process.terminate()

    assert [line.partition("(")[2] for line in lines] == ["login one, sender A)\n", "login two, sender A)\n"]
    assert [(one["login"], one["balance"]) for one in accounts] == [("one", 7.0), ("two", 7.0)]
    assert (behavior["latency"], behavior["max_rate"]) == (0.02, 900)
    assert (behavior["throttle_status"], behavior["retry_after"]) == (503, 2)
    assert (fault["call"], fault["probability"], fault["times"]) == ("query", 0.5, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--account", "hush"], "--account: write LOGIN:SECRET"),
        (
            ["--account", "a:hush", "--account", "a:hush"],
            "accounts: Value error, two accounts have the same login",
        ),
        (["--account", "a:hu;sh"], "accounts.0.secret: String should match"),
        (["--latency", "soon"], "behavior.latency: Input should be a valid number"),
        (["--port", "70000"], "port: Input should be less than or equal to 65535"),
        (["--fault", "flood"], "faults.0.fault: Input should be 'cut_before'"),
        (["--fault", "empty:often=1"], "faults.0.often: Extra inputs are not permitted"),
        (["--config", "/nonexistent.toml"], "/nonexistent.toml: [Errno 2] No such file"),
        (["--config", "{file}"], "senders: Extra inputs are not permitted"),
        (["--config", "{file}", "--sender", "A"], "--sender, --balance and --price need --account"),
        (["--state", "{folder}"], "name another file"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, options: list[str], words: str
) -> None:
    """A setting that cannot be used ends the command with one line that names it and shows no secret."""
    (tmp_path / "wrong.toml").write_text('senders = ["hush"]')
    places = {"file": tmp_path / "wrong.toml", "folder": tmp_path}

    assert main([option.format(**places) for option in options]) == 2

    error = capsys.readouterr().err
    assert error.startswith("cannot start: ")
    assert words in error
    assert error.count("\n") == 1
    assert "hush" not in error
