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

from airflow_provider_osonsms.campaign.rows import may_have_texted
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.tables.files import DamagedTableError, read_table, write_table
from airflow_provider_osonsms.tables.rows import PartRow

log = logging.getLogger(__name__)

_SUFFIX: Final = ".parts"
_STARTED: Final = "started"


class ResultParts:
    """Reads the part files of tries that did not end, and writes those of this one.

    Args:
        path: A checked results path.
        owner: Names the campaign and everything that its txn_ids are made of.
    """

    def __init__(self, path: Any, *, owner: str) -> None:
        self.history = TxnIdHistory.UNUSED
        self.is_resumed = False
        self._folder = path.with_name(f"{path.name}{_SUFFIX}")
        self._owner = owner
        self._writer = token_hex(4)
        self._parts = 0

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield the txn_ids and codes of all parts of this campaign."""
        others = self._find_others()
        for part in self._list():
            if _read_writer(part) in others:
                continue
            self.is_resumed = True
            self.history = TxnIdHistory.MAYBE_ACCEPTED
            if not _is_start(part):
                yield from self._read_part(part)

    def count_others(self) -> int | None:
        """Count the messages that killed tries of other campaigns are known to have sent, or may have.

        Returns:
            None when there are no such tries.
        """
        others = self._find_others()
        if not others:
            return None
        parts = (part for part in self._list() if _read_writer(part) in others and not _is_start(part))
        texted = {txn_id for part in parts for txn_id, code in self._read_part(part) if may_have_texted(code)}
        return len(texted)

    def mark_started(self, history: TxnIdHistory) -> None:  # noqa: ARG002 - that there is a part says it
        """Write that rows may be on their way; see `JournalBackend`."""
        self._write({self._owner: _STARTED}, _STARTED)

    def unmark_started(self, history: TxnIdHistory) -> None:
        """Write that nothing was sent but what the parts say; see `JournalBackend`."""
        if history is TxnIdHistory.UNUSED:
            self.remove()

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; see `JournalBackend`."""
        self._write(entries, f"{self._parts:06}")
        self._parts += 1

    def remove(self) -> None:
        """Remove all parts: the table holds what they say."""
        try:
            for part in self._list():
                part.unlink()
            with suppress(OSError):  # a try that was taken for dead may have written one more
                self._folder.rmdir()
        except Exception as error:  # noqa: BLE001 - storages have errors of their own
            text = "The part files of the results cannot be removed (%s): the next try reads them again"
            log.warning(text, type(error).__name__)

    def _write(self, entries: Mapping[str, str], name: str) -> None:
        rows = [PartRow(txn_id, code) for txn_id, code in entries.items()]
        write_table(rows, self._folder / f"{self._writer}-{name}.csv", kind=PartRow)

    def _find_others(self) -> set[str]:
        """Return the writers that belong to other campaigns."""
        starts = {part: dict(self._read_part(part)) for part in self._list() if _is_start(part)}
        return {_read_writer(part) for part, owners in starts.items() if owners.keys() - {self._owner}}

    def _read_part(self, part: Any) -> Iterator[tuple[str, object]]:
        try:
            for row in read_table(part, kind=PartRow):
                yield row.txn_id or "", row.code
        except DamagedTableError:
            log.warning("A part file of the results cannot be read: its rows are asked for again")

    def _list(self) -> list[Any]:
        if not self._folder.is_dir():
            return []
        return sorted((part for part in self._folder.iterdir() if part.suffix == ".csv"), key=str)


def _is_start(part: Any) -> bool:
    return bool(part.name.endswith(f"-{_STARTED}.csv"))


def _read_writer(part: Any) -> str:
    return str(part.name.partition("-")[0])
