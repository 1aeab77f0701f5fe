"""What a campaign knows after its first try has ended, by where it remembers: the table of docs/campaign.md.

The journal is kept in the task's state store (Airflow 3.3 and newer) and at results_path: a table, and part
files beside it while a try runs. Either may be missing or be wiped between two tries. Nobody is texted twice
in any case; what is lost with the memory are msg_ids, and never more than those that no memory holds.
"""

import asyncio
import csv
import json
import re
import shutil
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from itertools import product

import pytest

from airflow_provider_osonsms.campaign import journal as journals
from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport

PEOPLE = 30
MEMORIES = ("store", "table", "both", "store_wiped", "table_wiped", "both_wiped")
ENDS = ("killed", "failed", "finished")
MSG_ID = re.compile(r"(\d+)/\d+/\d+/\d+")


class ProcessDied(BaseException):
    """The process has died."""


class Memory:
    """What tasks leave behind, and what of it is wiped."""

    def __init__(self, name, *, supervisor, path):
        self.name = name
        self.path = None if name == "store" else path
        self._parts = path.with_name(f"{path.name}.parts")
        self._supervisor = supervisor
        self._saved = None

    def save(self):
        """Keep it as it is now: a dead process writes nothing more."""
        if self._saved is None:
            files = {file: file.read_bytes() for file in self.path.parent.rglob("*.csv")} if self.path else {}
            self._saved = json.loads(json.dumps(self._supervisor.store)), files

    def restore(self):
        """Let it be as it was when it was kept."""
        if self._saved is None:
            return
        stored, files = self._saved
        self._supervisor.store.clear()
        self._supervisor.store.update(stored)
        self._remove_files()
        for file, content in files.items():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)

    def wipe(self):
        """Lose what is lost between the tries."""
        if self.name in {"table", "store_wiped", "both_wiped"}:
            self._supervisor.store.clear()
        if self.name in {"table_wiped", "both_wiped"}:
            self._remove_files()

    def has_answers(self):
        """Whether the journal is written everywhere; the store comes first."""
        if self.path is None:
            return bool(self.list_msg_ids())
        return self._parts.is_dir() and any(
            MSG_ID.search(part.read_text()) for part in self._parts.glob("*.csv")
        )

    def list_msg_ids(self):
        """Return the msg_ids that are known anywhere."""
        texts = [json.dumps(self._supervisor.store)]
        if self._parts.is_dir():
            texts += [part.read_text() for part in self._parts.iterdir()]
        return {msg_id for text in texts for msg_id in MSG_ID.findall(text)} | set(self.read_table().values())

    def read_table(self):
        """Return the msg_ids of the table by phone."""
        if self.path is None or not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8", newline="") as file:
            return {row["phone"]: row["msg_id"] for row in csv.DictReader(file) if row["msg_id"]}

    def _remove_files(self):
        if self.path is None:
            return
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self._parts, ignore_errors=True)


@pytest.fixture
def make_memory(supervisor, tmp_path):
    """Make a memory by its name."""
    return lambda name: Memory(name, supervisor=supervisor, path=tmp_path / "results.csv")


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch):
    """Let the journal be written every few rows, so that it knows a part of what was sent."""
    monkeypatch.setattr(journals, "ENTRIES_PER_FLUSH", 4)


async def _wait_for(is_there):
    for _ in range(200):
        if is_there():
            return
        await asyncio.sleep(0.01)


@pytest.fixture
def first_try(gateway, run_task, make_campaign, monkeypatch):
    """Run a first try to its end: killed in the middle, failed for want of money, or finished."""

    def run(end, memory):
        path = None if memory.path is None else str(memory.path)
        campaign = make_campaign(PEOPLE, results_path=path, concurrency=2)
        gateway.inject(Fault.CUT_AFTER)
        if end == "failed":
            gateway.backend.change_account("demo", balance=Decimal("1.20"))
        if end != "killed":
            result = run_task(campaign)
            assert result.state == ("success" if end == "finished" else "up_for_retry"), result.error
        else:
            _kill(campaign, memory)
        gateway.backend.change_account("demo", balance=Decimal(100))
        memory.wipe()

    def _kill(campaign, memory):
        exchange, calls = AiohttpTransport.exchange, []

        async def answer_or_die(self, prepared):
            calls.append(prepared)
            answer = await exchange(self, prepared)
            if len(calls) > PEOPLE // 2:
                await _wait_for(memory.has_answers)  # the journal is written in a thread of its own
                memory.save()
                raise ProcessDied
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(AiohttpTransport, "exchange", answer_or_die)
            with suppress(ProcessDied):  # whether Airflow catches it depends on its version
                run_task(campaign)
        memory.restore()

    return run


