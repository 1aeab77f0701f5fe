"""The files of a bulk job: phones only, as many files as the gateway's limit asks for.

Reference:
    OsonSMS protocol 1.5, §5.1 (file); wire-note 15; design §6 (5 MB).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import MAX_BULK_FILE_BYTES

# §5.1 says "a CSV file with the list of phone numbers" and no more. Guessed, here only (wire-note 15): one
# column, no header, no BOM, LF after every line, the last one too.
_LINE_END: Final = "\n"
_LINE_BYTES: Final = len("992000000000" + _LINE_END)
_FILE: Final = re.compile(rb"(?:992[0-9]{9}\n)++")


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


def split_into_files(phones: Iterable[str], *, max_bytes: int = MAX_BULK_FILE_BYTES) -> Iterator[BulkFile]:
    """Split *phones* into files of at most *max_bytes*, made one at a time; no phones, no files.

    The phones are sorted: the same people give the same files, whatever order a query returned them in.

    Args:
        phones: MSISDNs, as in ``Audience.recipients["phone"]``.
        max_bytes: At least one line, 13 bytes.

    Raises:
        InvalidMessageError: *max_bytes* holds no line (at once), or something is not an MSISDN (at its file).

    Reference:
        OsonSMS protocol 1.5, §5.1; wire-note 15.
    """
    lines = max_bytes // _LINE_BYTES
    if lines < 1:
        raise InvalidMessageError(
            f"A bulk file of {max_bytes} bytes holds no phone; give at least {_LINE_BYTES}."
        )
    ordered = sorted(phones)
    return (_build_file(ordered[start : start + lines]) for start in range(0, len(ordered), lines))


def _build_file(phones: list[str]) -> BulkFile:
    content = (_LINE_END.join(phones) + _LINE_END).encode()
    if len(content) != len(phones) * _LINE_BYTES or not _FILE.fullmatch(content):
        raise InvalidMessageError(
            "A bulk file takes phones of 12 digits with 992 only; prepare the audience first."
        )
    return BulkFile(content=content, recipients=len(phones), digest=sha256(content).hexdigest())
