"""Metrics over a UDP socket and spans in memory, compared with the gateway's ledger."""

import inspect
import os
import re
import socket
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from airflow_provider_osonsms import _metrics
from airflow_provider_osonsms._compat import Stats, Trace
from airflow_provider_osonsms._metrics import Metric, SpanName, name_outcome
from airflow_provider_osonsms.alerts.send import AlertEnd
from airflow_provider_osonsms.delivery.criteria import Reach
from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier
from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBalanceOperator,
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.triggers.osonsms import OsonSmsDeliveryTrigger

PEOPLE = [{"phone": f"99290{row:07}", "name": f"Dilshod{row}"} for row in range(20)]
TEXT = "Salom, {name}! Qarzi shumo"


class Received:
    """What a server of statsd has received.

    Attributes:
        lines: Each line as it came.
    """

    def __init__(self, listener):
        self._listener = listener
        self.lines = []

    def _read(self):
        self._listener.settimeout(0.2)
        try:
            while True:
                self.lines += self._listener.recv(65_536).decode().splitlines()
        except TimeoutError:
            return

    def add_up(self, kind="c", **tags):
        """Return the sum of each series of a kind, without its tags; *tags* are those that each must have."""
        self._read()
        sums = Counter()
        for line in self.lines:
            series, value, found = re.fullmatch(r"([^:]+):([^|]+)\|(\w+).*", line).groups()
            name, *pairs = series.split(",")
            if found != kind or not name.startswith("osonsms."):
                continue
            assert tags.items() <= dict(pair.split("=", 1) for pair in pairs).items(), line
            sums[name.removeprefix("osonsms.")] += Decimal(value)
        return dict(sums)


@pytest.fixture
def statsd(monkeypatch):
    """A server of statsd, to which Airflow sends its metrics with tags."""
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    client_of = pytest.importorskip("statsd").StatsClient
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
        try:
            from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger
        except ImportError:  # Airflow below 3.2
            from airflow.metrics.statsd_logger import SafeStatsdLogger
        options = _make_options(SafeStatsdLogger)
        logger = SafeStatsdLogger(client_of(host, port), **options)
        module = inspect.getmodule(Stats)
        if hasattr(module, "_backend"):
            monkeypatch.setattr(module, "_backend", logger)
        else:  # Airflow below 3.3
            with suppress(ImportError):
                import airflow.sdk.serde  # noqa: F401 - 3.2 sets up its metrics anew when this is imported first
            monkeypatch.setattr(Stats, "instance", logger, raising=False)
            monkeypatch.setattr(Stats, "_instance_pid", os.getpid(), raising=False)
        yield Received(listener)


def _make_options(logger):
    """Return the options with which a logger writes tags into the name of a series."""
    known = inspect.signature(logger).parameters
    return {name: True for name in ("influxdb_tags_enabled", "statsd_influxdb_enabled") if name in known}


