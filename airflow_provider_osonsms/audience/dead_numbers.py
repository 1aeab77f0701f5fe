"""Numbers that no message reaches any more, found in the tables of delivery reports.

A text to a number that does not exist is billed like any other. A number counts as dead after it was
UNDELIVERABLE in several campaigns, with no delivery among or after them.

Reference:
    docs/audience.md "Dead numbers".
"""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.sources.files import is_path, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.files import DamagedTableError, read_table
from airflow_provider_osonsms.tables.listing import list_tables, split_pattern
from airflow_provider_osonsms.tables.paths import (
    PathUnavailableError,
    is_final_storage_error,
    require_pyarrow,
)
from airflow_provider_osonsms.tables.rows import ReportRow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

T = TypeVar("T")
log = logging.getLogger(__name__)

_MEMORY: Final = (".wait.csv",)
"""What a running wait keeps beside its report."""


class DeadNumbers:
    """The dead numbers of some reports, read when a task asks for them; iterating yields MSISDNs.

    Args:
        tables: Paths of tables, of folders, or patterns such as ``/data/reports/*/delivery.csv``.
        after: Campaigns in which a number was undeliverable before it counts as dead.
        open_path: Returns an object with ``suffix``, ``open`` and ``glob`` for a path.
    """

    def __init__(self, tables: tuple[Any, ...], *, after: int, open_path: Callable[[str], Any]) -> None:
        # texts, because Airflow below 3.2 resolves a Path that is not there yet
        self.tables = tuple(str(table) if is_path(table) else table for table in tables)
        self.after = after
        self._open_path = open_path

    def replace_tables(self, tables: tuple[Any, ...]) -> "DeadNumbers":
        """Return the same of other *tables*, such as those of rendered paths."""
        return DeadNumbers(tables, after=self.after, open_path=self._open_path)

    def __repr__(self) -> str:
        """Return a text that is the same in every process: Airflow stores it with the DAG."""
        names = (
            str(table).rpartition("/")[2] if "://" in str(table) else str(table) for table in self.tables
        )
        return f"dead_numbers({', '.join(names)}, after={self.after})"

    def __iter__(self) -> Iterator[str]:
        """Yield the MSISDNs, ascending; see `read`."""
        return map(str, self.read().tolist())

    def read(self) -> "NDArray[np.int64]":
        """Return the MSISDNs, ascending.

        Raises:
            InvalidMessageError: A path is not there, or is no table of a report.
            PathUnavailableError: One cannot be read for now.
        """
        import numpy as np

        campaigns = _Campaigns()
        paths = {str(path): path for table in self.tables for path in self._find_tables(table)}
        for path in paths.values():
            _guard(path, partial(campaigns.add, read_table(path, kind=ReportRow)))
        dead = campaigns.find_dead(self.after)
        log.log(
            logging.INFO if paths else logging.WARNING,
            "%d numbers were undeliverable in their last %d campaigns, by %d reports",
            len(dead),
            self.after,
            len(paths),
        )
        if campaigns.nameless:
            log.warning(
                "%d undeliverable messages have no phone in their report: only campaigns with a results_path "
                "name it",
                campaigns.nameless,
            )
        return np.array(sorted(dead), dtype=np.int64)

    def read_table(self, column: str) -> "pd.DataFrame":
        """Return a table with the MSISDNs in *column*; see `read`."""
        import pandas as pd

        return pd.DataFrame({column: self.read()})

    def _find_tables(self, table: object) -> list[Any]:
        """Return the tables that one of the paths names."""
        path, pattern = split_pattern(str(table), self._open_path)
        tables = _guard(path, lambda: list_tables(path, pattern))
        return [one for one in tables if not one.name.endswith(_MEMORY)]


class _Campaigns:
    """What became of each number in campaign after campaign.

    Attributes:
        nameless: Undeliverable messages without a phone.
    """

    def __init__(self) -> None:
        self.nameless = 0
        self._delivered: dict[int, float] = {}
        self._undeliverable: dict[int, list[float]] = {}
        self._msg_ids: set[str] = set()

    def add(self, rows: Iterator[ReportRow]) -> None:
        """Add the report of a campaign; a message that an earlier report has counts once.

        Raises:
            DamagedTableError: They are no rows of a report.
        """
        delivered: dict[int, float] = {}
        undeliverable: dict[int, float] = {}
        for row in rows:
            if row.status == DeliveryStatus.DELIVERED:
                found = delivered
            elif row.status == DeliveryStatus.UNDELIVERABLE:
                if row.msg_id in self._msg_ids:
                    continue
                self._msg_ids.add(row.msg_id or "")
                found = undeliverable
            else:
                continue
            phone = normalize_phone(row.phone)
            if isinstance(phone, RejectReason):
                self.nameless += row.status == DeliveryStatus.UNDELIVERABLE
                continue
            # the first answer, because that of a dead number may be final days after the next campaign
            found[int(phone)] = max(_read_time(row.first_seen), found.get(int(phone), 0))
        for msisdn, moment in delivered.items():
            self._delivered[msisdn] = max(moment, self._delivered.get(msisdn, 0))
        for msisdn, moment in undeliverable.items():
            if msisdn not in delivered:
                self._undeliverable.setdefault(msisdn, []).append(moment)

    def find_dead(self, after: int) -> list[int]:
        """Return the numbers with *after* undeliverable campaigns since their last delivery."""
        return [
            msisdn
            for msisdn, moments in self._undeliverable.items()
            if sum(moment > self._delivered.get(msisdn, 0) for moment in moments) >= after
        ]


def _guard(path: Any, use: Callable[[], T]) -> T:
    """Return the result of *use*; what goes wrong becomes an error of ours, which names *path*."""
    if path.suffix == ".parquet":
        require_pyarrow(f"dead_numbers: {print_path(path)}")
    try:
        return use()
    except DamagedTableError:
        problem: OsonSmsError = InvalidMessageError(
            f"dead_numbers: {print_path(path)} is no table of a delivery report: give the tables that a "
            f"sensor has written to its report_path, or a pattern such as /data/reports/*/delivery.csv"
        )
    except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
        what = f"dead_numbers: {print_path(path)} cannot be read"
        name = type(error).__name__
        if is_final_storage_error(error):
            problem = InvalidMessageError(f"{what} ({name}): correct the path or its permissions")
        else:
            problem = PathUnavailableError(f"{what} for now ({name})")
    raise problem


def _read_time(text: str | None) -> float:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise DamagedTableError("a time of the report cannot be read") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
