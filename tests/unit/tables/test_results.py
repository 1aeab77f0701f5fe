"""The table of a campaign, as waits and reports read it."""

import pytest

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import may_send_again
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.results import (
    TableChangedError,
    TableUnavailableError,
    read_results,
    read_results_table,
)
from airflow_provider_osonsms.tables.rows import RejectRow, ResultRow

ROWS = [
    ResultRow(0, "a", "992900000001", "accepted", None, "t0", "7000", 2),
    ResultRow(1, None, "9929•••••02", "rejected", "empty", None, None, None),
    ResultRow(2, "c", "992900000003", "accepted_untracked", "answer_lost", "t2", None, None),
]


def test_results_come_back(tmp_path, suffix):
    """What a campaign has written is read back row by row."""
    path = tmp_path / f"results{suffix}"
    identity = write_table(ROWS, path, kind=ResultRow)

    assert list(read_results(path)) == ROWS
    assert list(read_results(path, expected=identity)) == ROWS


@pytest.mark.parametrize("outcome", [*Outcome, None, "strange"])
def test_who_cannot_be_asked_for(outcome):
    """Only a row that was accepted in a lost answer is untracked."""
    row = ROWS[0]._replace(outcome=outcome)

    assert row.is_untracked is (outcome == "accepted_untracked")


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [],
        lambda rows: rows[:-1],
        lambda rows: [*rows, rows[0]],
        lambda rows: [rows[0]._replace(msg_id="7001"), *rows[1:]],
    ],
    ids=["emptied", "cut", "longer", "another run's"],
)
def test_another_table_is_not_believed(tmp_path, suffix, change):
    """A table that is not the campaign's is refused, for now, with what to do, and without place or phone."""
    path = tmp_path / f"results{suffix}"
    expected = write_table(ROWS, path, kind=ResultRow)
    write_table(change(ROWS), path, kind=ResultRow)

    with pytest.raises(
        TableChangedError, match=r"another run may have written there.*\{\{ run_id \}\}"
    ) as caught:
        list(read_results(path, expected=expected))
    assert may_send_again(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert "992900000001" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_file_that_is_cut_is_not_believed(tmp_path, suffix):
    """A file that is cut in the middle of a row is refused for now too: somebody may be copying it."""
    path = tmp_path / f"results{suffix}"
    expected = write_table(ROWS, path, kind=ResultRow)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(TableChangedError):
        list(read_results(path, expected=expected))


@pytest.mark.parametrize(
    ("said", "rows", "checksum"),
    [
        ({"rows": 3, "checksum": "ab"}, 3, "ab"),
        ({"rows": "3", "checksum": "ab"}, None, None),
        ({"rows": 3}, None, None),
        ("3", None, None),
        (None, None, None),
    ],
)
def test_what_a_campaign_says_of_its_table(said, rows, checksum):
    """An output names the table with rows and checksum; one that says neither is believed as it is."""
    table = read_results_table({"results_path": "/r.csv", "results": said})

    assert (table.path, table.rows, table.checksum) == ("/r.csv", rows, checksum)
    assert read_results_table({"messages": []}) is None


def test_a_table_of_another_kind_ends_the_wait(tmp_path, suffix):
    """The table of rejects is no table of results."""
    path = tmp_path / f"t{suffix}"
    write_table([RejectRow(0, "•", "empty", None)], path, kind=RejectRow)

    with pytest.raises(InvalidMessageError, match="the table that the campaign wrote"):
        list(read_results(path))


def test_a_missing_table_ends_the_wait(tmp_path, suffix):
    """A table that is not there was written on another machine, and the error says so."""
    with pytest.raises(InvalidMessageError, match="every worker and triggerer can read"):
        list(read_results(tmp_path / f"none{suffix}"))


@pytest.mark.parametrize("error", [TimeoutError("-"), ConnectionError("-"), RuntimeError("-")])
def test_a_storage_that_is_away_may_come_back(error):
    """A storage that fails for now is told as such, whatever its library raises."""

    class AwayPath:
        suffix = ".csv"

        def open(self, _mode):
            raise error

    with pytest.raises(TableUnavailableError, match=rf"for now \({type(error).__name__}\)"):
        list(read_results(AwayPath()))


def test_a_storage_that_breaks_off_may_come_back(make_memory_path):
    """A read that breaks off in the middle is no damaged table."""

    class BreakingPath(make_memory_path):
        def open(self, mode):
            file = super().open(mode)
            read = file.read1

            def read_once(size=-1):
                if file.tell():
                    raise ConnectionError
                return read(size and min(size, 100) if size > 0 else 100)

            file.read1 = read_once
            return file

    header = ",".join(ResultRow._fields)
    content = f"{header}\n" + "0,k,p,accepted,,t,7,1\n" * 50

    with pytest.raises(TableUnavailableError):
        list(read_results(BreakingPath(content.encode())))
