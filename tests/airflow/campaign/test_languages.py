"""Everybody reads the own language, once; who names none is rejected, or gets the default."""

import random
from datetime import UTC, datetime

import pandas as pd
import pytest
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsCampaignPreviewOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.simulator import Fault

PHONES = [f"99290000{row:04}" for row in range(40)]
TEXTS = {
    "tg": "Салом, {name}! Қарз {amount:.2f} сомонӣ",
    "ru": "Здравствуйте, {name}!",
    "uz": "Salom, {ism}!",
}


@pytest.fixture
def campaign(make_campaign):
    """Make a campaign with three texts for people who name a language each."""

    def make(languages, *, message=TEXTS, **options):
        people = [
            {"phone": phone, "language": language, "name": "Али", "ism": "Ali", "amount": 5}
            for phone, language in zip(PHONES, languages, strict=False)
        ]
        defaults = {"message": message, "language_column": "language"}
        return make_campaign(options.pop("recipients", people), **{**defaults, **options})

    return make


def sent(gateway):
    """Return the texts in the order of the phones."""
    return [sms.text for sms in sorted(gateway.sent, key=lambda sms: sms.phone)]


def test_everybody_reads_the_own_language(gateway, run_task, campaign):
    """A language is found in small and capital letters and with blanks; each text has its own fields."""
    result = run_task(campaign(["tg", " RU ", "Uz", "ru"]))

    assert sent(gateway) == [
        "Салом, Али! Қарз 5.00 сомонӣ",
        "Здравствуйте, Али!",
        "Salom, Ali!",
        "Здравствуйте, Али!",
    ]
    assert result.xcom["rejected"] == {}


@pytest.mark.parametrize("cell", ["en", "", None, "nan", "\u200b", 7, float("nan"), b"tg", ["tg"], True])
def test_an_unknown_language_is_a_reason(gateway, run_task, campaign, cell):
    """Who names none, or one without a text, is rejected; with a default, that is texted."""
    result = run_task(campaign(["tg", cell]))

    assert len(gateway.sent) == 1
    assert result.xcom["rejected"] == {"unknown_language": 1}

    result = run_task(campaign(["ru", cell], default_language="UZ"), run_id="run-2")

    assert sent(gateway)[-1] == "Salom, Ali!"
    assert result.xcom["rejected"] == {}


def test_the_default_may_be_a_template(gateway, run_task, campaign):
    """A default that is known only when the task runs is checked then."""
    run_task(campaign(["en"], default_language="{{ 'uz' }}"))
    result = run_task(campaign(["en"], default_language="{{ 'en' }}"), run_id="run-2")

    assert sent(gateway) == ["Salom, Ali!"]
    assert "default_language must be a language of message (tg, ru, uz)" in str(result.error)


def test_languages_may_be_numbers(gateway, run_task, campaign):
    """The number of a language is found whatever its type: a float in a column with a gap, or a text."""
    run_task(campaign([1, 2.0, "1"], message={"1": "Салом!", "2": "Привет!"}))

    assert sent(gateway) == ["Салом!", "Привет!", "Салом!"]


def test_a_row_needs_the_columns_of_its_own_text(gateway, run_task, campaign):
    """A value that only another language prints may be missing."""
    people = [
        {"phone": PHONES[0], "language": "uz", "name": None, "ism": "Ali", "amount": None},
        {"phone": PHONES[1], "language": "ru", "name": "Али", "ism": None, "amount": "#Н/Д"},
        {"phone": PHONES[2], "language": "tg", "name": "Али", "ism": None, "amount": None},
        {"phone": PHONES[3], "language": "tg", "name": "Али", "ism": None, "amount": "#Н/Д"},
    ]

    result = run_task(campaign([], recipients=people))

    assert sent(gateway) == ["Salom, Ali!", "Здравствуйте, Али!"]
    assert result.xcom["rejected"] == {"missing_value": 1, "unfit_value": 1}


