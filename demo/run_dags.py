"""Run the example DAGs in this process, each to its end; the exit code is the number that did not succeed."""

import os
import runpy
import sys
import time
from pathlib import Path
from typing import TextIO

FOLDER = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])


def run(name: str, report: TextIO) -> bool:
    """Run one DAG with ``dag.test()`` and report each task's state."""
    started = time.monotonic()
    dag_run = runpy.run_path(str(FOLDER / f"{name}.py"))["dag"].test()
    seconds = time.monotonic() - started
    print(f"  {name}: {dag_run.state} in {seconds:.0f} s", file=report, flush=True)
    for ti in sorted(dag_run.get_task_instances(), key=lambda ti: ti.end_date or ti.start_date):
        value = ti.xcom_pull(task_ids=ti.task_id)
        shown = "\n" + value["markdown"] if isinstance(value, dict) and "markdown" in value else value
        if isinstance(value, dict) and "messages" in value:
            shown = value | {"messages": f"<{len(value['messages'])} with msg_id>"}
        print(f"    {ti.task_id}: {ti.state} -> {shown}", file=report, flush=True)
    return str(dag_run.state) == "success"


if __name__ == "__main__":
    with os.fdopen(int(os.environ["DEMO_REPORT_FD"]), "w") as report:
        sys.exit(sum(not run(name, report) for name in sys.argv[1:]))
