"""Who asked not to be texted is not, however the list spells them."""

import re
from pathlib import Path

import pandas as pd
import pytest

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.audience.suppression import read_suppression_list
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"


@pytest.mark.parametrize(
    "exclude",
    [
        ["+992 90 000 00 02"],
        [900000002],
        pd.DataFrame({"phone": [992900000002.0], "since": ["2026"]}),
        pd.DataFrame({"stop list": ["00992900000002"]}),
        iter([[B], [{"phone": B}, {"phone": C[:-1] + "9"}]]),
    ],
    ids=["text", "int", "table", "one column", "chunks"],
)
def test_the_excluded_are_not_texted(exclude: object) -> None:
    """Whatever spelling and source, who is excluded is rejected, and that is no fault of the row."""
    audience = prepare_audience([A, B, C], exclude=exclude)

    assert audience.msisdns.tolist() == [int(A), int(C)]
    assert audience.rejects.count() == {"suppressed": 1}
    assert audience.rejects.invalid == 0


def test_a_file_may_list_the_excluded(tmp_path: Path) -> None:
    """A CSV with one column is a list of phones, whatever its header says."""
    path = tmp_path / "stop.csv"
    path.write_text("unsubscribed\n900000001\n")

    assert prepare_audience([A, B], exclude=path).msisdns.tolist() == [int(B)]


def test_nobody_may_be_excluded() -> None:
    """An empty list excludes nobody."""
    assert len(prepare_audience([A, B], exclude=[])) == 2


@pytest.mark.parametrize("damaged", ["9.929E+11", 9000001, 992900000000.0])
def test_what_is_left_of_a_phone_is_not_ignored(damaged: object) -> None:
    """An entry that was a phone once stops everything: somebody who asked not to be texted would be."""
    with pytest.raises(InvalidMessageError, match=r"exclude: 1 entries .* entry 2 ") as error:
        prepare_audience([A], exclude=pd.Series([B, damaged], dtype="object"))

    assert not re.search("[0-9]{4}", str(error.value))


def test_other_entries_are_counted() -> None:
    """Entries that cannot be in any audience are left out and counted; blank cells are no entries."""
    suppressed = read_suppression_list(
        [B, A, B, "n/a", None, "", "+79161234567"], phone_column="phone", max_ignored_ratio=0.2
    )

    assert suppressed.msisdns.tolist() == [int(A), int(B)]
    assert (suppressed.ignored, suppressed.foreign) == (1, 1)


@pytest.mark.parametrize(("ratio", "is_refused"), [(0, True), (0.24, True), (0.25, False), (1, False)])
def test_words_are_ignored_up_to_a_share(ratio: float, *, is_refused: bool) -> None:
    """Words among phones may be phones that were lost: the user says how many of them may be ignored."""
    options = {"phone_column": "phone", "max_ignored_ratio": ratio}
    entries = [A, "Зарина", B, "+79161234567", None, ""]

    if not is_refused:
        assert read_suppression_list(entries, **options).ignored == 1
        return
    with pytest.raises(InvalidMessageError, match="exclude: 1 of its 4 entries are no phones") as error:
        read_suppression_list(entries, **options)
    assert "Зарина" not in str(error.value)


@pytest.mark.parametrize("entries", [["Зарина", "Али"], ["+79161234567"], ["n/a", None]])
def test_a_list_without_a_phone_is_refused(entries: list[object]) -> None:
    """It is another list, or another column: everybody who asked not to be texted would be."""
    with pytest.raises(InvalidMessageError, match=r"exclude: none of its \d entries is a phone"):
        prepare_audience([A], exclude=entries)


@pytest.mark.parametrize("entries", [[None], ["", " "]])
def test_blank_cells_are_an_empty_list(entries: list[object]) -> None:
    """A list whose people have all been taken off leaves out nobody."""
    assert len(prepare_audience([A], exclude=entries)) == 1


@pytest.mark.parametrize(
    "entry",
    [
        f"'+{A}",
        f'="{A}"',
        f"tel:{A}",
        f"{A};",
        "8-10-992-90-000-0001",
        "00992900000001 (work)",
        "+992 90 ::: 0000001",
        "９９２９０００００００１",
        A.encode(),
        f"Зарина {A}",
        f"{A}, {B}",
        f"{A} / {B}",
        "900000001 or 900000002",
        f"1) {A}",
        f"2026-11-01 {A}",
        f"Зарина, 01.02.1990, {A}",
        f"0{A}",
        f"8{A}",
        "0900000001",
        "8 90 000 00 01",
        "+900000001",
        "9929\u200b00000001 Зарина",
        "992,900,000,001",
        "992_90_000_0001",
        "992/90/0000001",
        "992•900•000001",
        "٩٩٢٩٠٠٠٠٠٠٠١",
        f"+7 916 123-45-67, {A}",
        f"{B} {A}",
        "90 000 00 02 / 01",
        "90 000 00 03/02/01",
        [A],
        A.encode("utf-16"),
        992900000001.5,
        -992900000001,
    ],
)
def test_reading_too_much_is_the_safe_side(entry: object) -> None:
    """However a phone of the list is written, its owner is not texted."""
    exclude = pd.Series(["992900000008", entry], dtype="object")

    audience = prepare_audience([A, "992900000009"], exclude=exclude)

    assert audience.ignored_exclusions == 0
    assert audience.msisdns.tolist() == [992900000009]


@pytest.mark.parametrize(
    "entry",
    [
        "99290000000123",
        "9929000000019929",
        f"{A}{B}",
        "#9929000000017",
        "9929000001",
        9929000001,
        "+99290000001",
        "0099290000001",
        "99290000001 Зарина",
        "99290O000001",
        "9,929E+11 (work)",
        "4915112345678",
        f"{B}, 99290000001",
        f"{B}, Зарина, 992900O00123, 99290000000 Зарина",
        "00123, 99290000000",
        f"{B} 2026-11-01 10:00",
        10**20,
    ],
)
def test_the_digits_of_a_phone_are_not_passed_over(entry: object) -> None:
    """Digits that are no phone, and may have been one, stop the task, with a masked sample."""
    with pytest.raises(InvalidMessageError, match="1 entries have the digits of a phone") as error:
        prepare_audience([A], exclude=pd.Series([B, entry], dtype="object"))

    assert str(entry) not in str(error.value)


def test_phones_from_abroad_are_ignored() -> None:
    """Nobody of the audience can have them, so they count against no limit."""
    audience = prepare_audience([A], exclude=[B, "+7 916 123-45-67", "call +7 916 123-45-67 first"])

    assert len(audience) == 1
    assert (audience.ignored_exclusions, audience.foreign_exclusions) == (0, 2)
    assert "2 entries are phones of other countries" in audience.describe()
