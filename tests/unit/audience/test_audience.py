"""From a table to recipients and rejects."""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.sampled_from(
        [A, B, "+992 90 000 00 01", "900000002", 900000001, 992900000002.0, object(), [A], pd.NA]
    ),
    st.text(alphabet="0123456789+- x", max_size=15),
)


def reasons(audience: Audience) -> dict[int, str]:
    """Return the reason of each rejected row."""
    return audience.rejects["reason"].to_dict()


@given(phones=st.lists(CELLS), has_keys=st.booleans())
def test_nobody_is_lost(*, phones: list[object], has_keys: bool) -> None:
    """Recipients and rejects partition the input rows, whatever they hold."""
    frame = pd.DataFrame({"phone": pd.Series(phones, dtype="object"), "id": np.arange(len(phones)) // 2})

    audience = prepare_audience(frame, key_column="id" if has_keys else None)

    assert sorted([*audience.recipients.index, *audience.rejects.index]) == list(range(len(phones)))
    assert len(audience) == len(audience.recipients) == len(audience.keys)
    assert audience.keys.is_unique
    assert all(re.fullmatch(r"992[0-9]{9}", phone) for phone in audience.recipients["phone"])
    assert sum(audience.rejects_by_reason().values()) == len(audience.rejects)
    if not has_keys:
        assert audience.recipients["phone"].is_unique


@given(st.lists(CELLS))
def test_a_prepared_audience_is_an_audience(phones: list[object]) -> None:
    """The recipients of an audience, prepared again, are all accepted."""
    recipients = prepare_audience(pd.Series(phones, dtype="object")).recipients

    again = prepare_audience(recipients)

    assert list(again.recipients["phone"]) == list(recipients["phone"])
    assert again.rejects.empty


@given(st.lists(CELLS))
def test_no_full_phone_is_shown(phones: list[object]) -> None:
    """Neither the rejects nor the description nor the repr shows a full phone."""
    audience = prepare_audience(pd.Series([*phones, A, A, "8 900 000 00 01"], dtype="object"))

    assert not audience.rejects["phone"].str.contains("[0-9]{4}").any()
    assert not re.search("[0-9]{7}", audience.describe())
    assert A not in repr(audience)


def test_the_first_of_several_rows_stays() -> None:
    """A later spelling of the same phone is a duplicate of the first."""
    audience = prepare_audience(["bad", "+992 90 000 00 01", A, 900000001, B])

    assert audience.recipients["phone"].to_dict() == {1: A, 4: B}
    assert reasons(audience) == {0: "not_a_number", 2: "duplicate", 3: "duplicate"}
    assert audience.rejects["phone"][2] == "992•••••001"


def test_other_columns_are_untouched() -> None:
    """All columns stay in place with their values and dtypes, and the input does not change."""
    frame = pd.DataFrame(
        {
            "name": ["Али", "Вали", None],
            "phone": [900000001, 123, 900000003],
            "amount": [1.5, 2.5, np.nan],
            "day": pd.to_datetime(["2026-11-01"] * 3),
        },
        index=["x", "x", "y"],
    )
    before = frame.copy(deep=True)

    recipients = prepare_audience(frame).recipients

    assert list(recipients.columns) == ["name", "phone", "amount", "day"]
    assert list(recipients.index) == [0, 2]
    assert list(recipients["phone"]) == [A, C]
    assert recipients["amount"].dtype == frame["amount"].dtype
    assert recipients["day"].dtype == frame["day"].dtype
    recipients.loc[0, "name"] = "other"
    pd.testing.assert_frame_equal(frame, before)


def test_a_phone_column_of_another_name() -> None:
    """The column of another name stays as it was, and the normalised phone is called phone."""
    recipients = prepare_audience(pd.DataFrame({"mobile": ["900000001"]}), phone_column="mobile").recipients

    assert recipients.to_dict("records") == [{"mobile": "900000001", "phone": A}]


def test_two_columns_for_one_name() -> None:
    """A column that the normalised phone would overwrite is an error, not a loss."""
    frame = pd.DataFrame({"mobile": [A], "phone": ["office"]})

    with pytest.raises(InvalidMessageError, match="rename or drop"):
        prepare_audience(frame, phone_column="mobile")


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([992900000001, 123]),
        pd.Series([992900000001.0, 123.0]),
        pd.Series([992900000001, 123], dtype="Int64"),
        pd.Series([A, None], dtype="string"),
        pd.Series([A, None], dtype="category"),
        pd.Series([A, "x"]),
        pd.Series([Decimal(A), None], dtype="object"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_dtype_of_a_column(column: "pd.Series[Any]") -> None:
    """The phone is found whatever pandas made of the column."""
    audience = prepare_audience(column.to_frame(name="phone"))

    assert audience.recipients["phone"].to_dict() == {0: A}
    assert list(audience.rejects.index) == [1]


@pytest.mark.parametrize("dtype", ["float32", "Float32"])
def test_a_narrow_float_has_lost_digits(dtype: str) -> None:
    """A float of 32 bits cannot hold a phone, and pandas' widening does not hide it."""
    audience = prepare_audience(
        pd.DataFrame({"phone": pd.Series([992900000001.0, 900000001.0], dtype=dtype)})
    )

    assert reasons(audience) == {0: "lost_digits", 1: "lost_digits"}


@pytest.mark.parametrize(
    "empty", [[], (), pd.DataFrame(), pd.DataFrame({"phone": []}), pd.Series([], dtype="object")]
)
def test_nobody_is_an_audience(empty: object) -> None:
    """An empty input gives an empty audience with all its columns."""
    audience = prepare_audience(empty)

    assert len(audience) == 0
    assert list(audience.recipients.columns) == ["phone"]
    assert list(audience.rejects.columns) == ["phone", "reason"]
    assert audience.rejects_by_reason() == {}
    assert audience.describe() == "0 recipients of 0 rows, 0 rejected"


def test_a_missing_column_names_those_there_are() -> None:
    """Who asks for a column that is not there reads the names of those that are."""
    frame = pd.DataFrame({"mobile": [A], "name": ["Али"]})

    with pytest.raises(InvalidMessageError, match="no column 'phone'; its columns are 'mobile', 'name'"):
        prepare_audience(frame)
    with pytest.raises(InvalidMessageError, match="no column 'id'"):
        prepare_audience(frame, phone_column="mobile", key_column="id")


def test_the_description_counts_samples_and_advises() -> None:
    """The log reads counts by reason, three masked samples each and what to do."""
    audience = prepare_audience([A, A, A, A, A, None, 9000001])

    again = RejectReason.DUPLICATE.advice
    assert audience.rejects_by_reason() == {"empty": 1, "ambiguous_short": 1, "duplicate": 4}
    assert audience.describe().splitlines() == [
        "1 recipients of 7 rows, 6 rejected",
        f"  empty: 1 (row 5 •••••). {RejectReason.EMPTY.advice}",
        f"  ambiguous_short: 1 (row 6 •••••01). {RejectReason.AMBIGUOUS_SHORT.advice}",
        "  duplicate: 4 (row 1 992•••••001, row 2 992•••••001, row 3 992•••••001). " + again,
    ]
