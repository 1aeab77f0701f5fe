"""How ``make proof`` judges: what it finds in what a run leaves behind, and what a ledger must say."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

PROOF = Path(__file__).parents[2] / "proof"
HASH = "0123456789abcdef" * 4
PRIVATE = {
    "secret": "the salt is proof-salt-1",
    "hash": f"signed with {HASH}",
    "phone": "to 992901000101",
    "text": "Salom, Qarzdor010001!",
    "URL": "GET /sendsms_v1.php",
}


@pytest.fixture
def leaks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that searches."""
    monkeypatch.syspath_prepend(PROOF)
    import leaks

    return leaks


@pytest.fixture
def privacy(leaks: Any) -> Any:
    """A run with one phone and one secret."""
    return leaks.Privacy(
        secret="proof-salt-1", phones=frozenset({"992901000101"}), fernet=Fernet(Fernet.generate_key())
    )


@pytest.mark.parametrize(("kind", "text"), PRIVATE.items())
def test_private_things_are_found(leaks, privacy, *, kind: str, text: str) -> None:
    """Each kind is found in a text, and in a table as text, as bytes and encrypted."""
    stored = [text, f"\\\\x{text.encode().hex()}", privacy.fernet.encrypt(text.encode()).decode()]
    tables = [
        f"COPY public.{name} (value) FROM stdin;\n{value}\n\\.\n"
        for name, value in zip(["xcom", "result", "trigger"], stored, strict=True)
    ]

    assert list(privacy.search("a log", text)) == [leaks.Leak("a log", kind)]
    assert list(privacy.search_dump("".join(tables))) == [
        leaks.Leak(f"table {name}", kind) for name in ("xcom", "result", "trigger")
    ]


@pytest.mark.parametrize(("kind", "text"), PRIVATE.items())
def test_private_things_in_messages_of_the_broker_are_found(leaks, privacy, *, kind: str, text: str) -> None:
    """Celery writes a message as JSON whose body is in base64; a log without any task is not searched."""
    body = base64.b64encode(f'[["{{\\"dag_id\\": \\"shop\\", \\"x\\": \\"{text}\\"}}"]]'.encode()).decode()

    assert list(privacy.search_broker(f'LPUSH default {{"body": "{body}"}}')) == [leaks.Leak("broker", kind)]
    with pytest.raises(RuntimeError, match="finds no task"):
        list(privacy.search_broker(text))


def test_what_is_not_private(privacy) -> None:
    """The checksum of a table, a masked phone, a phone of nobody and the template of a text are none."""
    text = f'"checksum": "{HASH}", 992•••••101, 992909999901, Салом, {{name}}!'

    assert list(privacy.search("a log", text)) == []


def test_folders_of_people_prove_the_search(leaks, privacy, tmp_path: Path) -> None:
    """Phones in an audience are no leak, but a search that does not find them there is deaf."""
    audience, log = tmp_path / "people" / "0.csv", tmp_path / "logs" / "task.log"
    for path in (audience, log):
        path.parent.mkdir()
        path.write_text("992901000101,Qarzdor010001")

    assert set(privacy.search_files(tmp_path)) == {
        leaks.Leak("file logs/task.log", kind) for kind in ("phone", "text")
    }
    audience.write_text("")
    with pytest.raises(RuntimeError, match="finds neither"):
        list(privacy.search_files(tmp_path))


def test_databases_in_files_are_searched(leaks, privacy, tmp_path: Path) -> None:
    """A SQLite is searched by tables and decrypted: values that touch in its bytes are no hash."""
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "0.csv").write_text("992901000101,Qarzdor010001")
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database:
        database.execute("CREATE TABLE versions (hash, id)")
        database.execute("INSERT INTO versions VALUES (?, ?)", (HASH[:32], HASH[:32]))
        database.execute("CREATE TABLE trigger (kwargs)")
        database.execute(
            "INSERT INTO trigger VALUES (?)", (privacy.fernet.encrypt(b"992901000101").decode(),)
        )
        database.commit()

    assert HASH.encode() in (tmp_path / "airflow.db").read_bytes()
    assert list(privacy.search_files(tmp_path)) == [leaks.Leak("table trigger of airflow.db", "phone")]


def test_a_dump_of_something_else_is_refused(privacy) -> None:
    """A dump without Airflow's tables is no proof that they hold nothing."""
    with pytest.raises(RuntimeError, match="does not find the tables"):
        list(privacy.search_dump(""))


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({}, []),
        ({"twice": 1}, ["1 texts twice"]),
        ({"people": 2, "left_out": 1}, ["1 people left out"]),
        ({"accepted": 2}, ["2 messages, not 3"]),
        ({"rows": 4}, ["4 rows are accepted, not 3"]),
    ],
)
def test_ledger_is_judged(
    monkeypatch: pytest.MonkeyPatch, *, change: dict[str, int], faults: list[str]
) -> None:
    """A ledger is right only if each person was texted once and the tables agree."""
    monkeypatch.syspath_prepend(PROOF)
    from ledger import Ledger

    fields = {"accepted": 3, "people": 3, "twice": 0, "left_out": 0, "rows": 3, "untracked": 0} | change

    assert Ledger(**fields).find_faults(campaigns=1) == faults
