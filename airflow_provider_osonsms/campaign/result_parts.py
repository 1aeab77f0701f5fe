"""The journal beside the results table: part files in ``{results_path}.parts/``, one each second.

They serve where there is no state store (Airflow below 3.3), and where it was emptied. They are folded into
the table at the end of each try and removed, so a part that is there says that a try has begun and did not
end. The mark of such a try stays until the table tells by an accepted row that the txn_ids are ours.

The name of a part begins with the campaign's: parts of another campaign are neither read nor removed. Its
end tells how far the try has come: ``handful`` names the only rows that may be on their way, ``started``
says that all may be, and numbers hold what became of them. Of a campaign with a category, ``people`` holds
the phones of all, for the ``history`` of other campaigns; it says nothing of what was sent.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, groupby
from secrets import token_hex
from typing import Any, Final

from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError
from airflow_provider_osonsms.campaign.rows import may_have_texted
from airflow_provider_osonsms.campaign.store_chunks import drop_settled
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.tables.files import DamagedTableError, hash_file, read_table, write_table
from airflow_provider_osonsms.tables.paths import guard_storage, is_local
from airflow_provider_osonsms.tables.rows import PartRow, PersonRow

log = logging.getLogger(__name__)

SUFFIX: Final = ".parts"
_HANDFUL: Final = "handful"
_STARTED: Final = "started"
_PEOPLE: Final = "people"


def find_parts_folder(path: Any) -> Any:
    """Return the folder of the part files of the results table at *path*."""
    return path.with_name(f"{path.name}{SUFFIX}")


def is_part(path: Any) -> bool:
    """Whether *path* is that of a part file."""
    return str(path.parent.name).endswith(SUFFIX)


class ResultParts:
    """Reads the part files of tries that did not end, and writes those of this one.

    Args:
        path: A checked results path.
        campaign: Names everything that the txn_ids are made of, in letters and digits.
        may_replace: Whether parts of another campaign are left alone instead of refused.
    """

    def __init__(self, path: Any, *, campaign: str, may_replace: bool = False) -> None:
        self.history = TxnIdHistory.UNUSED
        self.is_resumed = False
        self._campaign = campaign
        self._may_replace = may_replace
        self._path = path
        self._folder = find_parts_folder(path)
        self._writer = token_hex(4)
        self._parts = 0
        self._folded: list[Any] = []
        self._table: str | None = None

    def note_table(self, identity: str | None) -> None:
        """Note the SHA-256 of the table that this try has read; None where there was none."""
        self._table = identity

    def read_marks(self) -> None:
        """Find what may be on its way; see `JournalBackend`.

        Raises:
            OtherCampaignError: Another campaign has begun to write its table here, and did not end.
            InvalidMessageError, PathUnavailableError: The folder cannot be read.
        """
        self._find_own()

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield the txn_ids and codes of all parts.

        Raises:
            OtherCampaignError: Another campaign has begun to write its table here, and did not end.
            InvalidMessageError, PathUnavailableError: They cannot be read.
        """
        own = self._find_own()
        self._folded += own
        yield from _read_writers(own)

    def read_new(self) -> Iterator[tuple[str, object]]:
        """Yield what another try has written since, should this one have been taken for dead.

        Its parts stay: it may still be writing, and a later try needs its marks.

        Raises:
            InvalidMessageError, PathUnavailableError: They cannot be read.
        """
        known = {part.name for part in self._folded}
        yield from _read_writers(
            part for part in self._list() if self._is_own(part) and part.name not in known
        )

    def has_rival(self) -> bool:
        """Whether another try has written a part, or the table, since it was read; see `JournalBackend`."""
        known = {part.name for part in self._folded}
        news = (part.name for part in self._list() if self._is_own(part) and not is_people(part))
        return not known.issuperset(news) or hash_file(self._path) != self._table

    def find_periods(self, campaign: str) -> list[str]:
        """Return the periods in which tries of a *campaign* with a cap have begun and did not end."""
        names = [part.name for part in self._list() if _read_end(part) != _PEOPLE]
        start = f"{campaign}_"
        return [name[len(start) :].rsplit("-", 2)[0] for name in names if name.startswith(start)]

    def write_people(self, people: Iterable[PersonRow]) -> None:
        """Write to whom messages may be on their way from now on.

        Raises:
            InvalidMessageError, PathUnavailableError: It cannot be written; nothing was sent.
        """
        part = self._name_part(_PEOPLE)
        self._folded.append(part)
        guard_storage(
            lambda: write_table(people, part, kind=PersonRow),
            f"the folder {SUFFIX} beside results_path",
            "written",
        )

    def mark_started(self, history: TxnIdHistory, handful: Mapping[str, str]) -> None:  # noqa: ARG002
        """Write what may be on its way; see `JournalBackend`. The history is in the name of the part.

        Raises:
            InvalidMessageError, PathUnavailableError: It cannot be written; no row was sent without an entry.
        """
        name = _HANDFUL if handful else _STARTED
        guard_storage(
            lambda: self._write(handful, name), f"the folder {SUFFIX} beside results_path", "written"
        )
        if not handful:
            self._remove_handful()

    def ensure_started(self) -> None:
        """Write that all rows may be on their way, where no part that was read or written here says so.

        Raises:
            InvalidMessageError, PathUnavailableError: It cannot be written.
        """
        if not any(map(is_started, self._folded)):
            self.mark_started(TxnIdHistory.MAYBE_ACCEPTED, {})

    def unmark_started(self, history: TxnIdHistory, *, may_have_sent: bool) -> None:
        """Write what was not sent after all; see `JournalBackend`."""
        if history is TxnIdHistory.UNUSED and not self._parts and not may_have_sent:
            self.remove()
        else:
            self._remove_handful()

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; see `JournalBackend`."""
        self._write(entries, f"{self._parts:06}")
        self._parts += 1

    def remove(self, *, keeps_marks: bool = False, keeps_own: bool = False) -> None:
        """Remove the parts that were read or written here: the table holds what they say.

        Those of a try that was taken for dead, or of the one after it, are left: nobody has read them yet.

        Args:
            keeps_marks: Whether the table does not hold that all rows of a try that did not end may be on
                their way.
            keeps_own: Whether this try has begun in the same doubt, so that its mark is kept with theirs.
        """
        try:
            kept = self._find_marks(with_own=keeps_own) if keeps_marks else []
            for part in sorted(self._folded, key=is_started):  # if it ends here, a doubt too many is left
                if part not in kept:
                    part.unlink(missing_ok=True)
            self._folded = kept
            if is_local(self._folder):  # elsewhere rmdir takes away what is in the folder, and none is there
                with suppress(OSError):
                    self._folder.rmdir()
        except Exception as error:  # noqa: BLE001 - storages have errors of their own
            text = "The part files of the results cannot be removed (%s): the next try reads them again"
            log.warning(text, type(error).__name__)

    def _remove_handful(self) -> None:
        """Let the rows of this try's handful be like all others."""
        with suppress(Exception):  # a doubt too many, which the table settles
            self._name_part(_HANDFUL).unlink(missing_ok=True)

    def _find_own(self) -> list[Any]:
        """Return the parts of this campaign, and learn from their names."""
        parts = self._list()
        own = [part for part in parts if self._is_own(part)]
        others = [part for part in parts if not self._is_own(part) and _read_end(part) != _PEOPLE]
        if others and not self._may_replace:
            entries = dict(chain.from_iterable(map(_read_part, others)))
            raise OtherCampaignError(
                f"another campaign has begun to send with this results_path, and has not ended: at least "
                f"{sum(map(may_have_texted, entries.values()))} messages were sent, or may have been, as the "
                f"folder beside it that ends in .parts says. Nothing was sent now. If this run has sent "
                f"under another key_namespace, campaign_id, channel, category or once_per, restore that: "
                f"under new txn_ids the same people would be texted again. If it is another run, put "
                f"{{{{ run_id }}}} into results_path"
            )
        self.is_resumed |= any(_read_end(part) != _PEOPLE for part in own)
        if any(_read_end(part) == _STARTED for part in own):
            self.history = TxnIdHistory.MAYBE_ACCEPTED
        return own

    def _name_part(self, name: str) -> Any:
        return self._folder / f"{self._campaign}-{self._writer}-{name}.csv"

    def _write(self, entries: Mapping[str, str], name: str) -> None:
        part = self._name_part(name)
        self._folded.append(part)
        write_table(map(PartRow._make, entries.items()), part, kind=PartRow)

    def _find_marks(self, *, with_own: bool) -> list[Any]:
        """Return the parts in which tries say that all rows may be on their way, and to whom."""
        writers = {_read_writer(part) for part in self._folded if is_started(part)}
        if not with_own:
            writers.discard(_read_writer(self._name_part(_STARTED)))
        return [
            part
            for part in self._folded
            if _read_writer(part) in writers and (is_started(part) or is_people(part))
        ]

    def _is_own(self, part: Any) -> bool:
        """Whether a part is of this campaign."""
        return bool(part.name.startswith(f"{self._campaign}-"))

    def _list(self) -> list[Any]:
        """Return the parts of all campaigns, sorted by name.

        Raises:
            InvalidMessageError, PathUnavailableError: The folder cannot be read.
        """

        def find() -> list[Any]:
            if not self._folder.is_dir():
                return []
            return sorted((part for part in self._folder.iterdir() if part.suffix == ".csv"), key=str)

        return guard_storage(find, f"the folder {SUFFIX} beside results_path", "read")


