"""What a scenario did, by the ledger of the gateway and the tables of the campaign."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_osonsms.simulator import SimulatedGateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Counts of a scenario.

    Attributes:
        accepted: Messages that the gateway has accepted.
        people: Different phones among them.
        twice: Texts that a phone was sent more than once.
        left_out: People of the audience without a message.
        rows: Rows of the campaign's tables that say accepted.
        untracked: Those without a msg_id.
    """

    accepted: int
    people: int
    twice: int
    left_out: int
    rows: int
    untracked: int

    def find_faults(self, *, campaigns: int) -> list[str]:
        """Say what is wrong, if each person is to be texted by so many campaigns."""
        due = campaigns * (self.people + self.left_out)
        faults = [f"{self.twice} texts twice"] if self.twice else []
        faults += [f"{self.left_out} people left out"] if self.left_out else []
        faults += [f"{self.accepted} messages, not {due}"] if self.accepted != due else []
        return faults + ([f"{self.rows} rows are accepted, not {due}"] if self.rows != due else [])

    def __str__(self) -> str:
        return (
            f"{self.accepted:,} accepted, {self.people:,} people, {self.twice} twice, "
            f"{self.untracked:,} without msg_id"
        )


def read_ledger(gateway: SimulatedGateway, phones: set[str], tables: list[Path]) -> Ledger:
    """Read what became of the people with these *phones*, and what *tables* say of it."""
    texts = Counter((sms.phone, sms.text) for sms in gateway.sent if sms.phone in phones)
    texted = {phone for phone, _ in texts}
    rows = [row for path in tables for row in _read_rows(path) if row["outcome"].startswith("accepted")]
    return Ledger(
        accepted=texts.total(),
        people=len(texted),
        twice=texts.total() - len(texts),
        left_out=len(phones - texted),
        rows=len(rows),
        untracked=sum(not row["msg_id"] for row in rows),
    )


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
