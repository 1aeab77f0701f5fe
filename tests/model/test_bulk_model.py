"""Bulk jobs under any sequence of faults, kills, Clears and lost memories."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from model_bulk import AUDIENCES, BulkTask, check_bulk
from model_gateway import Event, Fault, Gateway
from model_settings import choose_settings

from airflow_provider_osonsms.bulk.jobs import (
    AudienceChangedError,
    OnUnconfirmed,
    UnconfirmedBulkError,
)
from airflow_provider_osonsms.protocol.errors import BulkRefusedError
from airflow_provider_osonsms.protocol.models import Response

_USUAL = [Fault.ANSWERED, Fault.ANSWERED, Fault.ANSWERED, Fault.LOST, Fault.NOT_SENT, Fault.CONSUMED_109]
_SCRIPTS = st.lists(st.sampled_from([*Fault, *_USUAL, Event.STOP]), max_size=5)
_CHOICES = st.sampled_from([OnUnconfirmed.FAIL, *OnUnconfirmed])
_FEW = st.lists(st.sampled_from([*Fault, *_USUAL]), max_size=1)
_DUPLICATES = [
    None,
    Response(status=422, body=b'{"error":"duplicate"}'),
    Response(status=422, body=b'{"success":false,"data":{"txn_id":["has already been taken"]}}'),
]


class BulkMachine(RuleBasedStateMachine):
    """Tries of one task that creates bulk jobs, and all that happens between them."""

    @initialize(
        has_store=st.booleans(),
        has_receipts=st.booleans(),
        is_lasting=st.booleans(),
        is_blind=st.booleans(),
        duplicate=st.sampled_from(_DUPLICATES),
    )
    def begin(self, has_store, has_receipts, is_lasting, is_blind, duplicate):
        """Choose what stays, and what the gateway says to a second job with the same txn_id."""
        gateway = Gateway(is_blind_to_jobs=is_blind, duplicate_job=duplicate)
        self.task = BulkTask(has_store, has_receipts, is_lasting, gateway)

    @rule(script=_SCRIPTS, choice=_CHOICES)
    def run_try(self, script, choice):
        """Retry or clear the task."""
        self._run(choice, script)

    @rule(before=_FEW, inner=_SCRIPTS, after=_SCRIPTS, choice=_CHOICES)
    def overlap(self, before, inner, after, choice):
        """Begin a try while the one before it hangs, and let that go on afterwards."""
        self._run(choice, [*before, Event.OVERLAP, *after], inner)

    @precondition(lambda self: self.task.has_store and not self.task.is_lasting)
    @rule()
    def wipe_store(self):
        """Forget what the state store holds, which says of itself that it may."""
        self.task.store.wipe()

    @precondition(lambda self: self.task.has_receipts and self.task.has_store)
    @rule()
    def wipe_receipts(self):
        """Remove the receipts."""
        self.task.files.wipe("/")

    @rule(store=st.integers(0, 3), files=st.integers(0, 3))
    def fail(self, store, files):
        """Let the next writings fail."""
        self.task.store.failures, self.task.files.failures = store, files

    @rule(people=st.sampled_from(AUDIENCES))
    def change_people(self, people):
        """Create jobs for others."""
        self.task.people = people

    def teardown(self):
        """A clean try at the end creates what is left, or says that a person has to look."""
        if not hasattr(self, "task"):
            return
        self.task.store.failures = self.task.files.failures = 0
        attempt = self.task.run_try()
        check_bulk(self.task, attempt)
        is_final = isinstance(attempt.error, UnconfirmedBulkError | AudienceChangedError | BulkRefusedError)
        assert is_final or attempt.receipts is not None, repr(attempt.error)

    def _run(self, choice, script, inner=()):
        known = len(self.task.tries)
        self.task.run_try(script, inner, on_unconfirmed=choice)
        for attempt in reversed(self.task.tries[known:]):
            check_bulk(self.task, attempt)


TestBulk = BulkMachine.TestCase
TestBulk.settings = choose_settings(share=1 / 4)
