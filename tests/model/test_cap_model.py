"""Five campaigns with one cap under any sequence of faults, kills, overlaps and lost memories."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_campaign import Campaign, Settings, Try
from model_gateway import Event, Fault, Gateway
from model_people import PHONES, Person
from model_settings import choose_settings

from airflow_provider_osonsms.campaign.run import TooManyFailedError
from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.tables.rows import ResultRow

_CAP = Cap(category="marketing", period="2026-W48")
_DAGS = 5
_PEOPLE = st.lists(st.builds(Person, st.sampled_from(PHONES)), min_size=1, max_size=6, unique=True).map(tuple)
_WORDS = st.sampled_from([*Fault, *[Fault.ANSWERED] * 8, *Event, Event.FLUSH])
_SCRIPTS = st.lists(_WORDS, max_size=8)
_FEW = st.lists(_WORDS, max_size=2)
_KILLED = st.builds(lambda before: [*before, Fault.ANSWERED, Fault.KILL_AFTER], _FEW)
_SETTINGS = st.builds(
    Settings,
    memories=st.sampled_from(["table", "store and table", "store"]),
    concurrency=st.integers(1, 3),
    rounds=st.integers(1, 3),
    has_window=st.booleans(),
)


def check_ledger(gateway: Gateway) -> None:
    """Nobody has two messages of the category in the period, whoever has sent them."""
    phones = [phone for message in gateway.messages.values() for phone in message.phones]
    assert len(phones) == len(set(phones)), "somebody has two messages of one period"


def check_try(campaign: Campaign, attempt: Try) -> None:
    """Each row of a table is what became of it: ours, capped by another campaign, or uncertain."""
    check_ledger(campaign.gateway)
    if attempt.table is None:
        return
    campaign.check_written(attempt)
    for row in attempt.table:
        if row.txn_id is not None:
            _check_row(campaign, attempt, row)


def _check_row(campaign: Campaign, attempt: Try, row: ResultRow) -> None:
    message = campaign.gateway.messages.get(str(row.txn_id))
    is_ours = message is not None and message.text == campaign.text
    if row.outcome == "accepted":
        assert message is not None
        assert (is_ours, row.msg_id) == (True, message.msg_id), "accepted, and not ours"
    elif row.outcome == "uncertain":
        return
    else:
        assert row.outcome in {"capped", "pending", "refused"}, row.outcome
        sent = {made.txn_id for made in attempt.line.attempts if made.was_free}
        is_known = row.txn_id in attempt.memory.maybe_accepted or row.txn_id in sent
        assert not (is_ours and is_known), f"{row.outcome}, and it is ours"
        assert row.outcome != "capped" or campaign.gateway.knows(str(row.txn_id)), "capped by nobody"


class CapMachine(RuleBasedStateMachine):
    """Tries of five DAGs in any order, and all that happens between them."""

    campaigns: tuple[Campaign, ...] = ()

    @initialize(chosen=_SETTINGS, audiences=st.lists(_PEOPLE, min_size=_DAGS, max_size=_DAGS))
    def begin(self, chosen, audiences):
        """Let each DAG have its own memories and people, and all of them one gateway."""
        gateway = Gateway()
        self.campaigns = tuple(
            Campaign(
                replace(chosen, cap=_CAP, dag_id=f"dag{number}"),
                people,
                gateway=gateway,
                text=f"Salom {number}",
            )
            for number, people in enumerate(audiences)
        )

    @rule(dag=st.integers(0, _DAGS - 1), script=_SCRIPTS | _KILLED)
    def run_try(self, dag, script):
        """Retry or clear the task of a DAG."""
        self._run(dag, script)

    @rule(dag=st.integers(0, _DAGS - 1), before=_FEW, inner=_KILLED | _SCRIPTS, after=_FEW)
    def overlap(self, dag, before, inner, after):
        """Begin a try while the one before it hangs, and let that go on afterwards."""
        self._run(dag, [*before, Event.OVERLAP, *after], inner)

    @rule(dag=st.integers(0, _DAGS - 1), people=_PEOPLE)
    def change_people(self, dag, people):
        """Add, remove and reorder rows."""
        self.campaigns[dag].people = people

    @rule(dag=st.integers(0, _DAGS - 1), store=st.integers(0, 3), files=st.integers(0, 3))
    def fail(self, dag, store, files):
        """Let the next writings of a DAG fail."""
        self.campaigns[dag].fail(self.campaigns[dag].tasks[0], store=store, files=files)

    @rule(dag=st.integers(0, _DAGS - 1), hours=st.sampled_from([-1, 1, 9]))
    def jump(self, dag, hours):
        """Let time pass, or go back."""
        self.campaigns[dag].jump(hours)

    def teardown(self):
        """A clean try of each DAG at the end settles every row, and leaves nobody out."""
        for campaign in self.campaigns:
            for _ in range(2):
                campaign.restore(campaign.tasks[0])
                attempt = campaign.run_try(campaign.tasks[0])
                check_try(campaign, attempt)
                assert attempt.end is None or isinstance(attempt.end, TooManyFailedError), repr(attempt.end)
                assert attempt.open_rows == 0
        for campaign in self.campaigns:
            for phone in {person.phone for person in campaign.people}:
                assert campaign.gateway.knows(campaign.make_txn_id(phone, "")), "somebody was left out"

    def _run(self, dag, script, inner=()):
        campaign = self.campaigns[dag]
        known = len(campaign.tries)
        campaign.run_try(campaign.tasks[0], script, inner)
        for attempt in campaign.tries[known:]:
            check_try(campaign, attempt)


TestCap = CapMachine.TestCase
TestCap.settings = choose_settings(share=1 / 4)
