"""Campaigns with one cap that run at the same moment, by the ledger of the simulated gateway."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.tables.results import read_results

CAP = Cap(category="marketing", period="2026-W48")


def test_five_campaigns_at_the_same_moment(gateway, make_plan, tmp_path):
    """Each person gets one message, of whichever campaign is first; the tables of the others say capped."""
    account = Account(login="demo", secret="demo-salt", api_url=gateway.url, bulk_url=gateway.url)

    def send(number: int):
        plan = make_plan(200, message=f"Campaign {number}", concurrency=8)
        plan = replace(
            plan,
            options=replace(plan.options, sender="SHOP"),
            campaign_id=f"campaign {number}",
            category="marketing",
            cap=CAP,
            txn_ids=CAP.make_txn_ids(""),
        )
        path = tmp_path / f"{number}.csv"
        parts = ResultParts(path, campaign=f"{number}")
        run = CampaignRun(
            plan,
            journal=CampaignJournal([parts]),
            try_number=1,
            clock=lambda: datetime.now(UTC),
            results_path=path,
            parts=parts,
        )
        run.send(account)
        run.write_results()
        return list(read_results(path))

    with ThreadPoolExecutor(5) as threads:
        tables = list(threads.map(send, range(5)))
    sent = {sms.phone: sms.text for sms in gateway.sent}

    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: 200}
    for number, rows in enumerate(tables):
        for row in rows:
            is_ours = sent[row.phone] == f"Campaign {number}"
            assert row.outcome == ("accepted" if is_ours else "capped")
