"""What people read is right, or the row is rejected with a reason and the others are texted."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

PHONES = [f"99290000{row:04}" for row in range(9)]
LATE = dt.datetime(2026, 11, 4, 20, 30, tzinfo=dt.UTC)
"""In Dushanbe it is half past one in the morning of the next day."""


@pytest.fixture
def text_values(gateway, run_task, make_campaign):
    """Text *message* to a person for each of *values*, the column ``a``; return the texts and the result."""

    def text(message, *values, **options):
        people = pd.DataFrame({"phone": PHONES[: len(values)], "a": pd.Series(values, dtype="object")})
        result = run_task(make_campaign(people, message=message, retries=0, **options))
        texts = {sms.phone: sms.text for sms in gateway.sent}
        return [texts.get(phone) for phone in people["phone"]], result

    return text


@pytest.mark.parametrize("spec", [".2", ".20", ".4s"])
@pytest.mark.parametrize("amount", [1250.5, 1250, "1250,50", "1 250,50", "1250.50", np.float32(7)])
def test_a_forgotten_f_stops_the_campaign(gateway, text_values, spec, amount):
    """{amount:.2} tells 1250,50 as "12": where it can be right for nobody, the text is refused at once."""
    texts, result = text_values(f"Қарз {{a:{spec}}} сомонӣ", amount, amount)

    assert texts == [None, None]
    assert result.state == "failed"
    assert f"the format of {{a:{spec}}} in message fits none of the 2 values" in str(result.error)
    assert gateway.requests["send"] == 0


def test_a_forgotten_f_among_names(text_values):
    """Where the column has texts too, the amounts alone are rejected."""
    texts, result = text_values("{a:.3}", "Муҳаммад", 1250.5, "1250,50", "Али")

    assert texts == ["Муҳ", None, None, "Али"]
    assert result.xcom["rejected"] == {"unfit_value": 2}


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u202f", "'"])
def test_amounts_of_a_spreadsheet(text_values, blank):
    """A decimal comma and blanks between the thousands are read; what may be two amounts is not."""
    texts, result = text_values("{a:.2f} сомонӣ", f"1{blank}250,50", "1250,5", "1,250", "1.250", "0,250")

    assert texts == ["1250.50 сомонӣ", "1250.50 сомонӣ", None, None, "0.25 сомонӣ"]
    assert result.xcom["rejected"] == {"unfit_value": 2}


def test_amounts_of_a_file(gateway, run_task, make_campaign, tmp_path):
    """The same holds for the cells of a CSV file."""
    path = tmp_path / "debts.csv"
    path.write_text(f"phone;a\n{PHONES[0]};1 250,50\n{PHONES[1]};#Н/Д\n{PHONES[2]};1,250\n", encoding="utf-8")

    result = run_task(make_campaign(str(path), message="{a:,.2f}"))

    assert [sms.text for sms in gateway.sent] == ["1,250.50"]
    assert result.xcom["rejected"] == {"unfit_value": 2}


@pytest.mark.parametrize(
    "value",
    [
        "#Н/Д",
        "#ЗНАЧ!",
        "#ССЫЛКА!",
        "#ДЕЛ/0!",
        "#N/A",
        "#REF!",
        "#NAME?",
        np.array([5]),
        {"a": 1},
        {5},
        b"5",
        object(),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_nobody_reads_an_error_value_or_an_object(text_values, value):
    """The row is rejected, and the next one is texted."""
    texts, result = text_values("Салом, {a}!", value, "Али")

    assert texts == [None, "Салом, Али!"]
    assert result.xcom["rejected"] == {"unfit_value": 1}


def test_what_nobody_sees_is_not_sent(text_values):
    """Controls and marks of the direction of writing are removed, in the text and in the values."""
    texts, result = text_values(
        "Қарз\u202e {a}\u200f\x07 сомонӣ\r\nБонк", "\u20661250\u2069\x00", "\u200b\u200e", "5\t000"
    )

    assert texts == ["Қарз 1250 сомонӣ\nБонк", None, "Қарз 5 000 сомонӣ\nБонк"]
    assert result.xcom["rejected"] == {"missing_value": 1}


@pytest.mark.parametrize("dtype", ["object", "datetime64[ns, UTC]", "datetime64[ns, Europe/Moscow]"])
@pytest.mark.parametrize(
    ("zone", "day"), [({}, "05.11.2026 01:30"), ({"timezone": "Europe/London"}, "04.11.2026 20:30")]
)
def test_nobody_is_told_the_date_of_yesterday(gateway, run_task, make_campaign, *, dtype, zone, day):
    """A moment is written in Asia/Dushanbe, or where timezone= says."""
    people = pd.DataFrame({"phone": PHONES[:1], "due": pd.Series([LATE]).astype(dtype)})

    run_task(make_campaign(people, message="То {due:%d.%m.%Y %H:%M}", **zone))

    assert [sms.text for sms in gateway.sent] == [f"То {day}"]


def test_a_time_in_a_text_with_another_offset(text_values):
    """As a text it would be printed with the date of the day before."""
    texts, _ = text_values(
        "То {a}", "2026-11-04T20:30:00Z", "2026-11-05 01:30:00", LATE.timetz(), LATE.time()
    )

    assert texts == [None, "То 2026-11-05 01:30:00", None, "То 20:30:00"]


@pytest.mark.parametrize(
    "zone", ["Asia/Dushanbee", "Asia", "", "../etc/passwd", "+05:00", 5, None, "UTC\x00"]
)
def test_a_wrong_zone_breaks_the_dag(zone):
    """It is known before anything runs."""
    with pytest.raises(ValueError, match="timezone must be the name of a time zone"):
        OsonSmsCampaignOperator(task_id="campaign", recipients=[], message="Салом!", timezone=zone)


LEFTOVERS = [
    "Салом, {{ name }}!",
    "Салом{% if x %}",
    "hello.txt",
    "texts/reminder.tg.j2",
    "Hello.TXT\n",
    "reminder.jinja2",
]


@pytest.mark.parametrize("text", [*LEFTOVERS, "Салом, {name}!", "{amount:.2f} сомонӣ", "{name!r}"])
def test_a_text_of_a_column_that_nobody_filled(gateway, run_task, make_campaign, tmp_path, text):
    """It is rejected with the reason, whatever the source; the others are texted."""
    people = pd.DataFrame(
        {"phone": PHONES[:3], "name": "Али", "amount": 5, "text": [text, "Код: {20} {AB}", "Салом, Зарина!"]}
    )
    path = tmp_path / "people.csv"
    people.to_csv(path, index=False)

    for campaign, source in enumerate([people, people.to_dict("records"), str(path)]):
        gateway.backend.clear()
        result = run_task(
            make_campaign(source, message=None, message_column="text"), run_id=f"run-{campaign}"
        )

        assert [sms.text for sms in gateway.sent] == ["Код: {20} {AB}", "Салом, Зарина!"]
        assert result.xcom["rejected"] == {"unfilled_text": 1}


def test_an_error_value_is_no_text(gateway, run_task, make_campaign):
    """A formula that failed leaves its error where the text should be."""
    people = [{"phone": phone, "text": text} for phone, text in zip(PHONES, ["#Н/Д", "Салом!"], strict=False)]

    result = run_task(make_campaign(people, message=None, message_column="text"))

    assert [sms.text for sms in gateway.sent] == ["Салом!"]
    assert result.xcom["rejected"] == {"unfit_value": 1}


@pytest.mark.parametrize("value", ["{{ customer.name }}", "{% name %}", "{a}"])
def test_a_value_that_nobody_filled(text_values, value):
    """A template in a cell is not texted either."""
    texts, result = text_values("Салом, {a}!", value, "{ Али }")

    assert texts == [None, "Салом, { Али }!"]
    assert result.xcom["rejected"] == {"unfilled_text": 1}


def test_a_text_made_of_a_value_alone(text_values):
    """If nothing stands around the fields, the text may be the name of a file as well."""
    texts, result = text_values("{a}", "hello.txt", "hello.txt!")

    assert texts == [None, "hello.txt!"]
    assert result.xcom["rejected"] == {"unfilled_text": 1}


@pytest.mark.parametrize("text", LEFTOVERS)
def test_a_message_that_nobody_filled(gateway, run_task, make_campaign, output_of, text):
    """What comes from another task is not rendered: the campaign stops before a message, and says so."""
    result = run_task(make_campaign(3, message=output_of(text)))

    assert result.state == "failed"
    assert "message was never filled" in str(result.error)
    assert text.strip() not in str(result.error)
    assert gateway.requests["send"] == 0
