"""Where the results of a campaign go: settled before the first message is sent."""

from typing import Any

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import check_table_path, check_writable
from airflow_provider_osonsms.tables.results import MAX_INLINE_MESSAGES


def check_results_path(path: Any, *, recipients: int) -> Any:
    """Return where the results are written; None where they need not be.

    Args:
        path: What the user gave, resolved; or None.
        recipients: How many results there will be.

    Raises:
        InvalidMessageError: It is needed and missing, or cannot be written.
    """
    if path is None:
        if recipients > MAX_INLINE_MESSAGES:
            raise InvalidMessageError(
                f"{recipients} recipients are too many for an XCom: set results_path, where a row is written "
                f"for each. Nothing was sent"
            )
        return None
    place = check_table_path(path, "results_path")
    check_writable(place, "results_path")
    return place
