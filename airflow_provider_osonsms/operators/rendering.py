"""Errors of templates: what cannot be rendered in one try of a run cannot be rendered in the next one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import TemplateError, UndefinedError

from airflow_provider_osonsms._compat import AirflowFailException


def render_each(
    render: Callable[..., None], parent: Any, names: Iterable[str], *args: Any, **kwargs: Any
) -> None:
    """Render the template fields *names* of *parent* one by one.

    Args:
        render: Airflow's method that renders fields.
        parent: The object with the fields.
        names: The fields.
        *args: What Airflow's method takes besides.
        **kwargs: The same, by name.

    Raises:
        AirflowFailException: A template names what this run does not have, is not written in Jinja, or
            calculates with a wrong value. Airflow would retry it for as long as the task has retries.
    """
    for name in names:
        given = getattr(parent, name, None)
        try:
            render(parent, [name], *args, **kwargs)
        except UndefinedError as error:
            raise AirflowFailException(
                f"the template in {name} cannot be rendered: {error.message}. A run that was triggered, or "
                f"started by an asset, has no ds, ts, logical_date and data_interval_start: use run_id, or "
                f"dag_run.run_after"
            ) from None
        except TemplateError as error:
            raise _make_error(name, error) from None
        except (TypeError, ValueError, ArithmeticError) as error:
            # a callable and the output of a task have errors of their own, which a retry may solve
            if isinstance(error, AirflowFailException) or not isinstance(given, str | Mapping):
                raise
            raise _make_error(name, error) from None


def _make_error(name: str, error: Exception) -> AirflowFailException:
    """Return an error without the words of Jinja, which may repeat a phone of the template."""
    line = getattr(error, "lineno", None)
    where = "" if line is None else f" in line {line}"
    return AirflowFailException(
        f"the template in {name} cannot be rendered ({type(error).__name__}{where}): correct it. The "
        f"brace of a column is a single one, {{name}}; double ones, {{{{ run_id }}}}, belong to Jinja"
    )
