"""Many msg_ids in eight bytes each."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import groupby
from typing import Final

_MAX_NUMBER: Final = 2**63 - 1


class MsgIds:
    """Unique msg_ids, each with a number from 0: whole numbers in ascending order, then others.

    Args:
        msg_ids: May repeat.
    """

    def __init__(self, msg_ids: Iterable[str]) -> None:
        numbers, others = array("q"), []
        for msg_id in msg_ids:
            if _is_number(msg_id):
                numbers.append(int(msg_id))
            else:
                others.append(msg_id)
        self._numbers = array("q", (number for number, _ in groupby(sorted(numbers))))
        self._others = sorted(set(others))

    def __len__(self) -> int:
        return len(self._numbers) + len(self._others)

    def __getitem__(self, number: int) -> str:
        split = len(self._numbers)
        return str(self._numbers[number]) if number < split else self._others[number - split]

    def find(self, msg_id: str) -> int | None:
        """Return the number of *msg_id*; None where it is not among these."""
        if _is_number(msg_id):
            number = bisect_left(self._numbers, int(msg_id))
            return number if number < len(self._numbers) and self[number] == msg_id else None
        place = bisect_left(self._others, msg_id)
        is_there = place < len(self._others) and self._others[place] == msg_id
        return len(self._numbers) + place if is_there else None


def _is_number(msg_id: str) -> bool:
    """Whether an int keeps every character: no zero in front."""
    is_plain = msg_id.isascii() and msg_id.isdigit() and msg_id[0] != "0"
    return is_plain and len(msg_id) <= len(str(_MAX_NUMBER)) and int(msg_id) <= _MAX_NUMBER
