"""What a person reads of a campaign: a line at its start, few on the way, a line at its end."""

import logging
from itertools import count

import pytest

from airflow_provider_osonsms.campaign import run as runs
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.simulator import Fault


@pytest.fixture
def priced(gateway, monkeypatch):
    """Give the Connection a price."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.125"))


@pytest.fixture
def read_log(caplog):
    """Return our lines about a campaign."""
    caplog.set_level(logging.INFO)

    def read(word):
        lines = [
            one.getMessage() for one in caplog.records if one.name.startswith("airflow_provider_osonsms")
        ]
        return [line for line in lines if word in line]

    return read


@pytest.mark.usefixtures("priced")
def test_first_and_last_line(run_task, make_campaign, make_people, read_log, tmp_path):
    """They say who is texted how, and what has become of them, what it costs, and where the table is."""
    table = tmp_path / "sent.csv"
    people = [*make_people(4), {"phone": "12", "name": "short"}]

    run_task(make_campaign(people, campaign_id="c-1", max_rate=500, concurrency=3, results_path=str(table)))

    first, last = read_log("Campaign 'c-1'")
    assert first == (
        "Campaign 'c-1': 4 recipients, 4 of them to be sent; sender SHOP, SMS, no window, "
        "3 requests at once, at most 500 a second"
    )
    assert last == (
        "Campaign 'c-1': 4 accepted, 0 uncertain, 1 rejected; 4 parts, 0.50 somoni, "
        f"0 s from the first acceptance to the last; table: {table}"
    )


def test_a_try_that_stops_has_a_last_line_too(gateway, run_task, make_campaign, read_log):
    """The line says what is left, also where the try fails; the next try begins with what is left."""
    gateway.inject(Fault.NOT_SENT, times=None)
    options = {"campaign_id": "c-1", "send_window": "00:00-23:59", "max_consecutive_failures": 1}

    assert run_task(make_campaign(3, **options)).state == "up_for_retry"
    gateway.clear_faults()
    assert run_task(make_campaign(3, **options), try_number=2).state == "success"

    first, stopped, second, last = read_log("Campaign 'c-1'")
    assert "3 of them to be sent; sender SHOP, SMS, window 00:00-23:59 Asia/Dushanbe, 16 requests" in first
    assert "0 accepted, 0 uncertain, 0 rejected, 3 pending; 0 parts, cost unknown" in stopped
    assert "3 of them to be sent" in second
    assert "3 accepted" in last
    assert last.endswith("table: none")


@pytest.mark.usefixtures("gateway")
def test_few_lines_on_the_way(run_task, make_campaign, read_log, monkeypatch):
    """However many messages settle, the log has a line each ten seconds, here each ten messages."""
    ticks = map(float, count())
    monkeypatch.setattr(
        runs, "Progress", lambda total, done: Progress(total, done=done, clock=lambda: next(ticks))
    )

    run_task(make_campaign(200))

    lines = read_log("of 200 settled")
    assert len(lines) == 22  # a line reads the clock, too: nine messages later comes the next
    assert lines[0].startswith("10 of 200 settled")
