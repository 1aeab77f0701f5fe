"""Whom the bulk operator texts, whom not, and how it says so."""

import logging
from pathlib import Path

import pandas as pd
import pytest

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]


def test_the_excluded_are_in_no_file(gateway, run_task, make_operator):
    """Who is on the suppression list is not in the job, and the result counts it."""
    result = run_task(make_operator(exclude=lambda context, jinja_env: ["+992 90 000 00 02", "900000004"]))

    assert list(gateway.bulks[0].phones) == [PEOPLE[0], PEOPLE[2], PEOPLE[4]]
    assert result.xcom["reject_reasons"] == {"suppressed": 2}


def test_an_audience_may_be_a_file(gateway, run_task, make_operator, tmp_path):
    """The path of a CSV, rendered by Jinja, is an audience; so is its URL."""
    path = tmp_path / "audience.csv"
    path.write_text("phone;name\n" + "\n".join(f"{phone};Али" for phone in PEOPLE))

    run_task(make_operator(recipients=f"{{{{ '{path}' }}}}"))
    run_task(make_operator(recipients=f"file://{path}"), run_id="run-2")

    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE, PEOPLE]


def test_rejects_can_be_written_to_a_file(gateway, run_task, make_operator, tmp_path):
    """The rejected rows are listed with row, masked phone and reason, where the task is told to."""
    path = tmp_path / "new" / "rejects.csv"

    run_task(make_operator(recipients=[*PEOPLE, "abc", PEOPLE[0]], rejects_path=str(path)))

    assert pd.read_csv(path, keep_default_na=False).to_dict("records") == [
        {"row": 6, "phone": "•••••", "reason": "not_a_number", "column": ""},
        {"row": 7, "phone": "992•••••001", "reason": "duplicate", "column": ""},
    ]


def test_rejects_are_listed_before_a_limit_stops_the_task(gateway, run_task, make_operator, tmp_path):
    """Whoever has to correct an audience has the list of what is wrong with it."""
    path = tmp_path / "rejects.csv"

    result = run_task(
        make_operator(recipients=[*PEOPLE, "abc"], on_invalid="fail", rejects_path=f"file://{path}")
    )

    assert result.state == "failed"
    assert len(path.read_text().splitlines()) == 2
    assert gateway.bulks == []


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"on_invalid": "fail"}, "1 of 6 rows are invalid"),
        ({"max_invalid_ratio": 0.1}, "max_invalid_ratio is 10.0%"),
        ({"max_recipients": 4}, "max_recipients is 4"),
        ({"exclude": ["9.929E+11"]}, "damaged phones"),
        ({"exclude": 7}, "exclude"),
        ({"rejects_path": "rejects.xlsx"}, "rejects_path must be a path that ends in .csv"),
        ({"rejects_path": "{{ 7 }}"}, "rejects_path must be a path"),
        ({"message": "Салом, {name}!"}, "one text for all"),
        ({"message": "Салом {"}, "braces"),
    ],
)
def test_a_limit_stops_before_uploading(gateway, run_task, make_operator, fields, hint):
    """An audience beyond a limit fails without retry, says what to do, and uploads nothing."""
    result = run_task(make_operator(**{"recipients": [*PEOPLE, "abc"], **fields}))

    assert result.state == "failed"
    assert hint in str(result.error)
    assert gateway.requests["bulk"] == 0


@pytest.mark.parametrize(
    ("on_empty", "state"), [("skip", "skipped"), ("fail", "failed"), ("success", "success")]
)
def test_what_nobody_means_is_chosen(gateway, run_task, make_operator, on_empty, state):
    """When everybody is excluded, the task ends as it was told to, and creates nothing."""
    result = run_task(make_operator(exclude=PEOPLE, on_empty=on_empty))

    assert result.state == state
    assert gateway.requests["bulk"] == 0
    if state == "success":
        assert (result.xcom["recipients"], result.xcom["bulk_names"]) == (0, [])


def test_a_dry_run_creates_nothing(gateway, run_task, make_operator, monkeypatch):
    """A dry run returns what the job would be, with its cost, and creates none."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.10"))

    result = run_task(make_operator(dry_run=True, message="я" * 71))

    assert result.state == "success"
    assert (result.xcom["bulk_names"], result.xcom["recipients"]) == ([], 5)
    assert result.xcom["preview"]["parts_distribution"] == {"2": 5}
    assert result.xcom["preview"]["cost"] == pytest.approx(1.0)
    assert gateway.requests["bulk"] == 0


def test_a_dry_run_leaves_the_real_one_free(gateway, run_task, make_operator):
    """After a dry run the same task creates its job: nothing was noted as tried."""
    run_task(make_operator(dry_run=True))
    run_task(make_operator())

    assert len(gateway.bulks) == 1


def test_one_character_that_costs_a_part_is_warned_of(gateway, run_task, make_operator, caplog):
    """A job whose text is UCS-2 for one character is created, with a warning that names it."""
    with caplog.at_level(logging.WARNING):
        run_task(make_operator(message="Tanho imruz takhfif 20% ba hamai molho! " * 2 + "«Sale"))

    assert len(gateway.bulks) == 1
    assert "'«' (U+00AB) at position 81" in caplog.text


def test_a_latin_text_reaches_the_gateway(gateway, run_task, make_operator):
    """transliterate=True sends Latin letters; doubled braces are one."""
    run_task(make_operator(message="Тахфиф «{% raw %}{{20}}{% endraw %}%»", transliterate=True))

    assert gateway.bulks[0].text == 'Takhfif "{20}%"'


@pytest.mark.parametrize("text", ["Тахфиф {{ name }}!", "{% if x %}", "hello.txt", "reminder.j2"])
def test_a_text_that_nobody_filled_is_not_uploaded(gateway, run_task, make_operator, output_of, text):
    """What another task returns is not rendered: the task fails before a job is created."""
    result = run_task(make_operator(message=output_of(text)))

    assert result.state == "failed"
    assert "message was never filled" in str(result.error)
    assert gateway.requests["bulk"] == 0


def test_a_parquet_file_needs_pyarrow(gateway, run_task, make_operator, tmp_path, monkeypatch):
    """Without pyarrow the error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "audience.parquet"
    Path(path).write_bytes(b"PAR1")

    result = run_task(make_operator(recipients=str(path)))

    assert result.state == "failed"
    assert "airflow-provider-osonsms[parquet]" in str(result.error)