@pytest.fixture
def spans(monkeypatch):
    """The spans that were ended, of a provider in memory."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    if Trace is None:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        monkeypatch.setattr(trace, "get_tracer", lambda name, *_, **__: provider.get_tracer(name))
    else:
        from airflow.traces.otel_tracer import OtelTrace

        tracer = OtelTrace(span_exporter=exporter, use_simple_processor=True)
        monkeypatch.setattr(type(Trace), "instance", tracer, raising=False)
        monkeypatch.setattr(Trace, "instance", tracer, raising=False)
    return lambda: [span for span in exporter.get_finished_spans() if span.name.startswith("osonsms.")]


def make_campaign(**options):
    """Make a campaign."""
    return OsonSmsCampaignOperator(
        **{"task_id": "campaign", "recipients": PEOPLE, "message": TEXT, "retries": 5, **options}
    )


TAGS = {"dag_id": "unit", "conn_id": "osonsms_default"}


def test_a_campaign_of_three_tries(gateway, run_task, statsd, tmp_path):
    """Lost answers, an empty account, a 429 and a Clear: the sums of all tries are those of the ledger."""
    gateway.inject(Fault.CUT_AFTER, times=2, every=4)
    gateway.inject(Fault.TOO_MANY_REQUESTS, times=1)
    gateway.backend.change_account("demo", balance=Decimal("1.00"))
    options = {
        "recipients": [*PEOPLE, {"phone": "12", "name": "x"}],
        "concurrency": 1,
        "results_path": str(tmp_path / "results.csv"),
    }
    assert run_task(make_campaign(**options)).state == "up_for_retry"
    gateway.backend.change_account("demo", balance=Decimal(100))
    assert run_task(make_campaign(**options), try_number=2).state == "success"
    assert run_task(make_campaign(**options), try_number=3).state == "success"

    counted = statsd.add_up(**TAGS, task_id="campaign")
    assert counted["sent"] + counted["accepted_untracked"] == len(gateway.sent) == 20
    assert counted["accepted_untracked"] == 2
    assert counted["rejected"] == 1
    assert counted["throttled"] == 1
    assert counted["journal.resumed"] == 2
    assert set(statsd.add_up("ms", **TAGS, task_id="campaign")) == {"campaign.duration"}


def test_a_journal_that_fails(gateway, run_task, statsd, monkeypatch, tmp_path):
    """Each write that fails is counted, and the campaign goes on."""
    from airflow_provider_osonsms.campaign import journal as journals
    from airflow_provider_osonsms.campaign.result_parts import ResultParts

    monkeypatch.setattr(journals, "PAUSES_FOR_BACKENDS", (0.001,) * 3)
    failures = []

    def fail(*_):
        failures.append(1)
        raise OSError("away")

    monkeypatch.setattr(ResultParts, "append", fail)

    assert run_task(make_campaign(results_path=str(tmp_path / "results.csv"))).state == "success"
    assert statsd.add_up()["journal.chunks_failed"] == len(failures) > 0


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (None, "sent"),
        (Fault.CUT_AFTER, "accepted_untracked"),
        (Fault.NOT_STORED_BUT_USED_UP, "uncertain"),
    ],
)
def test_a_single_send(gateway, run_task, *, statsd, has_state_store, fault, name):
    """Each outcome is counted once; a Clear that sends nothing counts nothing."""
    if fault is not None:
        gateway.inject(fault)
    task = {"task_id": "send", "phone": "992900000101", "message": "Salom", "retries": 5}
    run_task(OsonSmsSendOperator(**task))
    if has_state_store:
        run_task(OsonSmsSendOperator(**task), try_number=2)

    assert statsd.add_up(**TAGS, task_id="send") == {name: 1}


def test_caps(gateway, run_task, statsd, tmp_path):
    """Who is capped is counted once, by the gateway's 108 or by the history, in a campaign and in a send."""
    history = {"category": "news", "history": str(tmp_path), "at_most": 1, "within": timedelta(days=1)}
    first = {"task_id": "first", "recipients": PEOPLE[:5], "category": "news"}
    run_task(make_campaign(**first, results_path=str(tmp_path / "first.csv")))
    second = {"task_id": "second", **history, "results_path": str(tmp_path / "second.csv")}
    run_task(make_campaign(**second))
    run_task(make_campaign(**second), try_number=2)
    send = {"phone": PEOPLE[0]["phone"], "message": "Salom", **history}
    run_task(OsonSmsSendOperator(task_id="preview", dry_run=True, **send))
    assert statsd.add_up()["capped"] == 5

    run_task(OsonSmsSendOperator(task_id="send", **send))
    assert statsd.add_up()["capped"] == 6
    for name in ("third", "fourth"):
        run_task(make_campaign(task_id=name, once_per="day", category="sale", recipients=PEOPLE[:3]))

    assert statsd.add_up()["capped"] == 9
    assert statsd.add_up()["sent"] == len(gateway.sent) == 23


