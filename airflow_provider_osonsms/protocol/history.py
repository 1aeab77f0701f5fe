"""What is known of a txn_id."""

from enum import IntEnum


class TxnIdHistory(IntEnum):
    """What is known of earlier uses of a txn_id, ordered by doubt: what a 108 means (design §2)."""

    NOTHING = 0
    """It is new: a 108 is somebody else's."""
    ATTEMPTED = 1
    """It may have been accepted: a 108 says that it was."""
    REFUSED_FOR_NOW = 2
    """It met 109, 112 or 113, which may have used it up: a 108 proves nothing (wire-notes 10)."""
