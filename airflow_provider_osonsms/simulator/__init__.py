"""An OsonSMS gateway on this machine: for demos, for tests of DAGs, and for this package's own tests.

It is the protocol written a second time: nothing of the client is used here. See ``docs/simulator.md``.
"""

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.faults import Fault
from airflow_provider_osonsms.simulator.gateway import SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage, SimAccount

__all__ = ["AcceptedMessage", "Behavior", "Fault", "GatewayBackend", "SimAccount", "SimulatedGateway"]
