"""What a campaign demands before it begins, and what it leaves behind."""

import logging
from datetime import UTC

import pandas as pd
import pytest

from airflow_provider_osonsms.simulator import Fault


def test_the_results_list_every_row(gateway, run_task, make_campaign, make_people, tmp_path):
    """One row for each row of the input, in its order, rejected ones with the reason and a masked phone."""
    people = [*make_people(2), {"phone": "12", "name": "short"}, {"phone": "992900000009", "name": None}]
    path = tmp_path / "new" / "results.csv"

    result = run_task(make_campaign([*people, people[0]], results_path=str(path)))

    assert (result.state, result.xcom["results_path"]) == ("success", str(path))
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(table["row"]) == ["1", "2", "3", "4", "5"]
    assert list(table["outcome"]) == ["accepted"] * 2 + ["rejected"] * 3
    assert list(table["reason"]) == ["", "", "too_short", "missing_value", "duplicate"]
    assert list(table["phone"])[:2] == ["992900000000", "992900000001"]
    assert "992900000009" not in path.read_text()
    assert list(table["msg_id"])[:2] == [str(sms.msg_id) for sms in gateway.sent]
    assert list(table["try"]) == ["1", "1", "", "", ""]
    assert list(table["accepted_at"])[:2] == [
        f"{sms.accepted_at.astimezone(UTC):%FT%T+00:00}" for sms in gateway.sent
    ]
    assert "messages" not in result.xcom
    assert list(table["parts"])[:2] == ["1", "1"]


def test_the_results_of_a_failed_task(gateway, run_task, make_campaign, tmp_path):
    """The results are whole also when the task fails."""
    gateway.inject(Fault.CUT_BEFORE, times=None)
    path = tmp_path / "results.csv"

    assert run_task(make_campaign(100, results_path=str(path))).state == "up_for_retry"

    table = pd.read_csv(path)
    assert len(table) == 100
    assert set(table["outcome"]) == {"uncertain", "pending"}
    assert set(table["reason"]) == {"no_answer", "not_attempted"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipients": 1001}, "set results_path"),
        ({"results_path": "results.xlsx"}, "results_path must be a path that ends in .csv or .parquet"),
        ({"results_path": "/proc/none/results.csv"}, "results_path cannot be written"),
        ({"require_balance": True}, "price_per_part"),
        ({"send_window": "{{ '9 to 5' }}"}, "send_window must be two different times of day"),
        ({"message": "Салом, {nobody}!"}, "nobody"),
        ({"sender": "{{ ' ' }}"}, "sender must be a printable text that is neither empty"),
        ({"sender": "A" * 12}, "sender must be 1 to 11 printable characters"),
        ({"channel": "{{ 'pigeon' }}"}, "channel must be one of telegram, or None for an SMS"),
    ],
)
def test_mistakes_end_it_before_the_first_message(gateway, run_task, make_campaign, *, options, words):
    """A mistake fails the task without retry, with a sentence, and nobody is texted."""
    result = run_task(make_campaign(**{"recipients": 3, **options}))

    assert result.state == "failed"
    assert words in str(result.error)
    assert gateway.requests["send"] == 0


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"max_consecutive_failures": True},
        {"max_failed_ratio": 2},
        {"campaign_id": ""},
        {"send_window": "9-20"},
        {"max_lateness": 3600},
        {"max_rate": 0},
    ],
)
def test_arguments_out_of_range(make_campaign, options):
    """An argument that cannot be is refused when the DAG is parsed, by name."""
    with pytest.raises(ValueError, match=next(iter(options))):
        make_campaign(**options)


