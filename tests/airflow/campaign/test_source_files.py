"""Files of people as spreadsheets and editors save them: read, or refused with the suffix and what to do."""

import csv
import gzip
import sys
import zipfile
from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

openpyxl = pytest.importorskip("openpyxl")

SHOP = [f"9929000{number:03}01" for number in range(6)]


@pytest.fixture
def make_workbook(tmp_path):
    """Write rows into a workbook; a cell may be a value with its number format."""

    def make(*rows, name="people.xlsx", sheet=None):
        book = openpyxl.Workbook()
        page = book.active
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row, start=1):
                value, shown_as = cell if isinstance(cell, tuple) else (cell, None)
                written = page.cell(number, place, value)
                if shown_as:
                    written.number_format = shown_as
        if sheet is not None:
            book.create_sheet("more").append(sheet)
        book.save(tmp_path / name)
        return str(tmp_path / name)

    return make


def test_a_workbook(gateway, run_task, make_campaign, make_workbook):
    """Texts, numbers, dates, booleans and errors are texted as Excel shows them."""
    path = make_workbook(
        ["id", "phone", "name", "sum", "code", "due", "ok"],
        [1, SHOP[0], "Алӣ", 1250.5, (7, "000"), date(2026, 1, 31), True],
        [],
        [2, int(SHOP[1]), "N", 0.1 + 0.2, (12345, "000"), datetime(2026, 1, 31, 9), False],  # noqa: DTZ001 - Excel has no zones
        [3, int(SHOP[2][3:]), "N", 17, "007", date(2026, 2, 1), "ha"],
    )
    text = "{name} {sum} {code} {due:%d.%m} {ok}"

    result = run_task(make_campaign(path, message=text))

    assert result.state == "success", result.error
    assert [(sms.phone, sms.text) for sms in sorted(gateway.sent, key=lambda sms: sms.phone)] == [
        (SHOP[0], "Алӣ 1250.5 007 31.01 TRUE"),
        (SHOP[1], "N 0.3 12345 31.01 FALSE"),
        (SHOP[2], "N 17 007 01.02 ha"),
    ]


def test_damaged_phones_of_a_workbook(gateway, run_task, make_campaign, make_workbook):
    """A number that Excel has rounded, a date, a boolean, an error and an empty cell are each rejected."""
    cells = [992928000000, 9.92928e17, 1234567, date(2026, 1, 31), timedelta(hours=30), True, "#N/A", None]
    path = make_workbook(["phone", "name"], [SHOP[0], "N"], *([cell, "N"] for cell in cells))

    result = run_task(make_campaign(path))

    assert result.xcom["rejected"] == {
        "empty": 1,
        "not_a_number": 4,
        "lost_digits": 2,
        "ambiguous_short": 1,
    }
    assert [sms.phone for sms in gateway.sent] == [SHOP[0]]


@pytest.mark.parametrize("name", ["exclude", "only"])
def test_a_workbook_as_a_list(gateway, run_task, make_campaign, make_workbook, *, make_people, name):
    """Exclude and only take a workbook as well, with one column of any name."""
    people = make_people(4, first=1)
    path = make_workbook(["number"], *([int(one["phone"])] for one in people[:2]))

    run_task(make_campaign(people, **{name: path}))

    chosen = people[2:] if name == "exclude" else people[:2]
    assert sorted(sms.phone for sms in gateway.sent) == [one["phone"] for one in chosen]


def test_a_sheet_with_a_wrong_size(gateway, run_task, make_campaign, make_workbook, tmp_path):
    """Some programs write that a sheet ends after its first cell: nobody is lost."""
    path = make_workbook(["phone", "name"], *([phone, "N"] for phone in SHOP))
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(tmp_path / "small.xlsx", "w") as small:
        for name in book.namelist():
            content = book.read(name)
            small.writestr(name, content.replace(b'<dimension ref="A1:B7"', b'<dimension ref="A1"'))

    run_task(make_campaign(str(tmp_path / "small.xlsx")))

    assert sorted(sms.phone for sms in gateway.sent) == SHOP


WRONG_BOOKS = {
    "two sheets": (
        {"rows": [["phone", "name"], [SHOP[0], "N"]], "sheet": [SHOP[1]]},
        "has 2 sheets with data",
    ),
    "no rows": ({"rows": []}, "has no sheets with data"),
    "no column": ({"rows": [["tel", "name"], [SHOP[0], "N"]]}, "has no column 'phone'"),
    "no header": ({"rows": [[int(SHOP[0]), "N"], [SHOP[1], "N"]]}, "a first row of data instead of a header"),
    "a cell beside": (
        {"rows": [["phone", "name"], [SHOP[0], "N", "x"]]},
        "beside the columns of its header in row 2",
    ),
    "a formula": (
        {"rows": [["phone", "name"], [SHOP[0], "N"], ["=A2", "N"]]},
        "formula without a result in row 3",
    ),
    "only formulas": (
        {"rows": [["phone", "name"], [SHOP[0], "N"], ["=A2", "=B2"]]},
        "without a result in row 3",
    ),
}


