"""``python -m airflow_provider_osonsms.simulator``: the simulated gateway until SIGINT or SIGTERM."""

import argparse
import errno
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any, Final

from airflow_provider_osonsms.simulator.gateway import SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.storage import StateFileError
from airflow_provider_osonsms.simulator.settings import GatewaySettings, SettingsError, read_settings
from airflow_provider_osonsms.simulator.web.origin import is_loopback

_BEHAVIOR: Final = {
    "enroute_seconds": "how long a message stays ENROUTE (default 0.5)",
    "accepted_seconds": "how long it stays ACCEPTED after that (default 0.5)",
    "slow_seconds": "how much longer for a phone that ends in 97 (default 60)",
    "unknown_seconds": "how long a new message is unknown to queries (default 0)",
    "latency": "delay before each answer, such as 20ms",
    "jitter": "by how much the latency varies, up or down, such as 5ms",
    "max_rate": "requests per second; more are turned away",
    "throttle_status": "how they are turned away: HTTP 429 (default) or 503",
    "retry_after": "seconds that Retry-After names then; default: no such header",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(options.config, overrides=_read_overrides(options))
        return _serve(settings)
    except (SettingsError, StateFileError) as error:
        _print_error(f"cannot start: {error}")
        return 2


def _serve(settings: GatewaySettings) -> int:
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if not is_loopback(settings.host):
        _print_error(
            f"warning: {settings.host} is not a loopback address: other machines may reach this simulator"
        )
    gateway = SimulatedGateway(
        accounts=settings.accounts,
        host=settings.host,
        port=settings.port,
        state=settings.state,
        seed=settings.seed,
        **settings.behavior.model_dump(),
    )
    for rule in settings.faults:
        gateway.inject(**rule.model_dump())
    try:
        with gateway:
            for account in settings.accounts:
                senders = ", ".join(sorted(account.senders))
                _print_line(f"OsonSMS simulator on {gateway.url} (login {account.login}, sender {senders})")
            _print_line(f"Its Connection for Airflow:\n  {gateway.connection_command()}")
            stop.wait()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "the port is taken; choose another with --port" if taken else error.strerror
        _print_error(f"cannot listen on {settings.host}:{settings.port}: {why}")
        return 1
    finally:
        gateway.backend.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_osonsms.simulator",
        description="A simulated OsonSMS gateway. Its page is at the address that it prints.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--config", type=Path, default=None, help="TOML file; options go before it")
    parser.add_argument("--host", help="default 127.0.0.1")
    parser.add_argument("--port", type=int, help="default 8025; 0 for any free port")
    parser.add_argument("--state", type=Path, help="SQLite file that keeps the ledger over restarts")
    parser.add_argument("--seed", type=int, help="of all random choices (default 0)")
    account = parser.add_argument_group("accounts")
    account.add_argument(
        "--account",
        dest="accounts",
        action="append",
        metavar="LOGIN:SECRET",
        help="repeatable; the secret is the salt of the hash and the Bearer token (default demo:demo-salt)",
    )
    account.add_argument("--sender", dest="senders", action="append", help="of each --account; default SHOP")
    account.add_argument("--balance", help="of each --account, in somoni (default 100)")
    account.add_argument("--price", help="of one part, in somoni (default 0.10)")
    behavior = parser.add_argument_group("behavior")
    for name, words in _BEHAVIOR.items():
        behavior.add_argument(f"--{name.replace('_', '-')}", help=words)
    behavior.add_argument(
        "--fault",
        dest="faults",
        action="append",
        metavar="FAULT[:KEY=VALUE,...]",
        help="repeatable: cut_after:every=10,times=always or not_sent:call=send,probability=0.2",
    )
    return parser


def _read_overrides(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, in the shape of the TOML file."""
    given = vars(options)
    overrides: dict[str, Any] = {
        name: given[name] for name in ("host", "port", "state", "seed") if name in given
    }
    overrides["behavior"] = {name: given[name] for name in _BEHAVIOR if name in given}
    shared = {name: given[name] for name in ("senders", "balance", "price") if name in given}
    if "accounts" in given:
        overrides["accounts"] = [_read_account(written) | shared for written in given["accounts"]]
    elif shared and options.config:
        raise SettingsError("--sender, --balance and --price need --account; a file has its own")
    elif shared:
        (default,) = GatewaySettings().accounts
        overrides["accounts"] = [asdict(default) | shared]
    if "faults" in given:
        overrides["faults"] = [_read_fault(written) for written in given["faults"]]
    return overrides


def _read_account(written: str) -> dict[str, str]:
    login, colon, secret = written.partition(":")
    if not colon:
        raise SettingsError("--account: write LOGIN:SECRET")
    return {"login": login, "secret": secret}


def _read_fault(written: str) -> dict[str, str]:
    fault, _, keys = written.partition(":")
    pairs = [pair.partition("=") for pair in keys.split(",") if pair]
    return {"fault": fault, **{key.strip(): value for key, _, value in pairs}}


def _print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _print_error(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
