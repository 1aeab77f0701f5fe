"""The notifier: an SMS when something of a DAG fails, succeeds, is late or waits for a person.

Reference:
    docs/alerts.md.
"""

import re
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from jinja2 import StrictUndefined

from airflow_provider_osonsms._compat import BaseNotifier, Context
from airflow_provider_osonsms._context import read_alert_event
from airflow_provider_osonsms._metrics import TaskMetrics
from airflow_provider_osonsms.alerts.event import AlertEvent
from airflow_provider_osonsms.alerts.send import limit_patience, send_alert
from airflow_provider_osonsms.alerts.throttle import DedupeBy, make_alert_txn_id
from airflow_provider_osonsms.arguments import FLAG, NAME, SECONDS, Kind, choice, optional, whole_number
from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.template_argument import is_template
from airflow_provider_osonsms.preflight.message import CHANNEL, make_message, read_phone, read_text
from airflow_provider_osonsms.preflight.window import WINDOW, Open, read_window
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.models import Account, Message
from airflow_provider_osonsms.text.shorten import shorten

_BETWEEN_PHONES: Final = re.compile(r"[,;\n]")
_KINDS: Final[Mapping[str, Kind[Any]]] = {
    "sender": optional(NAME),
    "channel": CHANNEL,
    "dedupe_by": choice(DedupeBy),
    "window": SECONDS,
    "max_parts": whole_number(),
    "transliterate": FLAG,
    "quiet_hours": optional(WINDOW, "no quiet hours"),
    "ignore_suppression": FLAG,
    "osonsms_conn_id": NAME,
}
"""What the plain arguments accept. A value may be a template, so it is read each time somebody is texted."""


