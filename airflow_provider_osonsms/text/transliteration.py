"""Tajik and Russian in ASCII Latin: a text of 160 characters then costs one part instead of three.

Each letter has one spelling. ъ and ь are dropped: an apostrophe helps no reader of an SMS. Typographic
quotation marks, dashes and spaces, one of which makes a whole text UCS-2, become those of a keyboard. Every
other character, such as an emoji or a brace, stays.
"""

import re
import unicodedata
from typing import Final

_SPELLINGS: Final = (
    "а=a б=b в=v г=g ғ=gh д=d е=e ё=yo ж=zh з=z и=i ӣ=i й=y к=k қ=q л=l м=m н=n о=o п=p р=r с=s т=t у=u ӯ=u "
    "ф=f х=kh ҳ=h ц=ts ч=ch ҷ=j ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya"
)
_LETTERS: Final = dict(pair.split("=") for pair in _SPELLINGS.split(" "))
_SIGNS: Final = {
    '"': "«»„“”‟",
    "'": "‘’‚‛‹›`´ʼ",
    "-": "‐‑‒–—―−",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "*": "•",
    "...": "…",
    "No.": "№",
}
_TABLE: Final = str.maketrans(
    _LETTERS
    | {letter.upper(): latin.capitalize() for letter, latin in _LETTERS.items()}
    | {sign: plain for plain, signs in _SIGNS.items() for sign in signs}
)

_CAPITALS: Final = "A-Z" + "".join(_LETTERS).upper()
_LETTER: Final = r"[^\W\d_]"
_CAPITALIZED_WORD: Final = re.compile(f"[{_CAPITALS}](?<!{_LETTER}[{_CAPITALS}])[{_CAPITALS}]++(?!{_LETTER})")


def transliterate(text: str) -> str:
    """Return *text* with Tajik and Russian letters and typographic signs in ASCII; the rest is unchanged.

    A capital becomes ``Sh`` or, in a word of capitals, ``SH``. The text is composed (NFC) first.
    """
    composed = unicodedata.normalize("NFC", text)
    return _CAPITALIZED_WORD.sub(_capitalize_word, composed).translate(_TABLE)


def _capitalize_word(match: re.Match[str]) -> str:
    return match[0].translate(_TABLE).upper()
