"""Many texts measured at once get what each of them gets alone."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text import counting
from airflow_provider_osonsms.text.counting import measure
from airflow_provider_osonsms.text.segments import Encoding, count_parts, find_foreign, normalize_text

SURROGATES = "\ud83d\ude00\udc00\ud800"
TROUBLE = (
    "ab€{\n\x1bиҷе\u0306\u0304\u0308\u200b\u200d\ufeff\u00ad\ufe0f😀👨❤\u1100\u1161\u11a8\u212b\U0001d15e"
    + SURROGATES
)

TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.characters()),
    st.text(alphabet=TROUBLE, max_size=250),
    st.text(alphabet="a€", min_size=140, max_size=480),
    st.text(alphabet="ҷ😀", min_size=60, max_size=210),
    st.text(alphabet="a😀\ud83d\ude00", min_size=60, max_size=210),
    st.just(""),
)


def check(texts: list[str]) -> None:
    """Hold `measure` to what the functions for one text say."""
    measured = measure(texts)

    sent = [normalize_text(text) for text in texts]
    segments = [count_parts(text) for text in sent]
    assert measured.texts == sent
    assert measured.parts.tolist() == [each.parts for each in segments]
    assert measured.is_ucs2.tolist() == [each.encoding is Encoding.UCS2 for each in segments]
    foreign = ["".join(find_foreign(text)) for text in sent]
    assert measured.foreign.tolist() == [
        len(text.encode("utf-16-le", "surrogatepass")) // 2 for text in foreign
    ]


@given(st.lists(TEXTS, max_size=20))
def test_measures_like_one_by_one(texts: list[str]) -> None:
    """Texts, parts and encodings are exactly those of `normalize_text` and `count_parts`."""
    check(texts)


@given(st.lists(TEXTS, max_size=12), st.integers(1, 5))
def test_blocks_leave_no_trace(texts: list[str], size: int) -> None:
    """Where one block of texts ends and the next begins changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_BLOCK", size)
        check(texts)


def test_more_texts_than_a_block() -> None:
    """Many texts, most of them plain, some in need of a look of their own."""
    check(["Салом, Али!", "", "и\u0306" * 70, "€" * 90, "a" * 152 + "€" * 9, "😀" * 40, "x" * 161] * 400)


@pytest.mark.parametrize("prefix", ["", "a" * 150, "a€" * 60, "ҷ" * 60, "😀" * 25])
@pytest.mark.parametrize("pair", ["€", "😀", "\ud83d"])
def test_pairs_around_the_border_of_a_part(prefix: str, pair: str) -> None:
    """A pair is counted rightly wherever the border falls, in texts that fill their parts to the end."""
    beginnings = [prefix + "a" * before + pair for before in range(160)]
    segments = [count_parts(beginning) for beginning in beginnings]
    rests = [-each.units % each.encoding.part_capacity for each in segments]

    check([beginning + "a" * rest for beginning, rest in zip(beginnings, rests, strict=True)])


def test_halves_of_a_pair_in_two_texts_do_not_meet() -> None:
    """Half a pair at the end of a text and the other at the start of the next stay one unit each."""
    check(["ҷ" * 69 + "\ud83d", "\ude00" + "ҷ" * 69, "ҷ" * 66 + "\ud83d", "\ude00"])


def test_no_texts() -> None:
    """Nothing is measured as nothing."""
    check([])
    check([""])


def test_every_character_is_normalized() -> None:
    """Each character alone, and after letters that it may join, is what `normalize_text` makes of it."""
    characters = map(chr, range(sys.maxunicode + 1))
    assigned = [each for each in characters if unicodedata.category(each) not in {"Cn", "Co"}]

    for texts in (assigned, [f"и{each}\u1100{each}" for each in assigned]):
        assert measure(texts).texts == [normalize_text(text) for text in texts]


def test_emoji_are_not_composed() -> None:
    """In the planes of emoji there is nothing that composing or removing would change."""
    for code in range(0x1F000, 0x1FC00):
        character = chr(code)
        assert not unicodedata.category(character).startswith("M")
        assert normalize_text(f"и{character}") == f"и{character}"


def test_some_texts_can_be_taken() -> None:
    """What is known about some of the texts is what measuring them alone would tell."""
    measured = measure(["Салом", "salom", "", "«" * 71])

    for rows in ([], [3, 1], [0, 1, 2, 3]):
        taken, alone = measured.take(rows), measure([measured.texts[row] for row in rows])
        assert taken.texts == alone.texts
        assert (taken.parts.tolist(), taken.is_ucs2.tolist()) == (
            alone.parts.tolist(),
            alone.is_ucs2.tolist(),
        )
        assert taken.foreign.tolist() == alone.foreign.tolist()


def test_the_repr_shows_no_text() -> None:
    """What is measured can be shown without showing what it says."""
    assert "сирр" not in repr(measure(["сирр"]))
