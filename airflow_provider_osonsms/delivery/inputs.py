"""The messages to wait for: msg_ids and results tables, read from the outputs of send tasks."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import MAX_INLINE_MESSAGES, ResultsTable, read_results_table

_MSISDN = re.compile(r"992[0-9]{9}")
_EXPECTED = "a msg_id, the output of a send or campaign task, or a list of these"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedMessages:
    """The messages to wait for, in a form that a task can pass to its trigger.

    Attributes:
        msg_ids: Unique, in the order given.
        untracked: How many more messages have no msg_id, so that they cannot be polled.
        sources: Results tables to read for more of both.
        tables: All results tables, for keys and phones; also of campaigns whose msg_ids are all in *msg_ids*.
        campaigns: Ids of the campaigns.
        is_listed: Whether every message is in one of the tables.
    """

    msg_ids: tuple[str, ...]
    untracked: int = 0
    sources: tuple[ResultsTable, ...] = ()
    tables: tuple[ResultsTable, ...] = ()
    campaigns: tuple[str, ...] = ()
    is_listed: bool = False

    def load(self, open_path: Callable[[str], Any]) -> tuple[MsgIds, int]:
        """Read the tables, and return all msg_ids and the number of untracked messages; it blocks.

        Args:
            open_path: Returns an object with ``suffix`` and ``open`` for a path.

        Raises:
            InvalidMessageError, TableUnavailableError, TableChangedError: A table cannot be read here, or for
                now, or is not the one that the campaign has written.
        """
        untracked = self.untracked

        def read_tables() -> Iterator[str]:
            nonlocal untracked
            for row in chain.from_iterable(table.read(open_path) for table in self.sources):
                untracked += row.is_untracked
                if row.msg_id:
                    yield row.msg_id

        return MsgIds(chain(self.msg_ids, read_tables())), untracked


class _Campaign(NamedTuple):
    campaign_id: str
    table: ResultsTable | None
    messages: list[str | None] | None
    output: Mapping[str, Any]


def read_messages(messages: Any) -> TrackedMessages:
    """Read the parameter ``messages``, which may be nested, as the outputs of mapped tasks are.

    Raises:
        InvalidMessageError: It is not a msg_id, the output of a task that sends, or a list of these.
    """
    found = list(_walk(messages))
    campaigns = [item for item in found if isinstance(item, _Campaign)]
    single = [item for item in found if not isinstance(item, _Campaign)]
    _refuse_overwritten_tables(campaigns)
    if len(single) + sum(len(one.messages or ()) for one in campaigns) > MAX_INLINE_MESSAGES:
        campaigns = [one._replace(messages=None) if one.table else one for one in campaigns]
    known = [*single, *chain.from_iterable(one.messages or () for one in campaigns)]
    return TrackedMessages(
        msg_ids=tuple(dict.fromkeys(item for item in known if item is not None)),
        untracked=known.count(None),
        sources=tuple(dict.fromkeys(one.table for one in campaigns if one.table and one.messages is None)),
        tables=tuple(dict.fromkeys(one.table for one in campaigns if one.table)),
        campaigns=tuple(dict.fromkeys(one.campaign_id for one in campaigns if one.campaign_id)),
        is_listed=not single and all(one.table for one in campaigns),
    )


def _refuse_overwritten_tables(campaigns: list[_Campaign]) -> None:
    """Refuse two campaigns that wrote to one path, because the table of the first is overwritten."""
    writers: dict[str, _Campaign] = {}
    for one in campaigns:
        if one.table and writers.setdefault(one.table.path, one).output != one.output:
            raise InvalidMessageError(
                "messages holds several campaigns with one results_path, which has only the last of them: "
                "give each campaign its own path, mapped ones a path with {{ ti.map_index }}"
            )


def _walk(value: Any) -> Iterator[str | _Campaign | None]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield _check(str(value).strip())
    elif isinstance(value, Mapping):
        yield from _walk_output(value)
    elif value is None or not hasattr(value, "__iter__"):
        hint = "; was the send task skipped, or does it not return anything?" if value is None else ""
        raise InvalidMessageError(f"messages holds {type(value).__name__}; give {_EXPECTED}{hint}")
    else:
        for item in value:
            yield from _walk(item)


def _walk_output(output: Mapping[str, Any]) -> Iterator[str | _Campaign | None]:
    """Read the output of a task: messages or their table for a campaign, one message for a send."""
    if "preview" in output or output.get("outcome") == Outcome.PENDING:
        return  # a dry run has sent nothing
    if "messages" in output or "results_path" in output:
        inline = output.get("messages")
        messages = [item for item in _walk(inline or ()) if not isinstance(item, _Campaign)]
        yield _Campaign(
            campaign_id=str(output.get("campaign_id", "")),
            table=read_results_table(output),
            messages=None if inline is None else messages,
            output=output,
        )
    elif "msg_id" in output:
        yield None if output["msg_id"] is None else _check(str(output["msg_id"]).strip())
    else:
        raise InvalidMessageError(
            f"messages holds a dict of {len(output)} keys without 'msg_id', 'messages' or 'results_path'; "
            f"give {_EXPECTED}"
        )


def _check(msg_id: str) -> str:
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
