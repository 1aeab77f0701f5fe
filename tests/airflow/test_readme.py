"""The README's code runs."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("code", [block for block in BLOCKS if "with DAG" in block])
def test_dags_parse(code):
    """Each DAG of the README can be parsed and has tasks."""
    names: dict = {}
    exec(code, names)  # noqa: S102

    assert names["dag"].task_ids


@pytest.mark.parametrize("code", [block for block in BLOCKS if "OsonSmsHook(" in block])
def test_hook_code_runs(code, gateway):
    """The README's code for the hook sends one message to the gateway."""
    exec(code, {})  # noqa: S102

    assert [sms.text for sms in gateway.sent] == ["Салом!"]
