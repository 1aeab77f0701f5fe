"""Requests at an even rate."""

from collections.abc import Awaitable, Callable


def make_limiter(max_rate: float | None) -> Callable[[], Awaitable[None]] | None:
    """Make what lets one request pass at a time, evenly; None without a limit.

    Args:
        max_rate: Requests per second at most.
    """
    if max_rate is None:
        return None
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(1, 1 / max_rate)
    return limiter.acquire