class OsonSmsNotifier(BaseNotifier):
    """Text somebody from a callback, and not a hundred times for one broken DAG.

    It works as ``on_failure_callback``, ``on_retry_callback``, ``on_success_callback`` and
    ``on_skipped_callback`` of tasks and DAGs, in ``DeadlineAlert`` and in
    ``ApprovalOperator(notifiers=...)``.
    It never fails a task or a callback: what goes wrong stands in the log, with what to do.

    Args:
        phones: A number, or several: a list, or a text with commas; a template such as
            ``{{ var.value.on_call }}``.
        message: A template, with all of the callback's context and ``alert``, which each callback has:
            ``{{ alert.dag_id }}``, ``.task_id``, ``.run_id``, ``.state``, ``.try_number``, ``.link``.
            Default: a text of one part with dag, task, state, run and the link to the log.
        sender: One of the account's sender names; default: the Connection's.
        channel: ``telegram``, or None for an SMS.
        dedupe_by: What has at most one SMS in a window, for each phone: a ``task`` of a run, a ``dag_run``, a
            ``dag``, or a ``message``. Failures, good news and requests are counted apart.
        window: How long a window is: a timedelta or seconds. The gateway enforces it over all workers.
        max_parts: A text that is billed as more parts is cut at a word.
        transliterate: Write the text in Latin letters, which usually halves its parts.
        quiet_hours: ``"22:00-07:00"``, in Asia/Dushanbe or a zone that follows: nobody is texted then, nor
            afterwards.
        ignore_suppression: Text even somebody on the Connection's ``suppression`` list.
        osonsms_conn_id: Id of the Connection.
        context: Given by Airflow's ``DeadlineAlert``.

    Raises:
        ValueError: An argument is wrong. Not in a ``DeadlineAlert``, where it stands in the log instead.

    Reference:
        OsonSMS protocol 1.5, §2.
    """

    template_fields: Sequence[str] = ("phones", "message", *_KINDS)

    def __init__(
        self,
        *,
        phones: str | Collection[str],
        message: str | None = None,
        sender: str | None = None,
        channel: str | None = None,
        dedupe_by: str = DedupeBy.DAG,
        window: timedelta | float = timedelta(minutes=10),
        max_parts: int = 1,
        transliterate: bool = False,
        quiet_hours: str | None = None,
        ignore_suppression: bool = False,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        context: Context | None = None,
    ) -> None:
        super().__init__()
        self.context = context or Context()
        self.phones = phones
        self.message = message
        self.sender = sender
        self.channel = channel
        self.dedupe_by = dedupe_by
        self.window = window
        self.max_parts = max_parts
        self.transliterate = transliterate
        self.quiet_hours = quiet_hours
        self.ignore_suppression = ignore_suppression
        self.osonsms_conn_id = osonsms_conn_id
        if context is None:  # a DAG file is parsed: whoever writes it sees the error
            for name, kind in _KINDS.items():
                if not is_template(getattr(self, name)):
                    kind.read(getattr(self, name), name)

    def __call__(self, *args: Any) -> None:
        """Text whoever is to know; Airflow calls this with the context of a callback."""
        self.notify(args[0])

    def __await__(self) -> Generator[Any, None, None]:
        """Text whoever is to know; Airflow's triggerer awaits this."""
        return self.async_notify(self.context).__await__()

    def notify(self, context: Context) -> None:
        """Text whoever is to know of *context*."""
        with self._log_problems():
            account, messages, metrics = self._prepare(context)
            if messages:
                with open_client(account) as client:
                    ends = client.drive(send_alert(messages, account, clock=time.monotonic))
                metrics.count_alerts(ends)

    async def async_notify(self, context: Context) -> None:
        """Text whoever is to know of *context*, without blocking the event loop."""
        from asgiref.sync import sync_to_async

        with self._log_problems():
            # Connections, Variables in templates and lists in files are read by blocking calls.
            account, messages, metrics = await sync_to_async(self._prepare)(context)
            if messages:
                async with open_async_client(account) as client:
                    ends = await client.drive(send_alert(messages, account, clock=time.monotonic))
                metrics.count_alerts(ends)

    @staticmethod
    def _clock() -> datetime:
        return datetime.now(UTC)

    @contextmanager
    def _log_problems(self) -> Iterator[None]:
        """Let no error reach the task or the callback; only texts of our own errors are surely harmless."""
        try:
            yield
        except OsonSmsError as error:
            self.log.error("No alert was sent: %s", error)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001
            self.log.error(  # noqa: TRY400
                "No alert was sent, because of a %s: check the notifier's templates and its Connection",
                type(error).__name__,
            )

    def _prepare(self, context: Context) -> tuple[Account, list[Message], TaskMetrics]:
        """Return who sends, a message for each phone that may be texted, and where that is counted."""
        event = read_alert_event(context)
        read = partial(self._read_argument, context=context, event=event)
        hook = OsonSmsHook(read("osonsms_conn_id"))
        metrics = TaskMetrics(dag_id=event.dag_id, task_id=event.task_id, conn_id=hook.osonsms_conn_id)
        settings = hook.get_settings()
        account = limit_patience(settings.account)
        quiet_hours = read_window(read("quiet_hours"), "quiet_hours")
        now = self._clock()
        if isinstance(quiet_hours.judge(now), Open):
            self.log.info("No alert was sent: these are quiet hours. It is not sent later")
            return account, [], metrics
        phones = self._read_phones(self._render_field("phones", context, event))
        if not read("ignore_suppression") and (suppression := hook.read_suppression(settings)) is not None:
            for phone in suppression.choose(phones):
                self.log.info("No alert to %s: it is on the Connection's suppression list", mask_phone(phone))
                phones.remove(phone)
        message = self._choose_message(context, event)
        text = read_text(message, is_latin=read("transliterate"))
        shortened = shorten(text, max_parts=read("max_parts"))
        if shortened != text:
            self.log.info("The text of the alert is cut, because it would be billed as more than max_parts")
        make_txn_id = partial(
            make_alert_txn_id,
            event,
            text=shortened,
            dedupe_by=read("dedupe_by"),
            window=timedelta(seconds=read("window")),
            channel=read("channel"),
            namespace=settings.key_namespace,
            now=now,
        )
        messages = [
            make_message(
                phone,
                shortened,
                settings=settings,
                txn_id=make_txn_id(phone=phone),
                sender=read("sender"),
                channel=read("channel"),
            )
            for phone in phones
        ]
        return account, messages, metrics

    def _read_phones(self, given: Any) -> list[str]:
        """Return the MSISDNs among what was *given*; a wrong phone does not keep an alert from the others."""
        phones: dict[str, None] = {}
        for written in given if isinstance(given, Collection) and not isinstance(given, str) else [given]:
            for phone in _BETWEEN_PHONES.split(written) if isinstance(written, str) else [written]:
                try:
                    phones[read_phone(phone)] = None
                except InvalidMessageError as error:
                    self.log.error("No alert to one of the phones: %s", error)  # noqa: TRY400
        if not phones:
            raise InvalidMessageError("phones holds no phone: name somebody, or correct the template")
        return list(phones)

    def _choose_message(self, context: Context, event: AlertEvent) -> str:
        """Return the message; one whose template fails must not hide what has happened."""
        if self.message is None:
            return event.text
        try:
            return read_text(str(self._render_field("message", context, event)))
        except Exception as error:  # noqa: BLE001
            self.log.error(  # noqa: TRY400
                "The template of message failed (%s), so the default text is sent: correct the template. "
                "A callback of a DAG or a deadline has no task; alert is known in each",
                type(error).__name__,
            )
            return event.text

    def _read_argument(self, name: str, *, context: Context, event: AlertEvent) -> Any:
        """Return what a plain argument means for this callback.

        Raises:
            InvalidArgumentError: It is not accepted.
        """
        given = getattr(self, name)
        if is_template(given):
            return _KINDS[name].read_rendered(self._render_field(name, context, event), name, template=given)
        return _KINDS[name].read(given, name)

    def _render_field(self, name: str, context: Context, event: AlertEvent) -> Any:
        """Return a field as it is for this callback; the notifier is used again, and stays as it is."""
        dag = context.get("dag")
        environment = self.get_template_env() if dag is None else dag.get_template_env(force_sandboxed=True)
        if dag is None:
            environment.undefined = StrictUndefined
        known = cast("Context", {**context, "alert": event})
        return self.render_template(getattr(self, name), known, environment)

    def _render(self, template: Any, context: Mapping[str, Any], dag: Any = None) -> str:  # noqa: ARG002
        """Render to a text, also where the DAG renders to native objects: 12_34 is a text, not a number."""
        return str(template.render(context))
