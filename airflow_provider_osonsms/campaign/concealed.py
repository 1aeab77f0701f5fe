"""Values that Airflow stores and shows for everybody to read, replaced by what may be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Concealed:
    """Holds a personal value and prints as *shown* only.

    Airflow keeps rendered template fields in its database and shows them in the UI.
    """

    value: Any = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class NamedSource:
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


def reveal(value: Any) -> Any:
    """Return what a Concealed holds, and anything else as it is."""
    return value.value if isinstance(value, Concealed) else value
