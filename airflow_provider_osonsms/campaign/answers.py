"""What the answers to a campaign's attempts change: rows, journal, progress, rate, and whether it stops.

An answer that accepts its message has no consequence for other rows, so it waits to be read together with
others: between two requests, reading takes three times as long. Any other answer is read at once, after those
that wait: answers are read in the order in which they came.

Reference:
    OsonSMS protocol 1.5, §2.2, §2.3; docs/design.md "One try of a campaign".
"""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from airflow_provider_osonsms.campaign.acceptance import Acceptance
from airflow_provider_osonsms.campaign.journal import CampaignJournal, JournalFlusher
from airflow_provider_osonsms.campaign.loop_thread import Stop
from airflow_provider_osonsms.campaign.plan import CampaignPlan
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState, Shown, read_failure, read_receipt
from airflow_provider_osonsms.client.asynchronous import PreparedRequest
from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import OsonSmsError, ThrottledError
from airflow_provider_osonsms.protocol.history import read_proof
from airflow_provider_osonsms.protocol.models import Message, Response

_READ_AT_ONCE: Final = 64
_RECEIPT_FIELD: Final = b'"msg_id"'
"""No answer without it accepts a message."""
SECONDS_OF_PATIENCE: Final = 600.0
"""So long the gateway may turn every row away before the task leaves the rest to its next try."""

THROTTLED: Final = frozenset({Shown.TURNED_AWAY, Shown.UNAVAILABLE})
"""What is no failure: the gateway asks to slow down."""
_FAILURES: Final = frozenset({Shown.NOT_SENT, Shown.NO_ANSWER, Shown.REFUSED_FOR_NOW})
"""What may be over soon, and stops the campaign when it happens again and again."""
_STOPPING: Final = frozenset({Shown.NO_MONEY, Shown.ACCOUNT_REFUSED})
"""What would happen to every other row too."""


class TooManyFailuresError(OsonSmsError):
    """So many attempts failed in a row that going on would be no use: a later try goes on."""


class ThrottledTooLongError(OsonSmsError):
    """The gateway has accepted nothing for minutes and asks to slow down: a later try goes on."""


class ReadyMessage(NamedTuple):
    """A message whose request was built beforehand, or the error that says why there is none."""

    position: int
    estimated: int
    message: Message
    request: PreparedRequest | OsonSmsError


class Answer(NamedTuple):
    """How one attempt at a message has ended, as nobody has read it yet.

    Attributes:
        ready: What was attempted.
        before: The state of its row before.
        number: The one under which it began; see `client.rate`.
        result: The answer, or why there is none.
    """

    ready: ReadyMessage
    before: RowState
    number: int
    result: Response | OsonSmsError