@pytest.mark.parametrize(
    ("name", "end"),
    list(product(MEMORIES, ENDS)),
    ids=[f"{name}-{end}" for name, end in product(MEMORIES, ENDS)],
)
def test_what_a_second_try_knows(
    gateway, run_task, make_campaign, *, name, end, make_memory, first_try, has_state_store
):
    """Nobody is texted twice, and exactly those answers are unknown that no memory holds any more."""
    memory = make_memory(name)
    first_try(end, memory)
    sent_before = {str(sms.msg_id) for sms in gateway.sent}
    known = memory.list_msg_ids() & sent_before
    table_before = memory.read_table()
    assert len(sent_before) > 5

    path = None if memory.path is None else str(memory.path)
    result = run_task(make_campaign(PEOPLE, results_path=path), try_number=2)

    assert result.state == "success", result.error
    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: PEOPLE}
    lost = len(sent_before) - len(known)
    outcomes = result.xcom["outcomes"]
    assert (outcomes["accepted"], outcomes["accepted_untracked"]) == (PEOPLE - lost, lost)
    if path is not None:
        msg_ids = {sms.phone: str(sms.msg_id) for sms in gateway.sent}
        table = memory.read_table()
        assert table_before.items() <= table.items() <= msg_ids.items()
        assert len(table) == PEOPLE - lost
    is_forgotten = name == "both_wiped" or not (has_state_store or name in {"table", "both", "store_wiped"})
    assert (known == set()) is is_forgotten
    assert lost >= 1  # of the answer that was cut, at least


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["table", "both", "store_wiped"])
def test_who_has_left_the_audience_stays_in_the_table(
    gateway, run_task, make_campaign, make_people, *, name, end, make_memory, first_try
):
    """Rows of people who were texted and are in the audience no more stand at the end of the table."""
    memory = make_memory(name)
    first_try(end, memory)
    known = memory.list_msg_ids() & {str(sms.msg_id) for sms in gateway.sent}
    left = {str(sms.msg_id) for sms in gateway.sent if int(sms.phone[-3:]) < PEOPLE // 2} & known
    assert left

    for try_number in (2, 3):
        campaign = make_campaign(make_people(PEOPLE, first=PEOPLE // 2), results_path=str(memory.path))
        assert run_task(campaign, try_number=try_number).state == "success"

        with memory.path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["row"] for row in rows[:PEOPLE]] == [str(row + 1) for row in range(PEOPLE)]
        assert {row["msg_id"] for row in rows[PEOPLE:] if row["msg_id"]} == left
        assert {row["row"] for row in rows[PEOPLE:]} == {""}
    assert max(Counter(sms.phone for sms in gateway.sent).values()) == 1


def test_a_try_that_is_killed_again_and_again(gateway, run_task, make_campaign, *, make_memory, first_try):
    """However often a try is killed, the next one goes on, and every msg_id that was written is kept."""
    memory = make_memory("both")
    first_try("killed", memory)
    known = memory.list_msg_ids()
    memory._saved = None
    first_try("killed", memory)

    assert known <= memory.list_msg_ids()
    result = run_task(make_campaign(PEOPLE, results_path=str(memory.path)), try_number=3)
    assert result.state == "success"
    assert set(Counter(sms.phone for sms in gateway.sent).values()) == {1}
    assert known <= set(memory.read_table().values())


@pytest.mark.parametrize("change", ["campaign_id", "channel", "run"])
def test_part_files_of_other_keys_are_refused(
    gateway, run_task, make_campaign, *, make_memory, first_try, change
):
    """After a kill, other keys are refused where only the part files remember; restored, all is well."""
    memory = make_memory("store_wiped")
    first_try("killed", memory)
    known, asked = len(memory.list_msg_ids()), gateway.requests["send"]
    options = {"campaign_id": {"campaign_id": "spring"}, "channel": {"channel": "telegram"}}.get(change, {})
    run_id = "run-2" if change == "run" else "run-1"
    campaign = make_campaign(PEOPLE, results_path=str(memory.path), **options)

    refused = run_task(campaign, try_number=2, run_id=run_id)

    assert refused.state == "failed", refused.error
    assert int(re.search(r"at least (\d+) messages", str(refused.error))[1]) >= known > 0
    assert "put {{ run_id }} into results_path" in str(refused.error)
    assert gateway.requests["send"] == asked
    restored = run_task(make_campaign(PEOPLE, results_path=str(memory.path)), try_number=3)
    assert restored.state == "success", restored.error
    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: PEOPLE}
