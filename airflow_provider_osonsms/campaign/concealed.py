"""Values that Airflow stores and shows for everybody to read, replaced by what may be read."""

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


def reveal(value: Any) -> Any:
    """Return what a Concealed holds, and anything else as it is."""
    return value.value if isinstance(value, Concealed) else value
