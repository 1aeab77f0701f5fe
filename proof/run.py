"""``make proof``: campaigns on PostgreSQL and Celery, and what the gateway's ledger says after each fault.

Prints a line for each scenario; the exit code is the truth. ``--home FOLDER`` keeps logs and tables.
"""

import argparse
import json
import signal
import sys
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from cluster import Cluster, find_missing
from leaks import CommandLines, Privacy, judge
from ledger import read_ledger
from network import Network
from people import read_phones, write_people
from scenarios import SCENARIOS, Scenario, Stage

from airflow_provider_osonsms.simulator import SimulatedGateway

DAGS: Final = Path(__file__).parent / "dags"
SECRET: Final = "proof-salt-Vb3Xk9"


def play_all(home: Path, scenarios: list[Scenario]) -> bool:
    """Play the scenarios one after the other, then search for leaks; return whether all is right."""
    began = time.monotonic()
    for folder in ("gateway", "results", "traces", "tmp"):
        (home / folder).mkdir()
    for number, scenario in enumerate(SCENARIOS, start=1):
        write_people(home / "people" / scenario.name, number, number=scenario.people, parts=scenario.parts)
    with ExitStack() as stack:
        gateway = stack.enter_context(make_gateway(home, 0))
        port = urlsplit(gateway.url).port
        network = stack.enter_context(Network(port))
        command_lines = stack.enter_context(CommandLines())
        env = make_connections(gateway, network) | {"PROOF_PEOPLE": str(home / "people")}
        cluster = stack.enter_context(Cluster(home, DAGS, env=env))
        print(f"Airflow runs on PostgreSQL, Redis and two workers, after {seconds_since(began)}", flush=True)
        stage = Stage(
            cluster, gateway, network, restart=lambda: stack.enter_context(make_gateway(home, port))
        )
        results = [play(stage, scenario) for scenario in scenarios]
        stage.dumps.append(cluster.postgres.dump())
    results.append(search_leaks(home, stage, command_lines.seen))
    print(f"{'All is right' if all(results) else 'Something is WRONG'}, after {seconds_since(began)}")
    return all(results)


def make_gateway(home: Path, port: int) -> SimulatedGateway:
    """Make a gateway that knows what the last one knew."""
    return SimulatedGateway(
        secret=SECRET,
        balance=Decimal(100_000),
        port=port,
        state=home / "gateway" / "ledger.sqlite",
        latency="20ms",
        enroute_seconds=5,
        accepted_seconds=5,
    )


def make_connections(gateway: SimulatedGateway, network: Network) -> dict[str, str]:
    """Make a Connection and a namespace for each scenario, one with a token, one over the network."""
    special: dict[str, dict[str, object]] = {
        "triggerer_killed": {"auth_scheme": "bearer"},
        "network_cut": {"timeout": 2},
    }
    connections = {}
    for scenario in SCENARIOS:
        extra = {"key_namespace": scenario.name, **special.get(scenario.name, {})}
        connection = json.loads(gateway.connection_json(**extra))
        if scenario.name == "network_cut":
            connection |= {"host": f"http://127.0.0.1:{network.port}", "port": network.port}
        connections[f"AIRFLOW_CONN_OSONSMS_{scenario.name.upper()}"] = json.dumps(connection)
    return connections


def play(stage: Stage, scenario: Scenario) -> bool:
    """Play a scenario, hold it to the ledger and print a line."""
    began, home = time.monotonic(), stage.cluster.home
    faults = []
    stage.begin()
    try:
        done = scenario.play(stage)
    except (AssertionError, OSError, RuntimeError) as error:
        done = "not finished"
        faults.append(str(error) or repr(error))
    tables = sorted((home / "results").glob(f"{scenario.name}-*.csv"))
    ledger = read_ledger(stage.gateway, read_phones(home / "people" / scenario.name), tables)
    faults += ledger.find_faults(campaigns=scenario.campaigns)
    if scenario.people and stage.count() != ledger.accepted:
        faults.append(f"{stage.count() - ledger.accepted} messages to somebody else")
    said = f"{ledger}; " if scenario.people else ""
    print(
        f"{scenario.name}: {done} | {said}{seconds_since(began)} | {'WRONG' if faults else 'right'}",
        flush=True,
    )
    for fault in faults:
        print(f"    {fault}", flush=True)
    stage.cluster.revive()
    return not faults


def search_leaks(home: Path, stage: Stage, command_lines: set[str]) -> bool:
    """Search what the run has left for secrets, hashes, phones and texts, and print what is found."""
    phones = frozenset(message.phone for message in stage.gateway.sent)
    privacy = Privacy(secret=SECRET, phones=phones, fernet=stage.cluster.fernet)
    leaks = set(privacy.search_files(home))
    for dump in stage.dumps:
        leaks.update(privacy.search_dump(dump))
    messages = sorted(path for path in stage.cluster.broker_folder.rglob("*") if path.is_file())
    leaks.update(privacy.search_broker("".join(path.read_text(errors="replace") for path in messages)))
    leaks.update(privacy.search("command line", "\n".join(command_lines)))
    reasons, others = judge(leaks)
    print(
        f"leaks: searched files, {len(stage.dumps)} dumps, the broker's messages and "
        f"{len(command_lines)} command lines",
        end=" | ",
    )
    print("WRONG" if others else "right")
    for line in [*reasons, *(f"NOT ALLOWED: {leak.kind} in {leak.place}" for leak in others)]:
        print(f"    {line}")
    return not others


def seconds_since(began: float) -> str:
    """Write how long it is since a moment."""
    return f"{time.monotonic() - began:.0f} s"


def main() -> int:
    """Play the scenarios that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", action="store_true", help="only what CI plays")
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--home", type=Path, help="a new folder that keeps logs and tables")
    options = parser.parse_args()
    if missing := find_missing():
        print(f"make proof is skipped: {missing}")
        return 0
    for word in (signal.SIGINT, signal.SIGTERM):  # so that everything is stopped then, too
        signal.signal(word, lambda number, _: sys.exit(128 + number))
    wanted = options.only or [scenario.name for scenario in SCENARIOS if scenario.is_core or not options.core]
    with ExitStack() as stack:
        if options.home:
            options.home.mkdir(parents=True)
        home = options.home or Path(stack.enter_context(TemporaryDirectory(prefix="osonsms-proof-")))
        is_right = play_all(home.resolve(), [scenario for scenario in SCENARIOS if scenario.name in wanted])
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
