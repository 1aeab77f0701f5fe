"""Transaction ids: the same for the same parts for ever, different for different parts."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries, check_txn_id, make_txn_id

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARTS = st.lists(TEXTS | st.integers(), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("parts", "namespace", "txn_id"),
    [
        # printf '%s' '7:staging10:campaign-72:42' | sha256sum | cut -c1-32
        (("campaign-7", 42), "staging", "3d029788844851e1bbe1eb0564c0d1b4"),
        # printf '%s' '0:10:invoice-31' | sha256sum | cut -c1-32
        (("invoice-31",), "", "c2836c620735c35af6c3bf7cdfcc9976"),
        # printf '%s' '0:17:фактура-31' | sha256sum | cut -c1-32
        (("фактура-31",), "", "67c3149ff4f891d91ccf670cb6bc871a"),
    ],
)
def test_keys_never_change(parts: tuple[str | int, ...], namespace: str, txn_id: str) -> None:
    """A key computed by an earlier release is computed again, or a retry would send twice."""
    assert make_txn_id(*parts, namespace=namespace) == txn_id


@given(parts=PARTS, namespace=TEXTS)
def test_a_key_is_acceptable_and_repeatable(parts: list[str | int], namespace: str) -> None:
    """Any parts give 32 lower-case hex characters, each time the same."""
    key = make_txn_id(*parts, namespace=namespace)

    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")
    assert make_txn_id(*parts, namespace=namespace) == check_txn_id(key)


@given(one=PARTS, other=PARTS)
def test_different_parts_give_different_keys(one: list[str | int], other: list[str | int]) -> None:
    """Only equal lists of written parts share a key, wherever the boundaries lie."""
    assume([str(part) for part in one] != [str(part) for part in other])

    assert make_txn_id(*one) != make_txn_id(*other)


@given(text=TEXTS.filter(lambda text: len(text) > 1), data=st.data())
def test_boundaries_matter(text: str, data: st.DataObject) -> None:
    """One text cut at two places, or not cut at all, makes three keys."""
    cuts = st.integers(min_value=0, max_value=len(text))
    first, second = data.draw(cuts), data.draw(cuts)
    assume(first != second)

    keys = {make_txn_id(text[:cut], text[cut:]) for cut in (first, second)} | {make_txn_id(text)}
    assert len(keys) == 3


@given(parts=PARTS, one=TEXTS, other=TEXTS)
def test_a_namespace_keeps_installations_apart(parts: list[str | int], one: str, other: str) -> None:
    """Staging and production compute different keys for the same parts."""
    assume(one != other)

    assert make_txn_id(*parts, namespace=one) != make_txn_id(*parts, namespace=other)


def test_a_namespace_is_not_a_part() -> None:
    """A word in the namespace and the same word as first part give different keys."""
    assert make_txn_id("b", namespace="a") != make_txn_id("a", "b")


@pytest.mark.parametrize("part", [None, 1.0, True, b"x", ["x"], float("nan")])
def test_ambiguous_parts_are_refused(part: Any) -> None:
    """What has no single spelling cannot be a part: ``1.0`` and ``1`` would be two messages."""
    with pytest.raises(InvalidMessageError, match="part 1 is"):
        make_txn_id("campaign-7", part)


def test_no_parts_are_refused() -> None:
    """A key of nothing would be the same for every message."""
    with pytest.raises(InvalidMessageError, match="at least one part"):
        make_txn_id(namespace="staging")


@pytest.mark.parametrize("txn_id", ["1", "invoice-31", "a" * 64, "~!/+%&="])
def test_a_chosen_key_is_kept(txn_id: str) -> None:
    """A usable txn_id of the user's own is sent as it is."""
    assert check_txn_id(txn_id) == txn_id


@pytest.mark.parametrize(
    "txn_id", ["", "a" * 65, "a;b", "a b", "a\n", "\t", "счёт-1", "a\x00", "a\x7f", 7, None]
)
def test_a_useless_key_is_refused(txn_id: Any) -> None:
    """Empty, long, separating, spaced, control or non-ASCII keys are refused.

    Reference:
        docs/wire-notes.md "Lengths and characters".
    """
    with pytest.raises(InvalidMessageError, match="make_txn_id"):
        check_txn_id(txn_id)


@given(st.lists(st.text(), min_size=1, max_size=4), st.text(), st.text())
def test_a_series_makes_the_same_keys(parts: list[str], last: str, namespace: str) -> None:
    """A key of a series is the key of all its parts, whatever they hold."""
    assert TxnIdSeries(*parts, namespace=namespace).make(last) == make_txn_id(
        *parts, last, namespace=namespace
    )
