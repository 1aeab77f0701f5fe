"""What the whole suite has said, searched for what must never be said; runs last."""

import re
from typing import Any

import pytest

_URL = re.compile(r"https?://|\.php\b|str_hash=|bulk-sms/create")
_PHONE = re.compile(r"(?<!\d)992\d{9}(?!\d)")


def test_nothing_secret_was_said(ear: Any, request: pytest.FixtureRequest) -> None:
    """No log line, error text or XCom of the suite holds a secret, a hash, a URL or a phone."""
    if len({item.path for item in request.session.items}) == 1:
        pytest.skip("run with the other tests: alone there is nothing to search")
    assert len(ear.heard) > 100
    assert ear.secrets

    leaks = [
        (source, text[:300])
        for source, text in ear.heard
        if any(secret in text for secret in ear.secrets) or _URL.search(text) or _PHONE.search(text)
    ]

    assert not leaks, f"{len(leaks)} leaks, such as {leaks[:5]}"
