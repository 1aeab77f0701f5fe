"""Which examples the machines of the model run: ``OSONSMS_EXAMPLES`` in all, 200 by default.

The tests draw the same examples at each run, so a change is judged by nothing but itself. `make fuzz` draws
new ones: what it finds is written down as a test of its own.
"""

import os

from hypothesis import HealthCheck, settings


def choose_settings(*, share: float) -> settings:
    """Choose the settings of a machine that runs *share* of the examples."""
    return settings(
        max_examples=int(share * int(os.environ.get("OSONSMS_EXAMPLES", "200"))),
        stateful_step_count=12,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        derandomize="OSONSMS_FUZZ" not in os.environ,
        database=None,
    )
