"""What a simulator is started with: a TOML file, the command line, or both.

```toml
port = 8025
state = "simulator.sqlite"
seed = 7

[behavior]
latency = "20ms"
jitter = "5ms"

[[accounts]]
login = "shop"
secret = "shop-salt"
senders = ["SHOP"]
balance = "50.00"

[[faults]]
fault = "cut_after"
every = 10
times = "always"
```
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.faults import FaultRule
from airflow_provider_osonsms.simulator.ledger.records import SimAccount


class SettingsError(Exception):
    """A simulator cannot be started like this; the text says what to correct."""


class GatewaySettings(BaseModel):
    """Everything that a simulator is started with; see the protocol's simulator in ``docs/simulator.md``.

    Attributes:
        host: Address to listen on.
        port: 0 takes a free one.
        state: File that keeps the ledger over restarts; None keeps it in memory.
        seed: Of everything that happens by chance.
        behavior: Delivery, latency, rate limit.
        accounts: The first is the one that Connections are made for.
        faults: In force from the start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8025
    state: Path | None = None
    seed: int = 0
    behavior: Behavior = Behavior()
    accounts: tuple[SimAccount, ...] = (
        SimAccount(login="demo", secret="demo-salt"),  # noqa: S106 - the simulator's own, not a secret
    )
    faults: tuple[FaultRule, ...] = ()

    @field_validator("accounts")
    @classmethod
    def _is_unambiguous(cls, accounts: tuple[SimAccount, ...]) -> tuple[SimAccount, ...]:
        if not accounts:
            raise ValueError("a gateway needs at least one account")
        if len({account.login for account in accounts}) < len(accounts):
            raise ValueError("a login stands twice")
        return accounts


def read_settings(file: Path | None, *, overrides: dict[str, Any]) -> GatewaySettings:
    """Return the settings of a TOML file with *overrides* over them.

    Args:
        file: None is an empty one.
        overrides: ``behavior`` is merged key by key, everything else replaces.

    Raises:
        SettingsError: The file cannot be read, or a setting cannot be used.
    """
    try:
        written = tomllib.loads(file.read_text()) if file else {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
    behavior = {**written.get("behavior", {}), **overrides.pop("behavior", {})}
    try:
        return GatewaySettings.model_validate({**written, **overrides, "behavior": behavior})
    except ValidationError as error:
        raise SettingsError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Return what is wrong in one line, without the values: one of them may be a secret."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}" for problem in problems]
    return "; ".join(told)
