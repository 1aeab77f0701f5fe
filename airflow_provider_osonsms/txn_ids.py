"""Transaction ids, for users: ``make_txn_id("invoice", 17)`` is the same in every try."""

from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

__all__ = ["make_txn_id"]
