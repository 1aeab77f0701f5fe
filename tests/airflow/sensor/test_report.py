"""The report of the sensor, in its three modes."""

import csv
from pathlib import Path

import pytest

MODES = ("poke", "reschedule", "deferrable")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_inline", [True, False])
def test_report_is_written(mode, is_inline, send, wait, tmp_path):
    """A wait, also a failed one, leaves table and page behind, with keys of the campaign's table."""
    (first, second) = send("01", "93")
    results = tmp_path / "results.csv"
    results.write_text(
        "row,key,phone,outcome,reason,txn_id,msg_id,parts\n"
        f"0,a,992900000001,accepted,,0a,{first},1\n1,b,992900000002,accepted,,0b,{second},1\n"
    )
    messages = [{"msg_id": first}, {"msg_id": second}]
    sent = {"campaign_id": "c-1", "results_path": str(results)} | (
        {"messages": messages} if is_inline else {}
    )

    result = wait(mode, messages=sent, report_path=str(tmp_path / "out"), report_language="ru", timeout=20)

    assert result.state == "failed"
    with (tmp_path / "out" / "delivery.csv").open() as file:
        rows = {row["key"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {"a": "DELIVERED", "b": "UNDELIVERABLE"}
    page = (tmp_path / "out" / "delivery.html").read_text()
    assert "Отчёт о доставке" in page
    assert (
        "Доставлено 50,0\N{NO-BREAK SPACE}% из 2, требовалось 100\N{NO-BREAK SPACE}%: не достигнуто" in page
    )
    assert "У каждого сообщения окончательный статус" in page
    assert "c-1" in page


@pytest.mark.parametrize("mode", MODES)
def test_report_has_a_title_for_people(mode, send, wait, tmp_path):
    """The page is headed as the DAG says, which may be a template; nothing in it becomes markup."""
    path = tmp_path / "out.html"

    wait(
        mode,
        messages=send("01"),
        report_path=str(path),
        report_title="<b> {{ ti.task_id }}, ноябр",
        timeout=20,
    )

    page = path.read_text()
    assert "<h1>&lt;b&gt; wait, ноябр</h1>" in page
    assert "<title>&lt;b&gt; wait, ноябр</title>" in page
    assert "100.0% of 1 messages delivered, 100% asked for: reached" in page


@pytest.mark.parametrize("mode", MODES)
def test_report_is_named(mode, send, wait, tmp_path):
    """The output of a successful wait names the report."""
    path = tmp_path / "delivery.csv"

    result = wait(mode, messages=send("01"), report_path=str(path), timeout=20)

    assert result.xcom["report_path"] == str(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"report_language": "{{ 'de' }}"}, "report_language"),
        ({"report_path": "/proc/none/x.csv"}, "report_path"),
    ],
)
def test_wrong_report_fails_before_the_wait(gateway, options, hint, wait, tmp_path):
    """A report that cannot be written is found before anybody is asked for."""
    result = wait("deferrable", messages="71", **{"report_path": str(tmp_path), **options})

    assert result.state == "failed"
    assert hint in str(result.error)
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("{folder}/report.xlsx", "no such file can be written"),
        ("{folder}/taken.html", "a folder stands where the file 'taken.html' should be"),
        ("{folder}/table.csv", "a folder stands where the file 'table.csv' should be"),
        ("{folder}/table.html", "a folder stands where the file 'table.csv' should be"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_a_place_that_fits_no_file(mode, gateway, wait, *, path, hint, tmp_path):
    """What would fail at the end of a wait of hours fails before it: no question is asked, and no retry."""
    for name in ("taken.html", "table.csv"):
        (tmp_path / name).mkdir()

    result = wait(mode, messages="71", report_path=path.format(folder=tmp_path), retries=2)

    assert (result.state, gateway.requests["query"]) == ("failed", 0)
    assert hint in str(result.error)


def test_a_folder_with_dots(send, wait, tmp_path):
    """The run_id, with a fraction of a second in it, may name the folder of a report."""
    folder = tmp_path / "2026.11" / "manual__2026-11-25T10:00:00.000000+00:00"

    result = wait("poke", messages=send("01"), report_path=str(folder))

    assert result.state == "success"
    assert sorted(path.name for path in folder.iterdir()) == ["delivery.csv", "delivery.html"]


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_a_lost_table_does_not_fail_the_wait(mode, send, wait, tmp_path):
    """A report that fails at the end leaves the wait as it is, and the output names none."""
    gone = {"messages": [{"msg_id": msg_id} for msg_id in send("01")], "results_path": "/proc/none.csv"}

    result = wait(mode, messages=gone, report_path=str(Path(tmp_path) / "out.html"), timeout=20)

    assert result.state == "success"
    assert "report_path" not in result.xcom
