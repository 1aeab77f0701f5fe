"""A user learns what makes texts dear, and never reads somebody's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.advice import Advice
from airflow_provider_osonsms.text.counting import measure
from airflow_provider_osonsms.text.segments import count_parts
from airflow_provider_osonsms.text.transliteration import transliterate

LONG = "Salom, qarzi shumo ba mo 1250.00 somoni ast, lutfan to 25.11 pardokht kuned. Bonk"
CYRILLIC = "Салом, қарзи шумо ба мо 1250.00 сомонӣ аст, лутфан то 25.11 пардохт кунед. Бонк"


def advise(*portions: list[str]) -> list[str]:
    """Return what is said about texts that come in *portions*."""
    advice = Advice()
    for texts in portions:
        advice.add(measure(texts))
    return advice.list_sentences()


def test_one_character_makes_texts_dear() -> None:
    """The character, its place in the first text, the texts it concerns and what they would take are told."""
    [sentence] = advise([LONG, LONG], [f"Salom — {LONG}", LONG, f"— {LONG}"])

    assert sentence == (
        "'—' (U+2014) at position 7 makes 2 of 5 texts UCS-2 (70 characters per part instead of 160): "
        "replaced by '-' they take 2 parts instead of 4."
    )


def test_a_pair_of_quotation_marks_is_one_slip() -> None:
    """Characters that only together make a text dear are told together, in the order of the text."""
    [sentence] = advise([f"Bonki «Osmon»: {LONG}"] * 812 + [LONG] * 188)

    assert sentence == (
        "'«' (U+00AB) at position 7 and '»' (U+00BB) at position 13 make 812 of 1000 texts UCS-2 "
        "(70 characters per part instead of 160): "
        """replaced by '"' and '"' they take 812 parts instead of 1624."""
    )


@pytest.mark.parametrize(
    ("character", "shown", "spelling"),
    [
        ("😀", "'😀' (U+1F600)", "'?'"),
        ("С", "'С' (U+0421)", "'S'"),
        ("ь", "'ь' (U+044C)", "''"),
        ("\u00a0", r"'\xa0' (U+00A0)", "' '"),
        ("…", "'…' (U+2026)", "'...'"),
        ("\ud83d", r"'\ud83d' (U+D83D)", "'?'"),
    ],
)
def test_any_character_can_be_shown(character: str, shown: str, spelling: str) -> None:
    """A character is shown with its code point, and with what could stand in its place."""
    [sentence] = advise([LONG + character])

    assert sentence.startswith(f"{shown} at position 82 makes 1 of 1 texts")
    assert f"replaced by {spelling} they take 1 part instead of 2." in sentence


def test_texts_in_cyrillic() -> None:
    """Texts in another alphabet are told what transliterating saves: exactly, if they are few."""
    [sentence] = advise([CYRILLIC] * 600 + [LONG], [CYRILLIC] * 300)

    assert sentence == (
        "900 of 901 texts have more than 3 characters outside GSM-7: "
        "with transliterate=True they take 900 parts instead of 1800."
    )


def test_many_texts_in_cyrillic() -> None:
    """What transliterating saves is judged by the first thousand texts, and the sentence says so."""
    [sentence] = advise([CYRILLIC] * 600, [CYRILLIC] * 600, [CYRILLIC * 2] * 800)

    assert sentence == (
        "2000 of 2000 texts have more than 3 characters outside GSM-7: with transliterate=True "
        "they take about 2400 parts instead of 4800 (judged by the first 1000 of them)."
    )


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["", LONG],
        ["Salom — Ali"],
        ["Салом, Али"],
        [LONG * 3],
        [f"{LONG}{'😀' * 4}"],
        ["—" * 3, "«»", "—«"],
    ],
)
def test_no_advice_where_nothing_is_saved(texts: list[str]) -> None:
    """Where every text takes the same parts in any spelling there is nothing to say."""
    assert advise(texts) == []


def test_texts_without_a_word_are_not_counted() -> None:
    """A row that has no text is none of the texts."""
    assert "makes 1 of 1 texts" in advise(["", f"«{LONG}", ""])[0]


def test_the_dearest_slip_comes_first() -> None:
    """The first sentence is about what saves most."""
    sentences = advise([f"—{LONG}", *[f"«{LONG}"] * 2, CYRILLIC])

    assert [sentence[:3] for sentence in sentences] == ["'«'", "'—'", "1 o"]


def test_rare_slips_are_told_as_one() -> None:
    """Ten slips are told apart, whatever comes after them is told together."""
    sentences = advise([LONG + chr(0x4E00 + number) for number in range(17)])

    assert len(sentences) == 11
    assert sentences[-1] == (
        "Other characters make 7 of 17 texts UCS-2 (70 characters per part instead of 160): "
        "without them these take 7 parts instead of 14."
    )


TEXTS = st.one_of(
    st.text(alphabet="ab€", max_size=200).flatmap(
        lambda text: st.text(alphabet="«»😀ҷ\ud83d\u200d", max_size=5).map(lambda slip: text + slip + text)
    ),
    st.text(alphabet="шаҳр 😀", max_size=100),
)


@given(st.lists(st.lists(TEXTS, max_size=8), max_size=4))
def test_portions_do_not_matter(portions: list[list[str]]) -> None:
    """The advice about all texts is the same in whatever portions they come."""
    assert advise(*portions) == advise([text for texts in portions for text in texts])


@given(st.lists(st.sampled_from([LONG, CYRILLIC, "шаҳр " * 30, "Чӣ? " * 60]), min_size=1))
def test_what_transliterating_saves_is_true(texts: list[str]) -> None:
    """The parts told for few texts are those that transliterating gives."""
    cyrillic = [text for text in texts if text != LONG]
    parts = sum(count_parts(text).parts for text in cyrillic)
    latin = sum(count_parts(transliterate(text)).parts for text in cyrillic)

    assert any(
        f"take {latin} part{'s' * (latin > 1)} instead of {parts}." in each for each in advise(texts)
    ) == (latin < parts)
