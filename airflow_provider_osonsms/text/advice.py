"""What makes a campaign dearer than it needs to be: a few characters outside GSM-7, or its whole alphabet."""

from dataclasses import dataclass
from typing import Final

from airflow_provider_osonsms.text.counting import Measured, measure
from airflow_provider_osonsms.text.segments import Encoding, find_foreign
from airflow_provider_osonsms.text.transliteration import transliterate

_FEW: Final = 3
"""Characters outside GSM-7 in a text that is GSM-7 but for a slip."""
_FEW_UNITS: Final = 2 * _FEW
_MOST_SLIPS: Final = 10
_SAMPLE: Final = 1_000
_NO_SPELLING: Final = "?"
_CAPACITIES: Final = (
    f"({Encoding.UCS2.single_capacity} characters per part instead of {Encoding.GSM7.single_capacity})"
)


@dataclass(slots=True)
class _Bill:
    """Texts, the parts they take, and the parts they would take in GSM-7."""

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
class _Slip:
    """Characters that make texts UCS-2, and where they stand in the first of these texts."""

    subject: str
    spelling: str
    bill: _Bill


class Advice:
    """Gathers what a user should know about the price of texts, which come in any number of portions.

    Its memory does not grow with them. It shows single characters, never what stands around them.
    """

    def __init__(self) -> None:
        self._texts = 0
        self._slips: dict[str, _Slip] = {}
        self._rarer_slips = _Bill()
        self._foreign = _Bill()
        self._sample = _Bill()

    def add(self, measured: Measured) -> None:
        """Take in the next texts."""
        self._texts += int((measured.parts > 0).sum())
        is_short = (measured.foreign > 0) & (measured.foreign <= _FEW_UNITS)
        found = {row: find_foreign(measured.texts[row]) for row in is_short.nonzero()[0].tolist()}
        slips = {row: characters for row, characters in found.items() if len(characters) <= _FEW}
        self._add_slips(measured, slips)
        is_foreign = measured.is_ucs2.copy()
        is_foreign[list(slips)] = False
        self._add_foreign(measured, is_foreign.nonzero()[0].tolist())

    def sentences(self) -> list[str]:
        """Return a sentence for each way to save parts, the most saving slip first; none if nothing saves."""
        return self.slips() + ([self._tell_foreign()] if self._sample.saves > 0 else [])

    def slips(self) -> list[str]:
        """Return those sentences that tell of one or few characters."""
        slips = sorted(self._slips.values(), key=lambda slip: slip.bill.saves, reverse=True)
        told = [self._tell_slip(slip) for slip in slips if slip.bill.saves > 0]
        if self._rarer_slips.saves > 0:
            told.append(self._tell_rarer_slips())
        return told

    def _add_slips(self, measured: Measured, slips: dict[int, list[str]]) -> None:
        plain_texts = [_replace(measured.texts[row], characters) for row, characters in slips.items()]
        plain_parts = measure(plain_texts).parts.tolist()
        parts = measured.parts[list(slips)].tolist()
        for (row, characters), now, then in zip(slips.items(), parts, plain_parts, strict=True):
            self._find_bill(measured.texts[row], characters).add(now, then)

    def _find_bill(self, text: str, characters: list[str]) -> _Bill:
        key = "".join(sorted(set(characters)))
        if key not in self._slips:
            if len(self._slips) >= _MOST_SLIPS:
                return self._rarer_slips
            self._slips[key] = _describe(text, list(dict.fromkeys(characters)))
        return self._slips[key].bill

    def _add_foreign(self, measured: Measured, rows: list[int]) -> None:
        self._foreign.add(int(measured.parts[rows].sum()), 0, texts=len(rows))
        chosen = rows[: _SAMPLE - self._sample.texts]
        latin = measure([transliterate(measured.texts[row]) for row in chosen])
        parts, latin_parts = measured.parts[chosen].sum(), latin.parts.sum()
        self._sample.add(int(parts), int(latin_parts), texts=len(chosen))

    def _tell_slip(self, slip: _Slip) -> str:
        bill = slip.bill
        return (
            f"{slip.subject} {bill.texts} of {self._texts} texts UCS-2 {_CAPACITIES}: "
            f"replaced by {slip.spelling} they take {_count_parts(bill.plain_parts)} instead of {bill.parts}."
        )

    def _tell_rarer_slips(self) -> str:
        bill = self._rarer_slips
        return (
            f"Other characters make {bill.texts} of {self._texts} texts UCS-2 {_CAPACITIES}: "
            f"without them these take {_count_parts(bill.plain_parts)} instead of {bill.parts}."
        )

    def _tell_foreign(self) -> str:
        whole, sample = self._foreign, self._sample
        parts = round(whole.parts * sample.plain_parts / sample.parts)
        about, basis = "", ""
        if sample.texts < whole.texts:
            about, basis = "about ", f" (judged by the first {sample.texts} of them)"
        return (
            f"{whole.texts} of {self._texts} texts have more than {_FEW} characters outside GSM-7: "
            f"with transliterate=True they take {about}{_count_parts(parts)} instead of {whole.parts}{basis}."
        )


def _describe(text: str, characters: list[str]) -> _Slip:
    places = [f"{_show(character)} at position {text.index(character) + 1}" for character in characters]
    return _Slip(
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
    """Return *character* in GSM-7; ``?`` stands for one without a spelling, and costs what a letter costs."""
    spelling = transliterate(character)
    return _NO_SPELLING if find_foreign(spelling) else spelling
