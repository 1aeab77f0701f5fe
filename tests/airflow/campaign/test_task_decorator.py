"""``@task.osonsms_campaign``: a campaign to those whom a function returns."""

from datetime import UTC, datetime

import pytest
from airflow.sdk import DAG, task

ROWS = [{"phone": "992900000001", "name": "Зарина"}, {"phone": "992900000002", "name": "Фаррух"}]


@pytest.fixture
def make_task():
    """Decorate a function, call it in a DAG, and return its operator."""

    def make(function, *args, named=None, **options):
        options = {"message": "Салом, {name}!", "retries": 5, "task_id": "campaign", **options}
        with DAG(
            "unit", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), params={"city": "Хуҷанд"}
        ) as dag:
            task.osonsms_campaign(**options)(function)(*args, **(named or {}))
        return dag.get_task("campaign")

    return make


def test_returned_rows_are_texted_once(gateway, run_task, make_task, supervisor):
    """Everybody whom the function returns is texted once over two tries, and no row is in any XCom."""
    results = [run_task(make_task(lambda: ROWS), try_number=number) for number in (1, 2)]

    assert [result.state for result in results] == ["success", "success"]
    assert sorted(sms.text for sms in gateway.sent) == ["Салом, Зарина!", "Салом, Фаррух!"]
    assert results[0].xcom["recipients"] == 2
    assert "Зарина" not in str(supervisor.xcom)


def test_keys_and_generators(gateway, run_task, make_task):
    """A function may yield chunks, and key_column tells two rows of one phone apart."""

    def read():
        yield [{"phone": "992900000001", "name": "a", "invoice": 1}]
        yield [{"phone": "992900000001", "name": "b", "invoice": 2}]

    run_task(make_task(read, key_column="invoice"))

    assert sorted(sms.text for sms in gateway.sent) == ["Салом, a!", "Салом, b!"]


def test_arguments_and_context(gateway, run_task, make_task):
    """Named arguments are templates, rows in them are data, and the function may ask for the context."""
    seen = []

    def read(rows, city, ti=None):
        seen.extend(rows)
        return [{"phone": row["phone"], "name": f"{city} {ti.task_id}"} for row in rows]

    rows = [{"phone": "992900000001", "name": "{{ ds }}"}]
    run_task(make_task(read, named={"rows": rows, "city": "{{ params.city }}"}))

    assert [sms.text for sms in gateway.sent] == ["Салом, Хуҷанд campaign!"]
    assert seen == rows


def test_nothing_personal_is_rendered(run_task, gateway, make_task):
    """What Airflow stores of the arguments and the rows holds neither."""
    operator = make_task(lambda rows, other: rows, ROWS, named={"other": "992900000001"})
    result = run_task(operator)
    shown = {name: str(getattr(result.ti.task, name)) for name in operator.template_fields}

    assert result.state == "success"
    assert (shown["op_args"], shown["op_kwargs"]) == ("<1 arguments>", "<1 arguments>")
    assert "recipients" not in shown
    assert "99290" not in str(shown)


def test_closed_window_calls_nothing(gateway, run_task, make_task, monkeypatch):
    """Outside the send window the function is not called: the audience is that of the moment of sending."""
    calls = []

    def read():
        calls.append(1)
        return ROWS

    now = datetime(2026, 11, 23, 1, tzinfo=UTC)
    operator = make_task(read, send_window="09:00-20:00")
    monkeypatch.setattr(type(operator), "_clock", staticmethod(lambda: now))
    deferred = run_task(operator)
    assert deferred.state == "deferred"
    assert (calls, gateway.sent) == ([], [])

    now = datetime(2026, 11, 23, 5, tzinfo=UTC)
    deferred.ti.task.resume(deferred.ti.get_template_context())
    assert len(gateway.sent) == 2


@pytest.mark.parametrize("returned", [None, 5])
def test_no_audience(gateway, run_task, make_task, returned):
    """A function that returns no audience fails the task without a retry."""
    result = run_task(make_task(lambda: returned))

    assert result.state == "failed"
    assert gateway.sent == []


async def read_later():
    """Return rows, some time."""
    return ROWS


@pytest.mark.parametrize(("function", "options"), [(read_later, {}), (list, {"recipients": ROWS})])
def test_what_cannot_be(make_task, function, options):
    """An asynchronous function, or recipients beside it, are refused where the DAG is parsed."""
    with pytest.raises(ValueError, match="osonsms_campaign"):
        make_task(function, **options)
