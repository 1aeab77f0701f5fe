"""How late a run may be: a catch-up must not text about yesterday."""

from datetime import datetime, timedelta


def check_lateness(max_lateness: timedelta | None, *, due: datetime, now: datetime) -> str | None:
    """Return why a run that was due at *due* is too late at *now*; None when it is not."""
    if max_lateness is None or now - due <= max_lateness:
        return None
    late = timedelta(seconds=round((now - due).total_seconds()))
    return f"this run was due {late} ago and max_lateness is {max_lateness}"
