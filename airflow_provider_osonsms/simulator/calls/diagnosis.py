"""What a wrong ``str_hash`` was made of: the mistake that users make most (wire-notes, "Errors").

Reference:
    OsonSMS protocol 1.5, §2.1, §3.1, §4.1, §5.1.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import permutations
from typing import Final

from airflow_provider_osonsms.simulator.ledger.problems import Problem

_SALT: Final = "pass_salt_hash"
_SEPARATORS: Final = (";", "", ",", ":", "|", "&")
_FEWEST_FIELDS: Final = 2


def diagnose_hash(
    fields: Mapping[str, str], *, signed: tuple[str, ...], secret: str
) -> tuple[Problem, dict[str, str]]:
    """Return what is wrong with ``str_hash``, and the details for the explanation.

    Args:
        fields: The fields as sent.
        signed: The names of the hashed fields, in their order; the salt follows.
        secret: The account's salt.
    """
    sent = fields["str_hash"]
    details = {"expected": ";".join((*signed, _SALT))}
    values = {name: fields.get(name, "") for name in signed} | {_SALT: secret}
    if sent == secret:
        return Problem.SALT_AS_HASH, details
    if sent.lower() == _digest(";", values.values()):
        return Problem.UPPER_CASE_HASH, details
    for spelled, names, separator in _guesses(values):
        if sent.lower() == _digest(separator, (spelled[name] for name in names)):
            made_of = separator.join(names) if separator else " ".join(names) + " without separators"
            if spelled is not values:
                made_of += ", the phone in another spelling than in the request"
            return Problem.OTHER_HASH, {**details, "made_of": made_of}
    return Problem.WRONG_HASH, details


def _guesses(values: Mapping[str, str]) -> Iterator[tuple[Mapping[str, str], tuple[str, ...], str]]:
    """Yield frequent mistakes: other orders, fewer fields, other separators, the phone as they keep it."""
    for spelled in _spellings(values):
        for number in range(len(values), _FEWEST_FIELDS - 1, -1):
            for names in permutations(values, number):
                for separator in _SEPARATORS:
                    yield spelled, names, separator


def _spellings(values: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    yield values
    if phone := values.get("phone_number"):
        local = phone[-9:]
        for other in (local, "992" + local, "+992" + local):
            if other != phone:
                yield {**values, "phone_number": other}


def _digest(separator: str, values: Iterable[str]) -> str:
    return sha256(separator.join(values).encode()).hexdigest()
