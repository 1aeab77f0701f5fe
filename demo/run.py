"""``make demo``: the example DAGs in a real Airflow, and what the handsets of a simulated gateway received.

Everything happens in a temporary folder and on free ports of 127.0.0.1. The exit code is the truth: 0 only if
all DAG runs succeeded and the gateway holds what they should have sent.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from threading import Event

from airflow_provider_osonsms.simulator import SimulatedGateway

ROOT = Path(__file__).resolve().parent.parent
DAGS = ("example_osonsms_campaign", "example_osonsms_send", "example_osonsms_bulk")
EXPECTED_MESSAGES = 11
EXPECTED_BULK_RECIPIENTS = 9
PAGE = ROOT / "demo" / "delivery-report.html"


def make_environment(home: Path, gateway: SimulatedGateway) -> dict[str, str]:
    """Make the environment of an Airflow of its own."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_OSONSMS_DEFAULT": gateway.connection_json(price_per_part="0.10"),
        "EXAMPLE_OSONSMS_FOLDER": str(home),
        "NO_PROXY": "127.0.0.1,localhost",
    }


def run_airflow(home: Path, environment: dict[str, str]) -> bool:
    """Create the database and run the DAGs; on failure show the end of the log."""
    log = home / "demo.log"
    with log.open("w") as output, os.fdopen(os.dup(sys.stdout.fileno()), "w") as report:
        environment = {**environment, "DEMO_REPORT_FD": str(report.fileno())}
        steps = {
            "Airflow creates its database ...": ["-m", "airflow", "db", "migrate"],
            "Airflow creates the pool ...": ["-m", "airflow", "pools", "set", "osonsms", "1", "SMS"],
            "Airflow runs the DAGs ...": [str(ROOT / "demo" / "run_dags.py"), *DAGS],
        }
        is_done = True
        for title, arguments in steps.items():
            if is_done:
                print(title, flush=True)
                command = [sys.executable, *arguments]
                is_done = not subprocess.run(
                    command,
                    env=environment,
                    stdout=output,
                    stderr=output,
                    pass_fds=(report.fileno(),),
                    check=False,
                ).returncode
    if not is_done:
        print("".join(log.read_text().splitlines(keepends=True)[-60:]), file=sys.stderr)
    return is_done


def report_gateway(gateway: SimulatedGateway, before: Decimal) -> bool:
    """Print what the gateway holds; return whether it is what the DAGs should have left."""
    print("\nHandsets")
    for sms in gateway.sent:
        status = gateway.backend.status(sms)
        print(f"  {sms.phone}  from {sms.sender}  {sms.parts} part(s)  {status}  {sms.text!r}")
    print("Bulk jobs")
    for job in gateway.bulks:
        print(f"  {job.name}  at {job.send_at:%Y-%m-%d %H:%M} (Asia/Dushanbe)  {job.text!r}")
        print(f"    {len(job.phones)} numbers: {', '.join(job.phones)}")
    print(f"Balance: {before} somoni before, {gateway.balance} after")
    print("Requests:", ", ".join(f"{count} {call}" for call, count in gateway.requests.items()))
    statuses = [str(gateway.backend.status(sms)) for sms in gateway.sent]
    numbers = [len(job.phones) for job in gateway.bulks]
    is_delivered = statuses == ["DELIVERED"] * EXPECTED_MESSAGES
    return is_delivered and numbers == [EXPECTED_BULK_RECIPIENTS] and gateway.balance < before


def keep_page(home: Path) -> bool:
    """Keep the delivery report of the campaign, for a browser; return whether there is one."""
    page = next(home.glob("delivery-*.html"), None)
    if page is not None:
        shutil.copyfile(page, PAGE)
        print(f"The campaign's delivery report: {os.path.relpath(PAGE)}")
    return page is not None


def keep_open(gateway: SimulatedGateway) -> None:
    """Leave the simulator's page open until Ctrl+C."""
    print(f"\nThe simulator's page: {gateway.url}  (Ctrl+C ends it)", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        Event().wait()


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the simulator's page open")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="osonsms-demo-") as folder,
        SimulatedGateway(balance=Decimal(100), enroute_seconds=1, accepted_seconds=1) as gateway,
    ):
        print(f"The simulated gateway listens on {gateway.url}", flush=True)
        before = gateway.balance
        has_run = run_airflow(Path(folder), make_environment(Path(folder), gateway))
        is_right = report_gateway(gateway, before)
        is_right &= keep_page(Path(folder))
        print("\nThe demo succeeded" if has_run and is_right else "\nThe demo FAILED")
        if options.keep:
            keep_open(gateway)
    return 0 if has_run and is_right else 1


if __name__ == "__main__":
    sys.exit(main())
