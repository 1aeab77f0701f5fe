"""The phones of a CSV file are the same, read in blocks of bytes or cell by cell."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason
from airflow_provider_osonsms.audience.sources import csv_fast as csv_phones
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv_fast import read_csv_phones
from airflow_provider_osonsms.audience.sources.readers import read_chunks

A, B = "992900000001", "992900000002"
WANTED = ColumnSelection(parameter="recipients", phone_column="phone", columns=())
PHONES = st.one_of(
    st.from_regex(r"\A992[0-9]{9}\Z"),
    st.sampled_from(
        ["900000001", "+992 90 000-00-01", f"{A}, {B}", "9.92E+11", "n/a", "", f"{A}.0", "\u00a0"]
    ),
    st.sampled_from(
        [A + "0", "0" + A[:-1], A[:-1], A[:-1] + "/", A[:-1] + ":", "991900000001", "993000000001"]
    ),
    st.text(alphabet='0123456789+ "\n\r,;ж', max_size=14),
)
NOTES = st.one_of(st.just("x"), st.text(alphabet='aж",;\n\r|\t \ufeff', max_size=6))


def read(path: Path) -> list[tuple[int, int]] | None:
    """Return MSISDN and code of each row, or None when the file is left to the other reader."""
    blocks = read_csv_phones(path, WANTED)
    if blocks is None:
        return None
    rejected = [cell for block in blocks for cell in block.rejected]
    pairs = [
        pair for block in blocks for pair in zip(block.msisdns.tolist(), block.codes.tolist(), strict=True)
    ]
    assert len(rejected) == sum(code > 0 for _, code in pairs)
    assert [normalize_phone(cell) for cell in rejected] == [REASONS[code] for _, code in pairs if code]
    return pairs


def read_slowly(path: Path) -> list[tuple[int, int]]:
    """Return the same, cell by cell."""
    cells = [cell for chunk in read_chunks(path, phone_column="phone", columns=()) for cell in chunk["phone"]]
    phones = [normalize_phone(cell) for cell in cells]
    return [(0, phone.code) if isinstance(phone, RejectReason) else (int(phone), 0) for phone in phones]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of all examples."""
    return tmp_path_factory.mktemp("phones")


@given(
    rows=st.lists(st.tuples(PHONES, NOTES), min_size=1, max_size=12),
    phones_first=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(40, 200),
    ends=st.booleans(),
)
def test_both_readers_agree(
    *,
    folder: Path,
    rows: list[tuple[str, str]],
    phones_first: bool,
    quoting: int,
    line_end: str,
    block: int,
    ends: bool,
) -> None:
    """Whatever is in the cells and wherever a block ends, the phones are those of the other reader."""
    path = folder / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=quoting, lineterminator=line_end)
        writer.writerow(["phone", "note"] if phones_first else ["note", "phone"])
        writer.writerows([phone, note] if phones_first else [note, phone] for phone, note in rows)
    if not ends:
        path.write_bytes(path.read_bytes().removesuffix(b"\n").removesuffix(b"\r"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_phones, "_BLOCK_BYTES", block)
        found = read(path)

    assert found is None or found == read_slowly(path)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_usual_files_are_read_in_blocks(tmp_path: Path, line_end: str, bom: str) -> None:
    """A file as a shop exports it, quotes, Cyrillic and all, is not left to the slow reader."""
    lines = ["id;phone;name", f"1;{A};Али", f'2;"{B}";"Рахимов; Вали"', '3;"";"сказал ""да"""', '4;x;"a\nb"']
    text = bom + line_end.join(lines) + line_end

    for name, content in (("a.csv", text.encode()), ("a.csv.gz", gzip.compress(text.encode()))):
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path / name) == [
            (int(A), 0),
            (int(B), 0),
            (0, RejectReason.EMPTY.code),
            (0, RejectReason.NOT_A_NUMBER.code),
        ]


def test_the_code_of_other_columns_does_not_matter(tmp_path: Path) -> None:
    """Names in an old code page do not stand in the way of phones."""
    path = tmp_path / "a.csv"
    path.write_bytes(f"phone,name\n{A},Али\n".encode("cp1251"))

    assert read(path) == [(int(A), 0)]


@pytest.mark.parametrize(
    "content",
    [
        f"phone,name\n{A}\n",
        f"phone,name\n{A},x,y\n",
        f"phone,name\n\n{A},x\n",
        f"phone,name\n{A},x\r{B},y\n",
        f'phone,name\n{A},"x\n',
        f'phone,name\n{A},a"b"\n',
        f'phone,name\n{A},"a"b\n',
        f"phone,name\n{A},\0\n",
        f"phone\n{A}\n",
    ],
)
def test_anything_odd_is_left_to_the_other_reader(tmp_path: Path, content: str) -> None:
    """Short, long or empty rows, stray quotes and the like are not judged here."""
    path = tmp_path / "a.csv"
    path.write_text(content, newline="")

    assert read(path) is None
