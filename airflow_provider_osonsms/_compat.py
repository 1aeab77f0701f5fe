"""Airflow's names that moved between 3.0 and 3.3."""

try:
    from airflow.sdk import Asset, BaseNotifier, BaseOperator, BaseOperatorLink, Context, ObjectStoragePath
except ModuleNotFoundError as error:
    if error.name != "airflow.sdk":
        raise
    raise ImportError(
        "airflow-provider-osonsms needs Apache Airflow 3.0 or newer: this is Airflow 2, which has no "
        "airflow.sdk. Upgrade Airflow, or leave this provider out"
    ) from None
from airflow.sdk.bases.decorator import DecoratedOperator, TaskDecorator, task_decorator_factory
from airflow.sdk.bases.sensor import BaseSensorOperator, PokeReturnValue

try:
    from airflow.sdk.bases.decorator import determine_kwargs
except ImportError:  # Airflow below 3.1
    from airflow.utils.operator_helpers import determine_kwargs

try:
    from airflow.sdk.execution_time.context import NEVER_EXPIRE
except ImportError:  # Airflow below 3.3
    NEVER_EXPIRE = None

try:
    from airflow.sdk import BaseHook, Connection
except ImportError:  # Airflow 3.0
    from airflow.hooks.base import BaseHook
    from airflow.sdk import Connection

try:
    from airflow.sdk.configuration import conf
    from airflow.sdk.exceptions import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
except ImportError:  # Airflow below 3.2
    from airflow.configuration import conf
    from airflow.exceptions import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )

try:
    from airflow.sdk.observability.stats import Stats
except ImportError:  # Airflow below 3.2
    from airflow.stats import Stats

try:
    from airflow.traces.tracer import Trace
except ImportError:  # newer Airflows set the tracer of OpenTelemetry
    Trace = None

__all__ = [
    "NEVER_EXPIRE",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Connection",
    "Context",
    "DecoratedOperator",
    "ObjectStoragePath",
    "PokeReturnValue",
    "Stats",
    "TaskDecorator",
    "Trace",
    "conf",
    "determine_kwargs",
    "task_decorator_factory",
]
