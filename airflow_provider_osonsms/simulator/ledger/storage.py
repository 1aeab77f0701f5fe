"""The ledger in SQLite: in memory, or in a file that survives a restart.

No row is ever deleted: "clearing" only moves the numbers after which rows are shown, so a used txn_id stays
used and a status query for an old msg_id still has an answer.
"""

import sqlite3
import weakref
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage, BulkJob, Refusal
from airflow_provider_osonsms.simulator.ledger.rows import (
    read_bulk,
    read_message,
    read_refusal,
    write_bulk,
    write_message,
    write_refusal,
)

_APPLICATION_ID: Final = 0x0992_0025
_VERSION: Final = 1
_FIRST_MSG_ID: Final = 100_000_001
_INSERT_MESSAGE: Final = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BULK: Final = "INSERT INTO bulk VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_REFUSAL: Final = "INSERT INTO refusal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"
_SCHEMA: Final = """
    CREATE TABLE message (
        msg_id INTEGER PRIMARY KEY, txn_id TEXT, login TEXT, sender TEXT, phone INTEGER, text TEXT,
        parts INTEGER, channel TEXT, is_confidential INTEGER, accepted_at INTEGER, UNIQUE (txn_id, login)
    );
    CREATE INDEX message_by_phone ON message (phone);
    CREATE TABLE used_up (login TEXT, txn_id TEXT, PRIMARY KEY (login, txn_id));
    CREATE TABLE bulk (
        number INTEGER PRIMARY KEY, txn_id TEXT, login TEXT, sender TEXT, text TEXT, phones TEXT,
        ignored INTEGER, send_at INTEGER, file_bytes INTEGER, created_at INTEGER, UNIQUE (login, txn_id)
    );
    CREATE TABLE refusal (
        number INTEGER PRIMARY KEY, call TEXT, http_status INTEGER, code INTEGER, problem TEXT, details TEXT,
        login TEXT, txn_id TEXT, at INTEGER
    );
    CREATE TABLE balance (login TEXT PRIMARY KEY, somoni TEXT);
    CREATE TABLE shown (after_msg_id INTEGER, after_bulk INTEGER, after_refusal INTEGER);
    INSERT INTO shown VALUES (0, 0, 0);
"""


class StateFileError(Exception):
    """The file does not hold a simulator's state; the text says what to do."""


