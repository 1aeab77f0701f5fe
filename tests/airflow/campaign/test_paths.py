"""Every path is text, a Path or an ObjectStoragePath, with templates in it; its file is no template."""

import csv
from functools import partial
from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_osonsms.operators.osonsms import OsonSmsBulkCreateOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

SHOP = [f"9929000{number:03}01" for number in range(6)]
KINDS = {"text": str, "Path": Path, "ObjectStoragePath": lambda path: ObjectStoragePath(f"file://{path}")}


@pytest.fixture(params=KINDS)
def spell(request):
    """Spell a path in one of the three ways."""
    return KINDS[request.param]


def read(path):
    """Return the rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
@pytest.mark.parametrize("in_list", [False, True])
def test_sources(gateway, run_task, make_campaign, tmp_path, *, spell, suffix, in_list):
    """The sources take every kind of path, with templates in it."""
    folder = tmp_path / "unit"
    folder.mkdir()
    for name, column, phones in (
        ("people", "phone", SHOP),
        ("out", "phone", SHOP[:2]),
        ("keys", "key", SHOP[:3]),
    ):
        (folder / f"{name}{suffix}").write_text("\n".join([column, *phones]))
    paths = {
        name: spell(f"{tmp_path}/{{{{ dag.dag_id }}}}/{file}{suffix}")
        for name, file in (("recipients", "people"), ("exclude", "out"), ("only", "keys"))
    }
    sources = {name: [path] if in_list else path for name, path in paths.items()}

    result = run_task(make_campaign(**sources, message="Салом!"))

    assert result.state == "success", result.error
    assert [sms.phone for sms in gateway.sent] == [SHOP[2]]


def test_files_that_are_written(gateway, run_task, make_campaign, tmp_path, spell):
    """The paths of results, rejects, reports and undelivered rows do not exist yet, and hold templates."""
    paths = {
        name: spell(f"{tmp_path}/{{{{ dag.dag_id }}}}/{{{{ task.task_id }}}}-{name}.csv")
        for name in ("results_path", "rejects_path")
    }

    sent = run_task(make_campaign([*SHOP, "x"], message="Салом!", **paths))

    assert sent.state == "success", sent.error
    results = read(tmp_path / "unit" / "campaign-results_path.csv")
    assert [row["phone"] for row in results if row["outcome"] == "accepted"] == SHOP
    assert [row["reason"] for row in read(tmp_path / "unit" / "campaign-rejects_path.csv")] == [
        "not_a_number"
    ]

    wait = OsonSmsDeliverySensor(
        task_id="wait",
        messages=sent.xcom,
        poke_interval=0.01,
        report_path=spell(f"{tmp_path}/{{{{ dag.dag_id }}}}/report.html"),
        undelivered_path=spell(f"{tmp_path}/{{{{ dag.dag_id }}}}/undelivered.csv"),
    )
    waited = run_task(wait)

    assert waited.state == "success", waited.error
    assert (tmp_path / "unit" / "report.html").exists()
    assert read(tmp_path / "unit" / "undelivered.csv") == []


def test_receipts(gateway, run_task, tmp_path, spell):
    """The folder of the receipts of bulk jobs is a path like the others."""
    result = run_task(
        OsonSmsBulkCreateOperator(
            task_id="bulk",
            recipients=SHOP,
            message="Салом!",
            send_at="2099-01-01T10:00",
            receipt_path=spell(f"{tmp_path}/{{{{ dag.dag_id }}}}/receipts"),
        )
    )

    assert result.state == "success", result.error
    assert len(list((tmp_path / "unit" / "receipts").iterdir())) == 1


@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
def test_a_relative_source_is_looked_for_where_the_worker_runs(gateway, run_task, make_campaign, name):
    """The error says in which folder, because a DAG's author thinks of the folder of the DAG."""
    for path in ("people.csv", Path("people.csv"), [Path("people")], "~/people.csv"):
        result = run_task(make_campaign(**{"recipients": SHOP, name: path}, message="Салом!"))

        assert result.state == "failed"
        assert str(result.error).startswith(name)
        if "csv" in str(path):
            assert f"It is relative to {Path.cwd()}, where the worker runs" in str(result.error)
    assert gateway.sent == []


@pytest.mark.parametrize("name", ["results_path", "rejects_path"])
def test_a_relative_file_is_written_where_the_worker_runs(
    gateway, run_task, make_campaign, *, tmp_path, monkeypatch, name
):
    """The error says in which folder it cannot be written, before anything is sent."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").write_text("a file, no folder")

    result = run_task(make_campaign(3, **{name: "full/table.csv"}))

    assert result.state == "failed"
    assert f"It is relative to {tmp_path}, where the worker runs" in str(result.error)
    assert gateway.sent == []


@pytest.mark.parametrize("given", [17, "", b"x.csv", ["a.csv"], {"a": "b"}])
@pytest.mark.parametrize("name", ["results_path", "rejects_path", "report_path", "undelivered_path"])
def test_no_path(make_campaign, *, given, name):
    """Anything else is refused by the name of the argument when the DAG is built."""
    make = make_campaign
    if name in ("report_path", "undelivered_path"):
        make = partial(OsonSmsDeliverySensor, task_id="wait", messages="a1")

    with pytest.raises(ValueError, match=f"^{name} must be a path or a URL"):
        make(**{name: given})


@pytest.mark.parametrize("name", ["reminder.txt", "reminder.j2"])
def test_only_the_text_may_be_a_file(gateway, run_task, make_campaign, tmp_path, name):
    """message= names a file beside the DAG, which Jinja renders; a source of that name is a source."""
    from airflow.sdk import DAG

    (tmp_path / name).write_text("Салом аз {{ dag.dag_id }}, {name}!", encoding="utf-8")
    with DAG("files", schedule=None, template_searchpath=str(tmp_path)):
        operator = make_campaign([{"phone": SHOP[0], "name": "N"}], message=name)

    run_task(operator)

    assert [sms.text for sms in gateway.sent] == ["Салом аз files, N!"]


def test_a_text_file_that_is_missing(gateway, run_task, make_campaign):
    """Its name is not texted, and the task is not retried."""
    result = run_task(make_campaign(3, message="reminder.txt"))

    assert result.state == "failed"
    assert "message ends like the name of a file" in str(result.error)
    assert gateway.sent == []
