"""The audience and the texts of the model, without pandas: the phone of a person is the row key."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import SimpleNamespace

from airflow_provider_osonsms.audience.audience import RecipientChunk
from airflow_provider_osonsms.audience.row_numbers import RowNumbers
from airflow_provider_osonsms.tables.rows import RejectRow

PHONES = tuple(f"99290000000{number}" for number in range(6))
_TOO_LONG = "x" * 9000


class Kind(Enum):
    """What a row of the input is."""

    RECIPIENT = "it is texted"
    LONG = "no request can be built of its text"
    REJECT = "it is rejected before the campaign"


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the input."""

    phone: str
    kind: Kind = Kind.RECIPIENT


@dataclass(frozen=True)
class People:
    """What a campaign asks of an audience."""

    people: tuple[Person, ...]
    numbers: RowNumbers = field(default_factory=RowNumbers)

    @property
    def rows(self) -> int:
        """The number of rows of the input."""
        return len(self.people)

    @property
    def rejects(self) -> SimpleNamespace:
        """The rejected rows."""
        rows = [
            RejectRow(self.numbers.find(row), "992•••••000", "invalid", None)
            for row, person in enumerate(self.people)
            if person.kind is Kind.REJECT
        ]
        return SimpleNamespace(
            read_rows=lambda: iter(rows), count=lambda: {"invalid": len(rows)} if rows else {}
        )

    def __len__(self) -> int:
        return sum(person.kind is not Kind.REJECT for person in self.people)

    def read_row_keys(self) -> Iterator[tuple[int, str, str]]:
        """Yield the position, MSISDN and row key of each recipient."""
        for row, person in enumerate(self.people):
            if person.kind is not Kind.REJECT:
                yield row, person.phone, person.phone

    def read_chunks(self, _size: int) -> Iterator[RecipientChunk]:
        """Yield all recipients at once."""
        rows, phones, keys = map(list, zip(*self.read_row_keys(), strict=True))
        is_long = [self.people[row].kind is Kind.LONG for row in rows]
        yield RecipientChunk(positions=rows, phones=phones, row_keys=keys, columns={"is_long": is_long})


@dataclass(frozen=True)
class Texts:
    """A source of messages: one text for everybody, and one that is too long."""

    text: str = field(default="Salom")

    def render(self, chunk: RecipientChunk) -> SimpleNamespace:
        """Render the messages of *chunk*."""
        texts = [_TOO_LONG if is_long else self.text for is_long in chunk.columns["is_long"]]
        return SimpleNamespace(
            positions=chunk.positions,
            phones=chunk.phones,
            row_keys=chunk.row_keys,
            measured=SimpleNamespace(texts=texts, parts=array("q", [1] * len(texts))),
        )
