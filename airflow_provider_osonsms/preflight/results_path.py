"""The path of a campaign's results, checked before the first message is sent."""

from typing import Any

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import check_table_path, check_writable
from airflow_provider_osonsms.tables.results import MAX_INLINE_MESSAGES


def check_results_path(path: Any, *, recipients: int) -> Any:
    """Return the path of the results; None when the results fit an XCom and no path is set.

    Args:
        path: The path that the user set, resolved; None for no path.
        recipients: The number of results.

    Raises:
        InvalidMessageError: The path is missing although it is needed, or cannot be written.
    """
    if path is None:
        if recipients > MAX_INLINE_MESSAGES:
            raise InvalidMessageError(
                f"{recipients} recipients are too many for an XCom (at most {MAX_INLINE_MESSAGES}): set "
                f"results_path, where a row is written for each. This try sent nothing"
            )
        return None
    place = check_table_path(path, "results_path")
    check_writable(place, "results_path")
    return place
