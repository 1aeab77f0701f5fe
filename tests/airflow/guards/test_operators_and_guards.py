"""Each guard in each operator, asserted on what the gateway has accepted."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.operators import osonsms as operators
from airflow_provider_osonsms.operators.guarded import GuardedOperator
from airflow_provider_osonsms.operators.template_argument import TemplateArgument
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.simulator.calls.segments import count_parts

SPENDING = {"send": 1, "campaign": 3, "bulk": 3}
"""Operators, and how many people they text."""
SILENT = ("preview", "dry send", "dry campaign", "dry bulk")
KINDS = (*SPENDING, *SILENT)
WITH_AUDIENCE = tuple(kind for kind in KINDS if "send" not in kind)


NOON = datetime(2036, 3, 4, 12, tzinfo=TAJIK_TIME)
"""A Tuesday; the bulk job is to go out on the next day at noon."""


def noon() -> datetime:
    """Return the time of the tests of windows."""
    return NOON


MONEY: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "max_cost": ({"max_cost": "0.05"}, {"max_cost": Decimal("0.30")}, "failed", "max_cost is 0.05"),
    "require_balance": (
        {"require_balance": True, "balance": "0.05"},
        {"require_balance": True, "balance": "0.30"},
        "up_for_retry",
        "the balance is 0.05",
    ),
    "balance_reserve": (
        {"balance_reserve": 9.95, "balance": "10"},
        {"balance_reserve": 9.7, "balance": "10"},
        "up_for_retry",
        "balance_reserve=9.95 must remain",
    ),
    "budget": ({"budget": "0.05/day"}, {"budget": "0.30/day"}, "failed", "of the budget 0.05/day 0.00 are"),
}
"""Of each guard of money: what stops, what lets through, the state, and the words."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guard", MONEY)
def test_money(gateway, run_task, make_task, texted, budget_folder, *, kind, guard):
    """A guard of money stops each operator with its figures before anything is sent, and else lets it go."""
    stops, lets, state, words = MONEY[guard]
    if guard == "budget":
        stops, lets = ({**options, "budget_path": str(budget_folder)} for options in (stops, lets))

    def run(options: dict[str, Any]) -> Any:
        options = dict(options)
        gateway.backend.change_account("demo", balance=Decimal(options.pop("balance", "100")))
        return run_task(make_task(kind, **options))

    stopped = run(stops)
    assert (stopped.state, texted()) == (state, [])
    assert words in str(stopped.error)
    assert "This try sent nothing: " in str(stopped.error)

    let = run(lets)
    assert (let.state, len(texted())) == ("success", SPENDING.get(kind, 0)), let.error


@pytest.mark.parametrize("kind", KINDS)
def test_max_parts(run_task, make_task, texted, kind):
    """A text with too many parts reaches nobody, and one that fits reaches all."""
    text = "я" * 71
    assert count_parts(text) == 2

    run_task(make_task(kind, message=text, max_parts=1))
    assert texted() == []

    run_task(make_task(kind, message=text, max_parts=2), run_id="run-2")
    assert len(texted()) == SPENDING.get(kind, 0)


