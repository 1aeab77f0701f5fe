"""The journal beside the results table: part files that are folded into it at the end of a try."""

import pytest

from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id
from airflow_provider_osonsms.tables.rows import PersonRow

UNUSED, MAYBE_ACCEPTED, _ = TxnIdHistory
SUFFIXES = [".csv", ".parquet"]


def make_entries(count, code="7/1/1764072000/1", *, first=0):
    """Make entries of *count* rows."""
    return {make_txn_id(number): code for number in range(first, first + count)}


def read(path):
    """Return what a later try reads, and what it knows of the start."""
    parts = ResultParts(path, campaign="c")
    entries = dict(parts.read())
    return entries, parts.is_resumed, parts.history


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    """Where the table is going to be."""
    return tmp_path / f"results{request.param}"


def test_nothing_was_begun(path):
    """Without a folder of part files no try has begun and not ended."""
    assert read(path) == ({}, False, UNUSED)


def test_a_start_is_a_part(path):
    """A folder that is there says that rows may be on their way."""
    ResultParts(path, campaign="c").mark_started(MAYBE_ACCEPTED, {})

    assert read(path) == ({}, True, MAYBE_ACCEPTED)
    assert path.with_name(f"{path.name}.parts").is_dir()


def test_all_parts_of_all_tries_are_read(path):
    """Two tries at once, one of which was taken for dead, overwrite nothing of each other."""
    zombie, heir = ResultParts(path, campaign="c"), ResultParts(path, campaign="c")
    for parts in (zombie, heir):
        parts.mark_started(MAYBE_ACCEPTED, {})
    for number in range(6):
        (zombie, heir)[number % 2].append(make_entries(1, first=number))

    assert read(path)[0] == make_entries(6)


def test_the_marks_of_a_killed_try_may_stay(path):
    """What the table does not hold is kept: that all may be on their way, and to whom."""
    killed = [ResultParts(path, campaign="c") for _ in range(2)]
    for parts in killed:
        parts.write_people([PersonRow(make_txn_id(1), "992900000001", "news")])
        parts.mark_started(MAYBE_ACCEPTED, {})
        parts.append(make_entries(3, "unanswered"))

    heir = ResultParts(path, campaign="c")
    list(heir.read())
    heir.mark_started(MAYBE_ACCEPTED, {})
    heir.remove(keeps_marks=True)
    left = sorted(part.stem.rpartition("-")[2] for part in path.with_name(f"{path.name}.parts").iterdir())

    assert left == ["people", "people", "started", "started"]
    assert read(path) == ({}, True, MAYBE_ACCEPTED)

    heir.remove()

    assert read(path) == ({}, False, UNUSED)


