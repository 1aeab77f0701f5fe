"""The results table of a campaign: what a try finds there, and what it leaves behind."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from airflow_provider_osonsms.campaign.acceptance import Acceptance, print_moment
from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError, load_earlier_results
from airflow_provider_osonsms.campaign.entries import find_rows
from airflow_provider_osonsms.campaign.plan import CampaignPlan
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.rows import CampaignRows
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.files import TableIdentity, hash_file, write_table
from airflow_provider_osonsms.tables.rows import ResultRow

_BY_POSITION: Final = itemgetter(0)


class ResultsOverwrittenError(OsonSmsError):
    """Another campaign has taken the place of the results table."""


class ResultsNotWrittenError(OsonSmsError):
    """The results table cannot be written for now: a later try writes it."""


class CampaignResults:
    """Reads the table of earlier tries into the rows of a campaign, and writes that of this one.

    Args:
        plan: What is sent.
        rows: What is known of the rows.
        path: A checked path of the table; None for none.
        parts: The part files beside it; None where there is no table.
        may_replace: Whether the table of another campaign is replaced instead of refused.

    Attributes:
        vanished: The rows of people who have left the audience.
        is_doubted: Whether tries of which nothing is written may have sent any row.
    """

    def __init__(
        self,
        plan: CampaignPlan,
        rows: CampaignRows,
        *,
        path: Any,
        parts: ResultParts | None,
        may_replace: bool,
    ) -> None:
        self.vanished: list[ResultRow] = []
        self.is_doubted = False
        self._plan = plan
        self._rows = rows
        self._path = path
        self._parts = parts
        self._may_replace = may_replace
        self._loaded: str | None = None

    def load(self) -> bool | None:
        """Put into the rows what the results table says.

        Returns:
            Whether it says that any was sent; None where there is no table of this campaign.

        Raises:
            OtherCampaignError: It is the table of another campaign.
        """
        if self._path is None:
            return None
        self._loaded = hash_file(self._path)
        if self._parts is not None:
            self._parts.note_table(self._loaded)
        vanished, has_sent = load_earlier_results(
            self._path, self._plan, self._rows, may_replace=self._may_replace
        )
        self.add_vanished(vanished)
        return has_sent

    def add_vanished(self, results: Iterable[ResultRow]) -> None:
        """Keep the rows of people who have left the audience, each once."""
        known = {(result.txn_id, result.msg_id) for result in self.vanished}
        msg_ids = {result.msg_id for result in self.vanished}
        for result in results:
            is_known = (result.txn_id, result.msg_id) in known
            if not is_known and (result.txn_id is not None or result.msg_id not in msg_ids):
                self.vanished.append(result)

    def write(self) -> TableIdentity | None:
        """Write a row for every row of the input, if there is a path.

        Raises:
            ResultsOverwrittenError: Another campaign has written there meanwhile.
            ResultsNotWrittenError: The place cannot be written; the part files stay, and a later try folds
                them in.
        """
        if self._path is None:
            return None
        try:
            if self._loaded is None or hash_file(self._path) != self._loaded:
                self.load()  # a try that was taken for dead has written there since
        except OtherCampaignError:
            raise ResultsOverwrittenError(
                "another campaign has written its table to results_path while this one was sent. What this "
                "one has found out is kept beside it, in a folder that ends in .parts: move the other table "
                "away, and clear this task"
            ) from None
        try:
            self._read_new_parts()
            # A row that an unwritten try may have sent, and no try has settled since, looks here like any
            # other. Its 108 is explained by an accepted row of the table, or by the mark of a try.
            needs_marks = self._rows.has_unsettled and not self._rows.has_accepted
            if self._parts is not None and needs_marks and self.is_doubted:
                self._parts.ensure_started()
            table = write_table(
                self.read_rows(), self._path, kind=ResultRow, campaign_id=self._plan.campaign_id
            )
        except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
            problem = type(error).__name__
        else:
            if self._parts is not None:
                self._parts.remove(keeps_marks=needs_marks, keeps_own=self.is_doubted)
            return table
        raise ResultsNotWrittenError(
            f"the results cannot be written to results_path ({problem}). What was found out is kept beside "
            f"it, in a folder that ends in .parts: the task's next try, or a Clear, writes the table and "
            f"texts nobody twice"
        )

    def _read_new_parts(self) -> None:
        """Put into the rows what a try has begun or found out that has taken this one for dead."""
        if self._parts is None:
            return
        for _, position, code in find_rows(self._parts.read_new(), self._plan.read_txn_ids()):
            if position is not None:
                self._rows.decode(position, code)

    def read_settled(self) -> Iterator[ResultRow]:
        """Read the rows that are not attempted again, of those who have left the audience too."""
        return chain(self._read_recipients(settled_only=True), self._read_vanished())

    def read_rows(self) -> Iterator[ResultRow]:
        """Read what became of every row of the input, in its order."""
        category, period, campaign = self._name_columns()
        rejects = (
            ResultRow(
                row=reject.row,
                key=None,
                phone=reject.phone,
                outcome=str(Outcome.REJECTED),
                reason=reject.reason,
                txn_id=None,
                msg_id=None,
                parts=None,
                category=category,
                period=period,
                campaign=campaign,
            )
            for reject in self._plan.audience.rejects.read_rows()
        )
        return chain(merge(self._read_recipients(), rejects, key=_BY_POSITION), self._read_vanished())

    def _read_vanished(self) -> Iterator[ResultRow]:
        """Read the messages to people who have left the audience, and have not come back."""
        if not self.vanished:
            return
        positions = (position for position, _, _ in self._plan.audience.read_row_keys())
        known = set(map(self._rows.msg_id, positions)) - {None}
        yield from (result for result in self.vanished if result.msg_id not in known)

    def _read_recipients(self, *, settled_only: bool = False) -> Iterator[ResultRow]:
        rows, make_txn_id = self._rows, self._plan.make_txn_id
        find_number = self._plan.audience.numbers.find
        names = self._name_columns()
        for position, phone, row_key in self._plan.audience.read_row_keys():
            if settled_only and rows.is_open(position):
                continue
            state = rows.state(position)
            yield ResultRow(
                find_number(position),
                row_key,
                phone,
                str(state.outcome),
                rows.reason(position),
                make_txn_id(phone, row_key),
                rows.msg_id(position),
                rows.parts(position),
                print_moment(rows.accepted_at(position)),
                rows.tried_in(position),
                *names,
            )

    def _name_columns(self) -> tuple[str | None, str | None, str | None]:
        """Return what each row says of the campaign: category, and with a cap also period and campaign."""
        cap = self._plan.cap
        if cap is None:
            return self._plan.category, None, None
        return cap.category, cap.period, self._plan.campaign_id


def name_vanished(acceptance: Acceptance) -> ResultRow:
    """Return the row of a message whose recipient is in the audience no more: only its msg_id names it."""
    return ResultRow(
        None,
        None,
        None,
        str(Outcome.ACCEPTED),
        None,
        None,
        acceptance.msg_id,
        acceptance.parts or None,
        print_moment(acceptance.accepted_at or None),
        acceptance.try_number or None,
    )
