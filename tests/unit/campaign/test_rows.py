"""The life of a row: every transition, in the words of its rule."""

from array import array
from collections.abc import Iterable
from itertools import combinations_with_replacement, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.campaign.acceptance import Acceptance, read_acceptance
from airflow_provider_osonsms.campaign.rows import (
    CampaignRows,
    RowState,
    Shown,
    is_code,
    is_settled_code,
    read_failure,
    read_receipt,
)
from airflow_provider_osonsms.protocol import errors
from airflow_provider_osonsms.protocol.history import TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Outcome, SendReceipt
from airflow_provider_osonsms.protocol.refusals import make_refusal
from airflow_provider_osonsms.tables.rows import ResultRow

NEW, UNREACHED, BUSY, LOST = (state for state in RowState if state.is_open)
TRANSITIONS = [
    ("a new row is accepted", NEW, Shown.ACCEPTED, RowState.ACCEPTED),
    ("a row that was not reached is accepted", UNREACHED, Shown.ACCEPTED, RowState.ACCEPTED),
    ("a row after 109 is accepted", BUSY, Shown.ACCEPTED, RowState.ACCEPTED),
    ("a row whose answer was lost had not arrived: accepted", LOST, Shown.ACCEPTED, RowState.ACCEPTED),
    ("a new row was accepted by an earlier try", NEW, Shown.ACCEPTED_BEFORE, RowState.ANSWER_LOST),
    (
        "a row that was not reached was accepted by an earlier try",
        UNREACHED,
        Shown.ACCEPTED_BEFORE,
        RowState.ANSWER_LOST,
    ),
    ("a row after 109 was accepted before it", BUSY, Shown.ACCEPTED_BEFORE, RowState.ANSWER_LOST),
    ("a row whose answer was lost was accepted", LOST, Shown.ACCEPTED_BEFORE, RowState.ANSWER_LOST),
    (
        "a new row met 109 in an earlier try: 108 decides nothing",
        NEW,
        Shown.TAKEN_UNPROVEN,
        RowState.UNDECIDED,
    ),
    (
        "a row that was not reached now met 109 in an earlier try: 108 decides nothing",
        UNREACHED,
        Shown.TAKEN_UNPROVEN,
        RowState.UNDECIDED,
    ),
    ("108 after 109 decides nothing", BUSY, Shown.TAKEN_UNPROVEN, RowState.UNDECIDED),
    ("108 after a lost answer and 109 decides nothing", LOST, Shown.TAKEN_UNPROVEN, RowState.UNDECIDED),
    ("a new row without a connection was not reached", NEW, Shown.NOT_SENT, RowState.NOT_REACHED),
    ("a row is not reached a second time", UNREACHED, Shown.NOT_SENT, RowState.NOT_REACHED),
    ("no connection takes no 109 back", BUSY, Shown.NOT_SENT, RowState.REFUSED_FOR_NOW),
    ("no connection after a lost answer stays uncertain", LOST, Shown.NOT_SENT, RowState.NO_ANSWER),
    ("a new row that is turned away was not reached", NEW, Shown.TURNED_AWAY, RowState.NOT_REACHED),
    ("a row that is turned away is not reached again", UNREACHED, Shown.TURNED_AWAY, RowState.NOT_REACHED),
    ("429 takes no 109 back", BUSY, Shown.TURNED_AWAY, RowState.REFUSED_FOR_NOW),
    ("429 after a lost answer stays uncertain", LOST, Shown.TURNED_AWAY, RowState.NO_ANSWER),
    ("a new row that meets 503 is uncertain", NEW, Shown.UNAVAILABLE, RowState.NO_ANSWER),
    ("a row that meets 503 is uncertain", UNREACHED, Shown.UNAVAILABLE, RowState.NO_ANSWER),
    ("503 after 109 is uncertain", BUSY, Shown.UNAVAILABLE, RowState.NO_ANSWER),
    ("503 after a lost answer stays uncertain", LOST, Shown.UNAVAILABLE, RowState.NO_ANSWER),
    ("a new row without an answer is uncertain", NEW, Shown.NO_ANSWER, RowState.NO_ANSWER),
    ("a row without an answer is uncertain", UNREACHED, Shown.NO_ANSWER, RowState.NO_ANSWER),
    ("no answer after 109 is uncertain", BUSY, Shown.NO_ANSWER, RowState.NO_ANSWER),
    ("a row without a second answer stays uncertain", LOST, Shown.NO_ANSWER, RowState.NO_ANSWER),
    ("a new row that meets 109 waits", NEW, Shown.REFUSED_FOR_NOW, RowState.REFUSED_FOR_NOW),
    ("a row that is reached and meets 109 waits", UNREACHED, Shown.REFUSED_FOR_NOW, RowState.REFUSED_FOR_NOW),
    ("a row that meets 109 again waits", BUSY, Shown.REFUSED_FOR_NOW, RowState.REFUSED_FOR_NOW),
    ("109 after a lost answer stays uncertain", LOST, Shown.REFUSED_FOR_NOW, RowState.NO_ANSWER),
    ("the txn_id of a new row belongs to somebody else", NEW, Shown.TAKEN, RowState.KEY_TAKEN),
    (
        "the txn_id of a row that was not reached belongs to somebody else",
        UNREACHED,
        Shown.TAKEN,
        RowState.KEY_TAKEN,
    ),
    ("a row that met 109 and is called taken is undecided", BUSY, Shown.TAKEN, RowState.UNDECIDED),
    ("a row whose answer was lost and is called taken is undecided", LOST, Shown.TAKEN, RowState.UNDECIDED),
    ("the cap of a new row is used up", NEW, Shown.CAPPED, RowState.CAPPED),
    ("the cap of a row that was not reached is used up", UNREACHED, Shown.CAPPED, RowState.CAPPED),
    ("a cap that is used up after 109 decides nothing", BUSY, Shown.CAPPED, RowState.UNDECIDED),
    ("a cap that is used up after a lost answer", LOST, Shown.CAPPED, RowState.LOST_OR_CAPPED),
    ("an earlier try, or another task, has a new row", NEW, Shown.TAKEN_BY_SOME, RowState.LOST_OR_CAPPED),
    (
        "an earlier try, or another task, has a row that was not reached",
        UNREACHED,
        Shown.TAKEN_BY_SOME,
        RowState.LOST_OR_CAPPED,
    ),
    ("a row after 109 is somebody's", BUSY, Shown.TAKEN_BY_SOME, RowState.UNDECIDED),
    ("a row whose answer was lost is somebody's", LOST, Shown.TAKEN_BY_SOME, RowState.LOST_OR_CAPPED),
    ("119 was no attempt at a new row", NEW, Shown.NO_MONEY, RowState.NOT_ATTEMPTED),
    ("119 does not reach a row that was not reached", UNREACHED, Shown.NO_MONEY, RowState.NOT_REACHED),
    ("119 takes no 109 back", BUSY, Shown.NO_MONEY, RowState.REFUSED_FOR_NOW),
    ("119 after a lost answer stays uncertain", LOST, Shown.NO_MONEY, RowState.NO_ANSWER),
    ("the account is refused for a new row", NEW, Shown.ACCOUNT_REFUSED, RowState.ACCOUNT_REFUSED),
    (
        "the account is refused for a row that was not reached",
        UNREACHED,
        Shown.ACCOUNT_REFUSED,
        RowState.ACCOUNT_REFUSED,
    ),
    ("the account is refused after 109", BUSY, Shown.ACCOUNT_REFUSED, RowState.ACCOUNT_REFUSED),
    (
        "a row whose answer was lost stays uncertain when the account is refused",
        LOST,
        Shown.ACCOUNT_REFUSED,
        RowState.NO_ANSWER,
    ),
    ("a new row without a request is rejected", NEW, Shown.UNSENDABLE, RowState.UNSENDABLE),
    (
        "a row that was not reached and has no request now is rejected",
        UNREACHED,
        Shown.UNSENDABLE,
        RowState.UNSENDABLE,
    ),
    ("a row after 109 without a request now is rejected", BUSY, Shown.UNSENDABLE, RowState.UNSENDABLE),
    (
        "a row whose answer was lost and that has no request now stays undecided for ever",
        LOST,
        Shown.UNSENDABLE,
        RowState.UNDECIDED,
    ),
]
OUTCOMES = {
    RowState.NOT_ATTEMPTED: Outcome.PENDING,
    RowState.NOT_REACHED: Outcome.PENDING,
    RowState.REFUSED_FOR_NOW: Outcome.PENDING,
    RowState.NO_ANSWER: Outcome.UNCERTAIN,
    RowState.ACCEPTED: Outcome.ACCEPTED,
    RowState.ANSWER_LOST: Outcome.ACCEPTED_UNTRACKED,
    RowState.UNDECIDED: Outcome.UNCERTAIN,
    RowState.LOST_OR_CAPPED: Outcome.UNCERTAIN,
    RowState.KEY_TAKEN: Outcome.UNCERTAIN,
    RowState.CAPPED: Outcome.CAPPED,
    RowState.ACCOUNT_REFUSED: Outcome.REFUSED,
    RowState.UNSENDABLE: Outcome.REJECTED,
    RowState.REJECTED: Outcome.REJECTED,
}
MSG_IDS = st.text("0123456789abcxyzABCXYZ", min_size=1, max_size=64)
"""What `parse_send` lets through."""


