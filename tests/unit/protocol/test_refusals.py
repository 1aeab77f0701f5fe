"""The texts of refusals: what to do about it, and nothing private that the gateway repeats."""

import pytest

from airflow_provider_osonsms.protocol.errors import TemporaryRefusalError
from airflow_provider_osonsms.protocol.refusals import clean_quote, make_refusal
from airflow_provider_osonsms.protocol.vocabulary import ErrorCode


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (100, "no proxy changes requests"),
        (105, "login of the Connection"),
        (106, "pass_salt_hash"),
        (107, "sender="),
        (109, "same txn_id"),
        (112, "same txn_id"),
        (113, "same txn_id"),
        (114, "white list"),
        (119, "top it up"),
    ],
)
def test_a_refusal_says_what_to_do(code: int, advice: str) -> None:
    """Each documented refusal names the thing to change (wire-notes, "Errors")."""
    assert advice in str(make_refusal(code))


def test_every_documented_code_has_its_own_words() -> None:
    """No documented code is reported as an unlisted one."""
    assert not [code for code in ErrorCode if "does not list" in str(make_refusal(code))]


@pytest.mark.parametrize(
    ("quote", "address"),
    [
        ("Host is not in whitelist. Remote address is 203.0.113.9", "203.0.113.9"),
        ("Host is not in whitelist. Remote address is 203.0.113.9.", "203.0.113.9"),
        ("Host is not in whitelist. Remote address is 2001:db8::9", "2001:db8::9"),
    ],
)
def test_114_names_the_address(quote: str, address: str) -> None:
    """The address that has to be white-listed is shown (wire-notes, "Errors")."""
    assert f"(the gateway sees {address})" in str(make_refusal(114, quote=quote))


def test_114_without_an_address() -> None:
    """The documented text alone is enough."""
    assert "gateway sees" not in str(make_refusal(114, quote="Host is not in whitelist"))


def test_documented_refusals_quote_nothing() -> None:
    """What the gateway adds to a documented code is not repeated."""
    assert "Salom" not in str(make_refusal(106, quote="Incorrect hash of Salom"))


def test_an_unlisted_code_is_temporary_and_quoted() -> None:
    """A code that protocol 1.5 does not list proves nothing, and its words are shown."""
    error = make_refusal(130, quote="Too many requests")

    assert type(error) is TemporaryRefusalError
    assert "Too many requests" in str(error)


@pytest.mark.parametrize(
    "private",
    [
        "992900001234",
        "+992900001234,",
        "900001234",
        "https://api.test/sendsms_v1.php?login=x&msg=y",
        "http://x",
        "b52633ed94ed612ebd6a88891cf01a88dfddb695039453f45e29b6e2dfef2a31",
        "992 90 000 12 34",
        "(992) 90-000-1234",
        "'Salom, Zarina! Qarzi shumo 100'",
        "Салом, Зарина!",
    ],
)
def test_quotes_are_cleaned(private: str) -> None:
    """Phones, also in groups, texts, hashes and URLs are taken out of what is quoted."""
    assert clean_quote(f"Cannot route {private} now") == "Cannot route … now"


def test_quotes_are_short() -> None:
    """A page of words is cut, and no words at all are called so."""
    assert len(clean_quote("word " * 10_000)) <= 160
    assert clean_quote(" \n") == "no words"
