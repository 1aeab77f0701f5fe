"""From a raw CSV file to the files of a bulk job: normalized, deduplicated, sorted, at most 5 MB each.

The same rows and the same bytes by this package and by pandas' ``.str`` methods and ``to_csv``, each reading
the phone column only.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
from phones import make_phones
from side_by_side import Candidate, Peer, compare

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.bulk.files import split_into_files

ROWS: Final = 1_000_000
LINES: Final = 5_000_000 // 13


def write_source(path: Path) -> None:
    """Write a CSV as a shop exports it: id, phone, name, amount."""
    with path.open("w") as file:
        file.write("id,phone,name,amount\n")
        for row, phone in enumerate(make_phones(ROWS)):
            file.write(f'{row},"{phone}",Зарина,{row % 5000}.50\n' if phone else f"{row},,Зарина,0\n")


def use_package(source: Path, target: Path) -> list[Path]:
    """Make the files with this package."""
    audience = prepare_audience(source)
    files = []
    for number, file in enumerate(split_into_files(audience.msisdns)):
        files.append(target / f"package-{number}.csv")
        files[-1].write_bytes(file.content)
        del file  # or two would be in memory at once
    return files


def use_pandas(source: Path, target: Path) -> list[Path]:
    """Make the files with string methods, as a data engineer writes it."""
    text = pd.read_csv(source, usecols=["phone"], dtype=str)["phone"].dropna()
    text = text[~text.str.contains(r"[E,;/|]")]
    digits = text.str.removesuffix(".0").str.replace(r"\D+", "", regex=True)
    length = digits.str.len()
    phones = ("992" + digits).where(length == 9, digits)
    phones = phones[(length == 9) | ((length == 12) & digits.str.startswith("992"))]
    phones = phones.drop_duplicates().sort_values()
    files = []
    for number, start in enumerate(range(0, len(phones), LINES)):
        files.append(target / f"pandas-{number}.csv")
        phones.iloc[start : start + LINES].to_csv(files[-1], index=False, header=False)
    return files


def check(source: Path, target: Path) -> None:
    """Hold both to the same bytes."""
    ours, theirs = use_package(source, target), use_pandas(source, target)
    if [file.read_bytes() for file in ours] != [file.read_bytes() for file in theirs]:
        raise RuntimeError("the files differ")


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="osonsms-bench-") as folder:
        source = Path(folder, "customers.csv")
        write_source(source)
        check(source, Path(folder))
        compare(
            "a raw CSV to bulk files",
            ours=Candidate("this package", partial(use_package, source, Path(folder))),
            peers=[
                Peer(
                    "pandas .str and to_csv",
                    partial(use_pandas, source, Path(folder)),
                    at_least=10.0,
                    memory_at_least=4.0,
                )
            ],
            rows=ROWS,
        )


if __name__ == "__main__":
    main()