def make_row(state: RowState = RowState.NOT_ATTEMPTED, *, history=TxnIdHistory.UNUSED) -> CampaignRows:
    """Make rows whose row 0 is in *state*."""
    rows = CampaignRows(1, history=history)
    rows.expect(0)
    rows._states[0] = state
    return rows


@pytest.mark.parametrize(
    ("before", "shown", "after"), [line[1:] for line in TRANSITIONS], ids=[line[0] for line in TRANSITIONS]
)
def test_a_transition(before: RowState, shown: Shown, after: RowState) -> None:
    """What an attempt has shown moves a row as the rule says, and during the attempt it is uncertain."""
    rows = make_row(before)

    assert rows.begin_attempt(0) is before
    assert rows.state(0) is RowState.NO_ANSWER
    rows.end_attempt(0, shown, before=before)
    assert rows.state(0) is after


def test_every_transition_has_a_rule() -> None:
    """The table above holds each open state with each thing that an attempt can show, once."""
    rules = [(before, shown) for _, before, shown, _ in TRANSITIONS]

    assert sorted(rules, key=str) == sorted(product([NEW, UNREACHED, BUSY, LOST], Shown), key=str)


@pytest.mark.parametrize("state", RowState)
def test_what_a_state_says(state: RowState) -> None:
    """Each state has an outcome, a reason unless it is accepted, and belongs to one group at most."""
    assert state.outcome is OUTCOMES[state]
    assert state.reason == (None if state is RowState.ACCEPTED else state.name.lower())
    assert state.is_open is (state in {NEW, UNREACHED, BUSY, LOST})
    assert state.is_taken is (state.outcome in {Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED})
    is_end = state in {RowState.REJECTED, RowState.LOST_OR_CAPPED}
    assert state.is_open + state.is_taken + state.is_failed + state.is_capped + is_end == 1


