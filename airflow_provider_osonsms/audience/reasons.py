"""The reasons why a row is not texted, and what to do about each."""

from enum import StrEnum
from typing import Final


class RejectReason(StrEnum):
    """Why a row is not texted, in the order of the logs and of `RejectReason.code`."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    LOST_DIGITS = "lost_digits"
    AMBIGUOUS_SHORT = "ambiguous_short"
    FOREIGN_COUNTRY = "foreign_country"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SEVERAL_NUMBERS = "several_numbers"
    MISSING_KEY = "missing_key"
    UNFIT_KEY = "unfit_key"
    UNKNOWN_LANGUAGE = "unknown_language"
    MISSING_VALUE = "missing_value"
    UNFIT_VALUE = "unfit_value"
    UNFILLED_TEXT = "unfilled_text"
    EMPTY_TEXT = "empty_text"
    TOO_MANY_PARTS = "too_many_parts"
    DUPLICATE = "duplicate"
    CAPPED = "capped"
    SUPPRESSED = "suppressed"
    NOT_ALLOWED = "not_allowed"
    NOT_CHOSEN = "not_chosen"

    @property
    def advice(self) -> str:
        """What to do about it: one sentence, without a full stop."""
        return _ADVICE[self]

    @property
    def code(self) -> int:
        """The reason as a number above 0, for arrays; 0 stands for no reason."""
        return _CODES[self]

    @property
    def is_invalid(self) -> bool:
        """Whether the row itself is wrong, instead of left out on purpose."""
        return self not in _ON_PURPOSE


_ADVICE: Final = {
    RejectReason.EMPTY: "Fill in the phone or leave the row out",
    RejectReason.NOT_A_NUMBER: "Write the phone in digits, like 992XXXXXXXXX",
    RejectReason.LOST_DIGITS: "Export the phones again as text: a spreadsheet or a float has rounded them",
    RejectReason.AMBIGUOUS_SHORT: "Read the column as text (dtype=str): a number loses its leading zeros",
    RejectReason.FOREIGN_COUNTRY: "Leave the row out: only numbers of Tajikistan (+992) are served",
    RejectReason.TOO_SHORT: "Complete the phone: 9 digits, or 12 with 992",
    RejectReason.TOO_LONG: "Correct the phone: 9 digits, or 12 with 992",
    RejectReason.SEVERAL_NUMBERS: "Give each phone a row of its own",
    RejectReason.MISSING_KEY: "Fill in the key column: it distinguishes this row from the others",
    RejectReason.UNFIT_KEY: "Correct the key: it has a line end, a control character or half a character",
    RejectReason.UNKNOWN_LANGUAGE: "Fill in a language that message has a text in, or set default_language",
    RejectReason.MISSING_VALUE: "Fill in the column that the text needs, or leave the row out",
    RejectReason.UNFIT_VALUE: "Correct the value or the format in the text: they do not fit",
    RejectReason.UNFILLED_TEXT: "Write the text out: it holds {column}, {{ name }}, or the name of a file",
    RejectReason.EMPTY_TEXT: "Fill in the text or leave the row out",
    RejectReason.TOO_MANY_PARTS: "Shorten the text, or raise max_parts",
    RejectReason.DUPLICATE: "Nothing to do: an earlier row with the same phone or key is kept",
    RejectReason.CAPPED: "Nothing to do: the phone has enough messages of this category (once_per, at_most)",
    RejectReason.SUPPRESSED: "Nothing to do: the phone is in exclude= or in the Connection's suppression",
    RejectReason.NOT_ALLOWED: "Add the phone to the Connection's allowed_phones if it should be texted here",
    RejectReason.NOT_CHOSEN: "Nothing to do: the key of the row is not in only=",
}
_ON_PURPOSE: Final = frozenset(
    {
        RejectReason.DUPLICATE,
        RejectReason.CAPPED,
        RejectReason.SUPPRESSED,
        RejectReason.NOT_ALLOWED,
        RejectReason.NOT_CHOSEN,
    }
)
_CODES: Final = {reason: code for code, reason in enumerate(RejectReason, start=1)}
REASONS: Final = (None, *RejectReason)
"""The reasons by `RejectReason.code`."""
