"""A campaign under any sequence of faults, kills, Clears and lost memories."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_campaign import NAMESPACES, Campaign, Settings
from model_gateway import Event, Fault
from model_people import PHONES, Kind, Person
from model_rules import check_end, check_try
from model_settings import choose_settings

_PEOPLE = st.lists(
    st.builds(
        Person, st.sampled_from(PHONES), st.sampled_from([Kind.RECIPIENT] * 6 + [Kind.LONG, Kind.REJECT])
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda person: person.phone,
).map(tuple)
_WORDS = st.sampled_from([*Fault, *[Fault.ANSWERED] * 8, *Event, Event.FLUSH])
_SCRIPTS = st.lists(_WORDS, max_size=8)
_FEW = st.lists(_WORDS, max_size=2)
_KILLED = st.builds(
    lambda before, after: [*before, Fault.ANSWERED, Event.FLUSH, *after, Fault.KILL_BEFORE], _FEW, _FEW
)
_KILLED_EARLY = st.builds(
    lambda answers, before, kill: [*answers * [Fault.ANSWERED], *before, kill],
    st.integers(0, 3),
    _FEW,
    st.sampled_from([Fault.KILL_BEFORE, Fault.KILL_AFTER]),
)
_STARVED = st.sampled_from([[Fault.NO_MONEY], [Fault.BLOCKED], [Event.STOP, Fault.NOT_SENT]])
_SETTINGS = st.builds(
    Settings,
    memories=st.sampled_from(["table", "table", "store and table", "store", ""]),
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

    @rule(run=st.integers(0, 1), script=_SCRIPTS)
    def run_try(self, run, script):
        """Retry or clear the task, in this run or in another one of the same campaign."""
        self._run(self._choose(run), script)

    @rule(run=st.integers(0, 1), script=_KILLED)
    def kill_try(self, run, script):
        """Retry or clear the task, which dies after its journal was written."""
        self._run(self._choose(run), script)

    @rule(run=st.integers(0, 1), script=_KILLED_EARLY)
    def kill_try_early(self, run, script):
        """Retry or clear the task, which dies before its journal was written."""
        self._run(self._choose(run), script)

    @rule(run=st.integers(0, 1), tries=st.lists(_STARVED, min_size=1, max_size=3))
    def starve(self, run, tries):
        """Let tries follow each other of which none is accepted anything."""
        for script in tries:
            self._run(self._choose(run), script)

    @rule(run=st.integers(0, 1), before=_FEW, inner=_KILLED | _KILLED_EARLY | _SCRIPTS, after=_FEW)
    def overlap(self, run, before, inner, after):
        """Begin a try while the one before it hangs, and let that go on afterwards."""
        self._run(self._choose(run), [*before, Event.OVERLAP, *after], inner)

    @rule(what=st.sampled_from(["store", "store of the other run", "table", "table and parts"]))
    def wipe(self, what):
        """Forget what a memory holds."""
        task = self._choose("other" in what)
        if "store" in what and task.store is not None:
            task.store.wipe()
        if "table" in what and task.path is not None:
            self.campaign.files.wipe(task.path, but=f"{task.path}.parts" if what == "table" else "-")

    @rule(store=st.integers(0, 3), files=st.integers(0, 3), is_sticky=st.booleans())
    def fail(self, store, files, is_sticky):
        """Let the next writings fail, and files stay that should be removed."""
        self.campaign.fail(self.campaign.tasks[0], store=store, files=files)
        self.campaign.files.is_sticky = is_sticky

    @rule(people=_PEOPLE, text=st.sampled_from(["Salom", "Salom!"]))
    def change_people(self, people, text):
        """Add, remove and reorder rows, and send another text."""
        self.campaign.people, self.campaign.text = people, text

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

    def _choose(self, run):
        return self.campaign.tasks[min(run, len(self.campaign.tasks) - 1)]

    def _run(self, task, script, inner=()):
        known = len(self.campaign.tries)
        self.campaign.run_try(task, script, inner)
        for attempt in self.campaign.tries[known + 1 :]:
            check_try(self.campaign, attempt)
        for attempt in self.campaign.tries[known : known + 1]:
            check_try(self.campaign, attempt)


TestCampaign = CampaignMachine.TestCase
TestCampaign.settings = choose_settings(share=1 / 2)
