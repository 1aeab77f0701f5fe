"""A number in a text is read where one reading is possible, and only there."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.numbers import PLAIN_NUMBER, is_cut_number, is_number, read_number

BLANKS = (" ", "\u00a0", "\u202f", "\u2009", "'", "\u2019")
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2, allow_nan=False)


def spell(amount: Decimal, *, mark: str, point: str) -> str:
    """Write *amount* as a spreadsheet does, with *mark* between the thousands."""
    return f"{amount:,.2f}".replace(",", "!").replace(".", point).replace("!", mark)


@given(AMOUNTS, st.sampled_from(["", *BLANKS]), st.sampled_from(".,"), st.sampled_from(["", "-", "+"]))
def test_amounts_of_any_spreadsheet(amount: Decimal, mark: str, point: str, sign: str) -> None:
    """Blanks and apostrophes part the thousands, a comma or a point the decimals."""
    written = f" {sign}{spell(amount, mark=mark, point=point)}\n"

    assert read_number(written) == Decimal(f"{sign}{amount}")


@given(AMOUNTS, st.sampled_from([",.", ".,"]))
def test_marks_of_two_kinds(amount: Decimal, marks: str) -> None:
    """Where a comma and a point stand, the last of them parts the decimals."""
    assert read_number(spell(amount, mark=marks[0], point=marks[1])) == amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1250", "1250"),
        ("0042", "42"),
        (".5", "0.5"),
        (",5", "0.5"),
        ("-.5", "-0.5"),
        ("\u22125,5", "-5.5"),
        ("12,5", "12.5"),
        ("12,5000", "12.5"),
        ("1250,500", "1250.5"),
        ("0,250", "0.250"),
        ("0.250", "0.250"),
        ("1,250,000", "1250000"),
        ("1.250.000", "1250000"),
        ("1.250.000,5", "1250000.5"),
        ("1 250,500", "1250.5"),
        ("12 345 678", "12345678"),
    ],
)
def test_one_reading(text: str, number: str) -> None:
    """Only one number is written so."""
    assert read_number(text) == Decimal(number)
    assert is_number(text)


@pytest.mark.parametrize("whole", ["1", "12", "999"])
@pytest.mark.parametrize("mark", [",", "."])
@pytest.mark.parametrize("sign", ["", "-"])
def test_two_readings(whole: str, mark: str, sign: str) -> None:
    """Three digits after the only mark may be thousands or decimals: a debt is not guessed."""
    text = f"{sign}{whole}{mark}250"

    assert read_number(text) is None
    assert is_number(text)
    assert not PLAIN_NUMBER.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "-",
        "5.",
        "1 25",
        "12 50",
        "1 2500",
        "0 250",
        "1 250'000",
        "1 250\u00a0000",
        "1.250.5",
        "1,250.000,5",
        "1,25,000",
        "1..5",
        "1  250",
        "1.25E+05",
        "1_250",
        "१२५",
        "５",
        "5 сом",
        "5%",
        "(5)",
        "- 5",
        "--5",
        "#N/A",
        "nan",
        "12\n50",
    ],
)
def test_no_number(text: str) -> None:
    """Anything else is no number."""
    assert read_number(text) is None
    assert not is_number(text)


@given(st.one_of(st.text(alphabet="0123456789., -'", max_size=9), st.decimals().map(str)))
def test_plain_numbers_are_read_alike(text: str) -> None:
    """What is read at once is read as one by one."""
    if PLAIN_NUMBER.fullmatch(text):
        assert read_number(text) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "length", "is_cut"),
    [
        ("1250,50", 2, True),
        ("1250,50", 20, True),
        (" +5", 9, True),
        ("$ 5", 9, True),
        ("Али 1250", 6, True),
        ("Али 1 250,50", 5, True),
        ("Али 1250", 4, False),
        ("Али 1250", 8, False),
        ("iPhone 15 Pro 256", 13, False),
        ("Муҳаммадҷон", 3, False),
        ("", 3, False),
    ],
)
def test_a_cut_through_a_number(text: str, length: int, is_cut: bool) -> None:  # noqa: FBT001
    """A text is not cut if it begins like a number, or where a number stands."""
    assert is_cut_number(text, length) is is_cut
