"""A template that a run cannot render fails its task at once, and says what to write."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBalanceOperator,
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

NAMES = ("ds", "ds_nodash", "ts", "ts_nodash", "logical_date", "data_interval_start", "data_interval_end")
PHONE = "992900000101"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
WHO: dict[str, Any] = {"recipients": [PHONE], "message": "Салом", "task_id": "t", "retries": 5}
MAKERS: dict[str, Callable[[str], Any]] = {
    "results_path": lambda text: OsonSmsCampaignOperator(results_path=f"/data/{text}.csv", **WHO),
    "receipt_path": lambda text: OsonSmsBulkCreateOperator(send_at=TOMORROW, receipt_path=text, **WHO),
    "txn_id": lambda text: OsonSmsSendOperator(
        task_id="t", retries=5, phone=PHONE, message="Салом", txn_id=text
    ),
    "report_path": lambda text: OsonSmsDeliverySensor(
        task_id="t", retries=5, messages="1", report_path=f"/data/{text}"
    ),
    "osonsms_conn_id": lambda text: OsonSmsBalanceOperator(task_id="t", retries=5, osonsms_conn_id=text),
}


@pytest.mark.parametrize("field", MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_date_that_a_run_does_not_have(
    field: str, name: str, gateway: Any, run_task: Callable[..., Any]
) -> None:
    """The task fails without a retry, sends nothing, and is told of run_id and run_after."""
    result = run_task(MAKERS[field](f"{{{{ {name} }}}}"), has_date=False)

    assert result.state == "failed"
    assert f"the template in {field} cannot" in str(result.error)
    assert f"'{name}' is undefined" in str(result.error)
    assert "use run_id, or dag_run.run_after" in str(result.error)
    assert not gateway.sent
    assert not gateway.bulks


@pytest.mark.parametrize("field", MAKERS)
@pytest.mark.parametrize(
    "template",
    [
        "{{ run_id }",
        "{{ run_id",
        "{% if %}",
        "{{ 1 | unknown }}",
        "{% include 'no.j2' %}",
        "{{ 1 / 0 }}",
        "{{ 1 + '' }}",
    ],
)
def test_a_template_that_nothing_renders(
    field: str, template: str, gateway: Any, run_task: Callable[..., Any]
) -> None:
    """A mistake in a template is the same in each try: the task fails without a retry, and is told where."""
    result = run_task(MAKERS[field](template))

    assert result.state == "failed"
    assert f"the template in {field} cannot be rendered" in str(result.error)
    assert not gateway.sent
    assert not gateway.bulks


def test_a_text_of_a_language_that_nothing_renders(gateway: Any, run_task: Callable[..., Any]) -> None:
    """Each text of a message for each language is such a template."""
    texts = {"tg": "Салом", "ru": "{{ 1 / 0 }}"}
    people = [{"phone": PHONE, "language": "tg"}]
    result = run_task(
        OsonSmsCampaignOperator(**{**WHO, "recipients": people, "message": texts}, language_column="language")
    )

    assert (result.state, gateway.sent) == ("failed", [])
    assert "the template in message cannot be rendered" in str(result.error)


@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
@pytest.mark.parametrize("kind", [list, tuple])
def test_the_phones_beside_it_are_not_logged(
    name: str, kind: type, gateway: Any, run_task: Callable[..., Any], *, caplog: Any
) -> None:
    """Airflow logs the field that it cannot render; of a list it logs how many entries there are."""
    phones = kind([PHONE, "{{ 992900000102 "])
    result = run_task(OsonSmsCampaignOperator(**{**WHO, name: phones}))

    assert (result.state, gateway.sent) == ("failed", [])
    assert f"<2 {name}>" in caplog.text
    assert PHONE not in caplog.text
    assert PHONE not in str(result.error)


def test_a_callable_is_tried_again(gateway: Any, run_task: Callable[..., Any]) -> None:
    """What a function raises, such as that of a database, may be gone in the next try."""

    def read(**_: Any) -> Any:
        raise ValueError("no connection")

    result = run_task(OsonSmsCampaignOperator(**{**WHO, "recipients": read}))

    assert (result.state, gateway.sent) == ("up_for_retry", [])
