"""How far a campaign is."""

from airflow_provider_osonsms.campaign.progress import Progress


def test_a_line_each_ten_seconds(caplog) -> None:
    """Progress is told at most every 10 seconds, however fast it is."""
    now = [0.0]
    caplog.set_level("INFO")
    progress = Progress(1000, clock=lambda: now[0])
    for _ in range(50):
        now[0] += 0.5
        progress.count()

    assert [record.getMessage() for record in caplog.records] == [
        "20 of 1000 settled, 2 per second, 490 s to go, 0 failed attempts",
        "40 of 1000 settled, 2 per second, 480 s to go, 0 failed attempts",
    ]


def test_failures_are_told_too(caplog) -> None:
    """A campaign that settles nothing says so."""
    now = [0.0]
    caplog.set_level("INFO")
    progress = Progress(1000, clock=lambda: now[0])
    now[0] += 10
    progress.count_failure()

    assert [record.getMessage() for record in caplog.records] == [
        "0 of 1000 settled, 0 per second, unknown to go, 1 failed attempts"
    ]
