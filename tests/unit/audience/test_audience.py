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
from airflow_provider_osonsms.tables.rows import RejectRow

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
NAMES = st.sampled_from(["Али", "Зарина", None, "", "nan", 5, 1.5, float("nan")])


def list_rejects(audience: Audience) -> pd.DataFrame:
    """Return the rejected rows as a table, by their position in the input."""
    table = pd.DataFrame(audience.rejects.read_rows(), columns=list(RejectRow._fields), dtype="object")
    return table.assign(row=audience.rejects.positions)


def reasons(audience: Audience) -> dict[int, str]:
    """Return the reason of each rejected row."""
    return list_rejects(audience).set_index("row")["reason"].to_dict()


def phones(audience: Audience) -> dict[int, str]:
    """Return the phone of each recipient, by row."""
    return {
        row: phone
        for chunk in audience.read_chunks()
        for row, phone in zip(chunk.positions, chunk.phones, strict=True)
    }


@given(
    rows=st.lists(st.tuples(CELLS, NAMES)),
    has_keys=st.booleans(),
    needs_name=st.booleans(),
    allowed=st.none() | st.just([A]),
    exclude=st.none() | st.lists(st.sampled_from([A, B]), min_size=1),
    portion=st.integers(1, 5),
)
def test_nobody_is_lost(
    *,
    rows: list[tuple[object, object]],
    has_keys: bool,
    needs_name: bool,
    allowed: list[str] | None,
    exclude: list[str] | None,
    portion: int,
) -> None:
    """Recipients and rejects partition the input rows, whatever they hold and however they are cut."""
    frame = pd.DataFrame(
        {
            "phone": pd.Series([phone for phone, _ in rows], dtype="object"),
            "name": pd.Series([name for _, name in rows], dtype="object"),
            "id": np.arange(len(rows)) // 2,
        }
    )
    chunks = (frame.iloc[start : start + portion] for start in range(0, len(frame), portion))

    audience = prepare_audience(
        chunks,
        key_column="id" if has_keys else None,
        columns=["name"] if needs_name else [],
        allowed_phones=allowed,
        exclude=exclude,
    )

    assert sorted([*audience.positions, *audience.rejects.positions]) == list(range(len(rows)))
    assert audience.rows == len(rows)
    assert sum(audience.rejects.count().values()) == len(audience.rejects) == len(list_rejects(audience))
    recipients = phones(audience)
    assert list(recipients) == audience.positions.tolist()
    assert all(re.fullmatch(r"992[0-9]{9}", phone) for phone in recipients.values())
    keys = [key for chunk in audience.read_chunks(2) for key in chunk.row_keys]
    assert len(set(keys)) == len(keys) == len(audience)
    assert allowed is None or set(recipients.values()) <= set(allowed)
    assert exclude is None or set(recipients.values()).isdisjoint(exclude)


@given(st.lists(CELLS))
def test_no_full_phone_is_shown(cells: list[object]) -> None:
    """Neither the rejects nor the description nor the repr shows a full phone."""
    audience = prepare_audience(pd.Series([*cells, A, A, "8 900 000 00 01"], dtype="object"))

    assert not list_rejects(audience)["phone"].str.contains("[0-9]{4}").any()
    assert not re.search("[0-9]{7}", audience.describe())
    assert A not in repr(audience)
    assert A not in repr(next(audience.read_chunks()))


def test_the_first_of_several_rows_stays() -> None:
    """A later spelling of the same phone is a duplicate of the first."""
    audience = prepare_audience(["bad", "+992 90 000 00 01", A, 900000001, B])

    assert phones(audience) == {1: A, 4: B}
    assert reasons(audience) == {0: "not_a_number", 2: "duplicate", 3: "duplicate"}
    assert list_rejects(audience)["phone"][1] == "992•••••001"


def test_a_duplicate_is_found_in_another_chunk() -> None:
    """Rows are compared over all chunks of an input."""
    audience = prepare_audience(iter([pd.DataFrame({"phone": phones}) for phones in ([A, B], [C, A])]))

    assert reasons(audience) == {3: "duplicate"}


def test_the_columns_of_a_text_come_along() -> None:
    """The columns that were asked for come with the recipients, unchanged, and the input stays as it is."""
    frame = pd.DataFrame(
        {
            "name": ["Али", "Вали", "Сино"],
            "phone": [900000001, 123, 900000003],
            "amount": [1.5, 2.5, 3.0],
            "unused": [1, 2, 3],
        },
        index=["x", "x", "y"],
    )
    before = frame.copy(deep=True)

    chunk = next(prepare_audience(frame, columns=["name", "amount"]).read_chunks())

    assert (chunk.positions, chunk.phones, chunk.row_keys) == ([0, 2], [A, C], [A, C])
    assert chunk.columns == {"name": ["Али", "Сино"], "amount": [1.5, 3.0]}
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        float("nan"),
        pd.NA,
        pd.NaT,
        "",
        "  \u00a0",
        " " * 9,
        "\u200b",
        "\u200e\t" * 9,
        "nan",
        "None",
        "<NA>",
    ],
)
def test_a_missing_value_rejects_its_row(nothing: object) -> None:
    """Nobody reads "Dear nan": the row is rejected with the name of the column."""
    frame = pd.DataFrame({"phone": [A, B], "name": pd.Series(["Али", nothing], dtype="object")})

    audience = prepare_audience(frame, columns=["name"])

    assert phones(audience) == {0: A}
    assert list_rejects(audience).to_dict("records") == [
        {"row": 1, "phone": "992•••••002", "reason": "missing_value", "column": "name"}
    ]
    assert "column 'name'" in audience.describe()


