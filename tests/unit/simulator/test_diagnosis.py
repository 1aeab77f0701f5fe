"""What the simulator says about a request that it refuses."""

from hashlib import sha256
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.simulator import GatewayBackend, SimAccount
from airflow_provider_osonsms.simulator.ledger.problems import ENGLISH, RUSSIAN, Problem

WORDS = st.text(st.characters(codec="utf-8", exclude_characters=";"), min_size=1, max_size=9)
EXPECTED = "txn_id;login;from;phone_number;pass_salt_hash"


def sign(*fields: str, separator: str = ";") -> str:
    """Hash what somebody may take for the right fields."""
    return sha256(separator.join(fields).encode()).hexdigest()


@pytest.mark.parametrize(
    ("str_hash", "reason"),
    [
        ("demo-salt", "the salt itself was sent as str_hash"),
        (
            sign("t-1", "demo", "SHOP", "992900001234", "demo-salt").upper(),
            "str_hash is the right one in upper case",
        ),
        (
            sign("demo", "t-1", "SHOP", "992900001234", "demo-salt"),
            "str_hash was made of login;txn_id;from;phone_number;pass_salt_hash",
        ),
        (
            sign("t-1", "demo", "SHOP", "992900001234", "demo-salt", separator=","),
            "str_hash was made of txn_id,login,from,phone_number,pass_salt_hash",
        ),
        (
            sign("t-1", "demo", "SHOP", "992900001234", "demo-salt", separator=""),
            "str_hash was made of txn_id login from phone_number pass_salt_hash without separators",
        ),
        (sign("t-1", "demo", "demo-salt"), "str_hash was made of txn_id;login;pass_salt_hash"),
        (
            sign("t-1", "demo", "SHOP", "900001234", "demo-salt"),
            f"str_hash was made of {EXPECTED}, the phone in another spelling than in the request",
        ),
        (sign("anything"), "str_hash is not the hash of the fields as sent"),
    ],
)
def test_a_wrong_hash(
    backend: GatewayBackend, message: dict[str, str], *, str_hash: str, reason: str
) -> None:
    """The ledger tells what a wrong hash was made of, and what was expected."""
    assert backend.send({**message, "str_hash": str_hash})[0] == 422

    refusal = backend.refusals[-1]
    assert refusal.reason == reason
    assert EXPECTED in refusal.advice or refusal.problem is Problem.UPPER_CASE_HASH
    assert "demo-salt" not in refusal.reason + refusal.advice


@given(st.lists(WORDS, min_size=3, max_size=3))
def test_the_right_hash_is_never_diagnosed(fields: list[str]) -> None:
    """Whatever the fields hold, their hash is accepted."""
    txn_id, secret, sender = fields
    backend = GatewayBackend(SimAccount(login="demo", secret=secret, senders=[sender]))
    query = {"from": sender, "phone_number": "992900000101", "msg": "x", "login": "demo", "txn_id": txn_id}

    assert backend.send({**query, "str_hash": sign(txn_id, "demo", sender, "992900000101", secret)})[0] == 201


@pytest.mark.parametrize("problem", list(Problem))
def test_both_languages_say_the_same(problem: Problem) -> None:
    """Every problem has a reason and an advice in English and in Russian, completed by the same details."""

    def holes(words: dict[Problem, object]) -> set[str]:
        told = words[problem]
        assert told.reason
        assert told.advice
        return {name for _, name, _, _ in Formatter().parse(told.reason + told.advice) if name}

    assert holes(ENGLISH) == holes(RUSSIAN)
