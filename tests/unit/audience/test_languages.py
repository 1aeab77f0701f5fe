"""The language of a row is found whatever the type of its cell, and never guessed."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.audience.languages import Languages

NEEDS = {"tg": ("name", "amount"), "ru": ("name",), "1": ()}
CELLS = st.sampled_from(
    ["tg", "TG", " ru\n", "en", "", None, float("nan"), 1, 1.0, "1", 1.5, True, [], b"tg"]
)
VALUES = st.sampled_from(["Али", 5, None, "", "nan"])


@pytest.mark.parametrize(
    ("cell", "language"),
    [
        ("tg", "tg"),
        (" TG\u00a0", "tg"),
        ("Ru", "ru"),
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        (True, None),
        (1.5, None),
        ("ru-RU", None),
        ("", None),
        (None, None),
        (b"tg", None),
        (["tg"], None),
    ],
)
def test_a_cell_names_a_language(cell: object, language: str | None) -> None:
    """Blanks and capital letters do not matter; whatever else is not written as in message is unknown."""
    languages = Languages(column="language", needs=NEEDS)

    assert languages.read([cell]) == languages.choose([cell]) == [language]
    assert Languages(column="language", needs=NEEDS, default="ru").choose([cell]) == [language or "ru"]


@given(st.lists(st.tuples(CELLS, VALUES, VALUES)), st.sampled_from([None, "tg"]))
def test_nobody_is_lost(rows: list[tuple[object, object, object]], default: str | None) -> None:
    """Recipients and rejects are the rows; who is left has a language and all that its text needs."""
    columns = ["language", "name", "amount"]
    table = pd.DataFrame(
        {name: pd.Series([row[place] for row in rows], dtype="object") for place, name in enumerate(columns)}
    )
    table["phone"] = [f"99290{row:07}" for row in range(len(rows))]
    languages = Languages(column="language", needs=NEEDS, default=default)

    audience = prepare_audience(table, languages=languages)

    assert sorted([*audience.positions, *audience.rejects.positions]) == list(range(len(rows)))
    assert set(audience.rejects.count()) <= {"unknown_language", "missing_value"}
    assert default is None or "unknown_language" not in audience.rejects.count()
    for chunk in audience.read_chunks():
        chosen = languages.choose(chunk.columns["language"])
        for row, language in enumerate(chosen):
            assert language is not None
            assert all(chunk.columns[name][row] is not None for name in NEEDS[language])


def test_rows_with_the_default_are_told() -> None:
    """The log says how many rows name no known language and are texted all the same."""
    table = pd.DataFrame({"phone": ["992900000001", "992900000002", "bad"], "language": ["tg", "en", "en"]})
    audience = prepare_audience(table, languages=Languages(column="language", needs={"tg": ()}, default="tg"))

    assert audience.default_languages == 1
    assert "language_column: 1 rows get the default_language" in audience.describe()
