"""What each error proves about a txn_id, and that the flows believe it."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.protocol import errors
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    BulkRefusedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
    InvalidSettingsError,
    OsonSmsError,
    OutcomeUnknownError,
    PhoneNotAllowedError,
    PhoneSuppressedError,
    RequestNotSentError,
    ServiceUnavailableError,
    SuppressionUnavailableError,
    TemporaryRefusalError,
    ThrottledError,
    TooManyRequestsError,
    TransportError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.flows import create_bulk, send_once
from airflow_provider_osonsms.protocol.history import (
    SendAgain,
    TxnIdHistory,
    add_to_history,
    explain_duplicate,
    may_send_again,
    may_send_again_soon,
    read_proof,
)
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Outcome, Response
from airflow_provider_osonsms.protocol.refusals import make_refusal

UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory
AT_ONCE, MORE_SLOWLY, IN_A_NEW_TRY, NEVER = SendAgain

TABLE: dict[type[OsonSmsError], tuple[TxnIdHistory, SendAgain]] = {
    InvalidMessageError: (UNUSED, NEVER),
    PhoneNotAllowedError: (UNUSED, NEVER),
    PhoneSuppressedError: (UNUSED, NEVER),
    InvalidSettingsError: (UNUSED, NEVER),
    SuppressionUnavailableError: (UNUSED, IN_A_NEW_TRY),
    RequestNotSentError: (UNUSED, AT_ONCE),
    OutcomeUnknownError: (MAYBE_ACCEPTED, AT_ONCE),
    UnexpectedAnswerError: (MAYBE_ACCEPTED, AT_ONCE),
    TooManyRequestsError: (UNUSED, MORE_SLOWLY),
    ServiceUnavailableError: (MAYBE_ACCEPTED, MORE_SLOWLY),
    TemporaryRefusalError: (MAYBE_CONSUMED, AT_ONCE),
    BalanceExhaustedError: (UNUSED, IN_A_NEW_TRY),
    DuplicateTransactionError: (UNUSED, NEVER),
    FinalRefusalError: (UNUSED, NEVER),
    BulkRefusedError: (UNUSED, NEVER),
    UnknownMessageError: (UNUSED, NEVER),
}
FAMILIES = {errors.OsonSmsError, errors.TransportError, errors.ThrottledError, errors.GatewayError}
"""Classes that are never raised themselves; one that is raised all the same proves nothing."""


def make_error(error_class: type[BaseException]) -> BaseException:
    """Make an error of a class."""
    if issubclass(error_class, ThrottledError):
        return error_class("-", status=429)
    return error_class("-")


ANY_ERROR = st.sampled_from([make_error(error_class) for error_class in [*TABLE, *FAMILIES, ValueError]])
ANY_HISTORY = st.sampled_from(TxnIdHistory)


@pytest.mark.parametrize(("error_class", "line"), TABLE.items(), ids=[each.__name__ for each in TABLE])
def test_every_line_of_the_table(
    error_class: type[OsonSmsError], line: tuple[TxnIdHistory, SendAgain]
) -> None:
    """Each error leaves behind what the table says, and may be followed by the same txn_id when it says."""
    error = make_error(error_class)
    proof = read_proof(error)

    assert (proof.history, proof.send_again) == line
    assert may_send_again(error) is (line[1] is not NEVER)
    assert may_send_again_soon(error) is (line[1] in (AT_ONCE, MORE_SLOWLY))


def test_no_error_is_forgotten() -> None:
    """Every class of protocol/errors.py has a line in the table above: a new one must be decided first."""
    classes = {value for _, value in inspect.getmembers(errors, inspect.isclass)}

    assert classes == TABLE.keys() | FAMILIES


@pytest.mark.parametrize(
    "error", [OsonSmsError("-"), TransportError("-"), errors.GatewayError("-"), ValueError("-"), SystemExit()]
)
def test_an_unlisted_error_proves_nothing(error: BaseException) -> None:
    """An error in no line leaves the most doubt there is, and is not repeated in the same try."""
    proof = read_proof(error)

    assert (proof.history, proof.send_again) == (MAYBE_CONSUMED, IN_A_NEW_TRY)
    assert explain_duplicate(add_to_history(UNUSED, [error])) is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("code", "line"),
    [
        *((code, TABLE[FinalRefusalError]) for code in (100, 105, 106, 107, 114)),
        (108, TABLE[DuplicateTransactionError]),
        *((code, TABLE[TemporaryRefusalError]) for code in (109, 112, 113)),
        (119, TABLE[BalanceExhaustedError]),
        *((code, TABLE[TemporaryRefusalError]) for code in (0, 101, 130, 999)),
    ],
)
def test_every_code_has_its_line(code: int, line: tuple[TxnIdHistory, SendAgain]) -> None:
    """Each documented code proves what §2.3 says of it, and an unlisted one as little as 109."""
    proof = read_proof(make_refusal(code))

    assert (proof.history, proof.send_again) == line


@pytest.mark.parametrize(
    ("history", "outcome"),
    [
        (UNUSED, None),
        (MAYBE_ACCEPTED, Outcome.ACCEPTED_UNTRACKED),
        (MAYBE_CONSUMED, Outcome.UNCERTAIN),
    ],
)
def test_what_a_108_means(history: TxnIdHistory, outcome: Outcome | None) -> None:
    """A 108 is read in the light of the history: somebody else's, accepted before, or nobody can tell."""
    assert explain_duplicate(history) is outcome


@given(before=ANY_HISTORY, first=st.lists(ANY_ERROR), then=st.lists(ANY_ERROR))
def test_a_history_only_grows(
    before: TxnIdHistory, first: list[BaseException], then: list[BaseException]
) -> None:
    """Doubt is never taken back, and it does not matter in which order or in how many tries it came up."""
    after = add_to_history(before, first)

    assert after >= before
    assert add_to_history(after, then) >= after
    assert add_to_history(after, then) is add_to_history(before, [*then, *first])