@pytest.mark.parametrize("kind", WRONG_BOOKS)
@pytest.mark.parametrize("name", ["recipients", "exclude"])
def test_a_workbook_that_may_be_misread(gateway, run_task, make_campaign, make_workbook, *, kind, name):
    """Nobody is texted, and the error names the argument, the file and its row."""
    options, said = WRONG_BOOKS[kind]
    path = make_workbook(*options["rows"], sheet=options.get("sheet"))
    result = run_task(make_campaign(**{"recipients": 3, name: path}))

    assert result.state == "failed"
    assert str(result.error).startswith(name)
    assert said in str(result.error)
    assert not any(phone in str(result.error) for phone in SHOP)
    assert gateway.sent == []


def test_a_number_that_excel_has_cut(gateway, run_task, make_campaign, make_workbook):
    """Excel keeps 15 digits: a longer number is no name and no key, where it is needed."""
    path = make_workbook(["phone", "name", "account"], [SHOP[0], "N", 1234567890123456])

    run_task(make_campaign(path))
    result = run_task(make_campaign(path, key_column="account"))

    assert "over 15 digits in row 2" in str(result.error)
    assert [sms.phone for sms in gateway.sent] == [SHOP[0]]


def test_a_workbook_without_openpyxl(gateway, run_task, make_campaign, make_workbook, monkeypatch):
    """The error says what to install."""
    path = make_workbook(["phone", "name"], [SHOP[0], "N"])
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    result = run_task(make_campaign(path))

    assert result.state == "failed"
    assert "recipients is an Excel file, which needs openpyxl" in str(result.error)
    assert "pip install 'airflow-provider-osonsms[excel]'" in str(result.error)


@pytest.mark.parametrize("content", [b"", b"phone,name\n", b"PK\x03\x04 cut", b"\xd0\xcf\x11\xe0 an .xls"])
def test_no_workbook_in_spite_of_its_name(gateway, run_task, make_campaign, tmp_path, content):
    """Whatever is in the file, the error is ours."""
    (tmp_path / "people.xlsx").write_bytes(content)

    result = run_task(make_campaign(str(tmp_path / "people.xlsx")))

    assert result.state == "failed"
    assert "people.xlsx is no .xlsx workbook that can be read, or has a password" in str(result.error)


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        (".xls", "the suffix .xls: save it as .xlsx"),
        (".ods", "the suffix .ods: save it as .xlsx"),
        (".XLS", "the suffix .xls: save it as .xlsx"),
        (".zip", "the suffix .zip: unpack it"),
        (".csv.zip", "the suffix .zip: unpack it"),
        (".csv.bz2", "the suffix .bz2: unpack it"),
        (".json", "the suffix .json: read it yourself"),
        (".jsonl", "the suffix .jsonl: read it yourself"),
        (".sqlite", "the suffix .sqlite: read it yourself"),
        (".pdf", "the suffix .pdf: write the phones into a CSV"),
        (".dat", "the suffix .dat; give a path that ends in .csv, "),
        ("", "no suffix; give a path that ends in .csv, "),
    ],
)
def test_other_suffixes(gateway, run_task, make_campaign, tmp_path, *, suffix, said):
    """The error names the suffix and what to do."""
    result = run_task(make_campaign(str(tmp_path / f"people{suffix}")))

    assert result.state == "failed"
    assert str(result.error).startswith("recipients is ")
    assert said in str(result.error)
    assert gateway.sent == []


@pytest.mark.parametrize("suffix", [".xls", ".dat"])
@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
@pytest.mark.parametrize("kind", ["Path", "list", "list of Path", "Series", "array"])
def test_other_suffixes_in_a_list(gateway, run_task, make_campaign, tmp_path, *, suffix, name, kind):
    """No path is taken for a phone or a key."""
    path = tmp_path / f"people{suffix}"
    source = {
        "Path": path,
        "list": [str(path)],
        "list of Path": [path],
        "Series": pd.Series([str(path)]),
        "array": np.array([path, path]),
    }[kind]

    result = run_task(make_campaign(**{"recipients": 3, name: source}))

    assert result.state == "failed"
    assert str(result.error).startswith(name)
    assert f"the suffix {suffix}" in str(result.error)
    assert gateway.sent == []