@pytest.mark.parametrize("kind", WITH_AUDIENCE)
def test_max_recipients(run_task, make_task, texted, kind):
    """Too many recipients stop an operator with an audience."""
    stopped = run_task(make_task(kind, max_recipients=2))
    assert (stopped.state, texted()) == ("failed", [])
    assert "3 recipients and max_recipients is 2" in str(stopped.error)

    assert run_task(make_task(kind, max_recipients=3)).state == "success"
    assert len(texted()) == SPENDING.get(kind, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_max_lateness(run_task, make_task, texted, kind):
    """A run that is too late is skipped; a preview and a dry run tell that it would be."""
    late = make_task(kind, max_lateness=timedelta(hours=1), clock=lambda: NOON + timedelta(hours=2))

    result = run_task(late, due=NOON)

    assert texted() == []
    if kind in SILENT:
        assert result.state == "success"
    else:
        assert result.state == "skipped"
    if "preview" in kind:
        assert result.xcom["timing"].startswith("would be skipped: this run was due 2:00:00 ago")
    in_time = make_task(kind, max_lateness=timedelta(hours=1), clock=lambda: NOON + timedelta(hours=1))
    assert run_task(in_time, due=NOON).state == "success"
    assert len(texted()) == SPENDING.get(kind, 0)


CLOSED: dict[str, tuple[dict[str, Any], datetime, datetime]] = {
    "send_window": (
        {"send_window": "14:00-20:00"},
        NOON.replace(hour=14),
        NOON.replace(day=5, hour=14),
    ),
    "send_days": ({"send_days": "thu, fri"}, NOON.replace(day=6, hour=0), NOON.replace(day=6, hour=0)),
    "except_dates": (
        {"except_dates": ["2036-03-04", "2036-03-05"], "send_window": "09:00-13:00"},
        NOON.replace(day=6, hour=9),
        NOON.replace(day=6, hour=9),
    ),
}
"""Guards of time, closed now and when the bulk job is to go out: the next opening for both."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guard", CLOSED)
def test_closed(gateway, run_task, make_task, texted, *, kind, guard):
    """Outside the window nothing goes out: the task waits, and a bulk job gets the next opening."""
    options, opens, bulk_opens = CLOSED[guard]

    result = run_task(make_task(kind, clock=noon, **options))

    if kind == "bulk":
        (job,) = gateway.bulks
        assert job.send_at == bulk_opens
        assert result.xcom["send_at"] == bulk_opens.isoformat()
        assert (result.state, len(texted())) == ("success", 3)
    elif kind in SILENT:
        assert (result.state, texted()) == ("success", [])
    else:
        assert (result.state, texted()) == ("deferred", [])
        assert datetime.fromisoformat(result.msg.trigger_kwargs["moment"]) == opens
    preview = result.xcom if kind == "preview" else (result.xcom or {}).get("preview")
    if preview is not None:
        assert preview["timing"].startswith(("would wait for ", "would be moved: "))
        assert f"| Timing | {preview['timing']} |" in preview["markdown"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guard", CLOSED)
def test_closed_and_told_to_fail(run_task, make_task, texted, *, kind, guard):
    """With outside_window='fail' the task fails without a retry; a dry run tells that it would."""
    options, _, _ = CLOSED[guard]

    result = run_task(make_task(kind, clock=noon, outside_window="fail", **options))

    assert texted() == []
    assert result.state == ("success" if kind in SILENT else "failed")
    if kind not in SILENT:
        assert "outside_window is 'fail': this try" in str(result.error)


@pytest.mark.parametrize("kind", SPENDING)
def test_an_open_window_lets_everything_through(gateway, run_task, make_task, texted, kind):
    """Within the window, on its days, everybody is texted, and a bulk job keeps its time."""
    options = {
        "send_window": "12:00-13:00",
        "send_days": "tue-wed",
        "except_dates": ["2036-03-03"],
        "outside_window": "fail",
    }

    result = run_task(make_task(kind, clock=noon, **options))

    assert (result.state, len(texted())) == ("success", SPENDING[kind]), result.error
    assert [job.send_at for job in gateway.bulks] == [NOON.replace(day=5)] * (kind == "bulk")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": "500/month"}, "give both"),
        ({"budget_path": "{folder}"}, "give both"),
        ({"budget": "500/month", "budget_path": "{folder}/none"}, "budget_path is no folder that exists"),
        ({"outside_window": "fail"}, "outside_window='fail' needs a window"),
        ({"except_dates": "{folder}/none.txt"}, "except_dates cannot be read"),
    ],
)
def test_arguments_that_do_not_go_together(
    run_task, make_task, texted, budget_folder, *, kind, options, words
):
    """What was given is never ignored: half a budget and a choice without a window are refused."""
    given = {name: value.replace("{folder}", str(budget_folder)) for name, value in options.items()}

    result = run_task(make_task(kind, **given))

    assert (result.state, texted()) == ("failed", [])
    lies_elsewhere = "in the folder budget_path" in str(result.error)  # a task's own tables are asked first
    assert words in str(result.error) or ("no folder" in words and lies_elsewhere)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{"max_cost": 5}, {"require_balance": True}, {"balance_reserve": 0}, {"budget": "5/day"}]
)
def test_money_needs_a_price(
    gateway, run_task, make_task, *, texted, budget_folder, monkeypatch, kind, options
):
    """Without the price of a part no guard of money can tell: the task fails, and says what to do."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json())
    if "budget" in options:
        options = {**options, "budget_path": str(budget_folder)}

    result = run_task(make_task(kind, **options))

    assert (result.state, texted()) == ("failed", [])
    assert f"{next(iter(options))} needs the price of a part: set 'price_per_part'" in str(result.error)


def test_every_operator_that_spends_has_every_guard():
    """A guard that is added to `GuardedOperator` is in every operator, and in this table."""
    guards = {name for name, found in vars(GuardedOperator).items() if isinstance(found, TemplateArgument)}

    for name in operators.__all__:
        operator = getattr(operators, name)
        if name not in ("BalanceTooLowError", "OsonSmsBalanceOperator"):
            assert issubclass(operator, GuardedOperator)
            assert guards <= set(operator.template_fields)
    assert guards == {
        *MONEY,
        *CLOSED,
        "budget_path",
        "max_lateness",
        "max_parts",
        "outside_window",
    }
