"""Mapped tasks that share a key: the first uses it up, so the messages of the others would reach nobody.

Each task sees its own arguments only, so what they share is read from the DAG, which has them unrendered.
What cannot be known from there, such as the output of a task of the same mapped group, is taken to differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, meta

from airflow_provider_osonsms._compat import BaseOperator
from airflow_provider_osonsms.operators.template_argument import is_template
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_SAME_IN_A_RUN: Final = frozenset(
    {
        "conn",
        "dag",
        "dag_run",
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "logical_date",
        "macros",
        "params",
        "run_id",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "var",
    }
)
"""The names of Airflow's templates that are the same in every task of a run."""
_TEXTS: Final = (
    "message",
    "message_column",
    "language_column",
    "default_language",
    "timezone",
    "transliterate",
    "sender",
)
"""The arguments that make a message another one, and are no part of its txn_id."""
_AUDIENCE: Final = ("recipients", "only", "exclude")


def refuse_shared_txn_id(task: BaseOperator) -> None:
    """Refuse a ``txn_id`` that all the mapped tasks of *task* share.

    Raises:
        InvalidMessageError: They share it, so only the first of them would send.
    """
    mapping = _read_mapping(task)
    if mapping is not None and mapping.is_shared("txn_id"):
        raise InvalidMessageError(
            "the mapped tasks share one txn_id, under which one message is sent, so only the first of them "
            "would send: put what names each message in it, such as 'reminder-{{ ti.map_index }}', or leave "
            "txn_id out. Nothing was sent"
        )


def refuse_shared_campaign_id(task: BaseOperator) -> None:
    """Refuse a ``campaign_id`` that mapped tasks share which have texts of their own for the same people.

    Raises:
        InvalidMessageError: They do, so only the first text would reach anybody.
    """
    mapping = _read_mapping(task)
    if mapping is None or not mapping.is_shared("campaign_id") or not any(map(mapping.differs, _TEXTS)):
        return
    if mapping.is_product_with(_AUDIENCE) or all(map(mapping.is_shared, _AUDIENCE)):
        raise InvalidMessageError(
            "the mapped tasks have texts, or senders, of their own for the same people and share one "
            "campaign_id, under which a person is texted once, so only the first would reach them: put "
            "{{ ti.map_index }} in campaign_id. Nothing was sent"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mapping:
    """What the mapped tasks of an operator, or of an operator in a mapped task group, are given.

    Attributes:
        given: The arguments that are not expanded, as the DAG has them.
        expanded: The names of the arguments that are.
        is_product: Whether each value of one of these meets each value of the others, as with ``expand()``.
        is_in_group: Whether the outputs of tasks may differ, as those of one mapped task group do.
    """

    given: Mapping[str, Any]
    expanded: frozenset[str] = frozenset()
    is_product: bool = False
    is_in_group: bool = False

    def is_shared(self, name: str) -> bool:
        """Whether the argument *name* is surely the same in all the tasks."""
        value = self.given.get(name)
        if name in self.expanded or callable(value):  # a callable is given the context, with the index in it
            return False
        texts = [str(one) for one in (value if isinstance(value, list | tuple) else [value]) if _is_text(one)]
        return all(map(_is_same_in_a_run, texts)) and not self._is_output(value)

    def differs(self, name: str) -> bool:
        """Whether the argument *name* surely has values of their own in the tasks."""
        value = self.given.get(name)
        values = value.values() if isinstance(value, Mapping) else [value]  # a text for each language
        return name in self.expanded or any(map(self._is_output, values))

    def is_product_with(self, names: Iterable[str]) -> bool:
        """Whether one of the arguments *names* has the same values for each text."""
        return self.is_product and any(name in self.expanded for name in names)

    def _is_output(self, value: Any) -> bool:
        return self.is_in_group and is_template(value) and not isinstance(value, str)


def _read_mapping(task: BaseOperator) -> _Mapping | None:
    """Read what the mapped tasks are given; None if another task says which arguments are expanded."""
    if not task.has_dag():  # type: ignore[no-untyped-call]
        return None
    origin: Any = task.dag.get_task(task.task_id)
    if not hasattr(origin, "expand_input"):
        return _Mapping(given=vars(origin), is_in_group=True)
    value = origin.expand_input.value
    if isinstance(value, Mapping):
        return _Mapping(given=origin.partial_kwargs, expanded=frozenset(value), is_product=True)
    if isinstance(value, list | tuple) and all(isinstance(one, Mapping) for one in value):
        return _Mapping(given=origin.partial_kwargs, expanded=frozenset(chain.from_iterable(value)))
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str | PathLike) and is_template(str(value))


def _is_same_in_a_run(template: str) -> bool:
    try:
        names = meta.find_undeclared_variables(Environment(autoescape=True).parse(template))
    except TemplateSyntaxError:
        return False
    return names <= _SAME_IN_A_RUN
