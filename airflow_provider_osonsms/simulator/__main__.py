"""``python -m airflow_provider_osonsms.simulator``: the simulated gateway until SIGINT or SIGTERM."""

import argparse
import errno
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from threading import Event

from airflow_provider_osonsms.simulator.gateway import SimulatedGateway


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, and return the exit code."""
    options = vars(_parser().parse_args(arguments))
    options["senders"] = options["senders"] or ["SHOP"]
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if not _is_loopback(options["host"]):
        _warn(f"warning: {options['host']} is not a loopback address: others may reach this simulator")
    try:
        with SimulatedGateway(**options) as gateway:
            senders = ", ".join(options["senders"])
            sys.stdout.write(
                f"OsonSMS simulator on {gateway.url} (login {options['login']}, sender {senders})\n"
            )
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "the port is taken, choose another with --port" if taken else error.strerror
        _warn(f"cannot listen on {options['host']}:{options['port']}: {why}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_osonsms.simulator", description="A simulated OsonSMS gateway."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free one")
    parser.add_argument("--login", default="demo")
    parser.add_argument("--secret", default="demo-salt", help="salt of the hash, and Bearer token")
    parser.add_argument("--sender", dest="senders", action="append", help="repeatable; default SHOP")
    parser.add_argument("--balance", type=_somoni, default="100", help="in somoni")
    parser.add_argument("--price", type=_somoni, default="0.10", help="of one part, in somoni")
    parser.add_argument("--enroute-seconds", type=float, default=0.5)
    parser.add_argument("--accepted-seconds", type=float, default=0.5)
    return parser


def _somoni(written: str) -> Decimal:
    try:
        amount = Decimal(written)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{written!r} is not an amount") from None
    if not amount.is_finite():
        raise argparse.ArgumentTypeError(f"{written!r} is not an amount")
    return amount


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _warn(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
