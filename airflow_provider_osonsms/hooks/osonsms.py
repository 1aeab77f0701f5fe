"""The hook: reads a Connection of type ``osonsms`` and opens clients with it."""

import json
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_osonsms._compat import AirflowNotFoundException, BaseHook, Connection
from airflow_provider_osonsms._metrics import set_balance
from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.arguments import FLAG
from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.bulk.send_at import read_send_at, require_future
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, open_async_client
from airflow_provider_osonsms.client.blocking import OsonSmsClient, open_client
from airflow_provider_osonsms.connection import Settings, read_settings
from airflow_provider_osonsms.hooks.errors import task_errors
from airflow_provider_osonsms.preflight.message import choose_sender, make_message, read_phone, read_text
from airflow_provider_osonsms.protocol.errors import InvalidSettingsError, OsonSmsError, PhoneSuppressedError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt, SendReceipt
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.provider_info import CONNECTION_FIELDS, FIELD_BEHAVIOR

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.suppression import SuppressionList

log = logging.getLogger(__name__)

_SHOWN: Final = 3


class OsonSmsHook(BaseHook):
    """Sends messages and queries OsonSMS with the credentials of a Connection.

    The Connection holds the login, the salt (or token) as password, and optionally, the host and the extras
    ``sender``, ``auth_scheme``, ``bulk_url``, ``timeout``, ``key_namespace``, ``price_per_part``,
    ``allowed_phones``, ``suppression`` and ``max_rate``. The constructor reads and opens nothing.

    `send_sms` and `create_bulk` refuse whoever is on the ``suppression`` list, which is read once for each
    hook. The clients of `open_client` and `open_async_client` send what they are given.

    In any task, also of TaskFlow, an error that a retry cannot solve fails the task without one, and a phone
    that must not be texted skips it: such errors are AirflowFailException or AirflowSkipException, too.
    ``except OsonSmsError`` still catches each; see `hooks.errors`.

    Args:
        osonsms_conn_id: Id of the Connection.
    """

    conn_name_attr = "osonsms_conn_id"
    default_conn_name = "osonsms_default"
    conn_type = "osonsms"
    hook_name = "OsonSMS"

    def __init__(self, osonsms_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.osonsms_conn_id = osonsms_conn_id
        self._suppression: SuppressionList | None = None

    @task_errors()
    def get_settings(self) -> Settings:
        """Read the Connection.

        Raises:
            InvalidSettingsError: A field is missing or wrong; the text names the field and the Connection.
        """
        with self._explain_missing_connection():
            connection = self.get_connection(self.osonsms_conn_id)
        return self._read_settings(connection)

    async def aget_settings(self) -> Settings:
        """Read the Connection without blocking the event loop; see `get_settings`."""
        with task_errors():
            with self._explain_missing_connection():
                connection = await _aget_connection(self.osonsms_conn_id)
            return self._read_settings(connection)

    def get_conn(self) -> Settings:
        """Return the settings; open clients with `open_client`."""
        return self.get_settings()

    @contextmanager
    def open_client(self) -> Iterator[OsonSmsClient]:
        """Open a blocking client with one kept-alive session."""
        with task_errors(), open_client(self.get_settings().account) as client:
            yield client

    @asynccontextmanager
    async def open_async_client(self) -> AsyncIterator[AsyncOsonSmsClient]:
        """Open an asynchronous client with one kept-alive session."""
        settings = await self.aget_settings()
        with task_errors():
            async with open_async_client(settings.account) as client:
                yield client

    @task_errors()
    def send_sms(
        self,
        phone: str,
        message: str,
        *,
        txn_id: str,
        sender: str | None = None,
        channel: str | None = None,
        is_confidential: bool = False,
        ignore_suppression: bool = False,
    ) -> SendReceipt:
        """Send one message, at most once for each *txn_id*.

        Args:
            phone: A number of Tajikistan in any usual spelling.
            message: The text of the message.
            txn_id: Your key of this message, the same in every attempt: ``make_txn_id("invoice", 17)``.
            sender: One of the account's sender names; default: the Connection's.
            channel: ``telegram``, or None for an SMS.
            is_confidential: Ask the gateway not to keep the text.
            ignore_suppression: Send it even to somebody on the Connection's ``suppression`` list, such as a
                code that the person waits for.

        Returns:
            A receipt. Its outcome is ``accepted``; ``accepted_untracked``, without a msg_id, when the gateway
            knew the txn_id already; ``uncertain`` when it knew the txn_id after an error that proves nothing.

        Raises:
            PhoneSuppressedError: Nothing was sent: the phone is on the Connection's ``suppression`` list.
            SuppressionUnavailableError: Nothing was sent: that list cannot be read for now.
            InvalidMessageError: Nothing was sent; the text says what to correct.
            RequestNotSentError: The gateway was not reached; repeat with the same txn_id.
            OutcomeUnknownError: The message may have been accepted; repeat with the same txn_id only.
            GatewayError: The gateway refused; the text says what to do.

        Reference:
            OsonSMS protocol 1.5, §2.
        """
        settings = self.get_settings()
        sms = make_message(
            phone,
            message,
            settings=settings,
            txn_id=txn_id,
            sender=sender,
            channel=channel,
            is_confidential=FLAG.read(is_confidential, "is_confidential"),
        )
        if not FLAG.read(ignore_suppression, "ignore_suppression"):
            self.refuse_suppressed([sms.phone], settings)
        with open_client(settings.account) as client:
            return client.send(sms, history=TxnIdHistory.MAYBE_ACCEPTED)

    def get_status(self, msg_id: str | int | None) -> DeliveryStatus:
        """Query the status of a message.

        Raises:
            InvalidMessageError: There is no msg_id, as after ``accepted_untracked``.
            UnknownMessageError: The gateway does not know this msg_id.
            OsonSmsError: No usable answer, or a refusal.

        Reference:
            OsonSMS protocol 1.5, §3.
        """
        with self.open_client() as client:
            return client.query_status("" if msg_id is None else str(msg_id))

    def get_balance(self) -> Decimal:
        """Return the balance in somoni.

        Raises:
            OsonSmsError: No usable answer, or a refusal.

        Reference:
            OsonSMS protocol 1.5, §4.
        """
        with self.open_client() as client:
            balance = client.query_balance()
        set_balance(balance, conn_id=self.osonsms_conn_id)
        return balance

    @task_errors(may_repeat=False)
    def create_bulk(
        self,
        phones: Iterable[str],
        message: str,
        *,
        txn_id: str,
        send_at: datetime | str,
        sender: str | None = None,
        ignore_suppression: bool = False,
    ) -> BulkReceipt:
        """Create one bulk job; an upload without an answer is not repeated: it could text all numbers twice.

        Args:
            phones: At most 384,615 numbers of Tajikistan; a repeated number is texted once.
            message: One text for all numbers.
            txn_id: Your key of this job.
            send_at: Datetime or ISO text in the future; without a zone it means Asia/Dushanbe.
            sender: One of the account's sender names; default: the Connection's.
            ignore_suppression: Let phones of the Connection's ``suppression`` list be among them.

        Returns:
            A receipt; without a bulk_name when the gateway knew the txn_id already.

        Raises:
            PhoneSuppressedError: Nothing was uploaded: phones are on the Connection's ``suppression`` list.
            SuppressionUnavailableError: Nothing was uploaded: that list cannot be read for now.
            InvalidMessageError: Nothing was uploaded; the text says what to correct.
            OutcomeUnknownError, TemporaryRefusalError: The job may exist; look in the cabinet before you
            repeat. OsonSmsError: The gateway refused or was not reached; no job was created.

        Reference:
            OsonSMS protocol 1.5, §5.
        """
        settings = self.get_settings()
        moment = read_send_at(send_at)
        require_future(moment, datetime.now(UTC))
        unique = dict.fromkeys(read_phone(phone) for phone in phones)
        if not FLAG.read(ignore_suppression, "ignore_suppression"):
            self.refuse_suppressed(unique, settings)
        job = BulkJob(
            csv="".join(f"{phone}\n" for phone in unique).encode(),
            text=read_text(message),
            sender=choose_sender(sender, settings),
            txn_id=txn_id,
            send_at=moment,
        )
        with open_client(settings.account) as client:
            return client.create_bulk(job, history=TxnIdHistory.MAYBE_ACCEPTED)

    @task_errors()
    def read_suppression(self, settings: Settings) -> "SuppressionList | None":
        """Return the Connection's ``suppression`` list, read once; None if it has none.

        Raises:
            SuppressionUnavailableError: It cannot be read for now.
            InvalidMessageError: It is no list of phones.
        """
        if self._suppression is None and settings.suppression is not None:
            from airflow_provider_osonsms.audience.suppression import read_account_list

            self._suppression = read_account_list(open_path(settings.suppression))
        return self._suppression

    @task_errors()
    def refuse_suppressed(self, phones: Collection[str], settings: Settings) -> None:
        """Check that none of the MSISDNs *phones* is on the Connection's ``suppression`` list.

        Raises:
            PhoneSuppressedError: One is.
            SuppressionUnavailableError, InvalidMessageError: See `read_suppression`.
        """
        suppression = self.read_suppression(settings)
        found = [] if suppression is None else suppression.choose(phones)
        if found:
            raise PhoneSuppressedError(
                f"{len(found)} of {len(phones)} phones are on the Connection's suppression list "
                f"({', '.join(map(mask_phone, found[:_SHOWN]))}). Only a text that they wait for, such as a "
                f"code, may be sent all the same, with ignore_suppression=True"
            )

    def test_connection(self) -> tuple[bool, str]:
        """Read the balance, for the *Test* button: nothing is sent and nothing is billed."""
        try:
            balance = self.get_balance()
        except OsonSmsError as error:
            return False, str(error)
        return True, f"OsonSMS answers. Balance: {balance:.2f} somoni"

    @contextmanager
    def _explain_missing_connection(self) -> Iterator[None]:
        if not isinstance(self.osonsms_conn_id, str) or not self.osonsms_conn_id:
            raise InvalidSettingsError("osonsms_conn_id is empty: name a Connection of type osonsms")
        try:
            yield
        except AirflowNotFoundException:
            raise InvalidSettingsError(
                f"Connection '{self.osonsms_conn_id}' is not defined or cannot be read: create one of type "
                f"osonsms with login and password"
            ) from None

    def _read_settings(self, connection: Connection) -> Settings:
        settings = read_settings(
            self.osonsms_conn_id,
            login=connection.login,
            password=connection.password,
            host=connection.host,
            port=connection.port,
            schema=connection.schema,
            extra=_read_extra(connection),
        )
        if settings.is_clear_text:
            _warn_of_clear_text(self.osonsms_conn_id)
        return settings

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the labels of the Connection form, for Airflow below 3.2."""
        return {key.replace("-", "_"): value for key, value in FIELD_BEHAVIOR.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the Connection form, for Airflow below 3.2."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import StringField

        return {
            name: StringField(
                lazy_gettext(field["label"]),
                widget=BS3TextFieldWidget(),
                description=field["description"],
                default=str(field["schema"].get("default", "")),
            )
            for name, field in CONNECTION_FIELDS.items()
        }


@cache  # a task reads its Connection several times, and a triggerer that of every wait
def _warn_of_clear_text(conn_id: str) -> None:
    log.warning("Connection '%s' uses http: login, hash and text are sent unencrypted. Use https", conn_id)


async def _aget_connection(conn_id: str) -> Connection:
    """Read a Connection without blocking the event loop.

    Before 3.3.2, Airflow's asynchronous call masks secrets with a blocking call; under ``dag.test()`` it does
    not read the database. A thread avoids both.
    """
    from asgiref.sync import sync_to_async

    if hasattr(Connection, "aextra_dejson"):
        try:
            return await BaseHook.aget_connection(conn_id)
        except AirflowNotFoundException:
            pass
    return await sync_to_async(BaseHook.get_connection)(conn_id)


def _read_extra(connection: Connection) -> dict[str, Any]:
    """Read the extra as a dict; ``extra_dejson`` may block the event loop.

    Raises:
        InvalidSettingsError: It is not a JSON object.
    """
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise InvalidSettingsError(
            f"Connection '{connection.conn_id}': extra must be a JSON object, such as "
            '{"sender": "MYSHOP"}'
        )
    return extra