def test_doubt_only_grows() -> None:
    """What an attempt leaves open about a txn_id is not taken back by a later one."""
    rows = make_row()
    before = rows.begin_attempt(0)
    rows.end_attempt(0, Shown.REFUSED_FOR_NOW, before=before, left_behind=TxnIdHistory.MAYBE_CONSUMED)
    before = rows.begin_attempt(0)
    rows.end_attempt(0, Shown.NO_ANSWER, before=before, left_behind=TxnIdHistory.MAYBE_ACCEPTED)

    assert rows.history(0) is TxnIdHistory.MAYBE_CONSUMED
    assert rows.open_rows == 1


@given(st.lists(st.tuples(st.sampled_from(Shown), st.sampled_from(TxnIdHistory))))
def test_a_lost_answer_is_never_forgotten(attempts: list[tuple[Shown, TxnIdHistory]]) -> None:
    """After a lost answer a row is uncertain until the gateway says that it has the message."""
    rows = make_row(RowState.NO_ANSWER, history=TxnIdHistory.MAYBE_ACCEPTED)
    for shown, left_behind in attempts:
        if not rows.is_open(0):
            break
        rows.end_attempt(0, shown, before=rows.begin_attempt(0), left_behind=left_behind)

        assert rows.state(0).is_taken or rows.state(0).outcome is Outcome.UNCERTAIN
        assert rows.history(0) >= TxnIdHistory.MAYBE_ACCEPTED


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (errors.InvalidMessageError("-"), Shown.UNSENDABLE),
        (errors.PhoneNotAllowedError("-"), Shown.UNSENDABLE),
        (errors.InvalidSettingsError("-"), Shown.ACCOUNT_REFUSED),
        (errors.RequestNotSentError("-"), Shown.NOT_SENT),
        (errors.TooManyRequestsError("slower", status=429), Shown.TURNED_AWAY),
        (errors.ServiceUnavailableError("slower", status=503), Shown.UNAVAILABLE),
        (errors.OutcomeUnknownError("-"), Shown.NO_ANSWER),
        (errors.UnexpectedAnswerError("-"), Shown.NO_ANSWER),
        *((make_refusal(code), Shown.ACCOUNT_REFUSED) for code in (100, 105, 106, 107, 114)),
        *((make_refusal(code), Shown.REFUSED_FOR_NOW) for code in (109, 112, 113, 130)),
        (make_refusal(108), Shown.TAKEN),
        (make_refusal(119), Shown.NO_MONEY),
        (errors.BulkRefusedError("-"), Shown.ACCOUNT_REFUSED),
        (errors.UnknownMessageError("-"), Shown.ACCOUNT_REFUSED),
        (errors.OsonSmsError("-"), Shown.REFUSED_FOR_NOW),
        (errors.TransportError("-"), Shown.REFUSED_FOR_NOW),
        (errors.GatewayError("-"), Shown.REFUSED_FOR_NOW),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__ + str(getattr(value, "code", ""))),
)
def test_what_a_failure_shows(error: errors.OsonSmsError, shown: Shown) -> None:
    """Each class of error shows one thing, and one that leaves doubt never counts as settled."""
    assert read_failure(error) is shown
    if read_proof(error).history is not TxnIdHistory.UNUSED:
        assert shown in {Shown.NO_ANSWER, Shown.REFUSED_FOR_NOW, Shown.UNAVAILABLE}


