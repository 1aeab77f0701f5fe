"""Advice that makes a campaign cheaper: replace a few characters outside GSM-7, or transliterate all texts.

One character outside GSM-7 makes a text UCS-2, which takes about twice the parts. At most three of them in a
text are stray characters, such as a dash or a quotation mark; more are the alphabet of the text.
"""

from dataclasses import dataclass
from typing import Final

from airflow_provider_osonsms.text.counting import Measured, measure
from airflow_provider_osonsms.text.segments import Encoding, find_foreign
from airflow_provider_osonsms.text.transliteration import transliterate

_MAX_STRAY_CHARACTERS: Final = 3
_MAX_STRAY_UNITS: Final = 2 * _MAX_STRAY_CHARACTERS
_MAX_STRAYS: Final = 10
_MAX_SAMPLE: Final = 1_000
"""Texts that are transliterated to estimate what all of them would take."""
_NO_SPELLING: Final = "?"
_CAPACITIES: Final = (
    f"({Encoding.UCS2.single_capacity} characters per part instead of {Encoding.GSM7.single_capacity})"
)


@dataclass(slots=True)
class _Bill:
    """Counts of texts, of the parts they take, and of the parts they would take in GSM-7."""

    texts: int = 0
    parts: int = 0
    plain_parts: int = 0

    def add(self, parts: int, plain_parts: int, *, texts: int = 1) -> None:
        self.texts += texts
        self.parts += parts
        self.plain_parts += plain_parts

    @property
    def saves(self) -> int:
        return self.parts - self.plain_parts


@dataclass(slots=True, kw_only=True)
class _StrayCharacters:
    """Stray characters that make texts UCS-2, and where they stand in the first of these texts."""

    subject: str
    spelling: str
    bill: _Bill


class Advice:
    """Collects ways to save parts, from texts that come in any number of portions.

    Its memory does not grow with the texts. It shows single characters and never the text around them.
    """

    def __init__(self) -> None:
        self._texts = 0
        self._strays: dict[str, _StrayCharacters] = {}
        self._rarer_strays = _Bill()
        self._foreign = _Bill()
        self._sample = _Bill()

    def add(self, measured: Measured) -> None:
        """Add the next texts."""
        self._texts += int((measured.parts > 0).sum())
        is_short = (measured.foreign > 0) & (measured.foreign <= _MAX_STRAY_UNITS)
        found = {row: find_foreign(measured.texts[row]) for row in is_short.nonzero()[0].tolist()}
        strays = {
            row: characters for row, characters in found.items() if len(characters) <= _MAX_STRAY_CHARACTERS
        }
        self._add_strays(measured, strays)
        is_foreign = measured.is_ucs2.copy()
        is_foreign[list(strays)] = False
        self._add_foreign(measured, is_foreign.nonzero()[0].tolist())

    def list_sentences(self) -> list[str]:
        """Return a sentence for each way to save parts: stray characters first, the most saving on top."""
        return self.list_stray_sentences() + ([self._describe_foreign()] if self._sample.saves > 0 else [])

    def list_stray_sentences(self) -> list[str]:
        """Return only the sentences about stray characters."""
        strays = sorted(self._strays.values(), key=lambda stray: stray.bill.saves, reverse=True)
        sentences = [self._describe_stray(stray) for stray in strays if stray.bill.saves > 0]
        if self._rarer_strays.saves > 0:
            sentences.append(self._describe_rarer_strays())
        return sentences

    def _add_strays(self, measured: Measured, strays: dict[int, list[str]]) -> None:
        plain_texts = [_replace(measured.texts[row], characters) for row, characters in strays.items()]
        plain_parts = measure(plain_texts).parts.tolist()
        parts = measured.parts[list(strays)].tolist()
        for (row, characters), now, then in zip(strays.items(), parts, plain_parts, strict=True):
            self._find_bill(measured.texts[row], characters).add(now, then)

    def _find_bill(self, text: str, characters: list[str]) -> _Bill:
        key = "".join(sorted(set(characters)))
        if key not in self._strays:
            if len(self._strays) >= _MAX_STRAYS:
                return self._rarer_strays
            self._strays[key] = _locate_strays(text, list(dict.fromkeys(characters)))
        return self._strays[key].bill

    def _add_foreign(self, measured: Measured, rows: list[int]) -> None:
        self._foreign.add(int(measured.parts[rows].sum()), 0, texts=len(rows))
        chosen = rows[: _MAX_SAMPLE - self._sample.texts]
        latin = measure([transliterate(measured.texts[row]) for row in chosen])
        parts, latin_parts = measured.parts[chosen].sum(), latin.parts.sum()
        self._sample.add(int(parts), int(latin_parts), texts=len(chosen))

    def _describe_stray(self, stray: _StrayCharacters) -> str:
        bill = stray.bill
        return (
            f"{stray.subject} {bill.texts} of {self._texts} texts UCS-2 {_CAPACITIES}: "
            f"replaced by {stray.spelling} they take {_count_parts(bill.plain_parts)} instead of "
            f"{bill.parts}."
        )

    def _describe_rarer_strays(self) -> str:
        bill = self._rarer_strays
        return (
            f"Other characters make {bill.texts} of {self._texts} texts UCS-2 {_CAPACITIES}: "
            f"without them these take {_count_parts(bill.plain_parts)} instead of {bill.parts}."
        )

    def _describe_foreign(self) -> str:
        whole, sample = self._foreign, self._sample
        parts = round(whole.parts * sample.plain_parts / sample.parts)
        about, basis = "", ""
        if sample.texts < whole.texts:
            about, basis = "about ", f" (judged by the first {sample.texts} of them)"
        return (
            f"{whole.texts} of {self._texts} texts have more than {_MAX_STRAY_CHARACTERS} characters outside "
            f"GSM-7: with transliterate=True they take {about}{_count_parts(parts)} instead of "
            f"{whole.parts}{basis}."
        )


def _locate_strays(text: str, characters: list[str]) -> _StrayCharacters:
    places = [f"{_show(character)} at position {text.index(character) + 1}" for character in characters]
    return _StrayCharacters(
        subject=f"{' and '.join(places)} {'makes' if len(places) == 1 else 'make'}",
        spelling=" and ".join(repr(_spell(character)) for character in characters),
        bill=_Bill(),
    )


def _count_parts(parts: int) -> str:
    return "1 part" if parts == 1 else f"{parts} parts"


def _show(character: str) -> str:
    return f"{character!r} (U+{ord(character):04X})"


def _replace(text: str, characters: list[str]) -> str:
    for character in characters:
        text = text.replace(character, _spell(character))
    return text


def _spell(character: str) -> str:
    """Return *character* in GSM-7; ``?``, which costs as much as a letter, if it has no spelling."""
    spelling = transliterate(character)
    return _NO_SPELLING if find_foreign(spelling) else spelling
