"""The preview says what a campaign would do, and does nothing."""

import json
from decimal import Decimal

import pandas as pd
import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignPreviewOperator

A, B, C = "992900000001", "992900000002", "992900000003"
PEOPLE = pd.DataFrame(
    {
        "phone": [A, B, "900000003", A, "79161234567", "992900000005"],
        "name": ["Зарина", "Али", "Фаррух", "Зарина", "Иван", None],
        "amount": [1250.0, 12.5, 3.0, 1250.0, 1.0, 2.0],
    }
)
TEMPLATE = "Салом, {name}! Қарзи шумо {amount:.2f} сомонӣ."


@pytest.fixture
def preview(gateway, run_task, monkeypatch):
    """Run a preview of six rows, but for what is given, behind a Connection that knows the price."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.12", max_rate=2)
    )

    def preview(**fields):
        defaults = {"task_id": "preview", "recipients": PEOPLE, "retries": 5}
        if "message_column" not in fields:
            defaults["message"] = TEMPLATE
        return run_task(OsonSmsCampaignPreviewOperator(**{**defaults, **fields}))

    return preview


def test_the_preview_counts_and_sends_nothing(gateway, preview):
    """Recipients, rejects, parts, cost, balance and time are those of the campaign; nothing is sent."""
    result = preview()

    assert result.state == "success"
    assert json.loads(json.dumps(result.xcom)) == result.xcom
    assert {key: result.xcom[key] for key in ("recipients", "rejected", "reject_reasons", "parts")} == {
        "recipients": 3,
        "rejected": 3,
        "reject_reasons": {"foreign_country": 1, "missing_value": 1, "duplicate": 1},
        "parts": 3,
    }
    assert result.xcom["parts_distribution"] == {"1": 3}
    assert result.xcom["cost"] == pytest.approx(0.36)
    assert result.xcom["balance_after"] == pytest.approx(float(gateway.balance - Decimal("0.36")))
    assert result.xcom["seconds"] == pytest.approx(1.5)
    assert (gateway.sent, gateway.requests["send"], gateway.requests["bulk"]) == ([], 0, 0)


def test_samples_are_masked(preview):
    """Three samples show the text and how values are laid out, but no value."""
    result = preview()

    assert result.xcom["samples"] == [
        "Салом, ▪▪▪▪▪▪! Қарзи шумо ▪▪▪▪.▪▪ сомонӣ.",
        "Салом, ▪▪▪! Қарзи шумо ▪▪.▪▪ сомонӣ.",
        "Салом, ▪▪▪▪▪▪! Қарзи шумо ▪.▪▪ сомонӣ.",
    ]
    shown = json.dumps(result.xcom, ensure_ascii=False)
    assert "Зарина" not in shown
    assert "1250" not in shown


def test_a_confidential_campaign_shows_no_samples(preview):
    """Of a confidential text not even the layout is shown."""
    assert preview(is_confidential=True).xcom["samples"] == []


def test_the_texts_may_be_in_a_column(preview):
    """With message_column every row has its own text; what is no text is rejected, samples show no word."""
    people = pd.DataFrame(
        {"phone": [A, B, C, "992900000004"], "text": ["Салом, Али!", "\u200b", 7, "я" * 71]}
    )

    result = preview(recipients=people, message_column="text", max_parts=1)

    assert result.xcom["recipients"] == 1
    assert result.xcom["reject_reasons"] == {"missing_value": 1, "unfit_value": 1, "too_many_parts": 1}
    assert result.xcom["samples"] == ["▪▪▪▪▪, ▪▪▪!"]


def test_transliterate_halves_the_parts(preview):
    """In Latin letters a text of three parts takes one."""
    long = "Муштарии муҳтарам, " + "қарзи шумо ҳоло ҳам пардохт нашудааст, " * 3 + "{name}"

    cyrillic, latin = preview(message=long).xcom, preview(message=long, transliterate=True).xcom

    assert cyrillic["parts_distribution"] == {"3": 3}
    assert latin["parts_distribution"] == {"1": 3}
    assert "transliterate=True" in cyrillic["advice"][0]
    assert latin["samples"][0].startswith("Mushtarii muhtaram, qarzi")


def test_one_character_is_named(preview):
    """A single character that makes a campaign UCS-2 is shown with its position and the price of it."""
    result = preview(
        message="{name}: " + "Qarzi shumo pardokht nashudaast. " * 3 + "№ 7",
        message_column=None,
        recipients=[{"phone": A, "name": "Ali"}],
    )

    (advice,) = result.xcom["advice"]
    assert "'№' (U+2116) at position 105" in advice
    assert "1 part instead of 2" in advice


def test_the_markdown_is_for_people(preview):
    """The figures, the samples and what to do are readable in a log or an approval step."""
    text = preview().xcom["markdown"]

    assert "| Rejected | 3 (1 foreign_country, 1 missing_value, 1 duplicate) |" in text
    assert "| Parts | 3 (3 x 1) |" in text
    assert "| Estimated cost | 0.36 somoni |" in text
    assert "| Sending time | about 2 s at 2 per second |" in text
    assert "Салом, ▪▪▪!" in text


def test_too_little_money_is_said(gateway, preview):
    """When the balance does not suffice, the preview says how much to top up."""
    gateway.backend.change_account("demo", balance=Decimal("0.30"))

    assert "top up 0.06 somoni" in preview().xcom["markdown"]


def test_an_unknown_price_is_said(gateway, preview, monkeypatch):
    """Without a price the cost is None, and the preview says where to set it."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json())

    result = preview()

    assert (result.xcom["cost"], result.xcom["balance_after"], result.xcom["seconds"]) == (None, None, None)
    assert "price_per_part" in result.xcom["markdown"]


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"message": "{nobody}"}, "no column 'nobody'"),
        ({"message": "{name.upper}"}, "looks inside a value"),
        ({"message": "{}"}, "no column name"),
        ({"message": "{name"}, "braces"),
        ({"message": ""}, "message must be a text"),
        ({"message": TEMPLATE, "message_column": "name"}, "either message"),
        ({"message": None}, "either message"),
        ({"key_column": "id"}, "no column 'id'"),
        ({"recipients": None}, "recipients is None"),
        ({"on_invalid": "fail"}, "2 of 6 rows are invalid"),
        ({"max_invalid_ratio": 0.3}, "33.3%"),
        ({"max_recipients": 2}, "3 recipients"),
        ({"recipients": [], "message": "Салом!", "on_empty": "fail"}, "No recipient is left"),
    ],
)
def test_what_would_stop_the_campaign_stops_the_preview(gateway, preview, fields, hint):
    """What breaks a rule or a limit fails without retry and says what to do."""
    result = preview(**fields)

    assert result.state == "failed"
    assert hint in str(result.error)
    assert gateway.requests["send"] == 0


@pytest.mark.parametrize(
    "limit",
    [
        {"max_rate": 0},
        {"max_parts": 0},
        {"on_invalid": "x"},
        {"on_empty": "x"},
        {"max_invalid_ratio": 5},
        {"max_invalid_ratio": "500%"},
        {"max_recipients": 0},
        {"max_recipients": 1.5},
    ],
)
def test_a_limit_that_is_none_is_refused_when_the_dag_is_parsed(limit):
    """A DAG author learns of a senseless limit at once."""
    with pytest.raises(ValueError, match=next(iter(limit))):
        OsonSmsCampaignPreviewOperator(task_id="preview", recipients=[A], message="Салом!", **limit)


def test_rendered_fields_hold_no_person(preview):
    """What Airflow stores of a preview is numbers."""
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    stored = json.dumps(_serialize_rendered_fields(preview(exclude=[C]).ti.task), ensure_ascii=False)

    assert "<6 recipients>" in stored
    assert "<1 exclude>" in stored
    assert A not in stored
    assert C not in stored
    assert "Салом" not in stored