@pytest.mark.parametrize(
    ("outcome", "msg_id", "history", "shown"),
    [
        (Outcome.ACCEPTED, "7", TxnIdHistory.UNUSED, Shown.ACCEPTED),
        (Outcome.ACCEPTED, None, TxnIdHistory.MAYBE_ACCEPTED, Shown.ACCEPTED_BEFORE),
        (Outcome.ACCEPTED_UNTRACKED, None, TxnIdHistory.MAYBE_ACCEPTED, Shown.ACCEPTED_BEFORE),
        (Outcome.CAPPED, None, TxnIdHistory.UNUSED, Shown.CAPPED),
        (Outcome.UNCERTAIN, None, TxnIdHistory.MAYBE_ACCEPTED, Shown.TAKEN_BY_SOME),
        (Outcome.UNCERTAIN, None, TxnIdHistory.MAYBE_CONSUMED, Shown.TAKEN_UNPROVEN),
    ],
)
def test_what_a_receipt_shows(
    outcome: Outcome, msg_id: str | None, history: TxnIdHistory, shown: Shown
) -> None:
    """A receipt is accepted with a msg_id, accepted before, capped, or leaves doubt as the history says."""
    assert read_receipt(SendReceipt(txn_id="k", msg_id=msg_id, outcome=outcome), history) is shown


@given(st.text(min_size=1))
def test_any_msg_id_comes_back(msg_id: str) -> None:
    """A msg_id of digits takes eight bytes, any other is kept as it is."""
    rows = CampaignRows(2, history=TxnIdHistory.UNUSED)
    rows.keep_acceptance(1, Acceptance(msg_id=msg_id, parts=3))

    assert (rows.msg_id(1), rows.parts(1), rows.state(1)) == (msg_id, 3, RowState.ACCEPTED)
    assert (rows.msg_id(0), rows.parts(0)) == (None, None)


