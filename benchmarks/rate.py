"""``make bench``: four tasks at once through a gateway of 50 a second that none of them knows of.

The simulated gateway turns away what is too much with HTTP 429. Each task learns its rate by itself; what
they come to together is read from the gateway's ledger. At least 40 a second is the aim.
"""

import multiprocessing
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import pandas as pd

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.plan import CampaignPlan, SendOptions
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.messages.source import read_message_source
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries
from airflow_provider_osonsms.simulator import SimulatedGateway

RATE: Final = 50
TASKS: Final = 4
ROWS: Final = 300


def send_part(url: str, part: int) -> None:
    """Send one part, as a mapped campaign does."""
    people = pd.DataFrame({"phone": [f"9929{part}{row:07}" for row in range(ROWS)]})
    run = CampaignRun(
        CampaignPlan(
            campaign_id="bench",
            audience=prepare_audience(people),
            source=read_message_source("Salom", None, is_latin=False, max_parts=None),
            txn_ids=TxnIdSeries("bench", "run", "task", ""),
            options=SendOptions(sender="SHOP"),
        ),
        journal=CampaignJournal([], history=TxnIdHistory.MAYBE_ACCEPTED),
        try_number=1,
        clock=lambda: datetime.now(UTC),
    )
    run.send(Account(login="demo", secret="demo-salt", api_url=url))
    run.finish(max_failed_ratio=0.0)


def main() -> None:
    """Let the tasks send, and print what the ledger says."""
    fork = multiprocessing.get_context("fork")
    with SimulatedGateway(balance=Decimal(10_000), max_rate=RATE, latency="50ms") as gateway:
        parts = [fork.Process(target=send_part, args=(gateway.url, part)) for part in range(TASKS)]
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        failed = sum(part.exitcode != 0 for part in parts)
        sent = gateway.sent
        seconds = (sent[-1].accepted_at - sent[0].accepted_at).total_seconds()
        twice = sum(count > 1 for count in Counter(sms.phone for sms in sent).values())
        # what the bucket holds at the beginning is no rate
        print(
            f"rate: {TASKS} tasks, a gateway of {RATE} a second: {(len(sent) - RATE) / seconds:.1f} a "
            f"second, {len(gateway.refusals)} turned away, {twice} texted twice, {failed} tasks failed"
        )


if __name__ == "__main__":
    main()
