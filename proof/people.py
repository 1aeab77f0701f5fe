"""The people of each scenario: invented, and never those of another."""

import csv
from pathlib import Path
from typing import Final

NAME: Final = "Qarzdor"
"""Each text holds it, and digits; Latin letters look the same in JSON, in a URL and in a dump."""


def write_people(folder: Path, scenario: int, *, number: int, parts: int) -> None:
    """Write so many people to *folder*, as ``0.csv``, ``1.csv`` ...; magic phones are not among them."""
    folder.mkdir(parents=True)
    rows = [
        (f"{phone_prefix(scenario)}{person:04}01", f"{NAME}{scenario:02}{person:04}")
        for person in range(number)
    ]
    for part in range(parts):
        with (folder / f"{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("phone", "name"), *rows[part::parts]])


def read_phones(folder: Path) -> set[str]:
    """Return who is in the audiences of a folder."""
    phones = set()
    for path in folder.glob("*.csv"):
        with path.open(newline="") as file:
            phones |= {row["phone"] for row in csv.DictReader(file)}
    return phones


def phone_prefix(scenario: int) -> str:
    """Return what the phones of a scenario begin with."""
    return f"9929{scenario:02}"
