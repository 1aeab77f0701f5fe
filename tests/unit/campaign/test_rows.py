"""The life of a row."""

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState, Shown
from airflow_provider_osonsms.protocol.history import TxnIdHistory


@given(st.text(min_size=1))
def test_any_msg_id_comes_back(msg_id: str) -> None:
    """A msg_id of digits takes eight bytes, any other is kept as it is."""
    rows = CampaignRows(2, history=TxnIdHistory.UNUSED)
    rows.keep_receipt(1, msg_id=msg_id, parts=3)

    assert (rows.msg_id(1), rows.parts(1), rows.state(1)) == (msg_id, 3, RowState.ACCEPTED)
    assert (rows.msg_id(0), rows.parts(0)) == (None, None)


def test_doubt_only_grows() -> None:
    """What an attempt leaves open about a key is not taken back by a later one."""
    rows = CampaignRows(1, history=TxnIdHistory.UNUSED)
    rows.expect(0)
    before = rows.begin_attempt(0)
    rows.end_attempt(0, Shown.REFUSED_FOR_NOW, before=before, left_behind=TxnIdHistory.MAYBE_CONSUMED)
    before = rows.begin_attempt(0)
    rows.end_attempt(0, Shown.NO_ANSWER, before=before, left_behind=TxnIdHistory.MAYBE_ACCEPTED)

    assert rows.history(0) is TxnIdHistory.MAYBE_CONSUMED
    assert rows.open_rows == 1
