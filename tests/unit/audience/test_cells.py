"""The cells of a column come back as they were, packed or not, in any selection of rows."""

import tracemalloc
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.cells import Cells
from airflow_provider_osonsms.audience.missing import list_values

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=6)
CELLS = st.one_of(ANY_TEXT, st.integers(), st.floats(), st.none(), st.booleans())
CHUNKS = st.lists(st.one_of(st.lists(ANY_TEXT, max_size=8), st.lists(CELLS, max_size=8)), max_size=4)


def make_cells(*columns):
    """Read the cells of some chunks."""
    cells = Cells()
    for column in columns:
        cells.append(column)
    return cells


def read(cells):
    """Return all cells."""
    return list(chain.from_iterable(cells.read()))


@given(CHUNKS, st.data())
def test_cells_come_back(chunks, data):
    """Texts of all characters, and other values, are read as pandas has them."""
    columns = [pd.Series(chunk, dtype="object") for chunk in chunks]
    cells = make_cells(*columns)
    expected = [value for column in columns for value in list_values(column)]
    chosen = data.draw(st.sets(st.integers(0, max(0, len(expected) - 1)))) if expected else set()
    positions = np.array(sorted(chosen), dtype=np.int64)

    assert list(map(repr, read(cells))) == list(map(repr, expected))
    assert list(map(repr, cells.take(positions))) == [repr(expected[place]) for place in sorted(chosen)]


@pytest.mark.parametrize("rows", [1, 1023, 1024, 1025, 3000])
@pytest.mark.parametrize("step", [1, 2, 700])
def test_rows_of_several_blocks(rows, step):
    """A selection across the blocks holds each of its rows, and no others."""
    texts = [f"Мизоҷ {row}" for row in range(rows)]
    cells = make_cells(pd.Series(texts[:1500], dtype="object"), pd.Series(texts[1500:], dtype="object"))

    assert cells.take(np.arange(0, rows, step)) == texts[::step]
    assert read(cells) == texts


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series(["Али", "nan", " ", None], dtype="object"), ["Али", None, None, None]),
        (pd.Series(["Али", None, "Сино"], dtype="string"), ["Али", None, "Сино"]),
        (pd.Series(["Али", "Сино"], dtype="category"), ["Али", "Сино"]),
        (pd.Series([0.1, 2.5], dtype="float32"), [np.float32(0.1), np.float32(2.5)]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["a\0b", "c"], dtype="object"), ["a\0b", "c"]),
    ],
    ids=["texts and none", "string", "category", "float32", "Int64", "NUL"],
)
def test_each_type_keeps_its_values(column, values):
    """What a text prints is the same as of the column itself."""
    assert read(make_cells(column)) == values == list_values(column)


def test_chunks_of_several_types_keep_their_values():
    """A whole number stays one beside a chunk with fractions: a long one would lose its last digits."""
    cells = make_cells(pd.Series([12345678901234567]), pd.Series([1.5]), pd.Series(["Али"], dtype="object"))

    assert cells.take(np.arange(3)) == [12345678901234567, 1.5, "Али"]


def test_the_words_of_a_class_are_not_packed():
    """A text of somebody's own class prints as that class says, so it stays what it is."""

    class Shout(str):
        __slots__ = ()

        def __format__(self, spec):
            return self.upper()

    (value,) = make_cells(pd.Series([Shout("salom")], dtype="object")).take(np.array([0]))

    assert f"{value}" == "SALOM"


def test_texts_are_packed():
    """A name takes about its characters, where a string of Python takes 100 bytes."""
    cells = Cells()
    tracemalloc.start()
    for start in range(0, 40_000, 10_000):
        cells.append(pd.Series([f"Мизоҷ {start + row}" for row in range(10_000)], dtype="object"))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(cells.take(np.arange(40_000))) == 40_000
    assert held < 25 * 40_000
