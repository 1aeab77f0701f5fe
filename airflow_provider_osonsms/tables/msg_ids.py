"""Many msg_ids in eight bytes each."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from heapq import merge
from itertools import groupby, islice
from typing import Final, TypeVar

T = TypeVar("T", int, str)

_MAX_NUMBER: Final = 2**63 - 1
_MAX_LENGTH: Final = len(str(_MAX_NUMBER))
_SORTED_AT_ONCE: Final = 20_000
"""While it sorts, no other thread runs: the other triggers of a triggerer wait for milliseconds only."""


def pack_msg_id(msg_id: str) -> int | None:
    """Return *msg_id* as a number of 64 bits above 0; None where a number would lose a character of it."""
    if not (msg_id.isascii() and msg_id.isdigit()) or msg_id[0] == "0" or len(msg_id) > _MAX_LENGTH:
        return None
    number = int(msg_id)
    return number if number <= _MAX_NUMBER else None


class MsgIds:
    """Unique msg_ids, each with a number from 0: whole numbers in ascending order, then others.

    Args:
        msg_ids: May repeat.
    """

    def __init__(self, msg_ids: Iterable[str]) -> None:
        others: list[str] = []
        self._numbers = array("q", _sort(_pack(msg_ids, others), lambda run: array("q", run)))
        self._others = list(_sort(others, list))

    def __len__(self) -> int:
        return len(self._numbers) + len(self._others)

    def __getitem__(self, number: int) -> str:
        split = len(self._numbers)
        return str(self._numbers[number]) if number < split else self._others[number - split]

    @property
    def checksum(self) -> str:
        """SHA-256 in hex, which tells these msg_ids from others."""
        hashed = sha256(self._numbers)
        hashed.update("\n".join(self._others).encode())
        return hashed.hexdigest()

    def find(self, msg_id: str) -> int | None:
        """Return the number of *msg_id*; None where it is not among these."""
        if (packed := pack_msg_id(msg_id)) is not None:
            number = bisect_left(self._numbers, packed)
            return number if number < len(self._numbers) and self._numbers[number] == packed else None
        place = bisect_left(self._others, msg_id)
        is_there = place < len(self._others) and self._others[place] == msg_id
        return len(self._numbers) + place if is_there else None


def _sort(values: Iterable[T], pack: Callable[[list[T]], Iterable[T]]) -> Iterator[T]:
    """Yield the unique *values* in ascending order; *pack* holds those that are sorted so far."""
    waiting = iter(values)
    runs = []
    while run := list(islice(waiting, _SORTED_AT_ONCE)):
        runs.append(pack(sorted(run)))
    return (value for value, _ in groupby(merge(*runs)))


def _pack(msg_ids: Iterable[str], others: list[str]) -> Iterator[int]:
    """Yield the *msg_ids* that are numbers, and add the rest to *others*."""
    for msg_id in msg_ids:
        if (number := pack_msg_id(msg_id)) is not None:
            yield number
        else:
            others.append(msg_id)
