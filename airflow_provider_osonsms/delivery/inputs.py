"""The messages to wait for: msg_ids and results tables, read from the outputs of send tasks."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from math import inf
from typing import Any, NamedTuple

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.paths import name_file
from airflow_provider_osonsms.tables.results import MAX_INLINE_MESSAGES, ResultsTable, read_results_table

_MSISDN = re.compile(r"992[0-9]{9}")
_NOTHING = ("none", "null", "nan", "nat", "undefined", "true", "false")
_EXPECTED = "a msg_id, the output of a send or campaign task, or a list of these"


class LoadedMessages(NamedTuple):
    """All messages of a wait.

    Attributes:
        msg_ids: Of those that can be polled.
        untracked: How many more there are.
        accepted: When the last of them was accepted, in seconds since the epoch; None where that is unknown.
    """

    msg_ids: MsgIds
    untracked: int
    accepted: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedMessages:
    """The messages to wait for, in a form that a task can pass to its trigger.

    Attributes:
        msg_ids: Unique, in the order given.
        untracked: How many more messages have no msg_id, so that they cannot be polled.
        sources: Results tables to read for more of both.
        tables: All results tables, for keys and phones; also of campaigns whose msg_ids are all in *msg_ids*.
        campaigns: Ids of the campaigns.
        connections: Ids of the Connections that sent them, as far as the outputs name them.
        is_listed: Whether every message is in one of the tables.
    """

    msg_ids: tuple[str, ...]
    untracked: int = 0
    sources: tuple[ResultsTable, ...] = ()
    tables: tuple[ResultsTable, ...] = ()
    campaigns: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    is_listed: bool = False

    def load(self, open_path: Callable[[str], Any]) -> LoadedMessages:
        """Read the tables, and return all messages; it blocks.

        Args:
            open_path: Returns an object with ``suffix`` and ``open`` for a path.

        Raises:
            InvalidMessageError, TableUnavailableError, TableChangedError: A table cannot be read here, or for
                now, or is not the one that the campaign has written.
        """
        untracked, accepted = self.untracked, 0.0

        def read_tables() -> Iterator[str]:
            nonlocal untracked, accepted
            for row in chain.from_iterable(table.read(open_path) for table in self.sources):
                untracked += row.is_untracked
                if row.msg_id:
                    accepted = max(accepted, row.accepted_seconds or inf)
                    yield row.msg_id

        msg_ids = MsgIds(chain(self.msg_ids, read_tables()))
        is_known = not self.msg_ids and 0 < accepted < inf
        return LoadedMessages(msg_ids, untracked, accepted if is_known else None)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What one task has sent, or one msg_id.

    Attributes:
        messages: Their msg_ids, None for one that is untracked; None where only the table has them.
        output: Of the task; None for a msg_id.
        table: Of a campaign with a results_path.
    """

    messages: tuple[str | None, ...] | None
    output: Mapping[str, Any] | None = None
    table: ResultsTable | None = None


def read_messages(messages: Any) -> TrackedMessages:
    """Read the parameter ``messages``, which may be nested, as the outputs of mapped tasks are.

    An output that is named twice counts once.

    Raises:
        InvalidMessageError: It is not a msg_id, the output of a task that sends, or a list of these.
    """
    found = list(_drop_repeated(_walk(messages)))
    _refuse_overwritten_tables(found)
    if sum(len(one.messages or ()) for one in found) > MAX_INLINE_MESSAGES:
        found = [replace(one, messages=None) if one.table else one for one in found]
    known = list(chain.from_iterable(one.messages or () for one in found))
    outputs = [one.output for one in found if one.output is not None]
    return TrackedMessages(
        msg_ids=tuple(dict.fromkeys(item for item in known if item is not None)),
        untracked=known.count(None),
        sources=tuple(dict.fromkeys(one.table for one in found if one.table and one.messages is None)),
        tables=tuple(dict.fromkeys(one.table for one in found if one.table)),
        campaigns=_list_values(outputs, "campaign_id"),
        connections=_list_values(outputs, "osonsms_conn_id"),
        is_listed=all(one.table for one in found),
    )


def _drop_repeated(found: Iterable[_Sent]) -> Iterator[_Sent]:
    """Yield the output of each task once; one without a name of its own may be of several tasks."""
    seen = set()
    for one in found:
        if one.output and (one.output.get("campaign_id") or one.output.get("txn_id")):
            text = json.dumps(one.output, sort_keys=True, default=str)
            if text in seen:
                continue
            seen.add(text)
        yield one


def _list_values(outputs: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(output[name]) for output in outputs if output.get(name)))


def _refuse_overwritten_tables(found: list[_Sent]) -> None:
    """Refuse two campaigns that wrote to one path, because the table of the first is overwritten."""
    writers: dict[str, _Sent] = {}
    for one in found:
        if one.table and writers.setdefault(name_file(one.table.path), one) is not one:
            raise InvalidMessageError(
                "messages holds several campaigns with one results_path, which has only the last of them: "
                "give each campaign its own path, mapped ones a path with {{ ti.map_index }}"
            )


def _walk(value: Any) -> Iterator[_Sent]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield _Sent((_check(str(value).strip()),))
    elif isinstance(value, Mapping):
        yield from _walk_output(value)
    elif isinstance(value, list | tuple) or (isinstance(value, Iterable) and not _is_foreign(value)):
        items = list(value)
        given = [item for item in items if item is not None]  # a skipped task has sent nothing to wait for
        for item in given or items:
            yield from _walk(item)
    else:
        hint = "; was the send task skipped, or does it not return anything?" if value is None else ""
        raise InvalidMessageError(f"messages holds {type(value).__name__}; give {_EXPECTED}{hint}")


def _is_foreign(value: Any) -> bool:
    """Whether to iterate *value* would yield something else than its messages: numbers, or column names."""
    return isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "columns")


def _walk_output(output: Mapping[str, Any]) -> Iterator[_Sent]:
    """Read the output of a task: messages or their table for a campaign, one message for a send."""
    if "preview" in output or output.get("outcome") in (Outcome.PENDING, Outcome.CAPPED):
        return  # nothing was sent
    if "messages" in output or "results_path" in output:
        inline = output.get("messages")
        msg_ids = tuple(chain.from_iterable(one.messages or () for one in _walk(inline or ())))
        table = read_results_table(output)
        yield _Sent(None if inline is None else msg_ids, output, table)
    elif "msg_id" in output:
        msg_id = output["msg_id"]
        yield _Sent((None if msg_id is None else _check(str(msg_id).strip()),), output)
    else:
        raise InvalidMessageError(
            f"messages holds a dict of {len(output)} keys without 'msg_id', 'messages' or 'results_path'; "
            f"give {_EXPECTED}"
        )


def _check(msg_id: str) -> str:
    if msg_id.lower() in _NOTHING:
        raise InvalidMessageError(
            f"messages rendered to {msg_id!r}: was the send task skipped, or does it not return anything?"
        )
    if _MSISDN.fullmatch(msg_id):
        raise InvalidMessageError(
            "messages holds a phone number; give the msg_id that the send task returned"
        )
    if not msg_id.isascii() or not msg_id.isalnum():
        raise InvalidMessageError(
            "messages holds a text that is not a msg_id (letters and digits only): if it is a template of a "
            "list, set render_template_as_native_obj=True on the DAG"
        )
    return msg_id
