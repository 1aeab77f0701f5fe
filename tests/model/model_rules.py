"""What must be true after a try of a campaign: the rule of the design, said without its implementation."""

from model_campaign import NAMESPACES, Campaign, Try
from model_gateway import CONSUMING, REGISTERED, Fault
from model_people import PHONES, Kind

from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError
from airflow_provider_osonsms.campaign.send_loop import TxnIdsTakenError
from airflow_provider_osonsms.exactly_once.store import KeysChangedError
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.rows import ResultRow

_UNANSWERED = frozenset(
    {
        Fault.LOST,
        Fault.SILENT,
        Fault.GARBAGE,
        Fault.GARBAGE_AFTER,
        Fault.UNAVAILABLE,
        Fault.UNAVAILABLE_AFTER,
        Fault.BROKEN,
        Fault.BROKEN_AFTER,
    }
)
_NOT_SENT = frozenset({"pending", "refused", "rejected"})


def check_ledger(campaign: Campaign) -> None:
    """Nobody has two messages under one namespace, and every message went to the phone of its row."""
    owners = {
        txn_id: phone for namespace in NAMESPACES for phone, txn_id in campaign.txn_ids(namespace).items()
    }
    assert len(owners) == len(NAMESPACES) * len(PHONES), "two installations make the same txn_ids"
    for message in campaign.gateway.messages.values():
        if message.is_ours:
            assert owners.get(message.txn_id) == message.phones[0], "a row was sent under a txn_id of its own"


def check_try(campaign: Campaign, attempt: Try) -> None:
    """What a try has done and written is true, and no less than what was known before it."""
    check_ledger(campaign)
    _check_namespace(campaign, attempt)
    if isinstance(attempt.end, TxnIdsTakenError):
        assert not any(made.is_confirmed for made in attempt.line.attempts), "it says that nothing was sent"
    if _is_collision(campaign, attempt):
        assert isinstance(attempt.end, TxnIdsTakenError | CampaignStoppedError | ConnectionError), (
            "foreign messages were taken for ours"
        )
    _check_blame(campaign, attempt)
    if attempt.table is not None:
        campaign.check_written(attempt)
        _check_tracked(campaign, attempt)
        _check_rows(campaign, attempt)


def check_end(campaign: Campaign, attempt: Try) -> None:
    """A clean last try settles every row, or ends for good."""
    if isinstance(attempt.end, InvalidMessageError | TxnIdsTakenError):
        return
    assert attempt.end is None, f"a clean try ended in {attempt.end!r}"
    assert attempt.open_rows == 0


def _is_collision(campaign: Campaign, attempt: Try) -> bool:
    """Whether a first try, which nothing else has met, finds all its txn_ids taken."""
    asked = {made.txn_id for made in attempt.line.attempts}
    is_first = not (campaign.settings.has_own_campaign_id or attempt.has_earlier or attempt.is_overlapped)
    has_only_answers = all(made.fault is Fault.ANSWERED for made in attempt.line.attempts)
    is_whole = len(asked) == sum(person.kind is Kind.RECIPIENT for person in attempt.people)
    is_taken = all(
        txn_id in campaign.gateway.messages and not campaign.gateway.sent(txn_id) for txn_id in asked
    )
    has_no_other = all(person.kind is not Kind.LONG for person in attempt.people)
    return bool(asked) and is_first and has_only_answers and is_whole and is_taken and has_no_other


def _check_blame(campaign: Campaign, attempt: Try) -> None:
    """What is said to be somebody else's is: whoever believes it sends under other txn_ids.

    Only a try that was taken for dead, and has neither store nor table, cannot know what the next one sends.
    """
    blamed = {row.txn_id for row in attempt.table or () if row.reason == "key_taken"}
    if isinstance(attempt.end, TxnIdsTakenError):
        blamed |= {made.txn_id for made in attempt.line.attempts}
    for txn_id in blamed:
        message = campaign.gateway.messages.get(str(txn_id))
        is_foreign = message is not None and not message.is_ours
        is_unknowable = attempt.is_overlapped and not campaign.settings.memories
        assert is_foreign or is_unknowable, "our own message was taken for somebody else's"


def _check_namespace(campaign: Campaign, attempt: Try) -> None:
    ours = set(campaign.txn_ids(attempt.namespace).values())
    if attempt.memory.accepted - ours:
        assert not attempt.line.attempts, "people were texted again under another namespace"
        assert isinstance(attempt.end, KeysChangedError | OtherCampaignError), repr(attempt.end)


def _check_tracked(campaign: Campaign, attempt: Try) -> None:
    assert attempt.table is not None
    listed = [row.msg_id for row in attempt.table if row.msg_id is not None]
    assert len(listed) == len(set(listed)), "a message is listed twice"
    lost = (attempt.memory.tracked | attempt.line.list_confirmed()) - set(listed)
    assert not lost, f"{lost} were tracked and are not any more"


def _check_rows(campaign: Campaign, attempt: Try) -> None:
    assert attempt.table is not None
    rows = [row for row in attempt.table if row.row is not None]
    assert [row.row for row in rows] == list(range(1, len(attempt.people) + 1))
    for person, row in zip(attempt.people, rows, strict=True):
        if person.kind is Kind.REJECT:
            assert (row.outcome, row.key) == ("rejected", None)
        else:
            assert row.txn_id == campaign.txn_ids(attempt.namespace)[person.phone]
            _check_row(campaign, attempt, row)


def _check_row(campaign: Campaign, attempt: Try, row: ResultRow) -> None:
    txn_id = str(row.txn_id)
    ours = campaign.gateway.sent(txn_id)
    if row.outcome == "accepted":
        assert ours is not None, "accepted, and not in the ledger"
        assert row.msg_id == ours.msg_id
    elif row.outcome == "accepted_untracked":
        assert ours is not None or _may_be_misread(campaign, attempt, txn_id), (
            "accepted_untracked, and not in the ledger"
        )
    elif row.outcome in _NOT_SENT and ours is not None:
        is_known = txn_id in attempt.memory.maybe_accepted or txn_id in _sent_by(attempt)
        assert not is_known, f"{row.outcome} ({row.reason}), although it was accepted"
    else:
        assert row.outcome in _NOT_SENT | {"uncertain"}


def _may_be_misread(campaign: Campaign, attempt: Try, txn_id: str) -> bool:
    """Whether nobody can know that the 108 of *txn_id* is not of a message of ours."""
    if txn_id in campaign.gateway.messages:  # somebody else's
        is_explained = campaign.settings.has_own_campaign_id or attempt.has_earlier or attempt.is_overlapped
        return is_explained or bool(_met(attempt, _UNANSWERED) & {txn_id})
    is_doubted = txn_id in attempt.memory.doubted or bool(_met(attempt, CONSUMING) & {txn_id})
    return not is_doubted


def _sent_by(attempt: Try) -> set[str]:
    return {made.txn_id for made in attempt.line.attempts if made.was_free and made.fault in REGISTERED}


def _met(attempt: Try, faults: frozenset[Fault] | set[Fault]) -> set[str]:
    return {made.txn_id for made in attempt.line.attempts if made.fault in faults}
