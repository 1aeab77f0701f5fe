"""Formulas in tables: the quick look at a whole text never misses a cell that the slow one finds."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.tables import formulas

CELLS = st.text(st.sampled_from("=+-@\t\r\n＝＋－＠,\"' a1"), max_size=4)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=3))
def test_no_formula_is_missed(rows: list[list[str]]) -> None:
    """Where a cell has to be escaped, the text of its file says so."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    has_one = any(formulas.escape(cell) != cell for row in rows for cell in row)

    assert formulas.MAY_HAVE.search(text.getvalue()) or not has_one
