"""The parts of a text are counted exactly."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.segments import Encoding, Segments, count_parts, normalize_text

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€\f"
BIDIRECTIONAL_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MIXED = "ab{€ҷ😀\x1b\u200b\u0306"


def count_slowly(text: str) -> Segments:
    """Fill parts character by character, in another way than the code under test."""
    if all(character in BASIC + EXTENSION for character in text):
        encoding, single, several = Encoding.GSM7, 160, 153
        costs = [2 if character in EXTENSION else 1 for character in text]
    else:
        encoding, single, several = Encoding.UCS2, 70, 67
        costs = [len(character.encode("utf-16-le")) // 2 for character in text]
    parts: list[int] = []
    for cost in costs:
        if parts and parts[-1] + cost <= several:
            parts[-1] += cost
        else:
            parts.append(cost)
    fits_one = 0 < sum(costs) <= single
    return Segments(encoding=encoding, units=sum(costs), parts=1 if fits_one else len(parts))


@given(
    st.one_of(
        st.text(alphabet=MIXED, max_size=400),
        st.text(alphabet="a€", min_size=150, max_size=500),
        st.text(alphabet="ҷ😀", min_size=60, max_size=300),
        st.text(max_size=300),
    )
)
def test_counts_like_a_slow_counter(text: str) -> None:
    """The count agrees with one that fills parts character by character."""
    assert count_parts(text) == count_slowly(text)


@given(st.text(alphabet=BASIC + EXTENSION, min_size=1, max_size=700))
def test_no_gsm_text_is_ucs2(text: str) -> None:
    """A text of the GSM-7 alphabet only stays GSM-7 and costs at least what division says."""
    segments = count_parts(text)

    assert segments.encoding is Encoding.GSM7
    assert segments.parts >= -(-segments.units // 160)


@pytest.mark.parametrize(
    ("character", "encoding", "lengths"),
    [
        ("a", "GSM-7", {0: 0, 1: 1, 160: 1, 161: 2, 306: 2, 307: 3}),
        ("ҷ", "UCS-2", {1: 1, 70: 1, 71: 2, 134: 2, 135: 3}),
        ("€", "GSM-7", {80: 1, 81: 2, 152: 2, 153: 3}),
        ("😀", "UCS-2", {35: 1, 36: 2, 66: 2, 67: 3}),
    ],
)
def test_the_edges_of_a_part(character: str, encoding: str, lengths: dict[int, int]) -> None:
    """One unit more than a part holds begins another part."""
    assert {length: count_parts(character * length).parts for length in lengths} == lengths
    assert count_parts(character).encoding == encoding


def test_an_empty_text_has_no_parts() -> None:
    """Nothing costs nothing."""
    assert count_parts("") == Segments(encoding=Encoding.GSM7, units=0, parts=0)


def test_an_escape_pair_is_not_split() -> None:
    """A pair that would straddle two parts moves to the second and leaves a gap of one septet."""
    straddling = "a" * 152 + "€" + "a" * 151
    fitting = "a" * 151 + "€" + "a" * 152

    assert count_parts(fitting + "a") == Segments(encoding=Encoding.GSM7, units=306, parts=2)
    assert count_parts(straddling + "a") == Segments(encoding=Encoding.GSM7, units=306, parts=3)


def test_an_emoji_is_not_split() -> None:
    """A surrogate pair that would straddle two parts moves to the second and leaves a gap of one unit."""
    fitting = "ҷ" * 65 + "😀" + "ҷ" * 67
    straddling = "ҷ" * 66 + "😀" + "ҷ" * 66

    assert count_parts(fitting) == Segments(encoding=Encoding.UCS2, units=134, parts=2)
    assert count_parts(straddling) == Segments(encoding=Encoding.UCS2, units=134, parts=3)


@pytest.mark.parametrize("character", EXTENSION)
def test_every_extension_character_costs_two(character: str) -> None:
    """Each character of the extension table costs two septets."""
    assert count_parts(character) == Segments(encoding=Encoding.GSM7, units=2, parts=1)


@pytest.mark.parametrize("character", ["С", "ӯ", "`", "ç", "\t", "\x1b", "—", "\xa0"])
def test_one_letter_makes_a_text_ucs2(character: str) -> None:
    """One character outside GSM-7 makes the whole text UCS-2, and a text of 160 three parts."""
    assert count_parts("a" * 159 + character) == Segments(encoding=Encoding.UCS2, units=160, parts=3)


def test_a_lone_surrogate_counts_as_one_unit() -> None:
    """Half a pair cannot be sent, but counting it does not fail."""
    assert count_parts("\ud83d" * 71).parts == 2


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("и\u0306", "й"),
        ("и\u200b\u0306", "й"),
        ("\ufeffСалом\u200b, \u2060Али\u00ad", "Салом, Али"),
        ("a\u200cb\u200dc", "abc"),
        ("қарз\u202e 1250 \u202c\u200fсомонӣ\u2066", "қарз 1250 сомонӣ"),
        ("\x00Али\x07\x1b\x7f\x85", "Али\n"),
        ("Али\tРаҳимов\v1\f2", "Али Раҳимов 1 2"),
        ("а\r\nб\rв\nг\u2028д\u2029", "а\nб\nв\nг\nд\n"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
    ],
)
def test_text_is_normalized(raw: str, sent: str) -> None:
    """Letters are composed, invisible characters go, emoji stay whole."""
    assert normalize_text(raw) == sent


def test_nothing_unseen_is_left() -> None:
    """Of all characters, no control but a line feed and no mark of the direction of writing stays."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    sent = set(normalize_text(every))

    assert [each for each in sent if unicodedata.category(each) == "Cc"] == ["\n"]
    assert not [each for each in sent if unicodedata.bidirectional(each) in BIDIRECTIONAL_MARKS]
    assert not sent & set("\u061c\u200e\u200f")


def test_composing_saves_units() -> None:
    """A decomposed й costs two units before normalizing and one after."""
    decomposed = unicodedata.normalize("NFD", "й" * 70)

    assert count_parts(decomposed).parts == 3
    assert count_parts(normalize_text(decomposed)).parts == 1


@given(st.one_of(st.text(), st.text(alphabet="и\u0306\u200b\u200d😀❤")))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    """A normalized text is normal."""
    assert normalize_text(normalize_text(text)) == normalize_text(text)
