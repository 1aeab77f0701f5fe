"""The journal beside the results table: part files in ``{results_path}.parts/``, one each second.

They serve where there is no state store (Airflow below 3.3), and where it was emptied. They are folded into
the table at the end of each try and removed, so a folder that is there says that a try has begun and did not
end.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final

from airflow_provider_osonsms.campaign.rows import is_code, may_be_accepted
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.tables.files import DamagedTableError, read_table, write_table
from airflow_provider_osonsms.tables.rows import PartRow

log = logging.getLogger(__name__)

_SUFFIX: Final = ".parts"
_STARTED: Final = "started"
_PREFIX: Final = 16


class ResultParts:
    """Reads the part files of tries that did not end, and writes those of this one.

    Args:
        path: A checked results path.
        campaign: Names the campaign and everything that its txn_ids are made of.

    Attributes:
        others_sent: Rows of other campaigns that the parts know as sent; complete when it was read.
    """

    def __init__(self, path: Any, *, campaign: str) -> None:
        self.history = TxnIdHistory.UNUSED
        self.is_resumed = False
        self.others_sent = 0
        self._folder = path.with_name(f"{path.name}{_SUFFIX}")
        self._campaign = campaign[:_PREFIX]
        self._writer = token_hex(4)
        self._parts = 0
        self._folded: dict[str, Any] = {}

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield the txn_ids and codes of all parts of this campaign."""
        for part in self._list():
            if not part.name.startswith(self._campaign):
                self.others_sent += sum(is_code(code) and may_be_accepted(code) for _, code in _read(part))
                continue
            self.is_resumed = True
            self.history = TxnIdHistory.MAYBE_ACCEPTED
            self._folded[part.name] = part
            yield from _read(part)

    def mark_started(self, history: TxnIdHistory) -> None:  # noqa: ARG002 - that there is a part says it
        """Write that rows may be on their way; see `JournalBackend`."""
        self._write({}, _STARTED)

    def unmark_started(self, history: TxnIdHistory) -> None:
        """Write that nothing was sent but what the parts say; see `JournalBackend`."""
        if history is TxnIdHistory.UNUSED:
            self.remove()

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; see `JournalBackend`."""
        self._write(entries, f"{self._parts:06}")
        self._parts += 1

    def remove(self) -> None:
        """Remove the parts that this try has read or written: the table holds what they say.

        Others are those of a newer try, which has begun while this one was taken for dead.
        """
        try:
            for name, part in list(self._folded.items()):
                part.unlink(missing_ok=True)
                del self._folded[name]
            with suppress(OSError):  # there are others
                self._folder.rmdir()
        except Exception as error:  # noqa: BLE001 - storages have errors of their own
            text = "The part files of the results cannot be removed (%s): the next try reads them again"
            log.warning(text, type(error).__name__)

    def _write(self, entries: Mapping[str, str], name: str) -> None:
        rows = [PartRow(txn_id, code) for txn_id, code in entries.items()]
        part = self._folder / f"{self._campaign}-{self._writer}-{name}.csv"
        self._folded[part.name] = part
        write_table(rows, part, kind=PartRow)

    def _list(self) -> list[Any]:
        if not self._folder.is_dir():
            return []
        return sorted((part for part in self._folder.iterdir() if part.suffix == ".csv"), key=str)


def _read(part: Any) -> Iterator[tuple[str, Any]]:
    try:
        for row in read_table(part, kind=PartRow):
            yield row.txn_id or "", row.code
    except DamagedTableError:
        log.warning("A part file of the results cannot be read: its rows are asked for again")
