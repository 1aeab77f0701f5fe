"""Suppression, for users: ``exclude=["/data/stop.csv", dead_numbers("/data/reports")]``."""

from typing import Any

from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.arguments import whole_number
from airflow_provider_osonsms.audience.dead_numbers import DeadNumbers


def dead_numbers(*report_tables: Any, after: int = 3) -> DeadNumbers:
    """Return the numbers that were UNDELIVERABLE in their last campaigns, as a source for ``exclude``.

    A delivery in between starts the count anew. EXPIRED and every other status counts neither way: such a
    phone was switched off, say. The tables may be given in any order.

    Args:
        report_tables: Tables that a sensor has written to its ``report_path``: paths, also ``s3://...``;
            folders with nothing but such tables; patterns such as ``/data/reports/*/delivery.csv``. Each
            table is one campaign. Jinja renders them.
        after: In how many campaigns.

    Returns:
        A source that is read when the task runs; ``list(dead_numbers(...))`` reads it at once.

    Raises:
        ValueError: No table is given, or *after* is no whole number above 0.
    """
    if not report_tables:
        raise ValueError("dead_numbers needs a table: the path of a delivery report, a folder or a pattern")
    return DeadNumbers(report_tables, after=whole_number().read(after, "after"), open_path=open_path)
