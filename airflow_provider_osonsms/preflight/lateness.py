"""The limit on how late a run may be: a catch-up must not send yesterday's messages."""

from datetime import datetime, timedelta


def explain_lateness(max_lateness: timedelta | None, *, due: datetime, now: datetime) -> str | None:
    """Return why a run that was due at *due* is too late at *now*; None if it is not too late."""
    if max_lateness is None or now - due <= max_lateness:
        return None
    late = timedelta(seconds=round((now - due).total_seconds()))
    return f"this run was due {late} ago and max_lateness is {max_lateness}"
