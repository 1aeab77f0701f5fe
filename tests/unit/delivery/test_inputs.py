"""Which messages to wait for."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.delivery.inputs import TrackedMessages, read_messages
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import ResultsTable

HEADER = "row,key,phone,outcome,reason,txn_id,msg_id,parts"
RESULTS = f"""{HEADER}
0,a,992900000001,accepted,,0a,71,1
1,b,992900000002,accepted_untracked,answer_lost,0b,,
2,,9929•••,rejected,short,,,
3,"c,
c",992900000003,accepted,,0c,072,2
4,d,992900000004,accepted,,0d,71,1
"""


@pytest.mark.parametrize(
    ("messages", "msg_ids", "untracked"),
    [
        ("5", ("5",), 0),
        (5, ("5",), 0),
        ({"msg_id": "5"}, ("5",), 0),
        ({"msg_id": None}, (), 1),
        ([5, "5", "6"], ("5", "6"), 0),
        ([[{"msg_id": 7}], [{"msg_id": None}, {"msg_id": None}]], ("7",), 2),
        ([], (), 0),
    ],
)
def test_messages_are_read(messages, msg_ids, untracked):
    """Ids, outputs of sends and lists of them give unique ids and a count of untracked messages."""
    assert read_messages(messages) == TrackedMessages(
        msg_ids=msg_ids, untracked=untracked, is_listed=messages == []
    )


@pytest.mark.parametrize(
    "messages",
    [
        *(None, 1.5, True, {"992900000001": 1}, "992900000001", "a b", "", [None], object()),
        *("None", "nan", " NULL ", b"5", bytearray(b"5"), [b"5"], pd.DataFrame({"msg_id": ["5"]})),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_other_things_are_refused(messages):
    """Anything else, a phone among it, is an error that says what is accepted and repeats nothing."""
    with pytest.raises(InvalidMessageError, match="messages") as raised:
        read_messages(messages)

    assert "992900000001" not in str(raised.value)


def test_a_join_waits_for_the_tasks_that_have_sent():
    """One of two channels was skipped: there is nothing to wait for in it. Nothing but None is an error."""
    assert read_messages([None, {"msg_id": "5"}, [None, "6"]]).msg_ids == ("5", "6")
    with pytest.raises(InvalidMessageError, match="was the send task skipped"):
        read_messages([None, None])


def test_a_skipped_task_is_named():
    """What a template makes of a task that returned nothing leads to that task, not to a gateway's 107."""
    with pytest.raises(InvalidMessageError, match="was the send task skipped"):
        read_messages("None")


def test_an_output_that_is_named_twice_counts_once():
    """A campaign, or a send, that stands in a list twice has no more messages for that."""
    sent = [{"txn_id": "0a", "msg_id": "7"}, {"txn_id": "0b", "msg_id": None}]
    campaign = {"campaign_id": "c", "messages": sent}
    send = {"txn_id": "0c", "msg_id": None, "outcome": "accepted_untracked"}

    messages = read_messages([campaign, send, [dict(campaign), dict(send)]])

    assert (messages.msg_ids, messages.untracked) == (("7",), 2)


def test_the_connections_are_read():
    """Each Connection that an output names is known, so that another is not asked."""
    outputs = [{"txn_id": f"{n}", "msg_id": n, "osonsms_conn_id": f"c{n % 2}"} for n in range(4)]

    assert read_messages([*outputs, "77"]).connections == ("c0", "c1")


@pytest.mark.parametrize(
    ("times", "accepted"),
    [
        (["2026-11-24T06:00:00+00:00", "2026-11-24T06:00:09+00:00"], "2026-11-24T06:00:09+00:00"),
        (["2026-11-24T06:00:00+00:00", ""], None),
        (["2026-11-24T06:00:00+00:00", "yesterday"], None),
    ],
)
def test_the_last_acceptance_is_read(tmp_path, times, accepted):
    """It is that of the last message; of a table that does not say it for each message, nobody knows it."""
    path = tmp_path / "results.csv"
    rows = [f"{n},k{n},99290000000{n},accepted,,0{n},{n + 1},1,{at},1" for n, at in enumerate(times)]
    path.write_text("\n".join([f"{HEADER},accepted_at,try", *rows, ""]), encoding="utf-8")

    loaded = read_messages({"results_path": str(path)}).load(Path)

    assert loaded.accepted == (accepted and datetime.fromisoformat(accepted).timestamp())


def test_results_of_campaigns_are_read(tmp_path):
    """Large campaigns give the path of their table: its msg_ids are watched, lost ones are counted."""
    path = tmp_path / "results.csv"
    path.write_text(RESULTS, encoding="utf-8")
    table = ResultsTable(path=str(path))
    messages = read_messages([{"results_path": str(path), "campaign_id": "c"}, {"msg_id": 9}, [str(10)]])

    assert messages == TrackedMessages(
        msg_ids=("9", "10"), sources=(table,), tables=(table,), campaigns=("c",)
    )
    msg_ids, untracked, _ = messages.load(Path)
    assert ([msg_ids[number] for number in range(len(msg_ids))], untracked) == (["9", "10", "71", "072"], 1)


def test_results_as_parquet(tmp_path):
    """The table may be Parquet, where pyarrow is there."""
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "results.parquet"
    names = HEADER.split(",")
    rows = [
        (0, "a", "992900000001", "accepted", "", "0a", "71", 1),
        (1, None, "9929•••", "rejected", "x", None, None, None),
    ]
    table = pyarrow.table(dict(zip(names, zip(*rows, strict=True), strict=True)))
    pytest.importorskip("pyarrow.parquet").write_table(table, path)

    msg_ids, untracked, _ = read_messages({"results_path": str(path)}).load(Path)

    assert ([*map(msg_ids.__getitem__, range(len(msg_ids)))], untracked) == (["71"], 0)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"a,b\n1,2\n", b"\xff\xfe\x00", HEADER.encode() + b"\n1\n", HEADER.encode() + b'\n"'],
)
def test_unreadable_results(tmp_path, content):
    """A table that is not there, or is none, is an error that says what it must be, without the path."""
    path = tmp_path / "secret-name.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidMessageError, match="results_path") as raised:
        read_messages({"results_path": str(path)}).load(Path)

    assert "secret-name" not in str(raised.value)


@given(
    st.lists(st.one_of(st.integers(0, 2**65).map(str), st.from_regex(r"[0-9a-zA-Z]{1,8}", fullmatch=True)))
)
def test_msg_ids_keep_every_character(msg_ids):
    """Whatever a msg_id looks like, it comes out as it went in, once, and is found where it is."""
    kept = MsgIds(msg_ids)
    listed = [kept[number] for number in range(len(kept))]

    assert sorted(listed) == sorted(set(msg_ids))
    assert [kept.find(msg_id) for msg_id in listed] == list(range(len(kept)))
    assert kept.find("zzzzzzzzz") is None
    assert kept.find(str(2**63 - 1)) in (None, *range(len(kept)))


@pytest.mark.parametrize("outcome", ["pending", "capped"])
def test_a_message_that_was_not_sent_is_none_to_wait_for(outcome):
    """A dry run and a capped message have sent nothing: they are not counted as untracked either."""
    found = read_messages([{"txn_id": "a", "msg_id": None, "parts": 1, "outcome": outcome}, "7001"])

    assert (found.msg_ids, found.untracked) == (("7001",), 0)