@pytest.mark.parametrize(("parts", "kept"), [(0, None), (1, 1), (65_535, 65_535), (10**9, 65_535)])
def test_parts_have_a_limit(parts: int, kept: int | None) -> None:
    """Billed parts are kept up to 65,535, which no message comes near; none are unknown."""
    rows = make_row()
    rows.keep_acceptance(0, Acceptance(msg_id="7", parts=parts))

    assert rows.parts(0) == kept
    assert rows.total_parts == (kept or 0)


@given(
    msg_id=MSG_IDS | st.sampled_from(["lost", "undecided", "refused", "taken", "unanswered", "0", "007"]),
    parts=st.integers(0, 9),
    accepted_at=st.integers(0, 2**32 - 1),
    try_number=st.integers(0, 255),
)
def test_an_accepted_row_comes_back_from_the_journal(
    *, msg_id: str, parts: int, accepted_at: int, try_number: int
) -> None:
    """Whatever the gateway calls a message, also a word of our own, a later try reads it back."""
    rows, later = make_row(), make_row(history=TxnIdHistory.MAYBE_ACCEPTED)
    acceptance = Acceptance(msg_id=msg_id, parts=parts, accepted_at=accepted_at, try_number=try_number)
    rows.keep_acceptance(0, acceptance)
    code = rows.encode(0)
    assert code is not None
    later.decode(0, code)

    assert is_code(code)
    assert is_settled_code(code)
    assert read_acceptance(code) == acceptance
    assert later.state(0) is RowState.ACCEPTED
    assert (later.msg_id(0), later.parts(0)) == (msg_id, parts or None)
    assert (later.accepted_at(0), later.tried_in(0)) == (accepted_at or None, try_number or None)


@pytest.mark.parametrize("history", TxnIdHistory)
@pytest.mark.parametrize("state", [state for state in RowState if state is not RowState.ACCEPTED])
def test_any_other_row_comes_back_from_the_journal(state: RowState, history: TxnIdHistory) -> None:
    """A settled state comes back; an open row comes back as open, and no doubt about its txn_id is lost."""
    rows, later = make_row(state, history=history), make_row()
    code = rows.encode(0)
    if code is not None:
        later.decode(0, code)

    is_settled = not state.is_open and state.outcome not in {Outcome.REFUSED, Outcome.REJECTED}
    back, doubt = (state if is_settled else RowState.NOT_ATTEMPTED), TxnIdHistory.UNUSED
    if state is RowState.NO_ANSWER:
        back, doubt = RowState.NO_ANSWER, TxnIdHistory.MAYBE_ACCEPTED
    if state.is_open and history is TxnIdHistory.MAYBE_CONSUMED:
        is_both = state is RowState.NO_ANSWER
        back, doubt = (state if is_both else RowState.REFUSED_FOR_NOW), TxnIdHistory.MAYBE_CONSUMED
    assert later.state(0) is back
    assert (code is not None and is_settled_code(code)) is is_settled
    assert later.history(0) is doubt


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (("7/1/0/1", "lost"), RowState.ACCEPTED),
        (("7/1/0/1", "undecided"), RowState.ACCEPTED),
        (("7/1/0/1", "taken"), RowState.ACCEPTED),
        (("7/1/0/1", "refused"), RowState.ACCEPTED),
        (("lost", "undecided"), RowState.UNDECIDED),
        (("lost", "refused"), RowState.UNDECIDED),
        (("lost", "unanswered_after_refusal"), RowState.UNDECIDED),
        (("refused", "unanswered"), RowState.NO_ANSWER),
        (("lost", "taken"), RowState.ANSWER_LOST),
        (("undecided", "taken"), RowState.UNDECIDED),
        (("undecided", "refused"), RowState.UNDECIDED),
        (("taken", "unanswered"), RowState.KEY_TAKEN),
    ],
)
def test_of_two_codes_the_one_that_knows_more_counts(
    *, codes: tuple[str, str], state: RowState, order: int
) -> None:
    """Two tries may write about one row, in any order: what is known better stays."""
    rows = make_row()
    for code in codes[::order]:
        rows.decode(0, code)

    assert rows.state(0) is state