def test_the_mark_is_removed_last(path, monkeypatch):
    """A process that dies while it removes its parts leaves a doubt too many, and none too few."""
    parts = ResultParts(path, campaign="c")
    parts.mark_started(MAYBE_ACCEPTED, {})
    for number in range(2):
        parts.append(make_entries(1, first=number))
    left = iter(range(2))
    unlink = type(path).unlink

    def die(part, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        unlink(part, **options)

    monkeypatch.setattr(type(path), "unlink", die)
    with pytest.raises(KeyboardInterrupt):
        parts.remove()

    assert read(path) == ({}, True, MAYBE_ACCEPTED)


def test_another_try_that_goes_further_is_a_rival(path):
    """Whoever has marked rows since this try has read may have sent them, and nobody else."""
    older = ResultParts(path, campaign="c")
    older.mark_started(UNUSED, {make_txn_id(1): "unanswered"})
    parts = ResultParts(path, campaign="c")
    list(parts.read())
    parts.mark_started(UNUSED, {make_txn_id(2): "unanswered"})
    ResultParts(path, campaign="c").write_people([PersonRow(make_txn_id(1), "992900000001", "news")])
    assert not parts.has_rival()

    older.mark_started(MAYBE_ACCEPTED, {})

    assert parts.has_rival()


def test_another_try_that_has_ended_is_a_rival(path):
    """The table tells of a try that has begun and ended since this one has read, and left no part."""
    parts = ResultParts(path, campaign="c")
    parts.mark_started(UNUSED, {make_txn_id(1): "unanswered"})
    assert not parts.has_rival()

    path.write_bytes(b"a table")

    assert parts.has_rival()


def test_parts_that_are_folded_while_a_try_begins_are_in_the_table(path):
    """A try that was taken for dead may end between the marks and the entries: its table has them then."""
    zombie, heir = ResultParts(path, campaign="c"), ResultParts(path, campaign="c")
    zombie.mark_started(MAYBE_ACCEPTED, {})
    zombie.append(make_entries(3))
    heir.read_marks()
    zombie.remove()

    assert (list(heir.read()), heir.is_resumed, heir.history) == ([], True, MAYBE_ACCEPTED)


def test_a_damaged_part_hides_no_other(path, caplog):
    """A part that cannot be read takes away what stood in it, with a warning, and the start is known."""
    parts = ResultParts(path, campaign="c")
    parts.mark_started(MAYBE_ACCEPTED, {})
    parts.append(make_entries(2))
    parts.append(make_entries(2, first=2))
    first = min(path.with_name(f"{path.name}.parts").iterdir())
    first.write_bytes(b"row\n1")

    assert read(path) == (make_entries(2, first=2), True, MAYBE_ACCEPTED)
    assert caplog.text.count("A part file of the results cannot be read") == 1


def test_other_files_are_passed_over(path):
    """What somebody else has put into the folder is neither read nor a start."""
    folder = path.with_name(f"{path.name}.parts")
    folder.mkdir()
    (folder / ".DS_Store").write_bytes(b"x")

    assert read(path) == ({}, False, UNUSED)


def test_parts_are_removed_when_the_table_holds_them(path):
    """Once the table is written no part is left, and the folder is gone."""
    parts = ResultParts(path, campaign="c")
    parts.mark_started(MAYBE_ACCEPTED, {})
    parts.append(make_entries(2))
    parts.remove()

    assert read(path) == ({}, False, UNUSED)
    assert list(path.parent.iterdir()) == []


def test_a_start_is_taken_back(path):
    """After a collision no part says that something was sent."""
    parts = ResultParts(path, campaign="c")
    parts.mark_started(MAYBE_ACCEPTED, {})
    parts.unmark_started(UNUSED, may_have_sent=False)
    assert read(path) == ({}, False, UNUSED)

    parts.mark_started(MAYBE_ACCEPTED, {})
    parts.unmark_started(MAYBE_ACCEPTED, may_have_sent=True)
    assert read(path) == ({}, True, MAYBE_ACCEPTED)


def test_parts_that_cannot_be_removed_are_read_again(path, caplog, monkeypatch):
    """A storage that fails when the parts are removed is told, and harms nobody."""
    parts = ResultParts(path, campaign="c")
    parts.append(make_entries(2))

    def fail(_self, **_options):
        raise PermissionError

    monkeypatch.setattr(type(path), "unlink", fail)
    parts.remove()

    assert "cannot be removed (PermissionError)" in caplog.text
    assert read(path)[0] == make_entries(2)


def test_parts_of_another_campaign_are_refused_with_a_figure(path):
    """What a killed try of another campaign has left is counted, and neither read nor believed."""
    other, own = ResultParts(path, campaign="production"), ResultParts(path, campaign="c")
    for parts in (other, own):
        parts.mark_started(MAYBE_ACCEPTED, {})
    other.append({**make_entries(3), **make_entries(1, "unanswered", first=3)})
    other.append(make_entries(2, "refused", first=4))
    own.append(make_entries(1, first=9))

    with pytest.raises(OtherCampaignError, match="at least 4 messages"):
        read(path)
    with pytest.raises(OtherCampaignError, match="at least 5 messages"):
        list(ResultParts(path, campaign="third").read())
    replacing = ResultParts(path, campaign="c", may_replace=True)
    assert dict(replacing.read()) == make_entries(1, first=9)


def test_a_start_of_another_campaign_is_one_though_nothing_is_known_of_it(path):
    """A try that was killed before its first entry may have sent all the same."""
    ResultParts(path, campaign="production").mark_started(MAYBE_ACCEPTED, {})

    with pytest.raises(OtherCampaignError, match="at least 0 messages"):
        read(path)


@pytest.mark.parametrize("result", ["capped", "7/1/2/1"])
def test_a_result_settles_the_mark_of_its_own_try(path, result):
    """A row that the same try has settled is in no doubt; one that another try has marked is."""
    one, other = ResultParts(path, campaign="c"), ResultParts(path, campaign="c")
    one.mark_started(UNUSED, {"a": "unanswered", "b": "unanswered"})
    one.append({"a": result})
    assert sorted(ResultParts(path, campaign="c").read()) == [("a", result), ("b", "unanswered")]

    other.mark_started(UNUSED, {"a": "unanswered"})

    entries = sorted(ResultParts(path, campaign="c").read())
    assert entries == sorted([("a", result), ("a", "unanswered"), ("b", "unanswered")])


def test_the_periods_in_the_names_of_parts(path):
    """The parts of a capped campaign tell in which period it has begun, and the phones of a try do not."""
    for campaign in ("key_2026-W48", "key_2026-W49", "other_2026-W50", "key"):
        ResultParts(path, campaign=campaign).append({"a": "capped"})
    ResultParts(path, campaign="key_2026-W51").write_people([PersonRow("a", "992900000001", "marketing")])

    assert sorted(ResultParts(path, campaign="").find_periods("key")) == ["2026-W48", "2026-W49"]


def test_the_phones_of_a_try_are_no_message(path):
    """Who may be texted says nothing of what was sent, and goes with the other parts."""
    ResultParts(path, campaign="c").write_people([PersonRow("a", "992900000001", "marketing")])
    own, other = ResultParts(path, campaign="c"), ResultParts(path, campaign="d")

    assert (list(own.read()), list(other.read())) == ([], [])
    assert (own.is_resumed, own.history) == (False, UNUSED)
    own.remove()
    assert not path.with_name(f"{path.name}.parts").exists()
