"""Keys and results of a campaign."""

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries, make_txn_id


@given(st.lists(st.text(), min_size=1, max_size=4), st.text(), st.text())
def test_a_series_makes_the_same_keys(parts: list[str], last: str, namespace: str) -> None:
    """A key of a series is the key of all its parts, whatever they hold."""
    assert TxnIdSeries(*parts, namespace=namespace).make(last) == make_txn_id(
        *parts, last, namespace=namespace
    )


@given(st.text(min_size=1))
def test_any_msg_id_comes_back(msg_id: str) -> None:
    """A msg_id of digits takes eight bytes, any other is kept as it is."""
    results = CampaignRows(2, history=TxnIdHistory.UNUSED)
    results.note_accepted(1, msg_id=msg_id, parts=3)

    assert (results.msg_id(1), results.parts(1), results.state(1)) == (msg_id, 3, RowState.ACCEPTED)
    assert (results.msg_id(0), results.parts(0)) == (None, None)


def test_doubt_only_grows() -> None:
    """What an attempt leaves open about a key is not taken back by a later one."""
    results = CampaignRows(1, history=TxnIdHistory.UNUSED)
    results.expect(0)
    results.note(0, RowState.REFUSED_FOR_NOW, history=TxnIdHistory.MAYBE_CONSUMED)
    results.note(0, RowState.NO_ANSWER, history=TxnIdHistory.MAYBE_ACCEPTED)

    assert results.history(0) is TxnIdHistory.MAYBE_CONSUMED
    assert results.open_rows == 1


def test_a_line_at_five_percent_or_ten_seconds(caplog) -> None:
    """Progress tells the log every 5 % or 10 seconds, never more often."""
    now = [0.0]
    caplog.set_level("INFO")
    progress = Progress(1000, clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.01
        progress.count()
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "50 of 1000 settled",
        "100 of 1000 settled",
    ]
    now[0] += 10
    progress.count_failure()
    assert "1 failed attempts" in caplog.records[-1].getMessage()