class Storage:
    """Messages, used txn_ids, bulk jobs, refusals and balances; the caller holds a lock for each call.

    Args:
        file: Where to keep them; None for memory.
    """

    def __init__(self, file: Path | None = None) -> None:
        try:
            self._connection = sqlite3.connect(file or ":memory:", check_same_thread=False)
            # What is in memory is read after the gateway has stopped too, so it is closed when nobody can.
            self._close = weakref.finalize(self, self._connection.close)
            self._prepare()
        except sqlite3.Error as error:
            raise StateFileError(
                f"{file} cannot hold a simulator's state: {error}; name another file"
            ) from None
        self._execute = self._connection.execute
        query = """SELECT count(*), coalesce(sum(parts), 0) FROM message
            WHERE msg_id > (SELECT after_msg_id FROM shown)"""
        self._messages, self._parts = self._execute(query).fetchone()
        (last,) = self._execute("SELECT max(msg_id) FROM message").fetchone()
        self._next_msg_id: int = last + 1 if last else _FIRST_MSG_ID
        self._used_up = set(self._execute("SELECT * FROM used_up"))
        self._is_lasting = file is not None

    def _prepare(self) -> None:
        execute = self._connection.execute
        if (
            execute("PRAGMA user_version").fetchone() != (0,)
            or execute("SELECT 1 FROM sqlite_master").fetchone()
        ):
            kind = execute("PRAGMA application_id").fetchone() + execute("PRAGMA user_version").fetchone()
            if kind != (_APPLICATION_ID, _VERSION):
                raise sqlite3.DatabaseError("it belongs to another program or version")
        else:
            self._connection.executescript(_SCHEMA)
            execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            execute(f"PRAGMA user_version = {_VERSION}")
        execute("PRAGMA journal_mode = WAL")  # WAL survives a killed process without waiting for the disk
        execute("PRAGMA synchronous = NORMAL")

    def transaction(self) -> AbstractContextManager[object]:
        """Return a context manager whose changes a file keeps all, or none when it fails or is killed.

        In memory nothing is committed, which spares SQLite the copies of old pages.
        """
        return self._connection if self._is_lasting else nullcontext()

    def close(self) -> None:
        """Close the file."""
        self._close()

    def add_message(self, message: AcceptedMessage) -> bool:
        """Store a message and return True; return False when its txn_id is used already."""
        if (message.login, message.txn_id) in self._used_up:
            return False
        try:
            self._execute(_INSERT_MESSAGE, write_message(message))
        except sqlite3.IntegrityError:
            return False
        self._next_msg_id = message.msg_id + 1
        self._messages += 1
        self._parts += message.parts
        return True

    def next_msg_id(self) -> int:
        """Return the msg_id of the next message."""
        return self._next_msg_id

    def is_used(self, login: str, txn_id: str) -> bool:
        """Whether a send has used this txn_id."""
        query = "SELECT 1 FROM message WHERE txn_id = ? AND login = ?"
        return (login, txn_id) in self._used_up or bool(self._execute(query, (txn_id, login)).fetchone())

    def use_up(self, login: str, txn_id: str) -> None:
        """Store that a txn_id is used, without a message."""
        self._execute("INSERT OR IGNORE INTO used_up VALUES (?, ?)", (login, txn_id))
        self._used_up.add((login, txn_id))

    def find_message(self, msg_id: int) -> AcceptedMessage | None:
        """Return one message, also a message that is no longer shown."""
        row = self._execute("SELECT * FROM message WHERE msg_id = ?", (msg_id,)).fetchone()
        return read_message(row) if row else None

    def messages(self, *, phone: str | None = None, newest: int | None = None) -> list[AcceptedMessage]:
        """Return the messages that are shown, in the order of acceptance.

        Args:
            phone: Only those of this handset.
            newest: At most this many, the latest.
        """
        query = "SELECT * FROM message WHERE msg_id > (SELECT after_msg_id FROM shown)"
        values: list[Any] = []
        if phone is not None:
            query, values = query + " AND phone = ?", [int(phone)]
        if newest is not None:
            query, values = query + " ORDER BY msg_id DESC LIMIT ?", [*values, newest]
            return [read_message(row) for row in self._execute(query, values)][::-1]
        return [read_message(row) for row in self._execute(query + " ORDER BY msg_id", values)]

    def totals(self) -> dict[str, int]:
        """Return how many messages, parts, bulk jobs and refusals are shown."""
        query = """SELECT (SELECT count(*) FROM bulk) - after_bulk,
            (SELECT coalesce(max(number), 0) FROM refusal) - after_refusal FROM shown"""
        bulks, refusals = self._execute(query).fetchone()
        return {"messages": self._messages, "parts": self._parts, "bulks": bulks, "refusals": refusals}

    def add_bulk(self, job: BulkJob) -> None:
        """Store a bulk job; its name is ``bulk-`` and the next number."""
        self._execute(_INSERT_BULK, write_bulk(job))

    def find_bulk(self, login: str, txn_id: str) -> BulkJob | None:
        """Return the bulk job that this account created under this txn_id."""
        row = self._execute("SELECT * FROM bulk WHERE login = ? AND txn_id = ?", (login, txn_id)).fetchone()
        return read_bulk(row) if row else None

    def bulks(self) -> list[BulkJob]:
        """Return the bulk jobs that are shown, in the order of creation."""
        rows = self._execute(
            "SELECT * FROM bulk WHERE number > (SELECT after_bulk FROM shown) ORDER BY number"
        )
        return [read_bulk(row) for row in rows]

    def next_bulk_number(self) -> int:
        """Return the number of the next bulk job."""
        (last,) = self._execute("SELECT coalesce(max(number), 0) FROM bulk").fetchone()
        return int(last) + 1

    def add_refusal(self, refusal: Refusal) -> None:
        """Store a refusal."""
        self._execute(_INSERT_REFUSAL, write_refusal(refusal))

    def refusals(self, *, newest: int = -1) -> list[Refusal]:
        """Return the refusals that are shown, in order; at most the *newest*, or all for -1."""
        query = """SELECT * FROM refusal WHERE number > (SELECT after_refusal FROM shown)
            ORDER BY number DESC LIMIT ?"""
        return [read_refusal(row) for row in self._execute(query, (newest,))][::-1]

    def save_balance(self, login: str, somoni: Decimal) -> None:
        """Store the balance of an account in the file; in memory, the account itself holds it."""
        if self._is_lasting:
            self._execute("REPLACE INTO balance VALUES (?, ?)", (login, str(somoni)))

    def balances(self) -> dict[str, Decimal]:
        """Return the stored balance of each account, by login."""
        return {login: Decimal(somoni) for login, somoni in self._execute("SELECT * FROM balance")}

    def clear(self) -> None:
        """Hide all rows so far."""
        self._execute(
            """UPDATE shown SET after_bulk = (SELECT count(*) FROM bulk),
            after_msg_id = coalesce((SELECT max(msg_id) FROM message), 0),
            after_refusal = (SELECT coalesce(max(number), 0) FROM refusal)"""
        )
        self._messages = self._parts = 0
