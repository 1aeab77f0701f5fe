"""The results table as the second journal: what an earlier try has written at ``results_path``.

A try reads it before it sends anything, so that no try writes a table that knows less than the one it found.
"""

from collections.abc import Iterator
from typing import Any

from airflow_provider_osonsms.campaign.plan import CampaignPlan
from airflow_provider_osonsms.campaign.rows import CampaignRows
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.results import read_results
from airflow_provider_osonsms.tables.rows import ResultRow


class OtherCampaignError(InvalidMessageError):
    """``results_path`` holds the table of another campaign, which would be lost; nothing was sent."""


def load_earlier_results(
    path: Any, plan: CampaignPlan, rows: CampaignRows, *, may_replace: bool
) -> tuple[list[ResultRow], bool | None]:
    """Put into *rows* what the table at *path* says of them.

    The table of another campaign of which no row was sent is replaced without asking.

    Args:
        path: A checked path.
        plan: What is sent now.
        rows: The rows of the campaign.
        may_replace: Whether the table of another campaign is replaced instead of refused.

    Returns:
        The rows of the table that were sent and are not in the audience any more, and whether any was sent;
        None where no row is of this campaign.

    Raises:
        OtherCampaignError: The table holds rows that another campaign has sent.
        InvalidMessageError, TableUnavailableError: It cannot be read.
    """
    if not path.exists():
        return [], None
    loader = _Loader(plan, rows)
    for result in read_results(path):
        loader.load(result)
    if loader.others and loader.others_sent and not may_replace:
        raise OtherCampaignError(
            f"results_path holds the table of another campaign: {loader.others_sent} of its "
            f"{loader.others} rows were sent. Nothing was sent now. If this run has sent under another "
            f"key_namespace, campaign_id, channel, category or once_per, restore that: under new txn_ids the "
            f"same people would be texted again. If it is the table of another run, put {{{{ run_id }}}} "
            f"into results_path"
        )
    return loader.finish(), loader.has_sent


class _Loader:
    """Matches the rows of a table to those of an audience, which most often is the same, in the same order.

    Attributes:
        others: Rows with a txn_id that this campaign does not make.
        others_sent: Those of them that were sent, and the rows that a msg_id alone names: where there are
            others, they are of the same campaign.
        has_sent: Whether a row of this campaign was sent; None while no row is of it.
    """

    def __init__(self, plan: CampaignPlan, rows: CampaignRows) -> None:
        self.others = self.others_sent = 0
        self.has_sent: bool | None = None
        self._plan = plan
        self._rows = rows
        self._elsewhere: dict[str, ResultRow] = {}
        self._nameless: list[ResultRow] = []
        self._expected: Iterator[tuple[int, str, str]] = plan.audience.read_row_keys()
        self._current = next(self._expected, None)

    def load(self, result: ResultRow) -> None:
        """Put a row of the table into the rows of the campaign."""
        was_sent = result.may_have_been_sent
        if result.key is None or result.txn_id is None:
            if was_sent:  # of somebody who had left the audience before, known by a msg_id alone
                self._nameless.append(result)
                self.others_sent += 1
            return
        if not self._is_ours(result):
            self.others += 1
            self.others_sent += not result.is_unsent
            return
        self.has_sent = self.has_sent or was_sent
        find_number = self._plan.audience.numbers.find
        while self._current is not None and result.row is not None:
            number = find_number(self._current[0])
            if number >= result.row:
                break
            self._current = next(self._expected, None)
        if self._current is not None and (find_number(self._current[0]), self._current[2]) == (
            result.row,
            result.key,
        ):
            self._rows.load_result(self._current[0], result)
        else:
            self._elsewhere[result.txn_id] = result

    def _is_ours(self, result: ResultRow) -> bool:
        """Whether a row is of this campaign; with a cap others make its txn_ids, so it has a name, too."""
        plan = self._plan
        if plan.cap is not None and result.campaign != plan.campaign_id:
            return False
        return plan.make_txn_id(result.phone or "", result.key or "") == result.txn_id

    def finish(self) -> list[ResultRow]:
        """Look for the rows that have moved, and return those that have left the audience and were sent."""
        if self._elsewhere:
            for position, txn_id in self._plan.read_txn_ids():
                result = self._elsewhere.pop(txn_id, None)
                if result is not None:
                    self._rows.load_result(position, result)
        left = [result for result in self._elsewhere.values() if result.may_have_been_sent]
        if not self.others:  # else nobody knows whose they are
            left += self._nameless
        return [result._replace(row=None) for result in left]
