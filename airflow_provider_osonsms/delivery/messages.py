"""Which messages to wait for: from what a send task returned to msg_ids."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_MSISDN = re.compile(r"992[0-9]{9}")
_ACCEPTED = "a msg_id, the output of a send or campaign task, or a list of these"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedMessages:
    """Messages to wait for.

    Attributes:
        msg_ids: Unique, in the order given.
        untracked: How many have no msg_id: nobody can ask for them.
    """

    msg_ids: tuple[str, ...]
    untracked: int


def read_messages(messages: Any) -> TrackedMessages:
    """Read what a user gave as ``messages``, however deeply mapped outputs nest it.

    Raises:
        InvalidMessageError: It is neither a msg_id nor the output of a send task nor a list of them.
    """
    found = list(_walk(messages))
    msg_ids = dict.fromkeys(msg_id for msg_id in found if msg_id is not None)
    return TrackedMessages(msg_ids=tuple(msg_ids), untracked=found.count(None))


def _walk(value: Any) -> Iterator[str | None]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield _check(str(value).strip())
    elif isinstance(value, Mapping):
        if "messages" in value:  # what a campaign returns
            yield from _walk(value["messages"])
            return
        if "results_path" in value:
            raise InvalidMessageError(
                "messages holds a campaign of more than 1,000 messages, whose msg_ids are in its "
                "results_path: read the column msg_id there, and pass a list"
            )
        if "msg_id" not in value:
            raise InvalidMessageError(
                f"messages holds a dict of {len(value)} keys without 'msg_id'; accepted are {_ACCEPTED}"
            )
        yield None if value["msg_id"] is None else _check(str(value["msg_id"]).strip())
    elif value is None or not hasattr(value, "__iter__"):
        hint = "; was the send task skipped, or does it not return anything?" if value is None else ""
        raise InvalidMessageError(f"messages holds {type(value).__name__}; accepted are {_ACCEPTED}{hint}")
    else:
        for item in value:
            yield from _walk(item)


def _check(msg_id: str) -> str:
    if _MSISDN.fullmatch(msg_id):
        raise InvalidMessageError(
            "messages holds a phone number; a message is asked for by the msg_id of its send"
        )
    if not msg_id.isascii() or not msg_id.isalnum():
        raise InvalidMessageError(
            "messages holds a text that is no msg_id (letters and digits only): if it should be a template "
            "or a list, check that it renders to one, for instance with render_template_as_native_obj=True"
        )
    return msg_id
