"""Operators whose template fields are personal: Airflow stores and shows what it has rendered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_osonsms._compat import BaseOperator


@dataclass(frozen=True, slots=True, eq=False)
class Redacted:
    """Holds a personal value and prints as *shown* only."""

    value: Any = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class StableCallable:
    """A callable that prints the same in every process.

    Airflow before 3.3 stores ``str()`` of a template field with the DAG: the address in a plain function's
    ``repr`` would make every parse a new DAG version.
    """

    function: Callable[..., Any]

    def __call__(self, context: Any, jinja_env: Any) -> Any:
        """Call the function as Airflow calls a template field."""
        return self.function(context=context, jinja_env=jinja_env)

    def __str__(self) -> str:
        return f"<callable {getattr(self.function, '__qualname__', type(self.function).__name__)}>"

    __repr__ = __str__


def make_stable(source: Any) -> Any:
    """Return a callable *source* with a steady name, and anything else as it is.

    What resolves itself, such as an XComArg, is left to Airflow.
    """
    is_function = callable(source) and not hasattr(source, "resolve")
    return StableCallable(source) if is_function else source


def unwrap(value: Any) -> Any:
    """Return what a Concealed holds, and anything else as it is."""
    return value.value if isinstance(value, Redacted) else value


class RedactingOperator(BaseOperator):
    """Conceals its personal template fields as soon as they are rendered."""

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        super()._do_render_template_fields(parent, template_fields, *args, **kwargs)
        if parent is self:
            self._redact()

    def _redact(self) -> None:
        raise NotImplementedError

    def _redact_field(self, name: str, shown: str) -> None:
        if not isinstance(getattr(self, name), Redacted):
            setattr(self, name, Redacted(getattr(self, name), shown))

    def _redact_text(self, name: str) -> None:
        text = getattr(self, name)
        self._redact_field(name, f"<{len(text)} characters>" if isinstance(text, str) else "<no text>")
