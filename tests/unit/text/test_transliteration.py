"""Tajik and Russian are written in ASCII."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.segments import find_foreign
from airflow_provider_osonsms.text.transliteration import transliterate

LETTERS = "абвгғдеёжзиӣйкқлмнопрстуӯфхҳцчҷшщъыьэюя"
TYPOGRAPHY = "«»„“”‟‘’‚‛‹›`´ʼ‐‑‒–—―−…№•\t\u00a0\u2009\u202f"
ASCII = "".join(map(chr, range(32, 127)))
READABLE = LETTERS + LETTERS.upper() + TYPOGRAPHY + ASCII


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Салом, Шаҳноза! Қарзи шумо 1250 сомонӣ", "Salom, Shahnoza! Qarzi shumo 1250 somoni"),
        ("Ғафур Ҷӯраев, кӯчаи Хуҷанд", "Ghafur Juraev, kuchai Khujand"),
        (
            "Объявление: ещё щука, чай, цирк, эхо, юг, яма, жизнь",
            "Obyavlenie: eshchyo shchuka, chay, tsirk, ekho, yug, yama, zhizn",
        ),
        ("Шаҳр ШАҲР шаҳр", "Shahr SHAHR shahr"),
        ("Я ХОЧУ ЩИ, Ё-МОЁ", "Ya KHOCHU SHCHI, Yo-MOYO"),
        ("ШОКЧАЙ5, SMS-ЧАТ", "SHOKCHAY5, SMS-CHAT"),
        ("«Ҷон» – “хуб”…", '"Jon" - "khub"...'),
        ("№\u00a05 • д’Артаньян", "No. 5 * d'Artanyan"),
        ("сомони\u0304, и\u0306од, У\u0304", "somoni, yod, U"),
        ("{ном}: {{қарз}} 😀 € ñ", "{nom}: {{qarz}} 😀 € ñ"),
        ("", ""),
    ],
)
def test_texts_are_transliterated(text: str, latin: str) -> None:
    """Letters have one spelling each, a word in capitals stays so, everything else stays."""
    assert transliterate(text) == latin


@given(st.text(alphabet=READABLE))
def test_the_result_is_ascii(text: str) -> None:
    """A text of these letters and signs becomes ASCII, composed or not."""
    assert transliterate(text).isascii()
    assert transliterate(unicodedata.normalize("NFD", text)) == transliterate(
        unicodedata.normalize("NFC", text)
    )


@given(st.text(alphabet=READABLE), st.text(alphabet=READABLE))
def test_parts_make_the_whole(left: str, right: str) -> None:
    """But for capitals, a text is transliterated like its parts."""
    assert transliterate(left + right).lower() == (transliterate(left) + transliterate(right)).lower()


@given(st.text(alphabet=READABLE + "😀€ñ"))
def test_twice_changes_nothing(text: str) -> None:
    """What is transliterated stays."""
    assert transliterate(transliterate(text)) == transliterate(text)


@given(st.text(alphabet=ASCII + "😀€ñ\n"))
def test_what_is_latin_stays(text: str) -> None:
    """A text without these letters and signs is not touched, but for an accent written as an apostrophe."""
    assert transliterate(text) == text.replace("`", "'")


def test_gsm_texts_stay() -> None:
    """No character of GSM-7 is spelt in another way: transliterating cannot make a text dearer by that."""
    gsm = [chr(code) for code in range(0x2100) if not find_foreign(chr(code))]

    assert len(gsm) == 127 + 10
    assert [transliterate(character) for character in gsm] == gsm