def test_a_row_without_a_language_hides_no_other(gateway, run_task, campaign):
    """Of two rows of one phone, the one that can be texted is."""
    people = [
        {"phone": PHONES[0], "language": language, "name": "Али", "ism": "Ali", "amount": 5}
        for language in ("en", "ru", "tg")
    ]

    result = run_task(campaign([], recipients=people))

    assert sent(gateway) == ["Здравствуйте, Али!"]
    assert result.xcom["rejected"] == {"unknown_language": 1, "duplicate": 1}


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_lost(gateway, run_task, campaign, seed, tmp_path):
    """Recipients and rejects are what was given, whatever the languages and values, from every source."""
    chance = random.Random(seed)
    people = [
        {
            "phone": chance.choice([*PHONES, "bad", None]),
            "language": chance.choice(["tg", "RU", "uz", "en", "", None]),
            "name": chance.choice(["Али", None, "{{ name }}", "#N/A"]),
            "ism": chance.choice(["Ali", "", "{name}"]),
            "amount": chance.choice([5, "1 250,50", "1,250", None, "many"]),
        }
        for _ in range(60)
    ]
    path = tmp_path / "people.csv"
    pd.DataFrame(people).to_csv(path, index=False)
    results = tmp_path / "sent.csv"

    for run, source in enumerate([people, pd.DataFrame(people), str(path)]):
        gateway.backend.clear()
        result = run_task(
            campaign(
                [], recipients=source, results_path=str(results), default_language=chance.choice([None, "tg"])
            ),
            run_id=f"run-{run}",
        )
        table = pd.read_csv(results, dtype=str)
        results.unlink()

        first = 2 if isinstance(source, str) else 1  # a file has a header
        assert table["row"].astype(int).tolist() == list(range(first, first + 60))
        assert result.xcom["recipients"] + sum(result.xcom["rejected"].values()) == 60
        assert sorted(sms.phone for sms in gateway.sent) == sorted(
            table[table["outcome"] == "accepted"]["phone"]
        )


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_changed_language_texts_nobody_twice(gateway, run_task, campaign, supervisor, is_forgotten):
    """The language is not part of the key: a retry after it has changed sends only what was not sent."""
    gateway.inject(Fault.NOT_SENT, every=3, times=None)
    first = run_task(campaign(["tg", "ru", "uz", "tg"], max_consecutive_failures=1, concurrency=1))
    gateway.clear_faults()
    if is_forgotten:
        supervisor.store.clear()

    second = run_task(campaign(["ru", "uz", "tg", "ru"]), try_number=2)

    assert first.state != "success"
    assert second.state == "success"
    assert sent(gateway) == [
        "Салом, Али! Қарз 5.00 сомонӣ",
        "Здравствуйте, Али!",
        "Салом, Али! Қарз 5.00 сомонӣ",
        "Здравствуйте, Али!",
    ]


def test_parts_are_those_of_the_own_text(gateway, run_task, campaign):
    """max_parts looks at the text of each row, and the estimate adds up the parts of each."""
    message = {"tg": "я" * 71, "ru": "я" * 70, "uz": "a" * 160}

    result = run_task(campaign(["tg", "ru", "uz"], message=message, max_parts=1))

    assert result.xcom["rejected"] == {"too_many_parts": 1}
    assert result.xcom["parts"] == 2


