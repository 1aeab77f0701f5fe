"""The gateway of the model: a ledger in memory, and what may go wrong around each request."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qs, urlsplit

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError
from airflow_provider_osonsms.protocol.models import Account, Request, Response

ACCOUNT = Account(
    login="kitobkhona", secret="sol-4711", api_url="https://api.test", bulk_url="https://cab.test"
)
_FIRST_MSG_ID = 7_000_001
_MSG_ID = re.compile(rb"(?<![0-9a-f])70\d{5}(?![0-9a-f])")  # and no digits of a txn_id, or of a try's name


class KilledError(BaseException):
    """The process is dead: nothing of this try happens any more."""


class Fault(Enum):
    """What becomes of a request."""

    ANSWERED = "registered, and answered"
    LOST = "registered, and the answer is lost"
    SILENT = "not registered, and no answer"
    NOT_SENT = "no connection"
    BUSY_109 = "109, not registered"
    BUSY_112 = "112, not registered"
    CONSUMED_109 = "109, and the txn_id is used up"
    CONSUMED_113 = "113, and the txn_id is used up"
    NO_MONEY = "119"
    BLOCKED = "106"
    GARBAGE = "not registered, and an answer that cannot be read"
    GARBAGE_AFTER = "registered, and an answer that cannot be read"
    UNLISTED = "an unlisted code, not registered"
    CONSUMED_UNLISTED = "an unlisted code, and the txn_id is used up"
    TURNED_AWAY = "429, not registered"
    UNAVAILABLE = "503 with HTML, not registered"
    UNAVAILABLE_AFTER = "503 with HTML, and registered"
    BROKEN = "500 with HTML, not registered"
    BROKEN_AFTER = "500 with HTML, and registered"
    KILL_BEFORE = "the process dies before it is registered"
    KILL_AFTER = "the process dies after it is registered"


class Event(Enum):
    """What happens between two requests."""

    FLUSH = "the journal is written"
    STOP = "Airflow tells the task to stop"
    HOUR = "an hour passes"
    BREAK = "the memories fail at their next writings"
    OVERLAP = "another try begins while this one hangs, and runs to its end"


REGISTERED = frozenset(
    {
        Fault.ANSWERED,
        Fault.LOST,
        Fault.GARBAGE_AFTER,
        Fault.UNAVAILABLE_AFTER,
        Fault.BROKEN_AFTER,
        Fault.KILL_AFTER,
    }
)
"""After these the message is on its way, if its txn_id was free."""
CONSUMING = frozenset({Fault.CONSUMED_109, Fault.CONSUMED_113, Fault.CONSUMED_UNLISTED})
"""After these the txn_id is used up, and nothing was sent, if it was free."""
_CODES = {
    Fault.BUSY_109: 109,
    Fault.BUSY_112: 112,
    Fault.CONSUMED_109: 109,
    Fault.CONSUMED_113: 113,
    Fault.NO_MONEY: 119,
    Fault.BLOCKED: 106,
    Fault.UNLISTED: 130,
    Fault.CONSUMED_UNLISTED: 131,
}
_BODIES = {
    Fault.GARBAGE: Response(status=200, body=b'{"status":"ok","msg'),
    Fault.GARBAGE_AFTER: Response(status=201, body=b""),
    Fault.TURNED_AWAY: Response(status=429, body=b"<html>Too Many Requests</html>", retry_after=2.0),
    Fault.UNAVAILABLE: Response(status=503, body=b"<html>Service Unavailable</html>"),
    Fault.UNAVAILABLE_AFTER: Response(status=503, body=b"<html>Service Unavailable</html>"),
    Fault.BROKEN: Response(status=500, body=b"<html>Internal Server Error</html>"),
    Fault.BROKEN_AFTER: Response(status=500, body=b"<html>Internal Server Error</html>"),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message, or a bulk job, that the gateway has accepted."""

    txn_id: str
    phones: tuple[str, ...]
    text: str
    msg_id: str
    is_ours: bool


