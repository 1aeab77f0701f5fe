"""How far a campaign is."""

from airflow_provider_osonsms.campaign.progress import Progress


def test_a_line_at_five_percent_or_ten_seconds(caplog) -> None:
    """Progress tells the log every 5 % or 10 seconds, never more often."""
    now = [0.0]
    caplog.set_level("INFO")
    progress = Progress(1000, clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.01
        progress.count()
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "50 of 1000 settled",
        "100 of 1000 settled",
    ]
    now[0] += 10
    progress.count_failure()
    assert "1 failed attempts" in caplog.records[-1].getMessage()
