"""The calls of the hook."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OutcomeUnknownError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.simulator import Fault


def test_four_calls(gateway):
    """The hook sends, queries, reads the balance and creates a bulk job with the Connection's credentials."""
    hook = OsonSmsHook()
    receipt = hook.send_sms("+992 90 000 00 01", "Салом", txn_id="order-1")
    bulk = hook.create_bulk(
        ["992900000001", "900000002"], "Салом", txn_id="b-1", send_at=datetime.now(UTC) + timedelta(days=1)
    )

    assert (receipt.outcome, receipt.parts) == (Outcome.ACCEPTED, 1)
    assert hook.get_status(receipt.msg_id) is DeliveryStatus.DELIVERED
    assert hook.get_balance() == Decimal("99.9")
    assert bulk.bulk_name == gateway.bulks[0].name
    assert list(gateway.bulks[0].phones) == ["992900000001", "992900000002"]


def test_same_key_is_sent_once(gateway):
    """A second call with the same txn_id sends nothing and says that it was accepted before."""
    OsonSmsHook().send_sms("992900000001", "Салом", txn_id="order-1")

    again = OsonSmsHook().send_sms("992900000001", "Салом", txn_id="order-1")

    assert (again.outcome, again.msg_id) == (Outcome.ACCEPTED_UNTRACKED, None)
    assert len(gateway.sent) == 1


def test_bulk_texts_everybody_once(gateway):
    """A number that is given twice, in whatever spelling, is in the file once."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    OsonSmsHook().create_bulk(["992900000001", "+992 900000001"], "x", txn_id="b", send_at=tomorrow)

    assert gateway.bulks[0].phones == ("992900000001",)


@pytest.mark.parametrize("text", ["Салом, {{ name }}!", "Салом, {name}!", "hello.txt"])
def test_a_text_that_nobody_filled(gateway, text):
    """It is refused before anything is sent, also in a bulk job."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(InvalidMessageError, match="never filled"):
        OsonSmsHook().send_sms("992900000001", text, txn_id="order-1")
    with pytest.raises(InvalidMessageError, match="never filled"):
        OsonSmsHook().create_bulk(["992900000001"], text, txn_id="b", send_at=tomorrow)

    assert gateway.requests["send"] == gateway.requests["bulk"] == 0


def test_nothing_to_ask_for_or_past(gateway):
    """No msg_id, and a past send_at, are refused before anything is asked or uploaded."""
    with pytest.raises(InvalidMessageError, match="msg_id"):
        OsonSmsHook().get_status(None)
    with pytest.raises(InvalidMessageError, match="past"):
        OsonSmsHook().create_bulk(["992900000001"], "x", txn_id="b", send_at="2020-01-01 09:00")

    assert gateway.requests["query"] == gateway.requests["bulk"] == 0


def test_unanswered_bulk_is_not_repeated(gateway):
    """An upload whose answer is lost raises and is not repeated."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")

    with pytest.raises(OutcomeUnknownError):
        OsonSmsHook().create_bulk(
            ["992900000001"], "x", txn_id="b", send_at=datetime.now(UTC) + timedelta(days=1)
        )

    assert gateway.requests["bulk"] == 1


def test_asynchronous_client(gateway):
    """The asynchronous client opens from the same Connection."""

    async def read_balance():
        async with OsonSmsHook().open_async_client() as client:
            return await client.query_balance()

    assert asyncio.run(read_balance()) == 100


def test_nothing_is_read_before_a_call(monkeypatch):
    """Making a hook reads no Connection."""
    monkeypatch.delenv("AIRFLOW_CONN_OSONSMS_DEFAULT", raising=False)

    assert OsonSmsHook(osonsms_conn_id="nowhere").osonsms_conn_id == "nowhere"
