"""The example DAGs under ``dag.test()``, as their authors run them while they write."""

import re
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "example_dags"
LEAK = re.compile(r"e2e-salt|(?<!'checksum': ')\b[0-9a-f]{64}\b|str_hash=|\.php")
"""The checksum of a table, which Airflow 3.0 prints with the XCom, signs nothing."""
DRIVER = (
    "import json, runpy, sys; dag = runpy.run_path(sys.argv[1])['dag']; "
    "run = dag.test(run_conf=json.loads(sys.argv[2])); sys.exit(f'state: {run.state}')"
)


@pytest.fixture
def run_example(airflow: Any) -> Any:
    """Run an example to its end in a process of its own, and return the last line of its output."""

    def run(name: str, *, conf: str = "{}", **env: str) -> str:
        env |= {"AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES), "EXAMPLE_OSONSMS_FOLDER": str(airflow.home)}
        output = airflow.run("python", "-c", DRIVER, str(EXAMPLES / name), conf, **env).stdout
        lines = [line for line in output.splitlines() if "MaskSecret(" not in line]  # Airflow 3.0's own
        assert not [line for line in lines if LEAK.search(line)]
        return lines[-1]

    return run


def test_example_send(run_example, gateway):
    """The example that sends succeeds with one SMS, delivered."""
    assert run_example("example_osonsms_send.py") == "state: success"

    assert [(sms.phone, sms.text) for sms in gateway.sent] == [
        ("992900000101", "Салом, Зарина! Фармоиши шумо омода аст.")
    ]
    assert gateway.backend.status(gateway.sent[0]).is_delivered


def test_example_bulk(run_example, gateway):
    """The example that creates a bulk job names everybody who may be texted, once."""
    assert run_example("example_osonsms_bulk.py") == "state: success"

    assert [job.phones for job in gateway.bulks] == [
        (
            "992900000101",
            "992900000102",
            "992900000103",
            "992900000104",
            "992900000106",
            "992900000108",
            "992900000112",
            "992900000113",
            "992900000114",
        )
    ]
    assert [(job.ignored, job.text) for job in gateway.bulks] == [
        (0, "Танҳо имрӯз: тахфиф 20% ба ҳамаи молҳо!")
    ]


def test_example_preview(run_example, gateway):
    """The example that only looks succeeds, and sends nothing."""
    before = (len(gateway.sent), len(gateway.bulks))

    assert run_example("example_osonsms_preview.py") == "state: success"

    assert (len(gateway.sent), len(gateway.bulks)) == before


def test_example_campaign(run_example, gateway, airflow):
    """The example campaign texts ten people by name, once, waits until they have it, and reports."""
    before = len(gateway.sent)

    assert run_example("example_osonsms_campaign.py") == "state: success"

    sent = gateway.sent[before:]
    assert len({sms.phone for sms in sent}) == len(sent) == 10
    assert gateway.inbox("992900000101")[-1].text.startswith("Салом, Зарина Раҳимова!")
    assert all(gateway.backend.status(sms).is_delivered for sms in sent)
    (page,) = airflow.home.glob("delivery-*.html")
    assert "100.0% of 10 messages delivered" in page.read_text()


def test_example_telegram_first(run_example, gateway):
    """Everybody gets a message over Telegram, and who is not reached there an SMS, one for each order."""
    before = len(gateway.sent)

    assert run_example("example_osonsms_telegram_first.py") == "state: success"

    sent = [(sms.channel, sms.phone, sms.text.split()[3]) for sms in gateway.sent[before:]]
    assert sorted(sent[:4]) == [
        ("telegram", "992900000401", "7001"),
        ("telegram", "992900000402", "7002"),
        ("telegram", "992900000402", "7004"),
        ("telegram", "992900000493", "7003"),
    ]
    assert sent[4:] == [(None, "992900000493", "7003")]


def test_example_parts(run_example, gateway, tmp_path):
    """The mapped example texts the people of all parts once, also those who are in two parts."""
    for number, phones in enumerate((("992900000201", "992900000202"), ("992900000202", "992900000203"))):
        rows = "".join(f"N{phone},{phone}\n" for phone in phones)
        (tmp_path / f"part-{number}.csv").write_text("name,phone\n" + rows)

    assert run_example("example_osonsms_parts.py", EXAMPLE_OSONSMS_PARTS=str(tmp_path)) == "state: success"

    assert sorted(sms.phone for sms in gateway.sent if "Соли нав" in sms.text) == [
        "992900000201",
        "992900000202",
        "992900000203",
    ]
    assert len(list((tmp_path / "results").glob("*.csv"))) == 2


def test_example_alerts(run_example, gateway):
    """The example texts a manager when the report is ready, and both who are on call when it is broken."""
    already = len(gateway.sent)
    assert run_example("example_osonsms_alerts.py") == "state: success"
    assert run_example("example_osonsms_alerts.py", conf='{"is_broken": true}') == "state: failed"

    told = [(sms.phone, sms.text.split(",")[0]) for sms in gateway.sent[already:]]
    assert told == [
        ("992900000103", "Hisobot omoda ast: example_osonsms_alerts"),
        ("992900000101", "example_osonsms_alerts.load failed"),
        ("992900000102", "example_osonsms_alerts.load failed"),
    ]


def test_example_weekly_cap(run_example, gateway):
    """Of two advertisements of one category each person gets one; the message of an order is not touched."""
    before = len(gateway.sent)
    assert run_example("example_osonsms_weekly_cap.py") == "state: success"
    assert run_example("example_osonsms_weekly_cap.py") == "state: success"  # a second run of the same week

    sent = sorted((sms.phone, sms.text.split()[0]) for sms in gateway.sent[before:])
    assert sent == [
        ("992900000501", "Танҳо"),
        ("992900000502", "Танҳо"),
        ("992900000502", "Фармоиши"),
        ("992900000502", "Фармоиши"),
        ("992900000503", "Танҳо"),
        ("992900000504", "Китобҳои"),
    ]
