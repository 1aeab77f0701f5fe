"""The limits of a task hold."""

import pytest

from airflow_provider_osonsms.audience.policy import OnInvalid, Policy, UnfitAudienceError


@pytest.mark.parametrize(
    ("policy", "counts", "said"),
    [
        (Policy(), (0, 3, 3), "all 3 rows are rejected as invalid"),
        (Policy(on_invalid=OnInvalid.FAIL), (9, 1, 10), "on_invalid is 'fail'"),
        (Policy(max_invalid_ratio=0.1), (9, 2, 11), r"\(18.2%\) and max_invalid_ratio is 10.0%"),
        (Policy(max_invalid_ratio=0), (9, 1, 10), "max_invalid_ratio is 0.0%"),
        (Policy(max_recipients=5), (6, 0, 6), "6 recipients and max_recipients is 5"),
    ],
)
def test_a_broken_limit_says_what_to_do(policy: Policy, counts: tuple[int, int, int], said: str) -> None:
    """An audience beyond a limit is an error with the figures."""
    recipients, invalid, rows = counts

    with pytest.raises(UnfitAudienceError, match=said) as error:
        policy.check(recipients=recipients, invalid=invalid, rows=rows)
    assert "this try sent nothing" in str(error.value)


@pytest.mark.parametrize(
    ("policy", "counts"),
    [
        (Policy(), (0, 0, 0)),
        (Policy(), (0, 2, 3)),
        (Policy(on_invalid=OnInvalid.FAIL), (5, 0, 9)),
        (Policy(max_invalid_ratio=0.1), (9, 1, 10)),
        (Policy(max_invalid_ratio=0), (0, 0, 0)),
        (Policy(max_recipients=5), (5, 0, 50)),
    ],
)
def test_a_limit_includes_itself(policy: Policy, counts: tuple[int, int, int]) -> None:
    """What just reaches a limit passes, and rows left out on purpose count for none."""
    recipients, invalid, rows = counts

    policy.check(recipients=recipients, invalid=invalid, rows=rows)
