"""What the simulator keeps, in memory and over a restart."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.vocabulary import Channel, ErrorCode
from airflow_provider_osonsms.simulator import AcceptedMessage, GatewayBackend, SimAccount
from airflow_provider_osonsms.simulator.ledger.problems import Problem
from airflow_provider_osonsms.simulator.ledger.records import BulkJob, Call, Refusal
from airflow_provider_osonsms.simulator.ledger.storage import StateFileError, Storage

MOMENT = datetime(2026, 11, 23, 4, 0, 0, 123457, tzinfo=UTC)
MESSAGE = AcceptedMessage(
    msg_id=100_000_001,
    txn_id="t-1",
    login="demo",
    sender="SHOP",
    phone="992900000101",
    text="Салом 🚚\n",
    parts=2,
    channel=Channel.TELEGRAM,
    is_confidential=True,
    accepted_at=MOMENT,
)
BULK = BulkJob(
    name="bulk-1",
    txn_id="b-1",
    login="demo",
    sender="SHOP",
    text="Салом",
    phones=("992900000101", "992900000102"),
    ignored=1,
    send_at=MOMENT + timedelta(hours=1),
    file_bytes=26,
    created_at=MOMENT,
)
REFUSAL = Refusal(
    call=Call.QUERY,
    http_status=422,
    code=100,
    problem=Problem.MISSING_FIELDS,
    details={"fields": "login"},
    login="",
    txn_id="n-1",
    at=MOMENT,
)
ACCOUNT = SimAccount(login="demo", secret="demo-salt", balance=Decimal("0.35"))
TOKEN = "Bearer demo-salt"


def fill(storage: Storage) -> None:
    """Keep one of each."""
    with storage.transaction():
        assert storage.add_message(MESSAGE)
        storage.add_message(
            replace(MESSAGE, msg_id=100_000_002, txn_id="t-2", channel=None, is_confidential=False)
        )
        storage.add_bulk(BULK)
        storage.add_refusal(REFUSAL)
        storage.save_balance("demo", Decimal("0.10"))


@pytest.mark.parametrize("is_lasting", [False, True])
def test_what_goes_in_comes_out(tmp_path: Path, *, is_lasting: bool) -> None:
    """Messages, bulk jobs, refusals and balances come back as they were, from a file also after a restart."""
    file = tmp_path / "state.sqlite" if is_lasting else None
    storage = Storage(file)
    fill(storage)
    if is_lasting:
        storage.close()
        storage = Storage(file)

    assert storage.messages()[0] == MESSAGE
    assert storage.messages()[1].channel is None
    assert storage.find_message(100_000_002) == storage.messages(newest=1)[0]
    assert storage.bulks() == [BULK]
    assert storage.refusals() == [REFUSAL]
    assert storage.balances() == ({"demo": Decimal("0.10")} if is_lasting else {})
    assert not storage.add_message(replace(MESSAGE, msg_id=7))
    assert storage.next_msg_id() == 100_000_003
    assert storage.totals() == {"messages": 2, "parts": 4, "bulks": 1, "refusals": 1}


def test_cleared_is_not_forgotten() -> None:
    """After clearing nothing is shown, and everything is known: ids, and what comes next is counted anew."""
    storage = Storage()
    fill(storage)
    storage.clear()

    assert (storage.messages(), storage.bulks(), storage.refusals()) == ([], [], [])
    assert storage.totals() == {"messages": 0, "parts": 0, "bulks": 0, "refusals": 0}
    assert not storage.add_message(replace(MESSAGE, msg_id=7))
    assert storage.find_message(100_000_001) == MESSAGE
    assert storage.find_bulk("demo", "b-1") == BULK

    third = replace(MESSAGE, msg_id=storage.next_msg_id(), txn_id="t-3")
    assert storage.add_message(third)
    assert [message.msg_id for message in storage.messages()] == [100_000_003]
    assert storage.totals()["messages"] == 1


@pytest.mark.parametrize("content", [b"no database, but long enough to look like some file" * 40, None])
def test_a_file_of_somebody_else(tmp_path: Path, content: bytes | None) -> None:
    """A file that is no state of a simulator is left alone, with a word about what to do."""
    file = tmp_path / "other.sqlite"
    if content is None:
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE theirs (one)")
        other.close()
    else:
        file.write_bytes(content)
    before = file.read_bytes()

    with pytest.raises(StateFileError, match="name another file"):
        Storage(file)
    assert file.read_bytes() == before


def test_a_restarted_gateway(tmp_path: Path, message: dict[str, Any], second_message: dict[str, Any]) -> None:
    """A gateway on the same file refuses the used txn_ids, goes on with msg_ids, and has billed once."""
    file = tmp_path / "state.sqlite"
    first = GatewayBackend(ACCOUNT, state=file)
    assert first.send(message)[0] == 201
    first.fail(Call.SEND, {"login": "demo", "txn_id": "t-9"}, code=ErrorCode.NOT_STORED, uses_up_txn_id=True)
    first.close()

    again = GatewayBackend(ACCOUNT, state=file)

    assert again.send(message)[0] == 409
    assert again.send({**message, "txn_id": "t-9"}, authorization=TOKEN)[0] == 409
    assert again.send(second_message)[1]["msg_id"] == 100_000_002
    assert again.accounts["demo"].balance == Decimal("0.15")
    assert len(again.messages) == 2
    assert [refusal.code for refusal in again.refusals] == [109, 108, 108]
    again.close()


def test_a_top_up_survives(tmp_path: Path) -> None:
    """A balance that was changed while the gateway ran goes before the one it is started with."""
    file = tmp_path / "state.sqlite"
    first = GatewayBackend(ACCOUNT, state=file)
    first.change_account("demo", balance=Decimal(50))
    first.close()

    again = GatewayBackend(ACCOUNT, state=file)
    assert again.accounts["demo"].balance == 50
    again.close()
