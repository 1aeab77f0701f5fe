"""The control addresses: they show the ledger and change the behavior of a running simulator."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.behavior import Behavior, Seconds
from airflow_provider_osonsms.simulator.faults import FaultRule, FaultRules
from airflow_provider_osonsms.simulator.ledger.records import Call, SimAccount
from airflow_provider_osonsms.simulator.settings import describe_errors
from airflow_provider_osonsms.simulator.web.report import describe, describe_account, describe_inbox

PREFIX: Final = "/_simulator"
ACCOUNT: Final = TypeAdapter(SimAccount)


class TimeStep(BaseModel):
    """How far to advance the gateway's time."""

    model_config = ConfigDict(extra="forbid")

    seconds: Seconds


class InboxQuery(BaseModel):
    """Which part of the ledger the page shows."""

    model_config = ConfigDict(extra="forbid")

    search: str = ""
    phone: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    language: Literal["en", "ru"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRoute:
    """One method and path, with its handler and its description."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    body: TypeAdapter[Any] | None = None
    query: type[BaseModel] | None = None


class Control:
    """The handlers of the control addresses.

    Args:
        backend: The gateway without HTTP.
        faults: The fault rules.
        requests: How many requests each call has had.
    """

    def __init__(self, backend: GatewayBackend, faults: FaultRules, *, requests: Mapping[Call, int]) -> None:
        self._backend = backend
        self._faults = faults
        self._requests = requests

    def routes(self) -> list[ControlRoute]:
        """Return all control addresses."""
        behavior, rule = TypeAdapter(Behavior), TypeAdapter(FaultRule)
        rows: list[tuple[str, str, Any, str, TypeAdapter[Any] | None]] = [
            ("GET", "/health", self._health, "Check that the simulator serves.", None),
            ("GET", "/ledger", self._ledger, "Everything that was accepted and refused.", None),
            (
                "POST",
                "/clear",
                self._clear,
                "Hide everything so far; used txn_ids stay used.",
                None,
            ),
            ("GET", "/behavior", self._show_behavior, "Delivery, latency, jitter and rate limit.", None),
            ("PATCH", "/behavior", self._change_behavior, "Change some of these.", behavior),
            ("GET", "/faults", self._show_faults, "The rules in force, with the times that are left.", None),
            ("POST", "/faults", self._add_fault, "Add a fault rule.", rule),
            ("DELETE", "/faults", self._clear_faults, "Remove all fault rules.", None),
            ("GET", "/accounts", self._show_accounts, "The accounts, without secrets.", None),
            ("POST", "/accounts", self._add_account, "Add an account.", ACCOUNT),
            (
                "PATCH",
                "/accounts/{login}",
                self._change_account,
                "Top up, block or change an account.",
                ACCOUNT,
            ),
            ("POST", "/advance", self._advance, "Let time pass at once.", TypeAdapter(TimeStep)),
        ]
        return [
            *(
                ControlRoute(method=method, path=PREFIX + path, handler=handler, summary=summary, body=body)
                for method, path, handler, summary, body in rows
            ),
            ControlRoute(
                method="GET",
                path=f"{PREFIX}/inbox",
                handler=self._inbox,
                summary="What the page shows: the latest messages, bulk jobs and refusals.",
                query=InboxQuery,
            ),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return _ok()

    async def _ledger(self, _request: web.Request) -> web.Response:
        return web.json_response(describe(self._backend, self._requests))

    async def _inbox(self, request: web.Request) -> web.Response:
        query = InboxQuery.model_validate(dict(request.query))
        return web.json_response(describe_inbox(self._backend, self._requests, **query.model_dump()))

    async def _clear(self, _request: web.Request) -> web.Response:
        self._backend.clear()
        return _ok()

    async def _show_behavior(self, _request: web.Request) -> web.Response:
        return web.json_response(self._backend.behavior.model_dump())

    async def _change_behavior(self, request: web.Request) -> web.Response:
        self._backend.change_behavior(**await _read_object(request))
        return await self._show_behavior(request)

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response([rule.model_dump() for rule in self._faults.list_rules()])

    async def _add_fault(self, request: web.Request) -> web.Response:
        self._faults.add(FaultRule.model_validate(await _read_object(request)))
        return await self._show_faults(request)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return await self._show_faults(request)

    async def _show_accounts(self, _request: web.Request) -> web.Response:
        return web.json_response([describe_account(one) for one in list(self._backend.accounts.values())])

    async def _add_account(self, request: web.Request) -> web.Response:
        account = ACCOUNT.validate_python(await _read_object(request))
        if account.login in self._backend.accounts:
            return _error(409, f"an account has the login {account.login} already: change it with PATCH")
        self._backend.put_account(account)
        return web.json_response(describe_account(account), status=201)

    async def _change_account(self, request: web.Request) -> web.Response:
        login = request.match_info["login"]
        if login not in self._backend.accounts:
            return _error(404, f"no account has the login {login}")
        changes = await _read_object(request)
        if changes.get("login", login) != login:
            return _error(400, "a login cannot be changed: add another account")
        self._backend.change_account(login, **changes)
        return web.json_response(describe_account(self._backend.accounts[login]))

    async def _advance(self, request: web.Request) -> web.Response:
        self._backend.advance(TimeStep.model_validate(await _read_object(request)).seconds)
        return web.json_response({"now": self._backend.now().isoformat()})


def with_json_errors(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Return *handler* with an HTTP 400 and a JSON error for a body that is not valid."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValidationError as error:
            return _error(400, describe_errors(error))
        except ValueError as error:
            return _error(400, str(error))

    return handle


async def _read_object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - becomes an HTTP 400
    return body


def _ok() -> web.Response:
    return web.json_response({"ok": True})


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
