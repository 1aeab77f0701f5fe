"""Operators whose template fields are personal."""

from collections.abc import Iterable
from typing import Any

from airflow_provider_osonsms._compat import BaseOperator
from airflow_provider_osonsms.campaign.concealed import Concealed


class ConcealingOperator(BaseOperator):
    """Conceals personal template fields as soon as they are rendered: Airflow stores and shows them."""

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        super()._do_render_template_fields(parent, template_fields, *args, **kwargs)
        if parent is self:
            self._conceal()

    def _conceal(self) -> None:
        raise NotImplementedError

    def _conceal_field(self, name: str, shown: str) -> None:
        if not isinstance(getattr(self, name), Concealed):
            setattr(self, name, Concealed(getattr(self, name), shown))

    def _conceal_text(self, name: str) -> None:
        text = getattr(self, name)
        self._conceal_field(name, f"<{len(text)} characters>" if isinstance(text, str) else "<no text>")
