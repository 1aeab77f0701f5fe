"""Only the rows that were chosen are texted."""

from pathlib import Path

import pandas as pd
import pytest

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"


@pytest.mark.parametrize(
    "only",
    [
        ["+992 90 000 00 02"],
        [900000002],
        [{"key": B, "status": "EXPIRED"}],
        pd.DataFrame({"whoever": [B]}),
        iter([[B], [B]]),
    ],
    ids=["text", "int", "dicts", "one column", "chunks"],
)
def test_the_chosen_are_texted(only: object) -> None:
    """Whatever source and spelling, only who is chosen is texted, and that is no fault of the others."""
    audience = prepare_audience([A, B, C], only=only)

    assert audience.msisdns.tolist() == [int(B)]
    assert audience.rejects.count() == {"not_chosen": 2}
    assert audience.rejects.invalid == 0


def test_keys_choose_where_there_is_a_key_column(tmp_path: Path) -> None:
    """With a key column a phone is texted for the chosen keys only, whatever type they were read as."""
    path = tmp_path / "undelivered.csv"
    path.write_text(f"key,phone,status\n2,{A},EXPIRED\n,,\n")
    people = [{"phone": A, "invoice": invoice} for invoice in (1, 2, 3)]

    audience = prepare_audience(people, key_column="invoice", only=path)

    assert audience.row_keys is not None
    assert audience.row_keys.tolist() == ["2"]


def test_nobody_is_chosen(tmp_path: Path) -> None:
    """A table without rows chooses nobody."""
    path = tmp_path / "undelivered.csv"
    path.write_text("key,phone,status\n")

    assert len(prepare_audience([A, B], only=path)) == 0


@pytest.mark.parametrize("keys", [None, "invoice"])
def test_unmatched_entries_are_counted(keys: str | None) -> None:
    """Entries that match no row are counted for the log: the wrong table may have been given."""
    people = [{"phone": A, "invoice": A}, {"phone": B, "invoice": B}]

    audience = prepare_audience(people, key_column=keys, only=[A, C, C, "x"])

    assert "only: 2 entries match no row" in audience.describe()


def test_a_table_without_keys_is_refused() -> None:
    """A table of several columns must name its keys: nothing is guessed."""
    with pytest.raises(InvalidMessageError, match="only has no column 'key'"):
        prepare_audience([A], only=[{"phone": A, "status": "EXPIRED"}])


PEOPLE = [
    {"phone": A, "order": 1},
    {"phone": B, "order": 2},
    {"phone": C, "order": 3},
]


def choose(only: object) -> list[str]:
    """Return the orders that *only* chooses."""
    audience = prepare_audience(PEOPLE, key_column="order", only=only)
    assert audience.row_keys is not None
    return list(audience.row_keys)


@pytest.mark.parametrize(
    ("more", "chosen"),
    [
        ({}, ["1", "2"]),
        ({"phone": C}, ["1"]),
        ({"phone": B}, ["1", "2"]),
        ({"phone": f"+{B}"}, ["1", "2"]),
        ({"phone": "no phone"}, ["1"]),
        ({"phone": None}, ["1", "2"]),
        ({"key_column": "order"}, ["1", "2"]),
        ({"key_column": "invoice"}, ["1"]),
        ({"key_column": None}, ["1"]),
        ({"phone": B, "key_column": "invoice"}, ["1"]),
    ],
    ids=str,
)
def test_a_key_of_somebody_else_chooses_nobody(more: dict[str, object], chosen: list[str]) -> None:
    """An entry that says whose its key is chooses that row alone: order 2 and invoice 2 are two people."""
    known = {"key": 1, **dict.fromkeys(more), **({"phone": A} if "phone" in more else {})}
    if "key_column" in more:
        known["key_column"] = "order"

    assert choose([known, {"key": 2, **more}]) == chosen


@pytest.mark.parametrize(
    ("only", "given", "wanted"),
    [
        ([A, B], "phones", "of the column 'order'"),
        ([{"key": A, "phone": A, "key_column": None}], "phones", "of the column 'order'"),
        ([{"key": 1, "key_column": "invoice"}], "of the column 'invoice'", "of the column 'order'"),
        ([7, 8], "no phones", "of the column 'order'"),
    ],
)
def test_a_list_that_fits_nobody_is_refused(only: object, given: str, wanted: str) -> None:
    """Nobody would be texted, and the task be green: the error names both kinds of key."""
    with pytest.raises(InvalidMessageError) as raised:
        choose(only)

    assert "none of its" in str(raised.value)
    assert f"Its keys are {given}; those of recipients are {wanted}" in str(raised.value)
    assert A not in str(raised.value)


def test_blank_keys_are_not_passed_over() -> None:
    """A spreadsheet that has lost the keys chooses nobody: that is an error, and counted beside others."""
    blank: dict[str, object] = {"key": None, "phone": A}

    with pytest.raises(InvalidMessageError, match="none of its 2 entries matches"):
        choose([blank, blank])
    audience = prepare_audience(PEOPLE, key_column="order", only=[blank, {"key": 1, "phone": A}])
    assert audience.unmatched_inclusions == 1


def test_an_order_id_of_nine_digits_is_no_phone() -> None:
    """Where an entry has a phone, its key chooses a phone only if it is the same one."""
    only = [{"key": "900000001", "phone": C}, {"key": B, "phone": B}]

    audience = prepare_audience([A, B, C], only=only)

    assert audience.msisdns.tolist() == [int(B)]
    assert audience.unmatched_inclusions == 1


def test_a_list_of_keys_fits_no_phones() -> None:
    """The other way round it is the same."""
    with pytest.raises(InvalidMessageError, match=r"Its keys are of the column 'order'; those .* are phones"):
        prepare_audience([A, B], only=[{"key": "1", "phone": A, "key_column": "order"}])


def test_no_recipient_needs_no_match() -> None:
    """An audience without rows is empty whatever was chosen: that is for on_empty to judge."""
    assert len(prepare_audience([], only=[A])) == 0
