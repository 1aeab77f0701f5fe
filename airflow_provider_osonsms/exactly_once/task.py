"""Who is sending: what a retry, a worker's death or a *Clear* does not change, and the txn_ids made of it."""

from dataclasses import dataclass
from typing import Final

from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries, make_txn_id

NAMESPACE_ADVICE: Final = (
    "two installations (staging and production?) share this account with the same dag and run ids: set "
    "another 'key_namespace' in the extra of this installation's Connection while no other task that uses it "
    "runs or waits for a retry, and clear this task. Do not clear older tasks afterwards: under the new "
    "txn_ids they would send again"
)
"""Where a txn_id is taken and the cabinet shows another message under it; only while nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskIdentity:
    """A task of a run.

    Attributes:
        map_index: -1 for a task that is not mapped.
        try_number: 1 for the first try; never part of a txn_id.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1

    @property
    def history(self) -> TxnIdHistory:
        """What the try number alone tells of earlier uses of this task's txn_ids."""
        return TxnIdHistory.MAYBE_ACCEPTED if self.try_number > 1 else TxnIdHistory.UNUSED

    @property
    def campaign_id(self) -> str:
        """The name of what this task sends, for people."""
        return f"{self.dag_id}/{self.run_id}/{self.task_id}"

    def make_send_txn_id(self, phone: str, *, channel: str | None, namespace: str) -> str:
        """Make the txn_id of this task's one message."""
        fields = (self.dag_id, self.run_id, self.task_id, channel or "", phone, self.map_index)
        return make_txn_id(*fields, namespace=namespace)

    def identify_message(self, phone: str, *, channel: str | None) -> str:
        """Name this task's one message, whatever the key_namespace is."""
        return self.make_send_txn_id(phone, channel=channel, namespace="")

    def make_campaign_txn_ids(
        self, *, campaign_id: str | None, channel: str | None, namespace: str
    ) -> TxnIdSeries:
        """Make the txn_ids of a campaign, one for each row key.

        The map index is no part of them: with it, an audience that is cut into other parts
        in the next try would be texted a second time.
        """
        owner = (self.dag_id, self.run_id, self.task_id) if campaign_id is None else (campaign_id,)
        return TxnIdSeries(*owner, channel or "", namespace=namespace)

    def make_bulk_txn_id(self, digest: str, *, campaign_id: str | None, namespace: str) -> str:
        """Make the txn_id of the bulk job whose file has *digest*.

        It names the people of the file and not its number, so it does not change with the files before it.
        The index of a mapped task is part of it: the same people may get another text from each.
        """
        owner = (self.dag_id, self.run_id, self.task_id) if campaign_id is None else (campaign_id,)
        return make_txn_id(*owner, "bulk", digest, self.map_index, namespace=namespace)
