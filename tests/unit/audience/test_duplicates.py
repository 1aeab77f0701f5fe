"""The first row with a number stays, later ones are duplicates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.duplicates import find_duplicates

PHONE = 992_900_000_000
MSISDNS = st.sampled_from([992_000_000_000, 992_000_000_001, PHONE, PHONE + 1, PHONE + 2, 992_999_999_999])
ROWS = st.lists(st.one_of(st.just((0, False)), st.tuples(MSISDNS, st.booleans())))


@given(ROWS)
def test_every_number_stays_once(rows):
    """A row is a duplicate if and only if an earlier kept one has its number; others never are."""
    msisdns = np.array([msisdn for msisdn, _ in rows], dtype=np.int64)
    msisdns.flags.writeable = False

    found = find_duplicates(msisdns, np.array([is_kept for _, is_kept in rows], dtype=bool))

    assert found.dtype == bool
    assert found.tolist() == [row[1] and row in rows[:position] for position, row in enumerate(rows)]
