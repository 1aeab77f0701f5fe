"""Numbers that are dead: undeliverable in campaign after campaign, and never delivered since."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.suppression import dead_numbers
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.rows import ReportRow

A, B = "992900000001", "992900000002"
STATUSES = {
    "U": "UNDELIVERABLE",
    "D": "DELIVERED",
    "E": "EXPIRED",
    "R": "REJECTED",
    "?": "UNKNOWN",
    "-": None,
}
MSG_IDS = count(1)

WriteReport = Callable[..., Path]


@pytest.fixture
def write_report(tmp_path: Path) -> WriteReport:
    """Write the report of a campaign of a day, with messages as (phone, letter of a status)."""

    def write(day: int, *messages: tuple[str | None, str], path: str = "") -> Path:
        sent = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
        rows = [
            ReportRow(
                key=phone,
                phone=phone,
                msg_id=str(next(MSG_IDS)),
                status=STATUSES[status],
                first_seen=None if status == "-" else sent.isoformat(timespec="seconds"),
                last_seen=None if status == "-" else (sent + timedelta(days=3)).isoformat(timespec="seconds"),
                polls=2,
            )
            for phone, status in messages
        ]
        place = tmp_path / (path or f"{day}/delivery.csv")
        write_table(rows, place, kind=ReportRow)
        return place

    return write


@pytest.mark.parametrize(
    ("statuses", "is_dead"),
    [
        ("UUU", True),
        ("UU", False),
        ("DUUU", True),
        ("UUUD", False),
        ("UUDU", False),
        ("UUDUUU", True),
        ("UEUEU", True),
        ("EEEE", False),
        ("UUE", False),
        ("U?URU", True),
        ("U-UU", True),
        ("RRR", False),
        ("???", False),
    ],
)
def test_what_makes_a_number_dead(write_report: WriteReport, statuses: str, *, is_dead: bool) -> None:
    """Only UNDELIVERABLE counts, only DELIVERED starts anew, and the days decide, not the arguments."""
    reports = [write_report(day, (A, status), (B, "D")) for day, status in enumerate(statuses)]

    for given in (reports, reversed(reports)):
        assert list(dead_numbers(*given)) == ([A] if is_dead else [])


def test_how_often(write_report: WriteReport) -> None:
    """After says in how many campaigns."""
    reports = [write_report(day, (A, "U"), (B, "U" if day else "D")) for day in range(3)]

    assert [list(dead_numbers(*reports, after=after)) for after in (1, 2, 3, 4)] == [[A, B], [A, B], [A], []]


def test_several_messages_of_one_campaign_are_one(write_report: WriteReport) -> None:
    """A number with three orders in a campaign was undeliverable once; one delivery says that it lives."""
    first = write_report(1, *[(A, "U")] * 3, *[(B, "U")] * 3)
    second = write_report(2, (A, "U"), (B, "U"), (B, "D"), (B, "U"))

    assert list(dead_numbers(first, second, after=3)) == []
    assert list(dead_numbers(first, second, after=2)) == [A]


def test_a_report_that_is_given_twice_counts_once(write_report: WriteReport, tmp_path: Path) -> None:
    """So does a copy of it, and a folder beside a pattern that finds the same tables."""
    report = write_report(1, (A, "U"))
    (tmp_path / "copy.csv").write_bytes(report.read_bytes())

    assert list(dead_numbers(report, tmp_path, f"{tmp_path}/*/delivery.csv", after=1)) == [A]
    assert list(dead_numbers(report, tmp_path, f"{tmp_path}/*/delivery.csv", after=2)) == []


@pytest.mark.parametrize(
    "where", ["{folder}", "{folder}/*/delivery.csv", "file://{folder}", "{folder}/**/d*"]
)
def test_folders_and_patterns(write_report: WriteReport, tmp_path: Path, where: str) -> None:
    """A folder or a pattern stands for the tables in it, and not for the pages beside them."""
    for day in range(3):
        page = write_report(day, (A, "U"), path=f"reports/{day}/delivery.csv").with_suffix(".html")
        page.write_text("<p>report</p>")
    (tmp_path / "reports" / "1" / "delivery.csv.abcdefgh.wait.csv").write_text("txn_id\n")

    assert list(dead_numbers(where.format(folder=tmp_path / "reports"))) == [A]


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs pyarrow")
def test_parquet(write_report: WriteReport) -> None:
    """Reports may be Parquet files."""
    reports = [write_report(day, (A, "U"), path=f"{day}.parquet") for day in range(3)]

    assert list(dead_numbers(*reports)) == [A]


def test_no_report_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Before the first campaign there is no table in the folder: nobody is dead, and the log warns."""
    assert list(dead_numbers(tmp_path, f"{tmp_path}/*/delivery.csv")) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("name", ["none.csv", "none/delivery.csv", "none/*/delivery.csv"])
def test_a_path_that_is_not_there(tmp_path: Path, name: str) -> None:
    """A typing error does not pass for a list of nobody."""
    with pytest.raises(InvalidMessageError, match=r"dead_numbers: .* cannot be read \(FileNotFound"):
        list(dead_numbers(tmp_path / name))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phone\n992900000001\n",
        "row,key,phone,outcome,reason,txn_id,msg_id,parts\n",
        "key,phone,msg_id,status,first_seen,last_seen,polls\na,992900000001,1,UNDELIVERABLE,,,1\n",
    ],
)
def test_another_table(tmp_path: Path, text: str) -> None:
    """The results of a campaign, or any other table, are no report."""
    path = tmp_path / "other.csv"
    path.write_text(text)

    with pytest.raises(
        InvalidMessageError, match=r"dead_numbers: .*other.csv is no table of a delivery report"
    ):
        list(dead_numbers(tmp_path))


def test_a_report_without_phones(write_report: WriteReport, caplog: pytest.LogCaptureFixture) -> None:
    """A campaign without a results_path leaves no phones in its report, and the log says so."""
    report = write_report(1, (None, "U"), (A, "U"))

    assert list(dead_numbers(report, after=1)) == [A]
    assert "1 undeliverable messages have no phone in their report" in caplog.text


@pytest.mark.parametrize("after", [0, -1, 1.5, "x", True])
def test_wrong_arguments(after: object) -> None:
    """What cannot be meant is refused when the DAG is built."""
    with pytest.raises(ValueError, match="after must be a whole number, 1 or more"):
        dead_numbers("/data/reports", after=after)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dead_numbers needs a table"):
        dead_numbers()


def test_it_reads_the_same_in_every_process() -> None:
    """Airflow stores its text with the DAG: it has no address in memory, and of a URL no login."""
    assert repr(dead_numbers("/data/a.csv", "s3://key:secret@bucket/b.csv")) == (
        "dead_numbers(/data/a.csv, b.csv, after=3)"
    )
