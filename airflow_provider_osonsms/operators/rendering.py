"""Errors of templates: a name that a run does not have is missing in each of its tries."""

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import UndefinedError

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
        AirflowFailException: A template names what this run does not have. Airflow would retry it for as long
            as the task has retries.
    """
    for name in names:
        try:
            render(parent, [name], *args, **kwargs)
        except UndefinedError as error:
            raise AirflowFailException(
                f"the template in {name} cannot be rendered: {error.message}. A run that was triggered, or "
                f"started by an asset, has no ds, ts, logical_date and data_interval_start: use run_id, or "
                f"dag_run.run_after"
            ) from None