class Answers:
    """Reads the answers, and keeps what they have shown.

    Args:
        plan: What is sent, and how.
        rows: What becomes of them.
        journal: Takes in what a later try must know.
        progress: Counts every settled row.
        limiter: Is told of every answer, and of every request that was turned away.
        stop: Is set, with the reason, when going on is no use.
        clock: Gives aware datetimes, for an acceptance without a time.

    Attributes:
        flusher: Writes the journal; answers that wait are read before.
        estimated_parts: Of the messages whose answer tells the billed parts.
        billed_parts: Of the same messages.
    """

    def __init__(
        self,
        plan: CampaignPlan,
        rows: CampaignRows,
        *,
        journal: CampaignJournal,
        progress: Progress,
        limiter: RateLimiter,
        stop: Stop,
        clock: Callable[[], datetime],
    ) -> None:
        self.estimated_parts = self.billed_parts = 0
        self.flusher = JournalFlusher(
            journal, reserve=plan.options.concurrency + _READ_AT_ONCE, before_flush=self.settle_waiting
        )
        self._rows = rows
        self._progress = progress
        self._limiter = limiter
        self._stop = stop
        self._clock = clock
        self._waiting: deque[Answer] = deque()
        self._max_failures_in_a_row = plan.options.max_consecutive_failures
        self._failures_in_a_row = 0

    def settle(self, answer: Answer) -> Shown:
        """Read an answer together with the next ones if it accepts its message, else now.

        Returns:
            What it shows; of one that is read later, at a glance.
        """
        if not _is_acceptance(answer.result) or self._limiter.rate < math.inf:
            try:
                self.settle_waiting()
            finally:
                shown = self._settle(answer)
            return shown
        self._waiting.append(answer)
        if len(self._waiting) >= _READ_AT_ONCE:
            self.settle_waiting()
        return Shown.ACCEPTED

    def settle_first(self, answer: Answer) -> Shown:
        """Read the answer to one of the rows that go alone at first, and return what it shows.

        If it is a 108 that nothing explains, the rows after it decide whether the journal is to know it.
        """
        return self._settle(answer, keeps_taken=False)

    def settle_waiting(self) -> None:
        """Read the answers that wait for others.

        A defect that shows at one of them is raised after all of them are read.
        """
        errors: list[Exception] = []
        with self._stop.guard():
            while self._waiting:
                try:
                    self._settle(self._waiting.popleft())
                except Exception as error:  # noqa: BLE001 - the first one is raised below
                    errors.append(error)
            if errors:
                raise errors[0]

    def write(self, position: int, message: Message) -> None:
        """Let the journal hold what is known of a row, if a later try must know it."""
        code = self._rows.encode(position)
        if code is not None:
            self.flusher.add(message.txn_id, code)

    def _settle(self, answer: Answer, *, keeps_taken: bool = True) -> Shown:
        (position, estimated, message, _), before, _, result = answer
        if isinstance(result, OsonSmsError):
            return self._settle_failure(answer, result, keeps_taken=keeps_taken)
        rows = self._rows
        history = rows.history(position)
        try:
            receipt = flows.read_send(result, message, history=history)
        except OsonSmsError as error:
            return self._settle_failure(answer, error, keeps_taken=keeps_taken)
        shown = read_receipt(receipt, history)
        if receipt.msg_id is None:
            rows.end_attempt(position, shown, before=before)
        else:
            parts = receipt.parts or 0
            accepted_at = receipt.accepted_at or self._clock()
            rows.keep_acceptance(
                position,
                Acceptance(
                    msg_id=receipt.msg_id,
                    parts=parts,
                    accepted_at=int(accepted_at.timestamp()),
                    try_number=rows.try_number,
                ),
            )
            self.estimated_parts += estimated if parts else 0
            self.billed_parts += parts
        self.write(position, message)
        self._failures_in_a_row = 0
        self._limiter.count_answer()
        self._progress.count()
        return shown

    def _settle_failure(self, answer: Answer, error: OsonSmsError, *, keeps_taken: bool) -> Shown:
        position, message = answer.ready.position, answer.ready.message
        shown = read_failure(error)
        self._rows.end_attempt(position, shown, before=answer.before, left_behind=read_proof(error).history)
        if shown is not Shown.TAKEN or keeps_taken:
            self.write(position, message)
        if shown is Shown.TAKEN:
            self._progress.count()
        elif isinstance(error, ThrottledError):
            self._slow_down(error, answer.number)
        elif shown in _FAILURES:
            self._count_failure(error)
        elif shown in _STOPPING:
            self._stop.set(error)
        return shown

    def _slow_down(self, error: ThrottledError, number: int) -> None:
        self._limiter.slow_down(number, retry_after=error.retry_after, status=error.status)
        seconds = self._limiter.seconds_throttled
        if seconds >= SECONDS_OF_PATIENCE:
            self._stop.set(
                ThrottledTooLongError(
                    f"The gateway has accepted nothing for {seconds / 60:.0f} minutes; its last answer: "
                    f"{error}. The task goes on in its next try, with the same txn_ids"
                )
            )

    def _count_failure(self, error: OsonSmsError) -> None:
        self._progress.count_failure()
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._max_failures_in_a_row:
            self._stop.set(
                TooManyFailuresError(
                    f"{self._failures_in_a_row} attempts failed in a row, the last with: {error}. The task "
                    f"goes on in its next try, with the same txn_ids"
                )
            )


def _is_acceptance(result: Response | OsonSmsError) -> bool:
    """Whether *result* accepts its message, at a glance; a status alone does not tell: proxies change it."""
    return (
        isinstance(result, Response) and result.status == HTTPStatus.CREATED and _RECEIPT_FIELD in result.body
    )
