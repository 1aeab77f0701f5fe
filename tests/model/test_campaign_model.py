"""A campaign under any sequence of faults, kills, Clears and lost memories."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from model_campaign import NAMESPACES, Campaign, Settings
from model_gateway import Event, Fault
from model_people import PHONES, Kind, Person
from model_rules import check_end, check_try

_EXAMPLES = int(os.environ.get("OSONSMS_EXAMPLES", "2000"))
_PEOPLE = st.lists(
    st.builds(
        Person, st.sampled_from(PHONES), st.sampled_from([Kind.RECIPIENT] * 6 + [Kind.LONG, Kind.REJECT])
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda person: person.phone,
).map(tuple)
_EVENTS = [Event.FLUSH, Event.FLUSH, Event.STOP, Event.HOUR]
_SCRIPTS = st.lists(st.sampled_from([*Fault, *[Fault.ANSWERED] * 6, *_EVENTS]), max_size=8)
_OUTER = _SCRIPTS | st.builds(lambda before, after: [*before, Event.OVERLAP, *after], _SCRIPTS, _SCRIPTS)
_SETTINGS = st.builds(
    Settings,
    has_store=st.booleans(),
    has_table=st.booleans(),
    has_own_campaign_id=st.booleans(),
    has_window=st.booleans(),
    shares_table=st.booleans(),
    concurrency=st.integers(1, 3),
    rounds=st.integers(1, 3),
    max_consecutive_failures=st.sampled_from([2, 50]),
)


class CampaignMachine(RuleBasedStateMachine):
    """Tries of one campaign, and all that happens between them."""

    campaign: Campaign | None = None

    @initialize(chosen=_SETTINGS, people=_PEOPLE, foreign=st.just(set()) | st.sets(st.sampled_from(PHONES)))
    def begin(self, chosen, people, foreign):
        """Choose what stays; another installation may have used some of our txn_ids."""
        self.campaign = Campaign(chosen, people)
        for phone in sorted(foreign):
            self.campaign.gateway.take_foreign(self.campaign.txn_ids("")[phone])

    @rule(script=_OUTER, inner=_SCRIPTS)
    def run_try(self, script, inner):
        """Retry or clear the task."""
        self._run(self.campaign.tasks[0], script, inner)

    @precondition(lambda self: len(self.campaign.tasks) > 1)
    @rule(script=_OUTER, inner=_SCRIPTS)
    def run_other_task(self, script, inner):
        """Let another run send the same campaign."""
        self._run(self.campaign.tasks[1], script, inner)

    @precondition(lambda self: self.campaign.settings.has_store)
    @rule(task=st.integers(0, 1))
    def wipe_store(self, task):
        """Forget what the state store holds."""
        self.campaign.tasks[task % len(self.campaign.tasks)].store.wipe()

    @precondition(lambda self: self.campaign.settings.has_table)
    @rule(but=st.sampled_from(["\0", ".parts"]))
    def wipe_files(self, but):
        """Remove the results table, with its parts or without."""
        path = self.campaign.tasks[0].path
        self.campaign.files.wipe(path, but=f"{path}{but}")

    @rule(store=st.integers(0, 3), files=st.integers(0, 3))
    def fail(self, store, files):
        """Let the next writings fail."""
        self.campaign.files.failures = files
        if self.campaign.tasks[0].store is not None:
            self.campaign.tasks[0].store.failures = store

    @rule(people=_PEOPLE)
    def change_people(self, people):
        """Add, remove and reorder rows."""
        self.campaign.people = people

    @rule(text=st.sampled_from(["Salom", "Salom!"]))
    def change_text(self, text):
        """Send another text."""
        self.campaign.text = text

    @rule(namespace=st.sampled_from(NAMESPACES))
    def change_namespace(self, namespace):
        """Send under another namespace."""
        self.campaign.namespace = namespace

    @rule(hours=st.sampled_from([-1, 1, 9]))
    def jump(self, hours):
        """Let time pass, or go back."""
        self.campaign.jump(hours)

    def teardown(self):
        """A clean try at the end settles every row."""
        if self.campaign is None:
            return
        for task in self.campaign.tasks:
            for _ in range(2):
                if self.campaign.restore(task):
                    attempt = self.campaign.run_try(task)
                    check_try(self.campaign, attempt)
                    check_end(self.campaign, attempt)

    def _run(self, task, script, inner):
        known = len(self.campaign.tries)
        self.campaign.run_try(task, script, inner)
        for attempt in self.campaign.tries[known + 1 :]:
            check_try(self.campaign, attempt)
        for attempt in self.campaign.tries[known : known + 1]:
            check_try(self.campaign, attempt)


TestCampaign = CampaignMachine.TestCase
TestCampaign.settings = settings(
    max_examples=_EXAMPLES // 2,
    stateful_step_count=12,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
