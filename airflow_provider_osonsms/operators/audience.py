"""The base of the operators that text an audience: its recipients, its limits and its rejects."""

import logging
from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException
from airflow_provider_osonsms._storage import resolve_path, spell_path
from airflow_provider_osonsms.arguments import COLUMN, FLAG, NAME, PATH, SHARE, choice, optional, whole_number
from airflow_provider_osonsms.audience.dead_numbers import DeadNumbers
from airflow_provider_osonsms.audience.languages import Languages
from airflow_provider_osonsms.audience.policy import OnEmpty, OnInvalid, Policy
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.capped import CappedOperator
from airflow_provider_osonsms.operators.redaction import describe_source, make_stable, unwrap
from airflow_provider_osonsms.operators.template_argument import TemplateArgument
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.paths import (
    check_table_path,
    explain_relative,
    guard_storage,
    refuse_same_files,
)
from airflow_provider_osonsms.tables.rows import RejectRow

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.audience.suppression import SuppressionList

_SOURCES: Final = ("recipients", "exclude", "only")


class AudienceOperator(CappedOperator):
    """Reads an audience, reports the rejected rows, and checks the limits of the task.

    Args:
        recipients: DataFrame, list of numbers or of rows with names, table of pyarrow or polars, path (also
            ``s3://...``) to a CSV, text, Excel or Parquet file, a list or an iterable of tables or paths; or
            a callable ``(context, jinja_env)`` that returns one of them: it keeps personal data out of XCom.
            All kinds, and what is refused: docs/audience.md "Sources".
        phone_column: Column of the phones.
        exclude: Phones that are never texted: the same kinds of source, and `dead_numbers`. The list
            ``suppression`` of the Connection is joined to it.
        max_ignored_ratio: Fail if more entries of *exclude* than this share are no phones, such as words.
        ignore_suppression: Do not join the Connection's list: for a text that people wait for, such as a
            code.
        only: Text only these rows: a list of their keys, or a source with a column ``key``, such as the
            ``undelivered_path`` of a sensor. Without a ``key_column`` the phone is the key.
        on_invalid: ``skip`` rows that are wrong, or ``fail`` if one row is.
        max_invalid_ratio: Fail above this share of wrong rows, such as 0.05. Duplicates, excluded and not
            allowed numbers are not wrong.
        max_recipients: Fail above this number of recipients.
        on_empty: ``skip``, ``fail`` or ``success`` when no recipient is left, or all are capped.
        rejects_path: Write row, masked phone, reason and column of each rejected row to this path (``.csv``
            or ``.parquet``). A relative path is, like every path, relative to where the worker runs.
        osonsms_conn_id: Id of the Connection; if it has ``allowed_phones``, all other phones are rejected.
        kwargs: The caps: see `CappedOperator`. Guards of money and time: see `GuardedOperator`.
    """

    template_fields: Sequence[str] = (*CappedOperator.template_fields, *_SOURCES)

    phone_column = TemplateArgument(COLUMN)
    on_invalid = TemplateArgument(choice(OnInvalid))
    max_invalid_ratio = TemplateArgument(optional(SHARE, "no limit"))
    max_recipients = TemplateArgument(optional(whole_number(), "no limit"))
    max_ignored_ratio = TemplateArgument(SHARE)
    ignore_suppression = TemplateArgument(FLAG)
    on_empty = TemplateArgument(choice(OnEmpty))
    rejects_path = TemplateArgument(optional(PATH, "no file"))
    osonsms_conn_id = TemplateArgument(NAME)

    def __init__(
        self,
        *,
        recipients: Any,
        phone_column: str = "phone",
        exclude: Any = None,
        max_ignored_ratio: float = 0,
        ignore_suppression: bool = False,
        only: Any = None,
        on_invalid: str = OnInvalid.SKIP,
        max_invalid_ratio: float | None = None,
        max_recipients: int | None = None,
        on_empty: str = OnEmpty.SKIP,
        rejects_path: Any = None,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recipients = make_stable(recipients)
        self.phone_column = phone_column
        self.exclude = make_stable(exclude)
        self.max_ignored_ratio = max_ignored_ratio
        self.ignore_suppression = ignore_suppression
        self.only = make_stable(only)
        self._expected = [name for name, given in (("exclude", exclude), ("only", only)) if given is not None]
        self.on_invalid = on_invalid
        self.max_invalid_ratio = max_invalid_ratio
        self.max_recipients = max_recipients
        self.on_empty = on_empty
        self.rejects_path = spell_path(rejects_path)
        self.osonsms_conn_id = osonsms_conn_id

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render texts, also in a list, and what Airflow resolves; but nothing inside of rows and tables.

        Those are data, and may hold anything: ``{{ conn.osonsms_default.password }}`` would be texted as what
        it stands for, and a column may be named like a method that Airflow calls.
        """
        content = unwrap(content)
        rest = (context, jinja_env, seen_oids)
        if id(content) in (seen_oids or ()):
            return content
        if isinstance(content, DeadNumbers):  # another one: tasks of one process may share it
            return content.replace_tables(self.render_template(content.tables, *rest))
        if isinstance(content, dict):
            return {
                name: value if isinstance(value, str) else self.render_template(value, *rest)
                for name, value in content.items()
            }
        if type(content) in (list, tuple):
            return type(content)(
                # a text without a brace may be a phone, and Jinja is slow
                one if isinstance(one, str) and "{" not in one else self.render_template(one, *rest)
                for one in content
            )
        is_local_path = isinstance(content, PurePath) and "://" not in str(content)
        if isinstance(content, str) or (hasattr(type(content), "resolve") and not is_local_path):
            return super().render_template(content, *rest)
        return content

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        if parent is self:
            for name in _SOURCES:  # Airflow logs a field that cannot be rendered
                if isinstance(source := getattr(self, name), list | tuple) and source:
                    self._redact_source(name)
        super()._do_render_template_fields(parent, *args, **kwargs)

    def _read_audience(
        self,
        settings: Settings,
        *,
        key_column: str | None = None,
        columns: Collection[str] = (),
        languages: Languages | None = None,
        full: "SuppressionList | None" = None,
    ) -> "Audience":
        """Read the audience, after checks of the sources and of the path of the rejects.

        Args:
            settings: Of the Connection.
            key_column: The column of the keys.
            columns: Those that the text needs.
            languages: What texts in several languages need.
            full: Who has had enough messages, and is rejected; None for nobody.
        """
        from airflow_provider_osonsms.audience.audience import prepare_audience

        for name in self._expected:
            if unwrap(getattr(self, name)) is None:
                raise InvalidMessageError(
                    f"{name} came out as None: check that the task it comes from has run; to mean no row, it "
                    f"must return an empty list"
                )
        if self.rejects_path is not None:
            check_table_path(resolve_path(self.rejects_path), "rejects_path")
        self._refuse_same_files(settings)
        hook = OsonSmsHook(self.osonsms_conn_id)
        return prepare_audience(
            resolve_path(unwrap(self.recipients)),
            phone_column=self.phone_column,
            key_column=key_column,
            columns=columns,
            languages=languages,
            allowed_phones=settings.account.allowed_phones,
            exclude=_read_dead_numbers(resolve_path(unwrap(self.exclude)), self.phone_column),
            max_ignored_ratio=self.max_ignored_ratio,
            suppressed=None if self.ignore_suppression else hook.read_suppression(settings),
            only=resolve_path(unwrap(self.only)),
            is_capped=self.once_per is not None,
            full=full,
        )

    def _refuse_same_files(self, settings: Settings) -> None:
        """Check that nothing is written over a source, or over another table of this task."""
        from airflow_provider_osonsms.audience.sources.files import SUFFIXES, is_path

        read: dict[str, object] = {"the Connection's suppression": settings.suppression}
        for name in _SOURCES:
            source = unwrap(getattr(self, name))
            for place, one in enumerate(source if isinstance(source, list | tuple) else [source]):
                if is_path(one) or (isinstance(one, str) and one.lower().endswith(SUFFIXES)):
                    read[f"{name} ({place})" if place else name] = one
        written = ("rejects_path", "results_path")
        refuse_same_files({name: getattr(self, name, None) for name in written}, read=read)

    def _report_rejects(self, audience: "Audience") -> None:
        """Write the rejected rows to the log, and to `rejects_path` if it is set."""
        is_notable = audience.rejects.invalid or audience.ignored_exclusions
        level = logging.WARNING if is_notable else logging.INFO
        self.log.log(level, "%s", audience.describe())
        if self.rejects_path is not None:
            path = check_table_path(resolve_path(self.rejects_path), "rejects_path")
            guard_storage(
                lambda: write_table(audience.rejects.read_rows(), path, kind=RejectRow),
                "rejects_path",
                "written",
                hint=explain_relative(path),
            )
            self.log.info("The rejected rows are listed in %s", self.rejects_path)

    def _check_policy(self, audience: "Audience") -> None:
        """Return if the audience may be texted; end the task if it may not."""
        policy = Policy(
            on_invalid=self.on_invalid,
            max_invalid_ratio=self.max_invalid_ratio,
            max_recipients=self.max_recipients,
        )
        policy.check(recipients=len(audience), invalid=audience.rejects.invalid, rows=audience.rows)
        if len(audience) or self.on_empty is OnEmpty.SUCCESS:
            return
        reasons = ", ".join(f"{count} {reason}" for reason, count in audience.rejects.count().items())
        self._end_empty(f"No recipient is left ({reasons or 'no rows'})")

    def _end_empty(self, why: str) -> None:
        """End the task as `on_empty` says; return if nobody to text is a success."""
        if self.on_empty is not OnEmpty.SUCCESS:
            end = AirflowSkipException if self.on_empty is OnEmpty.SKIP else AirflowFailException
            raise end(f"{why}: this try sent nothing")

    def _redact(self) -> None:
        for name in _SOURCES:
            self._redact_source(name)

    def _redact_source(self, name: str) -> None:
        source = getattr(self, name)
        if source is None:
            return
        self._redact_field(name, describe_source(source, name))


def _read_dead_numbers(source: Any, phone_column: str) -> Any:
    """Return *source* with a table of the numbers in the place of each `DeadNumbers`, also in a list.

    In a list, an array without the name of a column might be a row.
    """
    if isinstance(source, DeadNumbers):
        return source.read_table(phone_column)
    if isinstance(source, list | tuple) and any(isinstance(one, DeadNumbers) for one in source):
        return [_read_dead_numbers(one, phone_column) for one in source]
    return source