def test_too_little_money_for_all_languages(gateway, run_task, campaign, monkeypatch):
    """The balance has to cover the parts of each text."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="50"))
    message = {"tg": "я" * 200, "ru": "я", "uz": "a"}

    result = run_task(campaign(["tg", "ru", "uz"], message=message, require_balance=True))

    assert result.state != "success"
    assert gateway.requests["send"] == 0


def test_a_file_for_each_language(gateway, run_task, campaign, tmp_path):
    """Each text may be the name of a file, and is rendered by Jinja like a single one."""
    (tmp_path / "reminder.tg.j2").write_text("Салом аз {{ dag.dag_id }}, {name}!", encoding="utf-8")
    (tmp_path / "reminder.ru.txt").write_text("Привет, {name}!", encoding="utf-8")
    message = {"tg": "reminder.tg.j2", "ru": "reminder.ru.txt", "uz": "Salom {{ run_id }}"}
    with DAG(
        "files", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), template_searchpath=str(tmp_path)
    ):
        task = campaign(["tg", "ru", "uz"], message=message)
    task.resolve_template_files()

    run_task(task)

    assert sent(gateway) == ["Салом аз files, Али!", "Привет, Али!", "Salom run-1"]


def test_a_missing_file_of_one_language(gateway, run_task, campaign):
    """It ends the task for good, before a message in the other languages."""
    result = run_task(campaign(["tg", "ru"], message={"tg": "Салом!", "ru": "missing.j2"}))

    assert result.state == "failed"
    assert "there is no such file" in str(result.error)
    assert gateway.requests["send"] == 0


def test_texts_of_another_task(gateway, run_task, campaign, output_of):
    """The texts may be the output of another task, as a whole or one of them; they are not rendered."""
    run_task(campaign(["tg"], message=output_of({"tg": "Салом!"})))
    run_task(campaign(["ru"], message={"ru": output_of("Привет!")}), run_id="run-2")
    result = run_task(campaign(["tg"], message=output_of({"tg": "Салом {{ run_id }}"})), run_id="run-3")

    assert [sms.text for sms in gateway.sent] == ["Салом!", "Привет!"]
    assert "message['tg'] was never filled" in str(result.error)


def test_a_text_of_one_language_can_be_wrong(gateway, run_task, campaign):
    """A format that fits no row of its language stops the campaign, though the other texts are right."""
    result = run_task(campaign(["tg", "ru"], message={"tg": "{amount:.2f}", "ru": "{amount:.2}"}))

    assert "the format of {amount:.2} in message['ru'] fits none of the 1 values" in str(result.error)
    assert gateway.requests["send"] == 0


def test_the_preview_counts_languages(gateway, run_task, campaign):
    """It counts the recipients of each language, also of one that nobody has, and shows samples of each."""
    task = campaign(["tg"] * 5 + ["ru", "en"])
    result = run_task(
        OsonSmsCampaignPreviewOperator(
            task_id="preview", recipients=task.recipients, message=TEXTS, language_column="language"
        )
    )

    assert result.xcom["languages"] == {"tg": 5, "ru": 1, "uz": 0}
    assert result.xcom["samples"] == [
        *["tg: Салом, ▪▪▪! Қарз ▪.▪▪ сомонӣ"] * 3,
        "ru: Здравствуйте, ▪▪▪!",
    ]
    assert "| Languages | 5 tg, 1 ru, 0 uz |" in result.xcom["markdown"]
    assert result.xcom["reject_reasons"] == {"unknown_language": 1}


def test_no_text_is_stored(run_task, campaign):
    """What Airflow stores and shows of the rendered texts is their number."""
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    stored = str(_serialize_rendered_fields(run_task(campaign(["tg"])).ti.task))

    assert "<3 texts: tg, ru, uz>" in stored
    assert "Салом" not in stored


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"message": TEXTS}, "needs language_column"),
        ({"message": TEXTS, "language_column": " "}, "language_column must be the name of a column"),
        ({"message": TEXTS, "language_column": ["language"]}, "language_column must be the name of a column"),
        ({"message": "Салом!", "language_column": "language"}, "language_column needs a message for each"),
        ({"message": "Салом!", "default_language": "tg"}, "default_language needs a message for each"),
        (
            {"message_column": "text", "language_column": "language"},
            "language_column needs a message for each",
        ),
        ({"message": {}, "language_column": "language"}, "at least one"),
        ({"message": {"tg": ""}, "language_column": "language"}, "message['tg'] must be a text"),
        ({"message": {"tg": None}, "language_column": "language"}, "message['tg'] must be a text"),
        ({"message": {"tg": ["Салом"]}, "language_column": "language"}, "message['tg'] must be a text"),
        ({"message": {"": "Салом!"}, "language_column": "language"}, "must be short texts"),
        ({"message": {5: "Салом!"}, "language_column": "language"}, "must be short texts"),
        ({"message": {None: "Салом!"}, "language_column": "language"}, "must be short texts"),
        ({"message": {"т" * 21: "Салом!"}, "language_column": "language"}, "must be short texts"),
        ({"message": {"{{ x }}": "Салом!"}, "language_column": "language"}, "must be short texts"),
        ({"message": {"tg": "С", "TG ": "П"}, "language_column": "language"}, "each language once"),
        ({"message": TEXTS, "language_column": "language", "default_language": "en"}, "(tg, ru, uz)"),
        ({"message": TEXTS, "language_column": "language", "default_language": 5}, "(tg, ru, uz)"),
    ],
)
@pytest.mark.parametrize("kind", [OsonSmsCampaignOperator, OsonSmsCampaignPreviewOperator])
def test_wrong_languages_break_the_dag(kind, given, words):
    """What does not fit together is known before anything runs, and the text says what to give."""
    with pytest.raises(ValueError, match=r"message|language_column") as raised:
        kind(task_id="campaign", recipients=[], **given)

    assert words in str(raised.value)
    assert "Салом" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (OsonSmsSendOperator, {"phone": PHONES[0]}),
        (OsonSmsBulkCreateOperator, {"recipients": PHONES, "send_at": "2099-01-01 09:00"}),
    ],
)
def test_one_text_for_all_has_no_languages(kind, given):
    """A single message and a bulk job have one text: the DAG is broken, and not a task at night."""
    with pytest.raises(ValueError, match="message must be one text"):
        kind(task_id="send", message=TEXTS, **given)
