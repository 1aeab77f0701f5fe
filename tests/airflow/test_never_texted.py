"""Whoever is on a suppression list is not texted: a property of every spelling, source and operator."""

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PEOPLE = [f"99290{number:07}" for number in (1, 12, 123, 1234, 12345, 123456, 1234567)]

CLEAR = [
    "{full}",
    "+{full}",
    "00{full}",
    "{local}",
    " {full} ",
    "+992 {two} {rest}",
    "(992) {two}-{rest}",
    "{full}.0",
    "'+{full}",
    '="{full}"',
    "tel:+{full}",
    "{full};",
    "8-10-992-{two}-{rest}",
    "810{full}",
    "0{local}",
    "8 {local}",
    "+992 {two} ::: {rest}",
    "Зарина {local}",
    "{full} (мобильный)",
    "1. {full}",
    "\ufeff{full}",
    "{full}\u200b x",
    "<{full}>",
    "{grouped}",
]
"""Spellings of a phone that are understood."""
UNCLEAR = [
    "{full}1",
    "{full}{full}",
    "#{full}99",
    "99{local}",
    "+{cut}",
    "{cut} Зарина",
    "{letter}",
    "9.929E+11",
]
"""Spellings that may be the phone: they stop the task."""
NOISE = ["Зарина", "n/a", "-", "+7 916 123-45-67", "79161234567", "", " ", None, "nan", "12"]
"""Entries that stand for nobody."""


def spell(spelling: str, phone: str) -> str:
    """Write *phone* in one of the spellings."""
    local = phone[3:]
    return spelling.format(
        full=phone,
        local=local,
        two=local[:2],
        rest=local[2:],
        cut=phone[:-1],
        letter=phone[:6] + "O" + phone[7:],
        grouped=",".join(phone[place : place + 3] for place in range(0, 12, 3)),
    )


def write_csv(cells: list[Any], folder: Path, *, columns: int) -> Path:
    """Write a list as a CSV with one column, or with others around it."""
    path = folder / "stop.csv"
    frame = pd.DataFrame({"phone": pd.Series(cells, dtype="object")})
    for number in range(columns - 1):
        frame.insert(number % 2, f"other{number}", "x")
    frame.to_csv(path, index=False, sep=";" if columns > 1 else ",")
    return path


def write_parts(cells: list[Any], folder: Path) -> list[str]:
    """Write a list as two files."""
    paths = []
    for name, part in (("a", cells[::2]), ("b", cells[1::2])):
        (folder / name).mkdir()
        paths.append(str(write_csv(part, folder / name, columns=1)))
    return paths


def write_gzip(cells: list[Any], folder: Path) -> str:
    """Write a list as a compressed file."""
    path = folder / "stop.csv.gz"
    path.write_bytes(gzip.compress(write_csv(cells, folder, columns=2).read_bytes()))
    return f"file://{path}"


def write_parquet(cells: list[Any], folder: Path) -> Path:
    """Write a list as Parquet."""
    path = folder / "stop.parquet"
    pd.DataFrame({"phone": pd.Series(cells, dtype="object")}).to_parquet(path)
    return path


SOURCES = {
    "list": lambda cells, folder: cells,
    "tuple": lambda cells, folder: tuple(cells),
    "series": lambda cells, folder: pd.Series(cells, dtype="object"),
    "array": lambda cells, folder: np.array(cells, dtype=object),
    "frame": lambda cells, folder: pd.DataFrame({"phone": pd.Series(cells, dtype="object"), "since": 2026}),
    "dicts": lambda cells, folder: [{"phone": cell, "since": 2026} for cell in cells],
    "chunks": lambda cells, folder: lambda context, jinja_env: iter([cells[:2], cells[2:]]),
    "callable": lambda cells, folder: lambda context, jinja_env: cells,
    "csv, one column": lambda cells, folder: str(write_csv(cells, folder, columns=1)),
    "csv, three columns": lambda cells, folder: write_csv(cells, folder, columns=3),
    "csv.gz by URL": write_gzip,
    "two files": write_parts,
    "the account's": lambda cells, folder: None,
    **({"parquet": write_parquet} if find_spec("pyarrow") else {}),
}

entries = st.one_of(
    *[st.tuples(st.sampled_from(CLEAR), st.sampled_from(PEOPLE))] * 3,
    st.tuples(st.sampled_from(UNCLEAR), st.sampled_from(PEOPLE)),
    st.sampled_from(NOISE),
)