@dataclass
class Gateway:
    """The ledger: a txn_id is taken once.

    Attributes:
        messages: What was accepted, by txn_id.
        used_up: Txn_ids that a temporary refusal has kept, though nothing was sent.
        is_blind_to_jobs: Whether a second bulk job with one txn_id is accepted like the first.
        jobs: Bulk jobs, in order.
    """

    messages: dict[str, Accepted] = field(default_factory=dict)
    used_up: set[str] = field(default_factory=set)
    is_blind_to_jobs: bool = False
    duplicate_job: Response | None = None
    jobs: list[Accepted] = field(default_factory=list)
    _numbers: int = 0

    def take_foreign(self, txn_id: str) -> None:
        """Accept somebody else's message under *txn_id*."""
        self._register(self.messages, txn_id, ("992999999999",), "foreign", is_ours=False)

    def knows(self, txn_id: str) -> bool:
        """Say whether *txn_id* is answered with 108."""
        return txn_id in self.messages or txn_id in self.used_up

    def sent(self, txn_id: str) -> Accepted | None:
        """Return our message under *txn_id*, if there is one."""
        message = self.messages.get(txn_id)
        return message if message is not None and message.is_ours else None

    def serve(self, request: Request, fault: Fault) -> Response:
        """Answer *request* as *fault* says; a refusal of the account comes before any other answer."""
        if fault is Fault.NOT_SENT:
            raise RequestNotSentError("no connection")
        if fault is Fault.SILENT:
            raise OutcomeUnknownError("no answer")
        if fault is Fault.KILL_BEFORE:
            raise KilledError
        if fault in {Fault.NO_MONEY, Fault.BLOCKED}:
            return _refuse(_CODES[fault])
        answer = (self._serve_bulk if request.call == "bulk" else self._serve_send)(request, fault)
        if fault is Fault.KILL_AFTER:
            raise KilledError
        if fault is Fault.LOST:
            raise OutcomeUnknownError("no answer")
        return answer

    def _serve_send(self, request: Request, fault: Fault) -> Response:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        txn_id = fields["txn_id"]
        if self.knows(txn_id):
            return _BODIES.get(fault) or _refuse(_CODES.get(fault, 108))
        if fault in REGISTERED:
            message = self._register(
                self.messages, txn_id, (fields["phone_number"],), fields["msg"], is_ours=True
            )
            said = {"status": "ok", "msg_id": message.msg_id, "txn_id": txn_id, "smsc_msg_parts": 1}
            answer = Response(status=201, body=json.dumps(said).encode())
        elif fault in CONSUMING:
            self.used_up.add(txn_id)
        return _BODIES.get(fault) or (_refuse(_CODES[fault]) if fault in _CODES else answer)

    def _serve_bulk(self, request: Request, fault: Fault) -> Response:
        form, phones = dict(request.form), tuple((request.file or b"").decode().split())
        txn_id = form["txn_id"]
        known = {job.txn_id for job in self.jobs} | self.used_up
        if txn_id in known and not self.is_blind_to_jobs:
            return _BODIES.get(fault) or (
                _refuse(_CODES[fault]) if fault in _CODES else self.duplicate_job or _refuse(108)
            )
        if fault in REGISTERED:
            job = self._register({}, txn_id, phones, form["msg"], is_ours=True)
            self.jobs.append(job)
            said = {"status": "success", "sms_bulk_name": f"job-{job.msg_id}"}
            answer = Response(status=200, body=json.dumps(said).encode())
        elif fault in CONSUMING:
            self.used_up.add(txn_id)
        return _BODIES.get(fault) or (_refuse(_CODES[fault]) if fault in _CODES else answer)

    def _register(self, ledger, txn_id, phones, text, *, is_ours) -> Accepted:
        msg_id = str(_FIRST_MSG_ID + self._numbers)
        self._numbers += 1
        ledger[txn_id] = Accepted(txn_id, phones, text[:20], msg_id, is_ours)
        return ledger[txn_id]


def find_msg_ids(content: bytes) -> set[str]:
    """Return the msg_ids of this gateway that *content* names."""
    return {found.decode() for found in _MSG_ID.findall(content)}


def _refuse(code: int) -> Response:
    return Response(status=422, body=json.dumps({"error": {"code": code, "msg": "no"}}).encode())


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request.

    Attributes:
        was_free: Whether its txn_id was not taken before.
    """

    txn_id: str
    fault: Fault
    was_free: bool

    @property
    def is_confirmed(self) -> bool:
        """Whether it was accepted, and the answer came."""
        return self.was_free and self.fault is Fault.ANSWERED


class Line:
    """The way from one try to the gateway: a script of faults and events, and then only answers.

    Args:
        gateway: At its end.
        script: Faults, one for each request, and events before them.
        limit: More requests than this mean that a try does not end.
        on_event: What an event does.
        on_request: Called when a request comes.

    Attributes:
        is_dead: Whether the process has been killed.
        attempts: Txn_id and fault of each request, in order.
    """

    def __init__(
        self,
        gateway: Gateway,
        script: Iterable[Fault | Event] = (),
        *,
        limit: int = 100,
        on_event: Callable[[Event], None] = lambda _event: None,
        on_request: Callable[[], None] = lambda: None,
    ) -> None:
        self.is_dead = False
        self.attempts: list[Attempt] = []
        self._gateway = gateway
        self._script = list(script)
        self._limit = limit
        self._on_event = on_event
        self._on_request = on_request

    def check(self) -> None:
        """Return if the process lives."""
        if self.is_dead:
            raise KilledError

    def list_confirmed(self) -> set[str]:
        """Return the msg_ids that came back in answers."""
        confirmed = {made.txn_id for made in self.attempts if made.is_confirmed}
        return {self._gateway.messages[txn_id].msg_id for txn_id in confirmed}

    def sleep(self, _seconds: float) -> None:
        """Pause before a further attempt; a stop in the script kills the process now."""
        if self._script and self._script[0] is Event.STOP:
            self.is_dead = True
        self.check()

    def handle(self, request: Request) -> Response:
        """Let the next fault meet *request*."""
        self.check()
        self._on_request()
        while self._script and isinstance(self._script[0], Event):
            self._on_event(self._script.pop(0))
        fault = self._script.pop(0) if self._script else Fault.ANSWERED
        txn_id = _read_txn_id(request)
        was_free = not self._gateway.knows(txn_id)
        self.attempts.append(Attempt(txn_id, fault, was_free))
        assert len(self.attempts) <= self._limit, "a try does not end"
        try:
            return self._gateway.serve(request, fault)
        except KilledError:
            self.is_dead = True
            raise


class AsyncLine:
    """The same for the asynchronous client; other requests get under way before it is answered."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def prepare(self, request: Request) -> Request:
        """Return it as it is."""
        return request

    async def exchange(self, prepared: Request) -> Response:
        """Let the next fault meet the request."""
        await asyncio.sleep(0)
        return self._line.handle(prepared)


def _read_txn_id(request: Request) -> str:
    if request.call == "bulk":
        return dict(request.form)["txn_id"]
    return parse_qs(urlsplit(request.url).query)["txn_id"][0]