def _read_writers(parts: Iterable[Any]) -> Iterator[tuple[str, object]]:
    """Yield the txn_ids and codes of the parts of several tries, which are sorted by name."""
    for _, some in groupby(parts, key=_read_writer):
        yield from read_writer(some)


def read_writer(parts: Iterable[Any]) -> Iterator[tuple[str, object]]:
    """Yield the txn_ids and codes of the parts of one try, in which its results come before its marks."""
    parts = list(parts)
    marked = dict(chain.from_iterable(_read_part(part) for part in parts if _read_end(part) == _HANDFUL))
    for part in parts:
        if _read_end(part) not in (_HANDFUL, _PEOPLE):
            entries = _read_part(part)
            drop_settled(marked, dict(entries))
            yield from entries
    yield from marked.items()


def is_people(part: Any) -> bool:
    """Whether a part file holds the phones of a campaign."""
    return _read_end(part) == _PEOPLE


def is_started(part: Any) -> bool:
    """Whether a part file says that all rows of its campaign may be on their way."""
    return _read_end(part) == _STARTED


def _read_end(part: Any) -> str:
    """Return what a part says of its try: the end of its name."""
    return str(part.name.removesuffix(".csv").rpartition("-")[2])


def _read_writer(part: Any) -> str:
    """Return the name of campaign and try that a part is of."""
    return str(part.name.rpartition("-")[0])


def _read_part(part: Any) -> list[tuple[str, object]]:
    """Return the txn_ids and codes of a part file; of a damaged one those before the damage.

    Raises:
        InvalidMessageError, PathUnavailableError: It cannot be read.
    """
    entries: list[tuple[str, object]] = []

    def read() -> None:
        try:
            entries.extend((row.txn_id or "", row.code) for row in read_table(part, kind=PartRow))
        except DamagedTableError:  # the rows before the damage are kept
            log.warning("A part file of the results cannot be read: its rows are asked for again")

    guard_storage(read, "a part file of the results", "read")
    return entries
