"""``@task.osonsms_campaign``: a campaign to the people whom a function returns."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms._compat import (
    Asset,
    Context,
    DecoratedOperator,
    TaskDecorator,
    determine_kwargs,
    task_decorator_factory,
)
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.operators.campaign import OsonSmsCampaignOperator
from airflow_provider_osonsms.operators.redaction import unwrap

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience


class OsonSmsCampaignDecoratedOperator(DecoratedOperator, OsonSmsCampaignOperator):
    """The campaign of ``@task.osonsms_campaign``.

    The function runs in the task, when the audience is read: after the send window has opened, and in each
    try. What it returns is in no XCom, and neither it nor its arguments are among the rendered fields.

    Args:
        python_callable: Returns the recipients: any source that `AudienceOperator` takes.
        op_args: Its arguments; an XComArg among them is resolved.
        op_kwargs: Its named arguments; texts among them are templates.
        kwargs: The campaign: see `OsonSmsCampaignOperator`.

    Raises:
        ValueError: The function is asynchronous, or ``recipients`` are given beside it.
    """

    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
        *(name for name in OsonSmsCampaignOperator.template_fields if name != "recipients"),
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **OsonSmsCampaignOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.osonsms_campaign"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if inspect.iscoroutinefunction(python_callable):
            raise ValueError("a function of @task.osonsms_campaign must not be async: return the recipients")
        if "recipients" in kwargs:
            raise ValueError(
                "recipients must be left out of @task.osonsms_campaign: they are what the function returns"
            )
        super().__init__(
            python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, recipients=None, **kwargs
        )
        self._context: Context | None = None

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render *content*: the named arguments of the function are templates, the rows in them are data."""
        if content is not self.op_kwargs:
            return super().render_template(content, *args, **kwargs)
        return {name: self.render_template(value, *args, **kwargs) for name, value in content.items()}

    def execute(self, context: Context) -> dict[str, Any]:
        """Send what is left to send; see the class."""
        given = chain(unwrap(self.op_args), unwrap(self.op_kwargs).values())
        self.inlets.extend(one for one in given if isinstance(one, Asset))
        return OsonSmsCampaignOperator.execute(self, context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send what is left to send once the send window is open; see the class."""
        self._context = context
        return super().resume(context, event)

    def _read_audience(self, settings: Settings, **kwargs: Any) -> "Audience":
        """Call the function, and read the audience that it returns."""
        op_args = unwrap(self.op_args)
        known = {**(self._context or {}), **unwrap(self.op_kwargs)}
        self.recipients = self.python_callable(
            *op_args, **determine_kwargs(self.python_callable, op_args, known)
        )
        return super()._read_audience(settings, **kwargs)

    def _redact(self) -> None:
        super()._redact()
        for name in ("op_args", "op_kwargs"):
            self._redact_field(name, f"<{len(unwrap(getattr(self, name)))} arguments>")


def osonsms_campaign_task(
    python_callable: Callable[..., Any] | None = None, *, multiple_outputs: bool = False, **kwargs: Any
) -> TaskDecorator:
    """Make a campaign of a function that returns its recipients.

    Args:
        python_callable: The function that is decorated.
        multiple_outputs: Push each field of the campaign's summary as an XCom of its own, too.
        kwargs: The campaign: see `OsonSmsCampaignOperator`.
    """
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=OsonSmsCampaignDecoratedOperator,
        **kwargs,
    )
