"""Transaction ids that a second try computes again."""

from hashlib import sha256
from typing import TYPE_CHECKING

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import HASH_SEPARATOR, MAX_TXN_ID_LENGTH

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

TXN_ID_LENGTH = 32


def make_txn_id(*parts: str | int, namespace: str = "") -> str:
    """Compute the transaction id of whatever *parts* name.

    The same parts give the same id in every process and on every machine, and different parts give different
    ids: each part is hashed with its length, so ``("ab", "c")`` and ``("a", "bc")`` differ.

    Args:
        parts: What makes the message itself: for instance an invoice number. Never the time, the attempt or
            the text.
        namespace: Keeps installations apart that share one account, such as staging and production.

    Returns:
        32 lower-case hex characters.

    Raises:
        InvalidMessageError: No part was given, or a part is neither str nor int.
    """
    if not parts:
        raise InvalidMessageError("make_txn_id needs at least one part that names the message")
    return _finish(_hash_fields(sha256(), namespace, *parts))


class TxnIdSeries:
    """The transaction ids of many messages whose keys differ in the last part only.

    ``TxnIdSeries("a", "b").make("c")`` is ``make_txn_id("a", "b", "c")``.

    Args:
        parts: What the messages have in common.
        namespace: As for `make_txn_id`.
    """

    def __init__(self, *parts: str | int, namespace: str = "") -> None:
        self._common = _hash_fields(sha256(), namespace, *parts)

    def make(self, last: str) -> str:
        """Compute the id of the message with the part *last*."""
        hashed = self._common.copy()
        hashed.update(_frame(last))
        return _finish(hashed)


def _hash_fields(hashed: "HASH", *parts: str | int) -> "HASH":
    for position, part in enumerate(parts):
        if not isinstance(part, str | int) or isinstance(part, bool):
            raise InvalidMessageError(
                f"make_txn_id takes str and int; part {position - 1} is {type(part).__name__}: convert it "
                f"first"
            )
        hashed.update(_frame(str(part)))
    return hashed


def _frame(part: str) -> bytes:
    written = part.encode()
    return b"%d:%b" % (len(written), written)


def _finish(hashed: "HASH") -> str:
    return hashed.hexdigest()[:TXN_ID_LENGTH]


def check_txn_id(txn_id: str) -> str:
    """Return a *txn_id* that the user chose, if the gateway can take it.

    Raises:
        InvalidMessageError: It is empty, too long, or holds a space, a control character or the separator
            of signed fields (wire-notes, "Lengths and characters").
    """
    is_clean = isinstance(txn_id, str) and txn_id.isascii() and txn_id.isprintable() and " " not in txn_id
    if not is_clean or HASH_SEPARATOR in txn_id or not 0 < len(txn_id) <= MAX_TXN_ID_LENGTH:
        raise InvalidMessageError(
            f"txn_id must be 1 to {MAX_TXN_ID_LENGTH} ASCII characters without spaces and without "
            f"{HASH_SEPARATOR!r}; make_txn_id(...) makes such a key of anything"
        )
    return txn_id
