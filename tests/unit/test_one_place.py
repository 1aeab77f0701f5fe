"""What an error proves, and what a row's state means, is decided in one file each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_provider_osonsms
from airflow_provider_osonsms.protocol import errors

PACKAGE = Path(airflow_provider_osonsms.__file__).parent
SILENT = (
    "GatewayError",
    "InvalidMessageError",
    "InvalidSettingsError",
    "OsonSmsError",
    "PhoneNotAllowedError",
    "PhoneSuppressedError",
)
SILENT += ("ThrottledError", "TransportError")
PROVING = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.OsonSmsError) and name not in SILENT
}
ALLOWED = {
    "protocol/history.py": "the table",
    "campaign/rows.py": "what an error shows of a row, by the table",
    "protocol/flows.py": "what is caught to be looked up in the table",
    "exactly_once/send.py": "adds what to do to the text of an unknown outcome",
    "delivery/tracker.py": "an unknown msg_id is a status, a refused account ends a round",
    "operators/errors.py": "the words of an operator",
}


def find_uses(path: Path, names: set[str]) -> Iterator[int]:
    """Yield the lines in which *path* catches, or asks for, one of the error classes *names*."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        asked: ast.expr | None = None
        if isinstance(node, ast.ExceptHandler):
            asked = node.type
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            asked = node.args[1]
        if asked is not None and names & {part.id for part in ast.walk(asked) if isinstance(part, ast.Name)}:
            yield node.lineno


def list_modules() -> list[str]:
    """List the modules of the package, without the simulator, which writes the wire a second time."""
    files = (file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))
    return sorted(file for file in files if not file.startswith("simulator/"))


@pytest.mark.parametrize("module", [module for module in list_modules() if module not in ALLOWED])
def test_nobody_else_decides_what_an_error_proves(module: str) -> None:
    """No other module catches or asks for an error that says something about a txn_id."""
    assert list(find_uses(PACKAGE / module, PROVING)) == []


@pytest.mark.parametrize("module", ALLOWED)
def test_the_list_is_no_longer_than_it_must_be(module: str) -> None:
    """Each module that may do so does."""
    if module != "protocol/history.py":
        assert list(find_uses(PACKAGE / module, PROVING))


@pytest.mark.parametrize("module", [module for module in list_modules() if module != "campaign/rows.py"])
def test_nobody_else_lists_the_states_of_a_row(module: str) -> None:
    """Other modules ask a state for its outcome, its reason and its groups; one counts the unsendable."""
    names = [
        node.attr
        for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "RowState"
    ]
    assert names == (["UNSENDABLE"] if module == "campaign/run.py" else [])
