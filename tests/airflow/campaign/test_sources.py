"""Who must not be texted is not, and nothing that is given as data is taken for something else."""

import csv
import sqlite3
from contextlib import ExitStack, closing
from typing import NamedTuple

import pytest
import sqlalchemy

SHOP = [f"9929000{number:03}01" for number in range(8)]


class Person(NamedTuple):
    """A row with names."""

    inn: int
    phone: str
    name: str


@pytest.fixture
def lists(tmp_path):
    """Write two suppression lists, of two people each; return their paths as texts."""
    paths = [tmp_path / "asked.csv", tmp_path / "complained.csv"]
    for number, path in enumerate(paths):
        path.write_text("\n".join(["phone", *SHOP[2 * number : 2 * number + 2], ""]))
    return list(map(str, paths))


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_suppression_lists(gateway, run_task, make_campaign, lists, kind):
    """Each file of a list is read, as a template renders it: nobody on it is texted."""
    result = run_task(make_campaign([{"phone": phone, "name": "N"} for phone in SHOP], exclude=kind(lists)))

    assert result.xcom["rejected"] == {"suppressed": 4}
    assert sorted(sms.phone for sms in gateway.sent) == SHOP[4:]


def test_a_list_of_chosen_lists(gateway, run_task, make_campaign, lists, tmp_path):
    """The same holds for only=, and for the audience itself."""
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["phone,name", *(f"{phone},N" for phone in SHOP), ""]))
    only = [path.replace(".csv", "-keys.csv") for path in lists]
    for number, path in enumerate(only):
        (tmp_path / path).write_text(f"key\n{SHOP[number]}\n")

    run_task(make_campaign([str(people)], only=only))

    assert sorted(sms.phone for sms in gateway.sent) == SHOP[:2]


@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
def test_paths_among_phones_are_refused(gateway, run_task, make_campaign, lists, name):
    """Nobody can tell what was meant, so nobody is texted, and no phone is shown."""
    result = run_task(make_campaign(**{"recipients": 3, name: [lists[0], SHOP[0]]}))

    assert result.state == "failed"
    assert f"{name} is a list of 1 paths and 1 other entries" in str(result.error)
    assert SHOP[0] not in str(result.error)
    assert gateway.sent == []


@pytest.mark.parametrize("kind", [list, tuple])
def test_values_of_rows_are_no_templates(gateway, run_task, make_campaign, kind):
    """A name that looks like a template is a name: nothing of the Connection is texted to anybody."""
    names = ["{# N #}", "{{ conn.osonsms_default.password }}", "N"]
    rows = [{"phone": phone, "name": name} for phone, name in zip(SHOP, names, strict=False)]

    result = run_task(make_campaign(kind(rows), message="Салом, {name}!"))

    assert [sms.text for sms in gateway.sent] == ["Салом, {# N #}!", "Салом, N!"]
    assert result.xcom["rejected"] == {"unfilled_text": 1}


def test_paths_in_a_list_are_templates(gateway, run_task, make_campaign, lists):
    """A path is rendered, also in a list."""
    folder = lists[0].rpartition("/")[0]
    people = [{"phone": phone, "name": "N"} for phone in SHOP]

    run_task(make_campaign(people, exclude=[f"{folder}/{{{{ 'asked' }}}}.csv"]))

    assert sorted(sms.phone for sms in gateway.sent) == SHOP[2:]


@pytest.fixture
def make_rows(tmp_path):
    """Return the rows of a database, or of a file, with a taxpayer's number before the phone."""
    rows = [(900000000 + number, phone, "N") for number, phone in enumerate(SHOP)]
    path = tmp_path / "shop.db"
    with ExitStack() as stack:

        def connect():
            return stack.enter_context(closing(sqlite3.connect(path)))

        def make(kind):
            if kind == "csv.reader":
                return csv.reader(",".join(map(str, row)) for row in rows)
            if kind == "csv.DictReader":
                return csv.DictReader(["inn,phone,name", *(",".join(map(str, row)) for row in rows)])
            if kind == "named tuples":
                return [Person(*row) for row in rows]
            connection = connect()
            connection.execute("create table people (inn, phone, name)")
            connection.executemany("insert into people values (?, ?, ?)", rows)
            connection.commit()
            if kind == "SQLAlchemy":
                engine = sqlalchemy.create_engine("sqlite://", creator=connect)
                return engine.connect().execute(sqlalchemy.text("select * from people"))
            if kind != "tuples":
                connection.row_factory = sqlite3.Row
            cursor = connection.execute("select * from people")
            return cursor.fetchall() if kind == "sqlite3.Row, all" else cursor

        yield make


NAMED = ["csv.DictReader", "named tuples", "SQLAlchemy", "sqlite3.Row", "sqlite3.Row, all"]


@pytest.mark.parametrize("kind", NAMED)
def test_rows_with_names_are_read_by_their_names(gateway, run_task, make_campaign, make_rows, kind):
    """No other column is taken for a phone."""
    result = run_task(make_campaign(lambda context, jinja_env: make_rows(kind)))

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == SHOP


@pytest.mark.parametrize("kind", ["csv.reader", "tuples"])
@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
def test_rows_without_names_are_refused(gateway, run_task, make_campaign, make_rows, *, kind, name):
    """Any number in them would be taken for a phone, and 992 + a taxpayer's number be texted."""
    source = {"recipients": 3, name: lambda context, jinja_env: make_rows(kind)}

    result = run_task(make_campaign(**source))

    assert result.state == "failed"
    assert "whose rows have no names" in str(result.error)
    assert gateway.sent == []