@given(before=ANY_HISTORY, error=ANY_ERROR)
def test_a_history_holds_the_worst_of_its_errors(before: TxnIdHistory, error: BaseException) -> None:
    """One attempt adds exactly what its error proves; no attempt adds nothing."""
    assert add_to_history(before, [error]) is max(before, read_proof(error).history)
    assert add_to_history(before, []) is before


ACCEPTED = object()
ANSWERS: dict[str, Exception | object] = {
    "ok": ACCEPTED,
    "unsent": RequestNotSentError("no connection"),
    "lost": OutcomeUnknownError("no answer"),
    "junk": UnexpectedAnswerError("unreadable"),
    "429": TooManyRequestsError("slower", status=429),
    "503": ServiceUnavailableError("slower", status=503),
    **{str(code): make_refusal(code) for code in (106, 108, 109, 119)},
}
SCRIPTS = [words for length in (1, 2, 3) for words in product(ANSWERS, repeat=length)]


@dataclass
class Expected:
    """What a conversation comes to, by the table alone: an outcome or an error, after some requests."""

    end: Outcome | type[Exception]
    requests: int


def is_clear(error: Exception) -> bool:
    """Whether the same txn_id must not follow in the same try."""
    return read_proof(error).send_again not in (AT_ONCE, MORE_SLOWLY)


def expect(
    script: tuple[str, ...],
    history: TxnIdHistory,
    *,
    gives_up: Callable[[Exception], bool] = is_clear,
    tells_last: bool = False,
) -> Expected:
    """Tell from the table what *script* comes to.

    Args:
        script: Words for the answers.
        history: Before the first of them.
        gives_up: After which errors no request follows.
        tells_last: Whether a clear no is raised as it is, whatever was open before it.
    """
    failures: list[Exception] = []
    for number, word in enumerate(script, start=1):
        answer = ANSWERS[word]
        if answer is ACCEPTED:
            return Expected(Outcome.ACCEPTED, number)
        assert isinstance(answer, Exception)
        if isinstance(answer, DuplicateTransactionError):
            outcome = explain_duplicate(add_to_history(history, failures))
            return Expected(outcome or DuplicateTransactionError, number)
        failures.append(answer)
        if is_clear(answer) and tells_last:
            return Expected(type(answer), number)
        if gives_up(answer):
            break
    return Expected(pick_worst(failures), len(failures))


def pick_worst(failures: list[Exception]) -> type[Exception]:
    """Return the class of the last of those failures that leave most open."""
    left_behind = add_to_history(UNUSED, failures)
    return [type(error) for error in failures if read_proof(error).history is left_behind][-1]


def play(script: tuple[str, ...], *, status: int, ok: bytes) -> list[Response | TransportError]:
    """Turn words into what comes over the wire."""
    words: dict[str, Response | TransportError] = {
        "ok": Response(status=status, body=ok),
        "unsent": RequestNotSentError("no connection"),
        "lost": OutcomeUnknownError("no answer"),
        "junk": Response(status=502, body=b"<html>"),
        "429": Response(status=429, body=b"<html>"),
        "503": Response(status=503, body=b"<html>"),
    }
    return [
        words[word]
        if word in words
        else Response(status=422, body=json.dumps({"error": {"code": int(word), "msg": "-"}}).encode())
        for word in script
    ]


@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_message_ends_as_the_table_says(
    converse: Callable[..., Any], message: Message, account: Account, history: TxnIdHistory
) -> None:
    """Whatever three attempts meet, the receipt, the error and the number of requests follow the table.

    A clear no (106, 119) is raised as it is; what was open before it has been told to on_history.
    """
    for script in SCRIPTS:
        told: list[TxnIdHistory] = []
        flow = send_once(message, account, attempts=len(script), history=history, on_history=told.append)
        talk = converse(flow, play(script, status=201, ok=b'{"status":"ok","msg_id":1,"smsc_msg_parts":1}'))

        expected = expect(script, history, tells_last=True)
        assert len(talk.requests) == expected.requests, script
        assert getattr(talk.result, "outcome", type(talk.result)) is expected.end, script
        met = [ANSWERS[word] for word in script[: expected.requests]]
        assert told == sorted(told), script
        assert max([UNUSED, *told]) is add_to_history(
            UNUSED, [answer for answer in met if isinstance(answer, Exception)]
        ), script


@pytest.mark.parametrize("may_resend", [True, False])
@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_bulk_job_ends_as_the_table_says(
    converse: Callable[..., Any], job: BulkJob, account: Account, *, history: TxnIdHistory, may_resend: bool
) -> None:
    """Whatever three uploads meet, the receipt, the error and the number of requests follow the table.

    An upload that may have arrived is repeated by choice only, and a 108 that proves nothing is an error.
    """

    def gives_up(error: Exception) -> bool:
        return is_clear(error) or bool(read_proof(error).history and not may_resend)

    for script in SCRIPTS:
        flow = create_bulk(job, account, attempts=len(script), history=history, may_resend=may_resend)
        talk = converse(flow, play(script, status=200, ok=b'{"status":"success","sms_bulk_name":"Navsol"}'))

        expected = expect(script, history, gives_up=gives_up)
        assert len(talk.requests) == expected.requests, script
        if expected.end is Outcome.UNCERTAIN:
            assert isinstance(talk.result, Exception), script
            assert read_proof(talk.result).history is not UNUSED, script
        elif isinstance(expected.end, Outcome):
            assert talk.result.bulk_name == ("Navsol" if expected.end is Outcome.ACCEPTED else None), script
        else:
            assert type(talk.result) is expected.end, script
