"""Parts of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.simulator.calls.segments import count_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é@ΔÑ\n" * 32, 1),
    ],
)
def test_gsm7(text: str, parts: int) -> None:
    """A text of the GSM-7 alphabet holds 160, then 153 septets a part."""
    assert count_parts(text) == parts


@pytest.mark.parametrize("character", "^{}\\[~]|€\f")
def test_gsm7_extension(character: str) -> None:
    """A character of the extension table costs two septets."""
    assert count_parts(character * 80) == 1
    assert count_parts(character * 80 + "a") == 2


def test_an_escape_pair_is_never_split() -> None:
    """A pair that does not fit at the end of a part moves to the next and leaves a septet empty."""
    assert count_parts("a" * 152 + "€" + "a" * 152) == 3
    assert count_parts("a" * 151 + "€" + "a" * 153) == 2


@pytest.mark.parametrize(
    ("text", "parts"), [("ӣ", 1), ("ж" * 70, 1), ("ж" * 71, 2), ("ж" * 134, 2), ("ж" * 135, 3), ("ç" * 71, 2)]
)
def test_ucs2(text: str, parts: int) -> None:
    """One character outside GSM-7 makes the text UCS-2: 70, then 67 units a part."""
    assert count_parts(text) == parts


def test_a_surrogate_pair_is_never_split() -> None:
    """An emoji is two units, and stays whole."""
    assert count_parts("😀" * 35) == 1
    assert count_parts("ж" * 66 + "😀" + "ж" * 66) == 3
    assert count_parts("ж" * 65 + "😀" + "ж" * 67) == 2


@given(st.text(max_size=400), st.text(max_size=5))
def test_more_text_never_costs_less(text: str, tail: str) -> None:
    """Appending characters never makes a text cheaper."""
    assert count_parts(text + tail) >= count_parts(text) >= 1
