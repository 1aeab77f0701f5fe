"""Who has had enough messages of a category lately, as the results tables of all campaigns say it.

A campaign that runs, or was killed, has no table yet, or an old one: then its part files count.

Reference:
    docs/guards.md "Too often".
"""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_osonsms.audience.sources.files import print_path
from airflow_provider_osonsms.campaign.acceptance import read_acceptance
from airflow_provider_osonsms.campaign.result_parts import SUFFIX, is_people, is_started, read_writer
from airflow_provider_osonsms.campaign.rows import is_code, may_have_texted, was_refused_for_now
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.files import read_table
from airflow_provider_osonsms.tables.listing import list_tables, split_pattern
from airflow_provider_osonsms.tables.paths import guard_storage, name_file, require_pyarrow
from airflow_provider_osonsms.tables.rows import PersonRow, ResultRow

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.suppression import SuppressionList
    from airflow_provider_osonsms.audience.texted import TextedPhones

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentHistory:
    """The results tables of campaigns, and how many messages of them are enough.

    Attributes:
        place: A folder, a table, or a pattern such as ``/data/sent/*.csv``.
        open_path: Returns an object with ``suffix``, ``open`` and ``glob`` for a path.
        category: The only one that counts.
        at_most: So many messages are enough for a phone ...
        within: ... in this time before now.
    """

    place: str
    open_path: Callable[[str], Any]
    category: str
    at_most: int
    within: timedelta

    def find_full(
        self, now: datetime, *, until: datetime | None = None, own_table: object = None
    ) -> "SuppressionList":
        """Return the phones that have had enough.

        Args:
            now: Aware.
            until: The moment of an earlier try: who had enough then, whatever was sent afterwards.
            own_table: The results path of the running task, whose rows do not count.

        Raises:
            InvalidMessageError: The place is not there, or holds something else than results tables.
            PathUnavailableError: It cannot be read for now.
        """
        from airflow_provider_osonsms.audience.texted import TextedPhones

        since = ((until or now) - self.within).timestamp()
        end = math.inf if until is None else until.timestamp()
        texted = TextedPhones(category=self.category, since=since, until=end)
        reading = _Reading(texted, category=self.category, since=since, until=end)
        own = None if own_table is None else name_file(own_table)
        # First the part files: a campaign that ends meanwhile has written its table before it removes them.
        for folder, parts in self._list_parts().items():
            if folder != own:
                reading.add_parts(folder, parts)
        tables = {name_file(path): path for path in self._list(self.place) if not _is_part(path)}
        for name, path in tables.items():
            if name != own:
                reading.add_table(name, path)
        full = texted.find_full(at_most=self.at_most)
        log.info(
            "%d phones have had %d messages of category '%s' in the last %s, by %d tables",
            *(len(full.msisdns), self.at_most, self.category, self.within, len(tables) - (own in tables)),
        )
        if texted.nameless:
            log.warning("%d messages in history have no phone, and count for nobody", texted.nameless)
        return full

    def _list_parts(self) -> dict[str, list[Any]]:
        """Return the part files of running and killed campaigns, by the name of their table."""
        path, pattern = split_pattern(self.place, self.open_path)
        places = [self.place]
        if pattern:
            places.append(f"{self.place}{SUFFIX}/*")
        elif not _guard(path, path.is_dir):
            places = [f"{self.place}{SUFFIX}"]
            if not _guard(path, self.open_path(places[0]).is_dir):
                return {}
        found: dict[str, list[Any]] = defaultdict(list)
        for part in {str(one): one for place in places for one in self._list(place)}.values():
            if _is_part(part):
                found[name_file(str(part.parent).removesuffix(SUFFIX))].append(part)
        return found

    def _list(self, place: str) -> list[Any]:
        path, pattern = split_pattern(place, self.open_path)
        return _guard(path, lambda: list_tables(path, pattern))


class _Reading:
    """Reads tables and part files into the messages that count."""

    def __init__(self, texted: "TextedPhones", *, category: str, since: float, until: float) -> None:
        self._texted = texted
        self._category = category
        self._since = since
        self._until = until
        self._counted: dict[str, set[str]] = {}

    def add_parts(self, name: str, parts: list[Any]) -> None:
        """Add what the part files beside the table *name* say."""
        counted: dict[str, str] = {}
        for part in filter(is_people, parts):
            self._add_part(part, parts, counted)
        self._counted[name] = set(counted)
        self._texted.add(counted.values())

    def _add_part(self, people: Any, parts: list[Any], counted: dict[str, str]) -> None:
        try:
            counted |= _guard(people, partial(self._read_people, people, parts))
        except InvalidMessageError:
            if guard_storage(people.exists, "the part files in history", "read"):
                raise
            # The campaign has ended meanwhile: its table is read afterwards.

    def _read_people(self, people: Any, parts: list[Any]) -> dict[str, str]:
        phones = {
            row.txn_id: row.phone
            for row in read_table(people, kind=PersonRow)
            if row.category == self._category and row.txn_id and row.phone
        }
        campaign = people.name.rsplit("-", 2)[0]
        own = [part for part in parts if part.name.startswith(f"{campaign}-")]
        said: dict[str, list[object]] = defaultdict(list)
        for writer in {part.name.rpartition("-")[0] for part in own}:
            for txn_id, code in read_writer(one for one in own if one.name.startswith(f"{writer}-")):
                said[txn_id].append(code)
        may_all = any(map(is_started, own))
        return {
            txn_id: phone
            for txn_id, phone in phones.items()
            if (self._counts(said[txn_id]) if txn_id in said else may_all)
        }

    def _counts(self, codes: Iterable[object]) -> bool:
        return any(self._is_between(code) for code in codes)

    def _is_between(self, code: object) -> bool:
        acceptance = read_acceptance(code)
        if acceptance is not None and acceptance.accepted_at:
            return self._since <= acceptance.accepted_at <= self._until
        return may_have_texted(code) or was_refused_for_now(code) or not is_code(code)

    def add_table(self, name: str, path: Any) -> None:
        """Add what a table says, without the rows that its part files have said already."""
        counted = self._counted.get(name)
        if counted:
            _guard(path, lambda: self._texted.add(self._list_others(path, counted)))
        else:
            _guard(path, partial(self._texted.add_table, path))

    def _list_others(self, path: Any, counted: set[str]) -> list[str | None]:
        """Return the phones of a table whose campaign goes on; a row without a time counts."""
        return [
            row.phone or ""
            for row in read_table(path, kind=ResultRow)
            if row.category == self._category
            and row.may_have_been_sent
            and row.txn_id not in counted
            and (row.accepted_seconds is None or self._since <= row.accepted_seconds <= self._until)
        ]


def _is_part(path: Any) -> bool:
    return str(path.parent).endswith(SUFFIX)


def _guard(path: Any, use: Callable[[], T]) -> T:
    """Return the result of *use*; what goes wrong becomes an error of ours, which names *path*."""
    what = f"history: {print_path(path)}"
    if path.suffix == ".parquet":
        require_pyarrow(what)
    hint = (
        ". history takes results tables of campaigns only, and its folder must be there: a pattern such as "
        "/data/sent/*.csv leaves other tables out"
    )
    return guard_storage(use, what, "read", hint=hint)
