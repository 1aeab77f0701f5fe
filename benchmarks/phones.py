"""A million dirty phones to MSISDNs, each once: this package against what a data engineer would write.

The input is a column of texts as ``read_csv(dtype=str)`` gives it, polars gets its own kind of column: 15 %
dirty, 5 % duplicates. This package says of every row what its number is or why it has none, and whether an
earlier row has it. So does "polars, with reasons"; the other peers only return the numbers that are left. All
must find the same people before anything is measured.
"""

import os
import random
import re
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is imported

import numpy as np
import pandas as pd
import phonenumbers
import polars as pl
from numpy.typing import NDArray
from side_by_side import Candidate, Peer, compare, measure

from airflow_provider_osonsms.audience.duplicates import find_duplicates
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.reasons import RejectReason

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROWS_OF_PHONENUMBERS = ROWS // 20
DIRTY, DUPLICATES = 0.15, 0.05
COUNTRY, NATIONAL, LOCAL_LENGTH, FULL_LENGTH = 992, 10**9, 9, 12
TEXT, MSISDN = pl.col("phone"), pl.col("msisdn")
SPELLING = re.compile(r"[0-9 +().\-]+")
NOT_A_DIGIT = re.compile(r"[^0-9]+")
NOT_ONE_NUMBER = re.compile(r"[E,;/|]")


def make_phones(rows: int) -> list[str | None]:
    """Return *rows* phones, the same in every run."""
    chance = random.Random(COUNTRY)
    phones: list[str | None] = []
    for _ in range(rows):
        if phones and chance.random() < DUPLICATES:
            phones.append(chance.choice(phones))
            continue
        local = f"0{chance.randrange(1, 10**8):08}"  # nobody's: no network has numbers that begin with 0
        phones.append(spoil(local, chance) if chance.random() < DIRTY else f"{COUNTRY}{local}")
    return phones


def spoil(local: str, chance: random.Random) -> str | None:
    """Return a phone of 9 digits as somebody has typed, exported or forgotten it."""
    spellings = (
        f"+992 {local[:2]} {local[2:5]}-{local[5:7]}-{local[7:]}",
        f"+992{local}",
        f"(+992) {local[:2]} {local[2:5]} {local[5:7]} {local[7:]}",
        f" 992{local} ",
        local,
        f"992{local}.0",
        f"{float(f'992{local}'):.5E}",
        f"7000{local[2:]}",
        local[2:],
        f"992{local}, 992{local[:2]}{local[:1:-1]}",
        "n/a",
        "",
        None,
    )
    return chance.choice(spellings)


def use_package(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.bool_]]:
    """Return MSISDNs, reasons and duplicates of all rows."""
    msisdns, codes = normalize_column(column)
    return msisdns, codes, find_duplicates(msisdns, codes == 0)


def use_regex(column: pd.Series) -> pd.Series:
    """Normalize cell by cell; drop what is no phone and what is there twice."""
    return column.map(normalize_by_hand).dropna().drop_duplicates()


def normalize_by_hand(cell: object) -> str | None:
    """Return the MSISDN of one cell, or None."""
    if not isinstance(cell, str):
        return None
    text = cell.strip().removesuffix(".0")
    if not SPELLING.fullmatch(text):
        return None
    digits = NOT_A_DIGIT.sub("", text)
    if digits.startswith("00") and len(digits) > LOCAL_LENGTH:
        digits = digits[2:]
    if len(digits) == LOCAL_LENGTH and "+" not in text:
        return f"{COUNTRY}{digits}"
    return digits if len(digits) == FULL_LENGTH and digits.startswith("992") else None


def use_phonenumbers(column: pd.Series) -> pd.Series:
    """Parse cell by cell with Google's library; drop what is no phone and what is there twice."""
    return column.map(parse_with_phonenumbers).dropna().drop_duplicates()


def parse_with_phonenumbers(cell: object) -> str | None:
    """Return the MSISDN of one cell, or None."""
    if not isinstance(cell, str) or NOT_ONE_NUMBER.search(cell):
        return None
    try:
        number = phonenumbers.parse(cell.removesuffix(".0"), "TJ")
    except phonenumbers.NumberParseException:
        return None
    possibility = phonenumbers.is_possible_number_with_reason(number)
    is_ours = number.country_code == COUNTRY and possibility == phonenumbers.ValidationResult.IS_POSSIBLE
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:] if is_ours else None


