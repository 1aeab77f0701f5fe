"""In which period the earlier tries of a capped campaign have begun, as its memories tell."""

from typing import Any

from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.exactly_once.cap import recall_period
from airflow_provider_osonsms.exactly_once.store import StateStore
from airflow_provider_osonsms.preflight.calendar import Period
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.results import read_results


def name_campaign(key: str, period: str) -> str:
    """Return the name under which store and part files keep what a capped campaign does in *period*.

    Args:
        key: Names the campaign, its category, and what else its txn_ids depend on.
        period: See `Period.find_name`.
    """
    return f"{key}_{period}"


def find_begun_period(
    key: str, cap: tuple[str, Period], *, campaign_id: str, store: StateStore, try_number: int, path: Any
) -> tuple[str | None, bool]:
    """Return the period in which an earlier try of a campaign has begun; None where nothing tells of one.

    The second value is whether there is a table of the campaign, which names all that was sent.

    Args:
        key: See `name_campaign`.
        cap: Its category, and the kind of its period.
        campaign_id: The campaign's name in its table.
        store: Of the task.
        try_number: Of the running try.
        path: A checked path of the results table; None for none.

    Raises:
        InvalidMessageError, PathUnavailableError, TableUnavailableError: A memory cannot be read.
    """

    def has_begun(period: str) -> bool:
        store_key = f"osonsms_campaign_{name_campaign(key, period)}"
        return StoreChunks(store, store_key=store_key, try_number=try_number).has_begun

    found = [recall_period(store, has_begun)]
    has_table = False
    if path is not None:
        found += ResultParts(path, campaign="").find_periods(key)
        in_table, has_table = _find_in_table(path, cap, campaign_id=campaign_id)
        found.append(in_table)
    return min(filter(None, found), default=None), has_table


def _find_in_table(path: Any, cap: tuple[str, Period], *, campaign_id: str) -> tuple[str | None, bool]:
    """Return the period of a row that was sent or capped, and whether the table is of this campaign."""
    if not path.exists():
        return None, False
    category, once_per = cap
    is_ours = False
    for row in read_results(path):
        is_ours = (row.campaign, row.category) == (campaign_id, category) and once_per.has_name(row.period)
        if is_ours and row.key is not None and (row.may_have_been_sent or row.outcome == Outcome.CAPPED):
            return row.period, True
    return None, is_ours
