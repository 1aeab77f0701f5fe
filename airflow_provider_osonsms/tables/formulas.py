"""Texts that a spreadsheet would run as a formula: people open a CSV file, and its keys are from outside.

``=HYPERLINK(...)`` as the key of an order becomes a link that sends the cells beside it to somebody. So such
a text is written with an apostrophe before it, and read without it. Numbers such as ``-5`` are left alone.

Reference:
    OWASP, "CSV Injection".
"""

import re
from typing import Final

_IS_DANGEROUS: Final = re.compile(
    r"'*+(?![+-]?\d+([.,]\d+)?\Z)[=+\-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    r"\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]",
    re.ASCII,
)
MAY_HAVE: Final = re.compile(r"""[=+\-@\t\r＝＋－＠](?<![^,"'\n].)""", re.DOTALL)
"""Finds in the text of a CSV file whether any cell may be one; it looks back, because the signs are rare."""


def escape(cell: str) -> str:
    """Return *cell* as it is written to a CSV file."""
    return f"'{cell}" if _IS_DANGEROUS.match(cell) else cell


def unescape(cell: str) -> str:
    """Return what `escape` has made *cell* of."""
    return cell[1:] if cell.startswith("'") and _IS_DANGEROUS.match(cell) else cell