CODES = (
    "7/1/100/1",
    "lost",
    "undecided",
    "taken",
    "lost_or_capped",
    "capped",
    "refused",
    "unanswered",
    "unanswered_after_refusal",
)


def read_in_turn(said: Iterable[str | ResultRow], history: TxnIdHistory) -> CampaignRows:
    """Return a row after the codes and the rows of a table that *said* holds were read, in this order."""
    rows = make_row(history=history)
    for one in said:
        if isinstance(one, str):
            rows.decode(0, one)
        else:
            rows.load_result(0, one)
    return rows


def count_row(rows: CampaignRows) -> tuple[object, ...]:
    """Return whether a row is sent again, in which light a 108 will be read then, and how it counts."""
    return rows.is_open(0), rows.history(0), rows.state(0).outcome, rows.msg_id(0)


@pytest.mark.parametrize("history", TxnIdHistory)
@pytest.mark.parametrize("number", [2, 3])
def test_the_order_of_codes_does_not_matter(number: int, history: TxnIdHistory) -> None:
    """Whatever two or three tries have written of a row, in any order: the next try does the same with it."""
    for said in combinations_with_replacement(CODES, number):
        ends = [read_in_turn(order, history) for order in permutations(said)]

        assert len(set(map(count_row, ends))) == 1, said
        assert number > 2 or len({rows.state(0) for rows in ends}) == 1, said


@pytest.mark.parametrize("history", TxnIdHistory)
def test_codes_that_are_read_twice_count_once(history: TxnIdHistory) -> None:
    """The state store and the part files say the same of a row: the second adds nothing."""
    for said in product(CODES, repeat=2):
        once, twice = read_in_turn(said, history), read_in_turn(said * 2, history)

        assert (count_row(once), once.state(0)) == (count_row(twice), twice.state(0)), said


@pytest.mark.parametrize("history", TxnIdHistory)
def test_the_journal_may_be_read_before_the_table_or_after_it(history: TxnIdHistory) -> None:
    """A row is the same either way; of two acceptances the first one that was read stays."""
    reasons = [*RowState, "no_answer_after_refusal"]
    for said, code, reason in product(CODES, CODES, reasons):
        result = make_result(reason)
        is_accepted = "/" in said + code
        before = read_in_turn([said, code, result], history)
        after = read_in_turn([result, said, code], history)

        assert count_row(before)[:3] == count_row(after)[:3], (said, code, reason)
        assert not is_accepted or before.msg_id(0) == "7"
        assert before.msg_id(0) == after.msg_id(0) or (is_accepted and after.msg_id(0) == "9")


def make_result(reason: RowState | str) -> ResultRow:
    """Make the row of a table as a try has left it."""
    is_state = isinstance(reason, RowState)
    return ResultRow(
        row=1,
        key="992900000001",
        phone="992900000001",
        outcome=str(reason.outcome if is_state else Outcome.UNCERTAIN),
        reason=reason.reason if is_state else reason,
        txn_id="a",
        msg_id="9" if reason is RowState.ACCEPTED else None,
        parts=None,
    )


def test_of_two_acceptances_the_first_one_stays() -> None:
    """The journal is read before the table: what somebody has edited there replaces nothing."""
    rows = read_in_turn(["7/1/100/1", "8/2/200/2", make_result(RowState.ACCEPTED)], TxnIdHistory.UNUSED)

    assert (rows.msg_id(0), rows.parts(0), rows.accepted_at(0), rows.tried_in(0)) == ("7", 1, 100, 1)


