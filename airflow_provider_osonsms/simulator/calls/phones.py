"""The phone numbers that the simulated gateway serves.

Reference:
    OsonSMS protocol 1.5, §2.1, §5.1; docs/wire-notes.md "Phones", "Bulk".
"""

import re
from typing import Final

_COUNTRY: Final = "992"
_NUMBER: Final = re.compile(r"(?:992)?([0-9]{9})")
_NUMBER_LINE: Final = re.compile(r"^(?:992)?([0-9]{9})\r?$", re.MULTILINE)
_NOT_BLANK_LINE: Final = re.compile(r"^.*\S.*$", re.MULTILINE)


def read_phone(written: str) -> str | None:
    """Return 12 digits for a phone of 12 digits with 992 or of 9 without; None for any other text."""
    match = _NUMBER.fullmatch(written)
    return _COUNTRY + match[1] if match else None


def read_phone_file(content: bytes) -> tuple[tuple[str, ...], int]:
    """Return the phones of a file, one to a line (LF or CRLF), and how many other lines are not blank.

    The grammar is a guess: §5.1 only says "a CSV file with the list of phone numbers".
    """
    text = content.decode(errors="replace")
    phones = tuple(_COUNTRY + local for local in _NUMBER_LINE.findall(text))
    lines = sum(1 for _ in _NOT_BLANK_LINE.finditer(text))
    return phones, lines - len(phones)
