"""The how-to for users' tests runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```python file=(\S+)\n(.*?)```", re.DOTALL)


def test_testing_md(tmp_path: Path) -> None:
    """Every file of docs/testing.md, copied into an empty folder, makes a project whose tests pass."""
    for name, code in BLOCK.findall((ROOT / "docs" / "testing.md").read_text(encoding="utf-8")):
        (tmp_path / name).write_text(code, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**environment, "NO_PROXY": "127.0.0.1,localhost"},
        capture_output=True,
        text=True,
        timeout=900,  # the machine may be busy
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "5 passed" in done.stdout
