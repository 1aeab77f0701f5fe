"""A text cut at a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.segments import count_parts, normalize_text
from airflow_provider_osonsms.text.shorten import shorten

WORDS = "загрузка не удалась "


@pytest.mark.parametrize(
    ("text", "max_parts", "shortened"),
    [
        ("short", 1, "short"),
        ("a" * 160, 1, "a" * 160),
        ("a" * 161, 1, "a" * 157 + "..."),
        ("word " * 40, 1, ("word " * 31).rstrip() + "..."),
        ("€" * 80, 1, "€" * 80),
        ("€" * 81, 1, "€" * 78 + "..."),
        ("я" * 71, 1, "я" * 67 + "..."),
        ("😀" * 36, 1, "😀" * 33 + "..."),
        (WORDS * 4, 1, (WORDS * 3).rstrip() + "..."),
        ("a" * 400, 2, "a" * 303 + "..."),
        ("я " + "x" * 400, 2, "я..."),
        ("a" * 156 + "€€€€", 1, "a" * 156 + "..."),
        ("x " + "y" * 158 + " я", 1, "x..."),
    ],
)
def test_shorten(text, max_parts, shortened):
    """A text that is too long loses its last words, or the end of its only word, for three dots."""
    assert shorten(text, max_parts=max_parts) == shortened


def test_no_half_of_a_character():
    """A letter is not parted from its accent, nor an emoji from its other half."""
    family = "👩\u200d👩\u200d👧"

    assert shorten("я" * 66 + "x\u0301" + "я" * 9, max_parts=1) == "я" * 66 + "..."
    assert shorten(family * 20, max_parts=1).removesuffix("...") == family * 8


@given(st.text(st.sampled_from("ab я€^{\n😀\u0301\u200d👧"), max_size=500), st.integers(1, 4))
def test_a_shortened_text_is_affordable_and_a_beginning(text, max_parts):
    """Whatever the text is, the cut one is billed as no more parts, and is a beginning of it."""
    sent = normalize_text(text)
    shortened = shorten(sent, max_parts=max_parts)

    assert count_parts(shortened).parts <= max_parts
    assert shortened == sent or sent.startswith(shortened.removesuffix("..."))
    assert (shortened == sent) == (count_parts(sent).parts <= max_parts)
