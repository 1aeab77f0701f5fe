"""The plain arguments of operators and sensors: template fields that are checked as early as possible."""

from os import PathLike
from typing import Any, Generic, TypeVar, overload

from airflow_provider_osonsms._compat import AirflowFailException
from airflow_provider_osonsms.arguments import InvalidArgumentError, Kind

T_co = TypeVar("T_co", covariant=True)
_TEMPLATE_MARKS = ("{{", "{%", "{#")


class WrongArgumentError(AirflowFailException, ValueError):
    """An argument has a value that it does not accept: the DAG is broken, or the task fails for good."""


class TemplateArgument(Generic[T_co]):
    """An argument of an operator, declared in its class with what it accepts.

    It is a template field. A value of Python is read when it is given, so a wrong one breaks the DAG; a
    template, or the output of another task, is read when Airflow renders it, before the task does anything.
    From then on the attribute has the value that is meant. A mapped operator gives its values when it runs.

    Args:
        kind: What it accepts.
    """

    def __init__(self, kind: Kind[T_co]) -> None:
        self.kind = kind
        self._name = ""

    def __set_name__(self, owner: Any, name: str) -> None:
        """Make the argument a template field of its class."""
        self._name = name
        owner.template_fields = (*owner.template_fields, name)

    @overload
    def __get__(self, task: None, owner: type) -> "TemplateArgument[T_co]": ...
    @overload
    def __get__(self, task: object, owner: type) -> T_co: ...
    def __get__(self, task: object | None, owner: type) -> Any:
        """Return the value that is meant; before it is rendered, the template."""
        if task is None:
            return self
        try:
            return vars(task)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, task: object, value: Any) -> None:
        """Read *value*, unless it is to be rendered first.

        Raises:
            WrongArgumentError: It is not accepted.
        """
        if not is_template(value):
            given = vars(task).get(self._name)
            try:
                if is_template(given):
                    template = given if isinstance(given, str) else None
                    value = self.kind.read_rendered(value, self._name, template=template)
                else:
                    value = self.kind.read(value, self._name)
            except InvalidArgumentError as error:
                raise WrongArgumentError(str(error)) from None
        vars(task)[self._name] = value


def is_template(value: Any) -> bool:
    """Whether Airflow makes the value that is meant of *value* when the task runs."""
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    is_path = isinstance(value, PathLike) or hasattr(value, "open")  # which may have such a method, too
    return hasattr(value, "resolve") and not is_path


def list_templates(task: object) -> list[str]:
    """Return the names of the arguments of *task* that are not rendered yet."""
    names = (
        name
        for owner in type(task).__mro__
        for name, declared in vars(owner).items()
        if isinstance(declared, TemplateArgument)
    )
    return [name for name in names if is_template(getattr(task, name, None))]


def require_rendered(task: object) -> None:
    """Check that no argument of *task* is a template any more, before anything is done.

    Raises:
        WrongArgumentError: One is: what it was rendered to is a template again, or it was never rendered.
    """
    for name in list_templates(task):
        raise WrongArgumentError(
            f"{name} holds a template still after it was rendered: give it a value without '{{{{' and '{{%', "
            f"and leave {name} among the template_fields of the operator"
        )