TEXTS = {
    "one phone a line": "\n".join(SHOP),
    "with empty lines": "\ufeff" + "\r\n\r\n".join([*SHOP, "", ""]),
    "with a header": "\n".join(["phone", *SHOP]),
    "a CSV": "\n".join(["id;phone", *(f"{number};{phone}" for number, phone in enumerate(SHOP))]),
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("name", ["recipients", "exclude"])
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".TXT"])
def test_a_text_file(gateway, run_task, make_campaign, tmp_path, *, kind, name, suffix):
    """A .txt is a CSV, or one phone a line; it is no template, and a text in it is none."""
    content = TEXTS[kind].encode()
    path = tmp_path / f"{{phones{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".txt.gz" else content)
    source = {"recipients": SHOP, name: str(path)}

    result = run_task(make_campaign(**source, message="Салом!", on_empty="success"))

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == ([] if name == "exclude" else SHOP)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"номер\n{SHOP[0]}\n", "has no column 'phone'; its columns are 'номер'"),
        ("", "is empty, without a header"),
        ("\n".join(SHOP).encode("utf-16"), "is not UTF-8 text"),
        (f"{SHOP[0]}\n".encode() + "Алӣ".encode("cp1251", "replace") + b"\xe9\n", "is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("name", ["recipients", "exclude"])
def test_a_text_file_that_may_be_misread(gateway, run_task, make_campaign, tmp_path, *, content, said, name):
    """Another first line may be the first entry of a list without a header."""
    path = tmp_path / "phones.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    result = run_task(make_campaign(**{"recipients": SHOP, name: str(path)}, message="Салом!"))

    assert result.state == "failed"
    assert str(result.error).startswith(name)
    assert said in str(result.error)
    assert gateway.sent == []


def test_a_text_file_without_the_columns_of_the_text(gateway, run_task, make_campaign, tmp_path):
    """One phone a line has no names."""
    (tmp_path / "phones.txt").write_text("\n".join(SHOP))

    result = run_task(make_campaign(str(tmp_path / "phones.txt")))

    assert "has one phone a line and no header, so no column 'name'" in str(result.error)


@pytest.mark.parametrize(
    ("mark", "line", "end"),
    [(",", "sep={}", "\n"), (";", '"sep={}"', "\r\n"), ("\t", "SEP={}", "\n"), ("|", "\ufeffsep={}", "\r\n")],
)
@pytest.mark.parametrize("message", ["Салом!", "Салом, {name}!"])
def test_the_line_of_excel_before_the_header(
    gateway, run_task, make_campaign, tmp_path, *, mark, line, end, message
):
    """A first line sep=; names the delimiter, and is no header."""
    rows = [["phone", "name"], *([phone, 'A ",;\t|" B'] for phone in SHOP)]
    quoted = [mark.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    (tmp_path / "people.csv").write_text(end.join([line.format(mark), *quoted, ""]), newline="")

    result = run_task(make_campaign(str(tmp_path / "people.csv"), message=message))

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == SHOP


def test_lines_are_counted_after_the_line_of_excel(gateway, run_task, make_campaign, tmp_path):
    """An error names the line as an editor does."""
    (tmp_path / "people.csv").write_text(f"sep=;\nphone;name\n{SHOP[0]};N\n{SHOP[1]}\n")

    result = run_task(make_campaign(str(tmp_path / "people.csv")))

    assert "has 1 cells in line 4 and 2 in its header" in str(result.error)


READ_PHONES = [
    "992,900,000,101",
    "900,000,101",
    "992,900,000,101.00",
    "'992900000101",
    "'+992 900 00 01 01",
    '="992900000101"',
    '="+992900000101"',
    '= "900000101"',
]
REJECTED_PHONES = {
    "992,900,000,101,": "several_numbers",
    "992900000,101": "several_numbers",
    "99,290,000,0101": "several_numbers",
    "900,000,101,900,000,102": "several_numbers",
    "992,928,000,000": "lost_digits",
    "9,000,101": "ambiguous_short",
    '="9.92928E+11"': "lost_digits",
    '=""': "empty",
    "'": "empty",
    "=A1": "not_a_number",
    '="992900000101': "not_a_number",
    "it's": "not_a_number",
}


@pytest.mark.parametrize("kind", ["csv", "list", "xlsx"])
def test_phones_as_spreadsheets_export_them(
    gateway, run_task, make_campaign, make_workbook, *, tmp_path, kind
):
    """What has one reading is read; everything else is rejected with its reason, and nothing is lost."""
    cells = [*READ_PHONES, *REJECTED_PHONES]
    rows = [[cell, str(number)] for number, cell in enumerate(cells)]
    if kind == "xlsx":
        rows = [[f"\u200b{cell}" if cell.startswith("=") else cell, number] for cell, number in rows]
        source = make_workbook(["phone", "name"], *rows)
    elif kind == "csv":
        source = str(tmp_path / "people.csv")
        with (tmp_path / "people.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["phone", "name"], *rows])
    else:
        source = [{"phone": phone, "name": name} for phone, name in rows]

    result = run_task(make_campaign(source, key_column="name"))

    assert [sms.phone for sms in gateway.sent] == ["992900000101"] * len(READ_PHONES)
    assert result.xcom["rejected"] == Counter(REJECTED_PHONES.values())
