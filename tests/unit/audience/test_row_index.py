"""Rows are found by the first characters of their txn_ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.row_index import RowIndex

KEYS = st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), unique=True, max_size=30)


@given(KEYS, st.randoms(use_true_random=False))
def test_each_key_finds_its_row(keys, random):
    """Rows that are known are found, in any order, and no others: the same as a dict finds them."""
    known = {key: 7 * number for number, key in enumerate(keys[::2])}
    index = RowIndex((position, key) for key, position in known.items())
    random.shuffle(keys)

    assert index.find(keys) == [known.get(key) for key in keys]


def test_the_first_of_two_rows_with_one_key_is_found():
    """Two rows of a million share a key once in 30 million campaigns: the other one is asked for again."""
    assert RowIndex(enumerate(["0123456789abcdef"] * 2)).find(["0123456789abcdef"]) == [0]


@pytest.mark.parametrize(
    "key",
    ["", "7", "+123456789abcdef", "0x23456789abcdef", "0123456789ABCDEF", "0_23456789abcdef", "\u0660" * 16],
)
def test_what_is_no_key_finds_nothing(key):
    """What stands in the store under a key that we never write belongs to no row."""
    assert RowIndex(enumerate(["0123456789abcdef", "0023456789abcdef"])).find([key]) == [None]


def test_an_index_without_rows():
    """A campaign to nobody finds nobody."""
    assert RowIndex([]).find(["0123456789abcdef"]) == [None]
    assert RowIndex([(0, "0123456789abcdef")]).find([]) == []