def test_the_balance_must_suffice(gateway, run_task, make_campaign, monkeypatch):
    """With require_balance nothing is sent unless all can be paid, and the retry after a top-up sends."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.10"))
    gateway.backend.change_account("demo", balance=1)
    first = run_task(make_campaign(20, require_balance=True))
    assert first.state == "up_for_retry"
    assert "2.00 somoni (20 parts) and the balance is 1.00" in str(first.error)
    assert gateway.sent == []

    gateway.backend.change_account("demo", balance=2)
    second = run_task(make_campaign(20, require_balance=True), try_number=2)
    assert (second.state, second.xcom["cost"]) == ("success", 2.0)


def test_a_dry_run(gateway, run_task, make_campaign):
    """A dry run previews, and sends nothing."""
    result = run_task(make_campaign(20, dry_run=True))

    assert result.state == "success"
    assert (result.xcom["outcomes"]["pending"], result.xcom["preview"]["recipients"]) == (20, 20)
    assert gateway.requests["send"] == 0


def test_nobody(gateway, run_task, make_campaign):
    """An empty audience skips the task, or ends it well, as the policy says."""
    assert run_task(make_campaign([])).state == "skipped"
    assert run_task(make_campaign([], on_empty="success")).xcom["recipients"] == 0


def test_too_many_undecided(gateway, run_task, make_campaign, has_state_store):
    """Rows of which nobody can tell are told apart, and fail the task above max_failed_ratio."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP, times=4)  # the first row meets it twice: it goes alone
    result = run_task(make_campaign(10, concurrency=1, max_failed_ratio=0.2))

    assert result.state == "failed"
    assert "3 of 10 rows are not known to be accepted (3 undecided)" in str(result.error)
    assert len(gateway.sent) == 7
    again = run_task(make_campaign(10), try_number=2).xcom["outcomes"]
    assert again["uncertain" if has_state_store else "accepted_untracked"] >= 3


def test_nobody_could_be_sent_to(gateway, run_task, make_campaign):
    """When every text is too long to travel the task fails, instead of ending well with nobody texted."""
    result = run_task(make_campaign(3, message="Салом, {name}! " + "ҷ" * 2000))

    assert result.state == "failed"
    assert "None of 3 rows is known to be accepted (3 unsendable)" in str(result.error)


def test_the_rate_is_held(gateway, run_task, make_campaign):
    """With max_rate the messages are spread evenly: the gateway's own limit refuses none."""
    gateway.backend.change_behavior(max_rate=120)
    result = run_task(make_campaign(150, max_rate=100))

    assert result.state == "success"
    assert gateway.refusals == []
    assert gateway.requests["send"] == 150
    assert result.xcom["seconds"] >= 1


def test_confidential_and_quiet(gateway, run_task, make_campaign, caplog):
    """A confidential campaign is sent as such, and the log holds a few lines and no text."""
    with caplog.at_level(logging.INFO):
        run_task(make_campaign(200, message="Рамзи {name}: 4829", is_confidential=True))

    assert all(sms.is_confidential for sms in gateway.sent)
    ours = [record.getMessage() for record in caplog.records if "airflow_provider_osonsms" in record.name]
    assert len(ours) < 10
    assert not [line for line in ours if "4829" in line or "N7" in line or "992900000007" in line]
    assert any("200 recipients" in line for line in ours)


def test_billed_otherwise_than_estimated(gateway, run_task, make_campaign, caplog, monkeypatch):
    """A gateway that bills more parts than were estimated is told about, with both figures."""
    monkeypatch.setattr("airflow_provider_osonsms.simulator.calls.serve.count_parts", lambda _: 2)
    result = run_task(make_campaign(10))

    assert result.xcom["parts"] == 20
    assert "Billed as 20 parts, estimated as 10" in caplog.text


def test_parquet_in_and_out(gateway, run_task, make_campaign, make_people, tmp_path):
    """A Parquet audience is texted, and the results are Parquet with the same columns as CSV."""
    pytest.importorskip("pyarrow")
    audience, results = tmp_path / "people.parquet", tmp_path / "results.parquet"
    pd.DataFrame([*make_people(3), {"phone": "12", "name": "short"}]).to_parquet(audience)

    result = run_task(make_campaign(str(audience), results_path=str(results)))

    assert result.state == "success"
    table = pd.read_parquet(results)
    assert list(table["outcome"]) == ["accepted"] * 3 + ["rejected"]
    assert table["parts"].dropna().tolist() == [1, 1, 1]
    assert set(table["msg_id"].dropna()) == {str(sms.msg_id) for sms in gateway.sent}