@pytest.mark.parametrize("source", SOURCES)
@given(
    entries=st.lists(entries, min_size=1, max_size=6),
    several=st.booleans(),
    ratio=st.sampled_from([0, 0.5, 1.0]),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nobody_of_the_list_is_texted(
    gateway,
    run_task,
    texted,
    make_audience_task,
    *,
    monkeypatch,
    tmp_path_factory,
    supervisor,
    source,
    entries,
    several,
    ratio,
):
    """Nobody of the list is in the gateway's ledger, or the task failed and nobody was texted at all."""
    folder = tmp_path_factory.mktemp("lists")
    listed = {entry[1] for entry in entries if isinstance(entry, tuple)}
    cells = [spell(*entry) if isinstance(entry, tuple) else entry for entry in entries]
    if several:
        cells = [", ".join(cell for cell in cells if cell)]
    extra = {}
    if source == "the account's":
        extra["suppression"] = str(write_csv(cells, folder, columns=2))
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=1, **extra))
    supervisor.store.clear()
    before = texted()
    run_id = folder.name

    task = make_audience_task(
        recipients=PEOPLE,
        exclude=SOURCES[source](cells, folder),
        max_ignored_ratio=ratio,
        task_id="never",
        on_empty="success",
    )
    result = run_task(task, run_id=run_id)

    new = texted()
    for phone in before:
        new.remove(phone)
    assert not listed & set(new)
    if result.state == "failed":
        assert new == []
        return
    assert result.state == "success", result.error
    is_sending = not type(task).__name__.endswith("PreviewOperator")
    assert new == (sorted(set(PEOPLE) - listed) if is_sending else [])


@pytest.mark.parametrize("spelling", CLEAR)
def test_every_spelling_is_understood(run_task, texted, make_audience_task, spelling):
    """The spellings of the docs stop no task: who is on the list is left out, and the others are texted."""
    result = run_task(make_audience_task(recipients=PEOPLE, exclude=[spell(spelling, PEOPLE[3])]))

    assert result.state == "success", result.error
    assert texted() in ([], sorted({*PEOPLE} - {PEOPLE[3]}))
    assert result.xcom["ignored_exclusions"] == 0


@pytest.mark.parametrize("spelling", UNCLEAR)
def test_every_unclear_entry_stops(run_task, texted, make_audience_task, spelling):
    """What may be a phone stops the task, whatever may be ignored, and is not shown."""
    cell = spell(spelling, PEOPLE[6])

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=[PEOPLE[0], cell], max_ignored_ratio=1.0))

    assert result.state == "failed"
    assert str(result.error).startswith("exclude: 1 entries ")
    assert cell not in str(result.error)
    assert texted() == []


def test_ignored_entries_are_told(gateway, run_task, make_audience_task, caplog):
    """How many words of the list were ignored stands in the log as a warning, and in the output."""
    exclude = [*PEOPLE[:3], "Зарина", "n/a", "", None]

    refused = run_task(make_audience_task(recipients=PEOPLE, exclude=exclude))
    result = run_task(make_audience_task(recipients=PEOPLE, exclude=exclude, max_ignored_ratio=0.4))

    assert refused.state == "failed"
    assert "exclude: 2 of its 5 entries are no phones (40.0%), and 0.0% may be ignored" in str(refused.error)
    assert result.state == "success", result.error
    assert result.xcom["ignored_exclusions"] == 2
    assert any(
        "2 entries are no phones and were ignored" in record.getMessage() and record.levelname == "WARNING"
        for record in caplog.records
    )


def test_the_preview_shows_the_ignored_entries(run_task, make_audience_task, gateway):
    """So does the preview, also that of a dry run."""
    options = {"recipients": PEOPLE, "exclude": [*PEOPLE[:3], "Зарина"], "max_ignored_ratio": 0.4}
    task = make_audience_task(**options)
    is_preview = type(task).__name__.endswith("PreviewOperator")

    result = run_task(task if is_preview else make_audience_task(**options, dry_run=True))

    preview = result.xcom if is_preview else result.xcom["preview"]
    assert preview["ignored_exclusions"] == 1
    assert "| Ignored in exclude | 1 |" in preview["markdown"]


@pytest.mark.parametrize("other", [{"tel": PEOPLE[1], "name": "Зарина"}, {"tel": PEOPLE[1]}])
@pytest.mark.parametrize("kind", [list, iter])
def test_a_row_whose_phone_has_another_name(run_task, texted, make_audience_task, *, other, kind):
    """Somebody in a row of another shape is not passed over: the task fails, and says why."""
    rows = [{"phone": PEOPLE[0]}, other]

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=kind(rows)))

    assert (result.state, texted()) == ("failed", [])
    assert "exclude holds 1 rows without 'phone'" in str(result.error)


def test_a_row_whose_phone_is_empty(run_task, texted, make_audience_task):
    """An empty phone under the name of the others is no entry, as in a table."""
    rows = [{"phone": PEOPLE[0], "name": "Зарина"}, {"phone": None, "name": "Али"}]

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=rows))

    assert result.state == "success", result.error
    assert PEOPLE[0] not in texted()


@pytest.mark.parametrize("kind", ["rows", "frame", "file"])
def test_a_column_without_any_phone(run_task, texted, make_audience_task, *, kind, tmp_path):
    """Where the column is blank in all rows of a table, the phones are perhaps in another one."""
    rows = [{"phone": "", "tel": phone} for phone in PEOPLE[:2]]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "stop.csv", index=False)
    exclude = {"rows": rows, "frame": frame, "file": tmp_path / "stop.csv"}[kind]

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=exclude))

    assert (result.state, texted()) == ("failed", [])
    assert "exclude: its column 'phone' is blank in each of its 2 rows" in str(result.error)
