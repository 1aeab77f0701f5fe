"""What an alert is about, in the same words whichever callback of Airflow asks for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from airflow_provider_osonsms.text.segments import count_parts, normalize_text
from airflow_provider_osonsms.text.shorten import shorten


class AlertKind(StrEnum):
    """Why somebody is texted. No kind takes the place of another: good news must not hide a failure."""

    PROBLEM = "problem"
    REQUEST = "request"
    NEWS = "news"


DEADLINE_MISSED: Final = "deadline_missed"
AWAITING_INPUT: Final = "awaiting_input"

_KINDS: Final = {
    "failed": AlertKind.PROBLEM,
    "upstream_failed": AlertKind.PROBLEM,
    "up_for_retry": AlertKind.PROBLEM,
    DEADLINE_MISSED: AlertKind.PROBLEM,
    AWAITING_INPUT: AlertKind.REQUEST,
}
_WORDS: Final = {
    "up_for_retry": "failed and will be tried again",
    "success": "succeeded",
    "skipped": "was skipped",
    "running": "is running",
    DEADLINE_MISSED: "missed its deadline",
    AWAITING_INPUT: "waits for an answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """What has happened; templates of a message know it as ``alert``.

    Attributes:
        task_id: Empty when the alert is about a run.
        map_index: -1 for a task that is not mapped.
        try_number: 0 when the alert is about a run.
        state: Airflow's word for the state of the task or run, or ``deadline_missed``.
        moment: When it happened, however often the callback runs; None where Airflow does not say it.
        base_url: Where a browser finds Airflow; empty if that is not configured.
    """

    dag_id: str
    run_id: str
    task_id: str = ""
    map_index: int = -1
    try_number: int = 0
    state: str
    moment: datetime | None = None
    base_url: str = ""

    @property
    def kind(self) -> AlertKind:
        """Why somebody is texted."""
        return _KINDS.get(self.state, AlertKind.NEWS)

    @property
    def link(self) -> str:
        """The page with the log of the task, or the page of the run; empty without a *base_url*."""
        if not self.base_url:
            return ""
        place = f"{self.base_url.rstrip('/')}/dags/{self.dag_id}/runs/{quote(self.run_id, safe=':+')}"
        if self.task_id:
            place += f"/tasks/{self.task_id}"
            if self.map_index >= 0:
                place += f"/mapped/{self.map_index}"
        return place

    @property
    def text(self) -> str:
        """The text of one part that says most of it: a link is whole, or is left out."""
        name = f"{self.dag_id}.{self.task_id}" if self.task_id else self.dag_id
        said = f"{name} {_WORDS.get(self.state, self.state)}"
        link = f" {self.link}" if self.link else ""
        texts = [normalize_text(each) for each in (f"{said}, {self.run_id}{link}", f"{said}{link}", said)]
        return next((text for text in texts if count_parts(text).parts == 1), shorten(texts[-1], max_parts=1))
