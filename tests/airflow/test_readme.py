"""The code of the README and the docs runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = "".join(
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/audience.md", "docs/campaign.md", "docs/delivery.md")
)
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("code", [block for block in BLOCKS if "with DAG" in block])
def test_dags_parse(code):
    """Each DAG can be parsed and has tasks."""
    names: dict = {}
    exec(code, names)  # noqa: S102

    assert names["dag"].task_ids


@pytest.mark.parametrize("code", [block for block in BLOCKS if "OsonSmsHook(" in block])
def test_hook_code_runs(code, gateway):
    """The README's code for the hook sends one message to the gateway."""
    exec(code, {})  # noqa: S102

    assert [sms.text for sms in gateway.sent] == ["Салом!"]
