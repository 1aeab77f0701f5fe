"""Redaction of personal template fields, because Airflow stores and shows the rendered fields."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_osonsms._compat import BaseOperator
from airflow_provider_osonsms._storage import spell_path
from airflow_provider_osonsms.audience.dead_numbers import DeadNumbers
from airflow_provider_osonsms.audience.sources.files import is_path, is_text_path, print_path
from airflow_provider_osonsms.operators.rendering import render_each
from airflow_provider_osonsms.operators.text_file import load_text


@dataclass(frozen=True, slots=True, eq=False)
class Redacted:
    """Holds a personal value, and prints only as *shown*."""

    value: Any = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class StableCallable:
    """A callable with the same text in every process.

    Airflow below 3.3 stores ``str()`` of a template field with the DAG. The memory address in the ``repr`` of
    a plain function would make each parse a new version of the DAG.
    """

    function: Callable[..., Any]

    def __call__(self, context: Any, jinja_env: Any) -> Any:
        """Call the function as Airflow calls a template field."""
        return self.function(context=context, jinja_env=jinja_env)

    def __str__(self) -> str:
        return f"<callable {getattr(self.function, '__qualname__', type(self.function).__name__)}>"

    __repr__ = __str__


def make_stable(source: Any) -> Any:
    """Return a callable *source* as a `StableCallable`, a path as text, and any other source unchanged.

    An object that Airflow resolves, such as an XComArg, is unchanged too.
    """
    is_function = callable(source) and not hasattr(source, "resolve")
    return StableCallable(source) if is_function else spell_path(source)


def unwrap(value: Any) -> Any:
    """Return the value of a `Redacted`, and any other value unchanged."""
    return value.value if isinstance(value, Redacted) else value


def describe_source(source: Any, name: str) -> str:
    """Return what Airflow stores and shows of a source of people: its path, or how many entries it has.

    Args:
        source: The source, rendered.
        name: Its parameter.
    """
    if isinstance(source, list | tuple) and source and all(map(_names_file, source)):
        return f"<{', '.join(map(print_path, source))}>"
    if _names_file(source):
        return f"<{print_path(source)}>"
    if isinstance(source, DeadNumbers):
        return f"<{source!r}>"
    if isinstance(source, str | bytes):
        return f"<1 {name}>"
    if hasattr(source, "__len__"):
        return f"<{len(source)} {name}>"
    return f"<{type(source).__name__}>"


def _names_file(source: Any) -> bool:
    """Whether *source* is a path; any other text may be a phone, which is not shown."""
    return is_path(source) or is_text_path(source)


class RedactingOperator(BaseOperator):
    """Redacts its personal template fields as soon as they are rendered.

    It has no ``template_ext``: that concerns every template field, and ``recipients="phones.txt"`` would be a
    template of that name. Only the field ``message`` may name a file with its text.
    """

    message: Any

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        if parent is self and id(self.message) not in seen_oids:  # what comes from an XCom is not rendered
            self.message = load_text(self.message, jinja_env)
        render = super()._do_render_template_fields
        render_each(render, parent, template_fields, context, jinja_env, seen_oids)
        if parent is self:
            self._redact()

    def _redact(self) -> None:
        raise NotImplementedError

    def _redact_field(self, name: str, shown: str) -> None:
        if not isinstance(getattr(self, name), Redacted):
            setattr(self, name, Redacted(getattr(self, name), shown))

    def _redact_text(self, name: str) -> None:
        text = getattr(self, name)
        if isinstance(text, Mapping):
            shown = f"<{len(text)} texts: {', '.join(map(str, text))}>"
        else:
            shown = f"<{len(text)} characters>" if isinstance(text, str) else "<no text>"
        self._redact_field(name, shown)