def use_polars(phones: pl.Series) -> pl.Series:
    """Return the numbers that are left, as integers: the fastest of several ways that we tried."""
    return (
        phones.to_frame("phone")
        .lazy()
        .filter(TEXT.is_not_null() & ~TEXT.str.contains(NOT_ONE_NUMBER.pattern))
        .select(strip_marks(TEXT).alias("digits"))
        .select(read_msisdn(pl.col("digits")).alias("msisdn"))
        .filter(MSISDN // NATIONAL == COUNTRY)
        .unique(maintain_order=True)
        .collect()
        .to_series()
    )


def use_polars_with_reasons(phones: pl.Series) -> list[pl.Series]:
    """Return MSISDNs, reasons and duplicates of all rows, as this package does."""
    msisdn = pl.when(~TEXT.str.contains(NOT_ONE_NUMBER.pattern)).then(read_msisdn(pl.col("digits")))
    return (
        phones.to_frame("phone")
        .lazy()
        .with_columns(strip_marks(TEXT).alias("digits"))
        .with_columns(msisdn.alias("msisdn"))
        .select(MSISDN, find_reason(pl.col("digits").str.len_bytes()).cast(pl.UInt8).alias("reason"))
        .with_columns(pl.when(pl.col("reason") == 0).then(MSISDN).alias("msisdn"))
        .with_columns((MSISDN.is_not_null() & ~MSISDN.is_first_distinct()).alias("is_duplicate"))
        .collect()
        .get_columns()
    )


def strip_marks(text: pl.Expr) -> pl.Expr:
    """Return the digits of a text; faster than a regex."""
    return text.str.strip_suffix(".0").str.replace_many([" ", "-", "(", ")", "+"], [""])


def read_msisdn(digits: pl.Expr) -> pl.Expr:
    """Return the number that 9 or 12 digits are."""
    length, number = digits.str.len_bytes(), digits.cast(pl.Int64, strict=False)
    local = pl.when(length == LOCAL_LENGTH).then(number + COUNTRY * NATIONAL)
    return local.when(length == FULL_LENGTH).then(number)


def find_reason(length: pl.Expr) -> pl.Expr:
    """Return the code of the reason why a row is rejected, 0 where it is not."""
    rules = {
        RejectReason.EMPTY: TEXT.is_null() | (TEXT.str.strip_chars() == ""),
        RejectReason.LOST_DIGITS: TEXT.str.contains("E", literal=True),
        RejectReason.SEVERAL_NUMBERS: TEXT.str.contains("[,;/|]") & (length > FULL_LENGTH),
        RejectReason.NOT_A_NUMBER: TEXT.str.contains("[a-z]"),
        RejectReason.FOREIGN_COUNTRY: (length == FULL_LENGTH) | TEXT.str.contains("^[78][0-9]{10}$"),
        RejectReason.TOO_SHORT: length < FULL_LENGTH,
    }
    chain: Any = pl.when(MSISDN // NATIONAL == COUNTRY).then(0)
    for reason, applies in rules.items():
        chain = chain.when(applies).then(reason.code)
    code: pl.Expr = chain.otherwise(RejectReason.TOO_LONG.code)
    return code


def check_agreement(phones: list[str | None]) -> None:
    """Fail unless all find the same people in *phones*."""
    column, polars_column = pd.Series(phones, dtype="str"), pl.Series("phone", phones)
    msisdns, codes, is_duplicate = use_package(column)
    found = set(msisdns[(codes == 0) & ~is_duplicate].tolist())
    with_reasons = use_polars_with_reasons(polars_column)
    agreements = {
        "regex": set(map(int, use_regex(column))) == found,
        "phonenumbers": set(map(int, use_phonenumbers(column))) == found,
        "polars": set(use_polars(polars_column)) == found,
        "reasons": with_reasons[1].to_list() == codes.tolist(),
        "duplicates": with_reasons[2].to_list() == is_duplicate.tolist(),
    }
    if not all(agreements.values()):
        raise ValueError(f"not the same people: {agreements}")


def main() -> None:
    """Check that all agree, then measure."""
    phones = make_phones(ROWS)
    few = phones[:ROWS_OF_PHONENUMBERS]
    measure(
        Candidate("agreement", lambda: check_agreement(few))
    )  # apart: polars' threads do not survive a fork

    def make_column() -> pd.Series:
        return pd.Series(phones, dtype="str")

    def make_polars() -> pl.Series:
        return pl.Series("phone", phones)

    compare(
        "normalize and deduplicate phones",
        ours=Candidate("this package", use_package, make_column),
        peers=[
            Peer("regex with Series.map", use_regex, make_column, at_least=6.0),
            Peer(
                "phonenumbers",
                use_phonenumbers,
                lambda: pd.Series(few, dtype="str"),
                rows=ROWS_OF_PHONENUMBERS,
                at_least=40.0,
            ),
            Peer("polars, one core, with reasons", use_polars_with_reasons, make_polars, at_least=1.0),
            Peer("polars, one core, numbers only", use_polars, make_polars),
        ],
        rows=ROWS,
        max_bytes_per_row=100,
    )


if __name__ == "__main__":
    main()
