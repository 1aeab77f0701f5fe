"""A single send under any sequence of faults, kills, Clears and a lost memory."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from model_gateway import Event, Fault
from model_settings import choose_settings
from model_single import TXN_ID, SingleSend, check_single

from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError

_USUAL = [Fault.ANSWERED, Fault.ANSWERED, Fault.LOST, Fault.NOT_SENT, Fault.CONSUMED_109]
_SCRIPTS = st.lists(st.sampled_from([*Fault, *_USUAL, Event.STOP]), max_size=3)
_FEW = st.lists(st.sampled_from([*Fault, *_USUAL]), max_size=1)


class SingleMachine(RuleBasedStateMachine):
    """Tries of one task that sends one message, and all that happens between them."""

    @initialize(
        has_store=st.booleans(),
        has_own_txn_id=st.booleans(),
        is_foreign=st.sampled_from([True] + [False] * 5),
    )
    def begin(self, has_store, has_own_txn_id, is_foreign):
        """Choose what stays; another installation may have used our txn_id."""
        self.send = SingleSend(has_store, has_own_txn_id)
        if is_foreign:
            self.send.gateway.take_foreign(TXN_ID)

    @rule(script=_SCRIPTS)
    def run_try(self, script):
        """Retry or clear the task."""
        self._run(script)

    @rule(before=_FEW, inner=_SCRIPTS, after=_SCRIPTS)
    def overlap(self, before, inner, after):
        """Begin a try while the one before it hangs, and let that go on afterwards."""
        self._run([*before, Event.OVERLAP, *after], inner)

    @precondition(lambda self: self.send.has_store)
    @rule()
    def wipe_store(self):
        """Forget what the state store holds."""
        self.send.store.wipe()

    @precondition(lambda self: self.send.has_store)
    @rule(writes=st.integers(1, 3))
    def fail(self, writes):
        """Let the next writings fail."""
        self.send.store.failures = writes

    @rule(text=st.sampled_from(["Salom", "Salom!"]))
    def change_text(self, text):
        """Send another text."""
        self.send.text = text

    def teardown(self):
        """A clean try at the end has a receipt, or says that the txn_id is somebody else's."""
        if not hasattr(self, "send"):
            return
        self.send.store.failures = 0
        for _ in range(2):
            attempt = self.send.run_try()
            check_single(self.send, attempt)
            assert attempt.receipt is not None or isinstance(attempt.error, DuplicateTransactionError)

    def _run(self, script, inner=()):
        known = len(self.send.tries)
        self.send.run_try(script, inner)
        for attempt in reversed(self.send.tries[known:]):
            check_single(self.send, attempt)


TestSingle = SingleMachine.TestCase
TestSingle.settings = choose_settings(share=1 / 4)
