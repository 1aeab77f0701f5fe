"""The files of a bulk job: phones only, as many files as the gateway's limit asks for.

Reference:
    OsonSMS protocol 1.5, §5.1 (file); docs/wire-notes.md "Bulk"; docs/design.md "Phones and texts" (5 MB).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import MAX_BULK_FILE_BYTES

# §5.1 says "a CSV file with the list of phone numbers" and no more. Guessed, here only (wire-notes, "Bulk"):
# one column, no header, no BOM, LF after every line, the last one too.
_LINE: Final = np.dtype([("992", "V3"), ("1-3", "V3"), ("4-6", "V3"), ("7-9", "V3"), ("LF", "V1")])
_SMALLEST: Final = 992_000_000_000
_LARGEST: Final = 992_999_999_999
_THREE_DIGITS: Final = np.array([f"{number:03}".encode() for number in range(1000)]).view("V3")
_BLOCK_LINES: Final = 16_384
"""Lines that are written at a time: what is computed of them stays in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkFile:
    """One file of a bulk job.

    Attributes:
        content: ASCII, one MSISDN and LF per line, ascending.
        recipients: Lines.
        digest: SHA-256 of *content* in hex: depends on nothing that stands in other files.
    """

    content: bytes = field(repr=False)
    recipients: int
    digest: str


def split_into_files(
    msisdns: NDArray[np.int64], *, max_bytes: int = MAX_BULK_FILE_BYTES
) -> Iterator[BulkFile]:
    """Split *msisdns* into files of at most *max_bytes*, made one at a time; no phones, no files.

    The phones are sorted: the same people give the same files, whatever order a query returned them in.

    Args:
        msisdns: int64, as in ``Audience.msisdns``.
        max_bytes: At least one line, 13 bytes.

    Raises:
        InvalidMessageError: *max_bytes* holds no line, or something is not an MSISDN.

    Reference:
        OsonSMS protocol 1.5, §5.1; docs/wire-notes.md "Bulk".
    """
    lines = max_bytes // _LINE.itemsize
    if lines < 1:
        raise InvalidMessageError(
            f"A bulk file of {max_bytes} bytes holds no phone; give at least {_LINE.itemsize}."
        )
    if len(msisdns) and not _SMALLEST <= msisdns.min() <= msisdns.max() <= _LARGEST:
        raise InvalidMessageError(
            "A bulk file takes phones of 12 digits with 992 only; prepare the audience first."
        )
    ordered = np.subtract(
        msisdns, _SMALLEST, dtype=np.int64, out=np.empty(len(msisdns), np.uint32), casting="unsafe"
    )
    ordered.sort()
    return (_build_file(ordered[start : start + lines]) for start in range(0, len(ordered), lines))


def _build_file(numbers: NDArray[np.uint32]) -> BulkFile:
    """Build the file of *numbers* of 9 digits."""
    file = BytesIO()  # gives its bytes away without copying them
    for start in range(0, len(numbers), _BLOCK_LINES):
        file.write(_write_lines(numbers[start : start + _BLOCK_LINES]))
    content = file.getvalue()
    return BulkFile(content=content, recipients=len(numbers), digest=sha256(content).hexdigest())


def _write_lines(numbers: NDArray[np.uint32]) -> bytes:
    lines = np.empty(len(numbers), dtype=_LINE)
    lines["992"], lines["LF"] = np.void(b"992"), np.void(b"\n")
    for place in ("7-9", "4-6", "1-3"):
        numbers, digits = np.divmod(numbers, np.uint32(1000))
        lines[place] = _THREE_DIGITS[digits]
    return lines.tobytes()
