"""How many examples the machines of the model run: ``OSONSMS_EXAMPLES`` in all, 2,000 by default."""

import os

from hypothesis import HealthCheck, settings


def choose_settings(*, share: float) -> settings:
    """Choose the settings of a machine that runs *share* of the examples."""
    chosen = settings(
        max_examples=int(share * int(os.environ.get("OSONSMS_EXAMPLES", "200"))),
        stateful_step_count=12,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    return settings(chosen, database=None) if os.environ.get("CI") else chosen
