"""The plain arguments of every operator: their templates, their mapped values, and what is refused."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_osonsms.operators import osonsms as operators
from airflow_provider_osonsms.operators.template_argument import TemplateArgument
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

A, B = "992900000001", "992900000002"
CLASSES = (
    operators.OsonSmsBalanceOperator,
    operators.OsonSmsBulkCreateOperator,
    operators.OsonSmsCampaignOperator,
    operators.OsonSmsCampaignPreviewOperator,
    operators.OsonSmsSendOperator,
    OsonSmsDeliverySensor,
)
NEEDED: dict[type, dict[str, Any]] = {
    operators.OsonSmsBalanceOperator: {},
    operators.OsonSmsBulkCreateOperator: {
        "recipients": [A],
        "message": "Salom",
        "send_at": datetime(2036, 1, 1, tzinfo=UTC),
    },
    operators.OsonSmsCampaignOperator: {"recipients": [A], "message": "Salom"},
    operators.OsonSmsCampaignPreviewOperator: {"recipients": [A], "message": "Salom"},
    operators.OsonSmsSendOperator: {"phone": A, "message": "Salom"},
    OsonSmsDeliverySensor: {"messages": "1"},
}
LANGUAGES = {"message": {"tg": "Салом", "ru": "Привет"}, "language_column": "language"}
"""What goes with an argument of languages."""
COUNTED = {"history": "/data/sent", "at_most": 2, "within": timedelta(days=7), "category": "marketing"}
COMPANIONS: dict[str, dict[str, Any]] = {
    "language_column": LANGUAGES,
    "default_language": LANGUAGES,
    "once_per": {"category": "marketing"},
    **dict.fromkeys(("history", "at_most", "within"), COUNTED),
}
"""What goes with an argument."""
DATA = {"message", "recipients", "exclude", "only", "messages", "send_at"}
"""Arguments that hold data or a moment, which have readers of their own."""
GATEWAY = "osonsms_default"


def give(kind: type, name: str, value: object) -> dict[str, Any]:
    """Return the arguments of an operator of which *name* has *value*."""
    return {
        **NEEDED[kind],
        **COMPANIONS.get(name, {}),
        name: value,
    }


def list_arguments(kind: type) -> set[str]:
    """Return the names of what the operators of this package take, without Airflow's own."""
    owners = [owner for owner in kind.__mro__ if owner.__module__.startswith("airflow_provider_osonsms")]
    return {
        name
        for owner in owners
        if "__init__" in vars(owner)
        for name, parameter in inspect.signature(vars(owner)["__init__"]).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def list_declared(kind: type) -> dict[str, TemplateArgument[Any]]:
    """Return the declared arguments of an operator."""
    return {
        name: found
        for owner in kind.__mro__
        for name, found in vars(owner).items()
        if isinstance(found, TemplateArgument)
    }


DECLARED = [(kind, name) for kind in CLASSES for name in sorted(list_declared(kind))]
CHECKED = [(kind, name) for kind, name in DECLARED if name != "phone"]
"""A phone has a reader of its own, which says what is wrong with it."""


@pytest.mark.parametrize("kind", CLASSES)
def test_every_plain_argument_is_declared(kind):
    """What an operator takes is declared with its kind, and with that a template field."""
    assert list_arguments(kind) - DATA == set(list_declared(kind))
    assert set(list_declared(kind)) <= set(kind.template_fields)


@pytest.mark.parametrize(("kind", "name"), CHECKED)
def test_a_wrong_value_breaks_the_dag(kind, name):
    """A value of Python is refused when the operator is made, with its name; so is a list in its place."""
    with pytest.raises(ValueError, match=f"^{name} must be "):
        kind(task_id="task", **give(kind, name, object()))


@pytest.mark.parametrize(("kind", "name"), CHECKED)
@pytest.mark.parametrize("template", ["{{ '[]' }}", "{{ '{' ~ '{ x }' ~ '}' }}"])
def test_a_wrong_template_fails_the_task_before_anything_is_done(gateway, run_task, *, kind, name, template):
    """What a template came out as is read like a value of Python: if it is wrong, no retry and no request."""
    if name.endswith(("_id", "_path", "_column")) or name in {"sender", "history"}:
        template = template.replace("[]", " ")  # these may be "[]"
    result = run_task(kind(task_id="task", retries=5, **give(kind, name, template)))

    assert result.state == "failed"
    assert name in str(result.error)
    assert sum(gateway.requests.values()) == 0


@pytest.mark.parametrize(("kind", "name"), DECLARED)
def test_a_template_that_comes_out_as_none_is_not_the_default(gateway, run_task, in_dag, *, kind, name):
    """With native rendering None may come out of a template: it is refused, not taken for the default."""
    task = in_dag(
        lambda: kind(task_id="task", retries=5, **give(kind, name, "{{ none }}")),
        render_template_as_native_obj=True,
    )

    result = run_task(task)

    assert result.state == "failed"
    assert str(result.error).startswith(f"{name} came out as None")
    assert sum(gateway.requests.values()) == 0


@pytest.mark.parametrize("is_native", [False, True])
@pytest.mark.parametrize(
    ("dry_run", "sent"),
    [
        *((value, 0) for value in (True, "True", "true", "1", 1, "{{ params.yes }}", "{{ 1 }}")),
        *((value, 1) for value in (False, "False", "false", "0", 0, "{{ params.no }}", "{{ 0 }}")),
    ],
)
def test_dry_run_is_what_it_says(gateway, run_task, in_dag, *, is_native, dry_run, sent):
    """A flag means the same in Python, in a text and in a template: 'False' sends."""
    for kind in (operators.OsonSmsSendOperator, operators.OsonSmsCampaignOperator):
        task = in_dag(
            lambda kind=kind: kind(task_id=kind.__name__, dry_run=dry_run, **NEEDED[kind]),
            params={"yes": True, "no": False},
            render_template_as_native_obj=is_native,
        )
        assert run_task(task).state == "success"

    assert len(gateway.sent) == 2 * sent


@pytest.mark.parametrize("is_native", [False, True])
def test_numbers_and_choices_of_params(gateway, run_task, in_dag, is_native):
    """Numbers, shares, durations and choices may come from params, and are shown as they are meant."""
    task = in_dag(
        lambda: operators.OsonSmsCampaignOperator(
            task_id="campaign",
            recipients=[A, "12"],
            message="x" * 161,
            max_parts="{{ params.max_parts }}",
            max_rate="{{ params.max_rate }}",
            max_invalid_ratio="{{ params.share }}",
            max_lateness="{{ macros.timedelta(hours=30) }}",
            channel="{{ params.channel }}",
            is_confidential="{{ params.is_confidential }}",
        ),
        params={
            "max_parts": 2,
            "max_rate": "20",
            "share": "50%",
            "channel": "telegram",
            "is_confidential": True,
        },
        render_template_as_native_obj=is_native,
    )

    result = run_task(task)

    assert result.state == "success"
    (message,) = gateway.sent
    assert (message.channel, message.is_confidential, message.parts) == ("telegram", True, 2)
    rendered = result.ti.task
    assert (rendered.max_parts, rendered.max_rate, rendered.max_invalid_ratio) == (2, 20.0, 0.5)
    assert rendered.max_lateness == timedelta(hours=30)


def test_a_mapped_flag(gateway, run_task, in_dag):
    """A value for each mapped task is read like any other; a wrong one fails its task without a retry."""
    task = in_dag(
        lambda: operators.OsonSmsSendOperator.partial(
            task_id="send", message="Salom", retries=5
        ).expand_kwargs(
            [{"phone": A, "dry_run": "true"}, {"phone": B, "dry_run": "False"}, {"phone": A, "dry_run": "no"}]
        )
    )

    results = [run_task(task, map_index=index) for index in range(3)]

    assert [result.state for result in results] == ["success", "success", "failed"]
    assert str(results[2].error).startswith("dry_run must be True or False")
    assert [message.phone for message in gateway.sent] == [B]


def test_the_output_of_a_task_in_a_mapped_operator(gateway, run_task, in_dag, monkeypatch):
    """A plain argument may be the output of another task, which then comes first."""
    from airflow.sdk import task
    from airflow.sdk.definitions.xcom_arg import PlainXComArg

    @task
    def decide() -> str:
        return "False"

    monkeypatch.setattr(PlainXComArg, "resolve", lambda *_: "False")
    mapped = in_dag(
        lambda: operators.OsonSmsSendOperator.partial(
            task_id="send", message="Salom", dry_run=decide()
        ).expand(phone=[A, B])
    )

    assert mapped.upstream_task_ids == {"decide"}
    assert {run_task(mapped, map_index=index).state for index in range(2)} == {"success"}
    assert [message.phone for message in gateway.sent] == [A, B]


def test_what_is_stored_of_an_argument_shows_no_secret(gateway, run_task, in_dag, supervisor, monkeypatch):
    """A secret in the wrong argument is refused before Airflow stores the rendered fields."""
    monkeypatch.setenv("AIRFLOW_VAR_SECRET", "a-very-secret-thing")
    stored = []
    monkeypatch.setattr("airflow.sdk.execution_time.task_runner._serialize_rendered_fields", stored.append)
    task = in_dag(
        lambda: operators.OsonSmsSendOperator(
            task_id="send", max_parts="{{ 'a-very-secret-thing' }}", phone=A, message="S"
        )
    )

    result = run_task(task)

    assert (result.state, stored) == ("failed", [])
    assert "secret-thing" not in str(result.error)
