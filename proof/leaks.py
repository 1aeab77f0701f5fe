"""What is private is searched in all that a run leaves behind: logs, database, broker, files, processes."""

import base64
import binascii
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

import psutil
from cryptography.fernet import Fernet
from people import NAME

ALLOWED: Final = {
    ("table dag_code", "phone"): "the source of the DAG files, whose author wrote the phone of an alert",
}
"""Places (beginnings of their names) and kinds where something may be found, each with its reason."""
PRIVATE_BY_PURPOSE: Final = ("gateway", "people", "results")
"""Folders of the gateway, of audiences, and of results and reports: phones are what they are for."""

_HASH: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_CHECKSUM: Final = re.compile(r"(\bchecksum\W{1,8})[0-9a-f]{64}\b")
"""Of a table, in the XCom of the campaign that wrote it: it signs nothing."""
_TEXT: Final = re.compile(rf"{NAME}\d{{6}}")
_PHONE: Final = re.compile(r"(?=(992\d{9}))")
_URL: Final = re.compile(r"sendsms_v1\.php|str_hash=")
_COPY: Final = re.compile(r"^COPY public\.(\S+) .*?^\\\.$", re.DOTALL | re.MULTILINE)
_BYTES: Final = re.compile(r"\\\\x((?:[0-9a-f]{2})+)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_ENCRYPTED: Final = re.compile(r"gAAAAA[\w-]+=*")


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Something private in a place; what it is stays unsaid."""

    place: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Knows what nobody may read."""

    secret: str = field(repr=False)
    phones: frozenset[str] = field(repr=False)
    fernet: Fernet = field(repr=False)

    def search(self, place: str, text: str) -> Iterator[Leak]:
        """Find the kinds of private things in a text."""
        kinds = {
            "secret": self.secret in text,
            "hash": _HASH.search(_CHECKSUM.sub(r"\1", text)) is not None,
            "phone": not self.phones.isdisjoint(_PHONE.findall(text)),
            "text": _TEXT.search(text) is not None,
            "URL": _URL.search(text) is not None,
        }
        yield from (Leak(place, kind) for kind, is_found in kinds.items() if is_found)

    def search_files(self, home: Path) -> Iterator[Leak]:
        """Search logs, temporary files and all else below *home*; folders made for people prove the search.

        Raises:
            RuntimeError: Where phones and texts must be, none were found.
        """
        expected = set()
        for path in sorted(home.rglob("*")):
            parts = path.relative_to(home).parts
            if path.suffix == ".db":
                yield from self._search_sqlite(path, "/".join(parts))
            elif path.is_file():
                found = self.search(f"file {'/'.join(parts)}", path.read_bytes().decode(errors="replace"))
                if any(part in PRIVATE_BY_PURPOSE for part in parts):
                    expected.update(leak.kind for leak in found)
                else:
                    yield from found
        if not expected >= {"phone", "text"}:
            raise RuntimeError("the search for leaks finds neither phones nor texts where they must be")

    def search_dump(self, dump: str) -> Iterator[Leak]:
        """Search each table of a database, also what is stored as bytes or encrypted.

        Raises:
            RuntimeError: It is no dump of Airflow's database.
        """
        tables = list(_COPY.finditer(dump))
        if "xcom" not in {table[1] for table in tables}:
            raise RuntimeError("the search for leaks does not find the tables of Airflow")
        for table in tables:
            text = _BYTES.sub(lambda found: bytes.fromhex(found[1]).decode(errors="replace"), table[0])
            yield from self.search(f"table {table[1]}", self._decrypt(text))

    def search_broker(self, log: str) -> Iterator[Leak]:
        """Search the log of all commands that the broker was given; Celery encodes the bodies of messages.

        Raises:
            RuntimeError: No task is found in it.
        """
        decoded = "\n".join(_decode(found[0]) for found in _BASE64.finditer(log))
        if "dag_id" not in decoded:
            raise RuntimeError("the search for leaks finds no task in the messages of the broker")
        yield from self.search("broker", f"{log}\n{decoded}")

    def _search_sqlite(self, path: Path, name: str) -> Iterator[Leak]:
        """Search each table; in the bytes of the file, values of different columns touch."""
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                text = str(database.execute(f'SELECT * FROM "{table}"').fetchall())  # noqa: S608 (Airflow's own)
                yield from self.search(f"table {table} of {name}", self._decrypt(text))

    def _decrypt(self, text: str) -> str:
        return _ENCRYPTED.sub(lambda found: self.fernet.decrypt(found[0].encode()).decode(), text)


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except binascii.Error:
        return ""


class CommandLines:
    """Collects the command lines of all processes of this machine, until its block ends."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._is_over = Event()
        self._thread = Thread(target=self._collect, name="command-lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _collect(self) -> None:
        while not self._is_over.wait(0.5):
            for process in psutil.process_iter(["cmdline"]):
                self.seen.add(" ".join(process.info["cmdline"] or ()))


def judge(leaks: set[Leak]) -> tuple[list[str], list[Leak]]:
    """Sort leaks into those of the list, with their reasons, and the others."""
    reasons, others = set(), []
    for leak in sorted(leaks):
        found = [
            why
            for (place, kind), why in ALLOWED.items()
            if kind == leak.kind and leak.place.startswith(place)
        ]
        reasons.update(f"{leak.kind} in {leak.place}: {why}" for why in found[:1])
        if not found:
            others.append(leak)
    return sorted(reasons), others
