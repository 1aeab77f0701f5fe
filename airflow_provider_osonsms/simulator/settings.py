"""The settings that a simulator starts with: from a TOML file, the command line, or both.

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
    """The simulator cannot start with these settings; the text says what to correct."""


class GatewaySettings(BaseModel):
    """The settings that a simulator starts with; see ``docs/simulator.md``.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 for any free port.
        state: File that keeps the ledger over restarts; None for memory.
        seed: Of all random choices.
        behavior: Delivery, latency and rate limit.
        accounts: The clients; Connections are made for the first.
        faults: Rules in force from the start.
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
            raise ValueError("two accounts have the same login")
        return accounts


def read_settings(file: Path | None, *, overrides: dict[str, Any]) -> GatewaySettings:
    """Return the settings of a TOML file with *overrides* over them.

    Args:
        file: The TOML file; None for no file.
        overrides: ``behavior`` is merged key by key, everything else replaces the file's.

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
        raise SettingsError(describe_errors(error)) from None


def describe_errors(error: ValidationError) -> str:
    """Describe the errors in one line, without the values, because a value may be a secret."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    sentences = [
        f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}" for problem in problems
    ]
    return "; ".join(sentences)