@pytest.mark.parametrize("order", [1, -1])
def test_a_used_up_txn_id_outweighs_a_lost_answer(order: int) -> None:
    """Of two doubts about an open row the greater one stays: a 108 will prove nothing."""
    rows = make_row()
    for code in ("refused", "unanswered")[::order]:
        rows.decode(0, code)

    assert (rows.is_open(0), rows.history(0)) == (True, TxnIdHistory.MAYBE_CONSUMED)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "7",
        "strange",
        "7/many",
        "7/-1",
        "/1",
        "7/1/2",
        "a/b/1",
        7,
        1.5,
        True,
        None,
        ["7/1"],
        {"msg_id": "7"},
    ],
)
def test_what_is_no_code(code: object) -> None:
    """Only what we write is a code; everything else is known as strange, and says nothing of a row."""
    rows = make_row()

    assert not is_code(code)
    assert read_acceptance(code) is None
    assert not rows.decode(0, code)
    assert rows.state(0) is RowState.NOT_ATTEMPTED


def test_a_code_of_an_older_version_is_one() -> None:
    """A msg_id with parts alone, as versions before accepted_at wrote it, is read."""
    assert read_acceptance("163938568/2") == Acceptance(msg_id="163938568", parts=2)


@pytest.mark.parametrize(
    ("doubt", "state"),
    [
        ("unanswered", RowState.LOST_OR_CAPPED),
        ("refused", RowState.UNDECIDED),
        ("unanswered_after_refusal", RowState.UNDECIDED),
        ("lost_or_capped", RowState.LOST_OR_CAPPED),
        ("undecided", RowState.UNDECIDED),
        ("7/1/2/1", RowState.ACCEPTED),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_what_one_try_calls_capped_may_be_ours(doubt: str, state: RowState, order: int) -> None:
    """Two tries overlap: a row that one has perhaps sent is not called capped, in the journal or in a row."""
    rows = make_row()
    for code in ["capped", doubt][::order]:
        rows.decode(0, code)

    assert rows.state(0) is state


@pytest.mark.parametrize(
    ("history", "state"),
    [
        (TxnIdHistory.UNUSED, RowState.CAPPED),
        (TxnIdHistory.MAYBE_ACCEPTED, RowState.LOST_OR_CAPPED),
        (TxnIdHistory.MAYBE_CONSUMED, RowState.LOST_OR_CAPPED),
    ],
)
def test_a_row_that_had_enough(history: TxnIdHistory, state: RowState) -> None:
    """It is capped if no try of ours can have sent it; a settled one stays as it is."""
    rows = make_row(history=history)

    assert (rows.cap(0), rows.cap(0)) == (True, False)
    assert rows.state(0) is state


def test_an_attempt_is_taken_back() -> None:
    """A row whose txn_id is another message's is as if it had not been attempted."""
    rows = make_row()
    rows.begin_attempt(0)
    rows.take_back_attempt(0)

    assert (rows.state(0), rows.tried_in(0)) == (RowState.NOT_ATTEMPTED, None)


@pytest.mark.parametrize("least", TxnIdHistory)
def test_the_histories_of_all_rows_are_raised(least: TxnIdHistory) -> None:
    """What becomes known of all txn_ids is the least that is known of each, and lowers none."""
    rows = CampaignRows(3, history=TxnIdHistory.UNUSED)
    for position, code in enumerate(("", "unanswered", "refused")):
        rows.decode(position, code)
    rows.raise_history(least)

    assert [rows.history(position) for position in range(3)] == [max(least, own) for own in TxnIdHistory]


def test_rejected_rows_are_never_touched() -> None:
    """Only rows that are expected are open: the others were rejected before the campaign began."""
    rows = CampaignRows(3, history=TxnIdHistory.UNUSED)
    rows.expect(1)

    assert [position for position in range(3) if rows.is_open(position)] == [1]
    assert rows.count() == {RowState.NOT_ATTEMPTED: 1, RowState.REJECTED: 2}
    assert rows.encode(0) is None
    assert rows.open_rows == 1


def test_a_row_takes_at_most_twenty_bytes() -> None:
    """A million rows fit into a worker's memory."""
    rows = CampaignRows(1000, history=TxnIdHistory.UNUSED)
    rows.expect(0)
    held = [part for part in vars(rows).values() if isinstance(part, bytearray | array)]

    assert sum(memoryview(part).nbytes for part in held) <= 20 * 1000
