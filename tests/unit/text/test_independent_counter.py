"""Parts are counted like PyPI's ``smsutil`` counts them, written by others from the same standards.

Where it differs it is wrong or has nothing to say, and these texts are left out or corrected, no others:

* ``ESC`` (U+001B) counts as a character of GSM-7 there. It is the escape to the extension table and cannot be
  sent alone: a text with it is UCS-2 here.
* An empty text is one part there, with nothing in it. It is never sent, and costs nothing here.
* Lone halves of surrogate pairs cannot be encoded there, but are counted like here: one unit each.
"""

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_osonsms.text.counting import measure
from airflow_provider_osonsms.text.segments import Encoding, count_parts

BASIC = smsutil.codecs.GSM_BASIC_CHARSET.replace("\x1b", "")
EXTENSION = smsutil.codecs.GSM_EXT_CHARSET
CYRILLIC = "Салом, қарзи шумо ҳафт сомонӣ ғӯҷ"
EMOJI = "😀❤️👨\u200d👩🇹🇯"
ENCODINGS = {"gsm0338": Encoding.GSM7, "utf_16_be": Encoding.UCS2}

GSM = st.text(alphabet=BASIC + EXTENSION, max_size=700)
ESCAPES_AT_BORDERS = st.text(alphabet="ab€[", min_size=140, max_size=480)
UCS2 = st.text(alphabet=CYRILLIC, max_size=300)
PAIRS_AT_BORDERS = st.text(alphabet="ҷ😀", min_size=60, max_size=210)
HALVES = st.text(alphabet="ҷ😀\ud83d\ude00", min_size=60, max_size=210)
MIXED = st.text(alphabet=BASIC[:40] + EXTENSION + CYRILLIC + EMOJI, max_size=300)
ANYTHING = st.text(max_size=300)


def check(text: str) -> None:
    """Hold `count_parts` to the other counter."""
    theirs = smsutil.split(text)
    ours = count_parts(text)
    if not text:
        assert (len(theirs.parts), ours.parts) == (1, 0)
        return
    assert (ours.encoding, ours.parts) == (ENCODINGS[theirs.encoding], len(theirs.parts))


@settings(max_examples=600)
@given(st.one_of(GSM, ESCAPES_AT_BORDERS, UCS2, PAIRS_AT_BORDERS, HALVES, MIXED, ANYTHING))
def test_texts_cost_what_they_cost_elsewhere(text: str) -> None:
    """Encoding and parts are those of the other counter, for every text without an ``ESC``."""
    check(text.replace("\x1b", ""))


@settings(max_examples=100)
@given(st.lists(st.one_of(GSM, ESCAPES_AT_BORDERS, UCS2, PAIRS_AT_BORDERS, MIXED), max_size=20))
def test_columns_cost_what_they_cost_elsewhere(texts: list[str]) -> None:
    """So do the parts of many texts at once, after normalizing."""
    measured = measure(texts)
    theirs = [smsutil.split(text) for text in measured.texts]

    expected = [len(each.parts) if text else 0 for text, each in zip(measured.texts, theirs, strict=True)]
    assert measured.parts.tolist() == expected


@pytest.mark.parametrize(("filling", "pair"), [("a", "€"), ("ҷ", "😀")])
def test_borders_are_where_they_are_elsewhere(filling: str, pair: str) -> None:
    """Both let a pair move to the next part, wherever it stands."""
    for before in range(320):
        for after in (0, 1, 66, 67, 152, 153):
            check(filling * before + pair + filling * after)
            check(filling * before + pair * 2 + filling * after)


def test_the_alphabets_are_the_same() -> None:
    """Every character of the first plane is in GSM-7 here exactly if it is there, but for ``ESC``."""
    for code in range(0x10000):
        if chr(code) != "\x1b":
            check(chr(code))


def test_an_escape_is_no_character() -> None:
    """The one character on which both differ is the escape to the extension table."""
    assert smsutil.split("\x1b").encoding == "gsm0338"
    assert count_parts("\x1b").encoding is Encoding.UCS2
