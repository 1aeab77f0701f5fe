"""A limiter that spreads requests evenly over time."""

from collections.abc import Awaitable, Callable


def make_limiter(max_rate: float | None) -> Callable[[], Awaitable[None]] | None:
    """Return a coroutine function to await before each request, so that they are evenly spread; or None.

    Args:
        max_rate: Requests per second at most; None for no limit.
    """
    if max_rate is None:
        return None
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(1, 1 / max_rate)
    return limiter.acquire