def test_a_row_without_its_value_hides_no_later_one() -> None:
    """The second row of a phone is texted when the first lacks a value: the person is not lost."""
    frame = pd.DataFrame({"phone": [A, A, A], "name": [None, "Али", "Вали"]})

    audience = prepare_audience(frame, columns=["name"])

    assert phones(audience) == {1: A}
    assert reasons(audience) == {0: "missing_value", 2: "duplicate"}


def test_whole_numbers_survive_chunks_of_other_types() -> None:
    """A contract number of 17 digits stays itself when another chunk holds floats."""
    chunks = [
        pd.DataFrame({"phone": [A], "contract": [12345678901234567]}),
        pd.DataFrame({"phone": [B], "contract": [1.5]}),
    ]

    chunk = next(prepare_audience(iter(chunks), columns=["contract"]).read_chunks())

    assert chunk.columns == {"contract": [12345678901234567, 1.5]}


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

    assert phones(audience) == {0: A}
    assert list(reasons(audience)) == [1]


@pytest.mark.parametrize("dtype", ["float32", "Float32"])
def test_a_narrow_float_has_lost_digits(dtype: str) -> None:
    """A float of 32 bits cannot hold a phone, and pandas' widening does not hide it."""
    audience = prepare_audience(
        pd.DataFrame({"phone": pd.Series([992900000001.0, 900000001.0], dtype=dtype)})
    )

    assert reasons(audience) == {0: "lost_digits", 1: "lost_digits"}


@pytest.mark.parametrize(
    "empty", [[], (), pd.DataFrame(), pd.DataFrame({"phone": []}), pd.Series([], dtype="object"), iter([])]
)
def test_nobody_is_an_audience(empty: object) -> None:
    """An empty input gives an empty audience."""
    audience = prepare_audience(empty)

    assert (len(audience), audience.rows, audience.rejects.invalid) == (0, 0, 0)
    assert list(audience.read_chunks()) == []
    assert list(list_rejects(audience).columns) == ["row", "phone", "reason", "column"]
    assert audience.rejects.count() == {}
    assert audience.describe() == "0 recipients of 0 rows, 0 rejected"


def test_a_missing_column_names_those_there_are() -> None:
    """Who asks for a column that is not there reads the names of those that are."""
    frame = pd.DataFrame({"mobile": [A], "name": ["Али"]})

    with pytest.raises(InvalidMessageError, match="no column 'phone'; its columns are 'mobile', 'name'"):
        prepare_audience(frame)
    with pytest.raises(InvalidMessageError, match="no column 'id'"):
        prepare_audience(frame, phone_column="mobile", key_column="id")
    with pytest.raises(InvalidMessageError, match="no column 'amount'"):
        prepare_audience(frame, phone_column="mobile", columns=["amount"])


def test_rows_can_be_rejected_later() -> None:
    """What writing the texts finds out joins the other rejects, in the order of the input."""
    audience = prepare_audience([A, "x", B, C])

    left = audience.reject({0: (RejectReason.TOO_MANY_PARTS, ""), 3: (RejectReason.UNFIT_VALUE, "amount")})

    assert phones(left) == {2: B}
    assert list_rejects(left)[["row", "reason", "column"]].to_dict("list") == {
        "row": [0, 1, 3],
        "reason": ["too_many_parts", "not_a_number", "unfit_value"],
        "column": [None, None, "amount"],
    }
    assert list_rejects(left)["phone"][2] == "992•••••003"
    assert audience.reject({}) is audience


def test_only_the_allowed_are_texted() -> None:
    """With an allow-list everybody else is rejected, which is no fault of the rows."""
    audience = prepare_audience([A, B, "x"], allowed_phones=[B])

    assert phones(audience) == {1: B}
    assert reasons(audience) == {0: "not_allowed", 2: "not_a_number"}
    assert audience.rejects.invalid == 1


def test_the_description_counts_samples_and_advises() -> None:
    """The log reads counts by reason, three masked samples each and what to do."""
    audience = prepare_audience(
        [A, A, A, A, A, None, 9000001], exclude=["foreign", "992900000009"], max_ignored_ratio=0.5
    )

    again = RejectReason.DUPLICATE.advice
    assert audience.rejects.count() == {"empty": 1, "ambiguous_short": 1, "duplicate": 4}
    assert audience.rejects.invalid == 2
    assert audience.describe().splitlines() == [
        "1 recipients of 7 rows, 6 rejected",
        f"  empty: 1 (row 6 •••••). {RejectReason.EMPTY.advice}",
        f"  ambiguous_short: 1 (row 7 •••••01). {RejectReason.AMBIGUOUS_SHORT.advice}",
        "  duplicate: 4 (row 2 992•••••001, row 3 992•••••001, row 4 992•••••001). " + again,
        "  exclude: 1 entries are no phones and were ignored",
    ]


@pytest.mark.parametrize("nan", ["NaN", "sNaN"])
def test_a_decimal_that_is_no_number_is_missing(nan: str) -> None:
    """A Decimal NaN of either kind, which pandas cannot compare, is a missing value."""
    values = pd.Series([Decimal("1.5"), Decimal(nan), None, ""], dtype="object")

    audience = prepare_audience(pd.DataFrame({"phone": [A, B, C, C], "amount": values}), columns=["amount"])

    assert phones(audience) == {0: A}
    assert set(reasons(audience).values()) == {"missing_value"}