def test_a_window_that_closes_in_the_middle(gateway, run_task, statsd, supervisor):
    """Rejected rows are counted once, although the task goes on in the same try, and remembers nothing."""
    evening = datetime(2036, 3, 4, 14, 59, 50, tzinfo=UTC)
    options = {"recipients": [*PEOPLE, {"phone": "12", "name": "x"}], "concurrency": 1}
    first = make_campaign(**options, send_window="09:00-20:00")
    first._clock = lambda: evening + timedelta(seconds=len(gateway.sent))
    waits = run_task(first)
    assert (waits.state, len(gateway.sent)) == ("deferred", 10)
    supervisor.store.clear()
    event = {"was_interrupted": True}

    assert run_task(make_campaign(**options), next_event=event, next_method="resume").state == "success"

    counted = statsd.add_up(**TAGS, task_id="campaign")
    assert counted["rejected"] == 1
    assert counted["sent"] == len(gateway.sent) == 20


def test_bulk_jobs(gateway, run_task, *, statsd, has_state_store):
    """Jobs and their recipients are counted when they are created, and not again."""
    task = {
        "task_id": "bulk",
        "recipients": PEOPLE,
        "message": "Salom",
        "send_at": datetime.now(UTC) + timedelta(days=1),
        "retries": 5,
    }
    run_task(OsonSmsBulkCreateOperator(**task))
    if has_state_store:
        assert run_task(OsonSmsBulkCreateOperator(**task), try_number=2).state == "success"

    phones = sum(len(job.phones) for job in gateway.bulks)
    assert statsd.add_up(**TAGS, task_id="bulk") == {"bulk.jobs": 1, "bulk.recipients": phones}


def test_the_balance(gateway, run_task, statsd):
    """The balance is a gauge of the Connection, whoever has asked for it."""
    run_task(OsonSmsBalanceOperator(task_id="balance"))

    assert statsd.add_up("g", conn_id="osonsms_default") == {"balance": gateway.balance}


@pytest.mark.parametrize("is_deferred", [False, True], ids=["poke", "deferrable"])
def test_a_wait(gateway, run_task, *, statsd, spans, supervisor, is_deferred):
    """What a wait counts is the same in both modes, and so are its questions."""
    sent = run_task(
        make_campaign(recipients=[{"phone": f"9929000001{row}", "name": "x"} for row in (10, 93, 96)])
    )
    gateway.inject(Fault.TOO_MANY_REQUESTS, call="query", times=2)
    options = {
        "task_id": "wait",
        "messages": sent.xcom["messages"],
        "min_delivered": 0.0,
        "poke_interval": 0.05,
        "max_poll_interval": 0.05,
        "timeout": 3,
    }
    result = run_task(OsonSmsDeliverySensor(**options, deferrable=is_deferred))
    if is_deferred:
        event = fire(result.msg)
        result = run_task(OsonSmsDeliverySensor(**options, deferrable=True), next_event=event)

    assert result.state == "success", result.error
    counted = {name: number for name, number in statsd.add_up().items() if name.startswith("wait")}
    assert counted == {
        "wait.questions": gateway.requests["query"],
        "wait.reached": 1,
        "wait.not_reached": 1,
        "wait.not_known": 1,
    }
    assert statsd.add_up()["throttled"] == 2
    span = next(span for span in spans() if span.name == "osonsms.wait")
    assert (span.end_time - span.start_time) / 1e9 >= 1.5
    assert {name: span.attributes[f"osonsms.{name}"] for name in ("reached", "not_reached", "not_known")} == {
        "reached": 1,
        "not_reached": 1,
        "not_known": 1,
    }


def fire(message):
    """Run the trigger that a task has deferred to, and return its event as it comes out of a database."""
    import asyncio
    import json

    kwargs = message.trigger_kwargs
    if not isinstance(kwargs, dict) or "__var" in kwargs:
        from airflow.serialization.serialized_objects import BaseSerialization

        kwargs = BaseSerialization.deserialize(kwargs)

    async def run():
        return [event async for event in OsonSmsDeliveryTrigger(**kwargs).run()][-1]

    return json.loads(json.dumps(asyncio.run(run()).payload))


def test_alerts(gateway, run_task, statsd):
    """An alert, a second one of its window, and one that fails: each is counted by its end."""
    from airflow.sdk import DAG

    dag = DAG("unit", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    task = make_campaign(dag=dag)
    ti = run_task(task).ti
    context = {**ti.get_template_context(), "exception": ValueError()}
    notifier = OsonSmsNotifier(phones="992900000101")
    notifier.notify(context)
    notifier.notify(context)
    gateway.backend.change_account("demo", is_blocked=True)
    OsonSmsNotifier(phones="992900000102").notify(context)

    counted = {name: number for name, number in statsd.add_up(**TAGS).items() if name.startswith("alert")}
    assert counted == {"alert.sent": 1, "alert.deduplicated": 1, "alert.not_sent": 1}


def test_the_span_of_a_campaign(gateway, run_task, spans):
    """A campaign is a span with its counts; one that fails says so by the class of its error."""
    run_task(make_campaign())
    gateway.backend.change_account("demo", is_blocked=True)
    run_task(make_campaign(), run_id="run-2")

    good, bad = spans()
    assert good.attributes["osonsms.accepted"] == len(gateway.sent) == 20
    assert good.attributes["osonsms.task_id"] == "campaign"
    assert good.status.is_ok or good.status.is_unset
    assert bad.attributes["osonsms.refused"] >= 1


def test_nothing_personal_is_in_any_series(gateway, run_task, *, statsd, spans, ear):
    """No phone, text, name, txn_id, msg_id, address or secret is in a series or a span."""
    campaign = run_task(make_campaign())
    run_task(OsonSmsSendOperator(task_id="send", phone="992900000101", message="Salom", retries=0))
    run_task(OsonSmsBalanceOperator(task_id="balance"))
    run_task(OsonSmsDeliverySensor(task_id="wait", messages=campaign.xcom["messages"], timeout=1))

    statsd.add_up()
    said = "\n".join(
        [*statsd.lines, *(f"{span.name} {dict(span.attributes)} {span.events}" for span in spans())]
    )
    assert "osonsms.sent" in said
    private = {"demo-salt", "Salom", "Dilshod", "http", "127.0.0.1", "SHOP"}
    for sms in gateway.sent:
        private |= {sms.phone, sms.phone[3:], sms.txn_id, str(sms.msg_id)}
    assert not [word for word in private if word in said]


def test_a_backend_that_fails_disturbs_no_task(gateway, run_task, monkeypatch, statsd):
    """A task whose messages are sent does not fail because of a metric."""

    def fail(*_, **__):
        raise RuntimeError("no backend")

    backend = SimpleNamespace(incr=fail, gauge=fail, timing=fail)
    monkeypatch.setattr(_metrics, "Stats", backend)  # Airflow's own calls go on

    assert run_task(make_campaign()).state == "success"
    assert len(gateway.sent) == 20


def test_each_series_is_documented():
    """docs/metrics.md names each counter, timer, gauge and span."""
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(osonsms\.[a-z_.]+)`", text))
    for first, more in re.findall(r"`(osonsms\.[a-z_]+)\.[a-z_]+`((?:, `\.[a-z_]+`)+)", text):
        named |= {f"{first}{last}" for last in re.findall(r"`(\.[a-z_]+)`", more)}
    emitted = {
        *Metric,
        *SpanName,
        *(name_outcome(outcome) for outcome in Outcome if outcome is not Outcome.PENDING),
        *(f"osonsms.alert.{end}" for end in AlertEnd),
        *(f"osonsms.wait.{reach}" for reach in Reach if reach is not Reach.ON_ITS_WAY),
        "osonsms.balance",
    }

    assert named >= {name for name in emitted if name != "osonsms.capped"}
    assert named - emitted <= {"osonsms.capped"}
