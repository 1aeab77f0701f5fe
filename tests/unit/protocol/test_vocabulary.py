"""The words and what they mean for somebody who waits."""

from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.protocol.vocabulary import (
    MAX_BULK_FILE_BYTES,
    STATUS_BY_CODE,
    TAJIK_TIME,
    TIMESTAMP_FORMAT,
    DeliveryStatus,
)

TERMINAL = {"DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED"}
DOUBTFUL = {"UNKNOWN", "NOT_FOUND"}


@pytest.mark.parametrize("status", DeliveryStatus)
def test_is_terminal(status: DeliveryStatus) -> None:
    """Exactly the five final words of §3.2 are terminal: ACCEPTED and UNKNOWN are not."""
    assert status.is_terminal is (status.value in TERMINAL)


@pytest.mark.parametrize("status", DeliveryStatus)
def test_is_delivered(status: DeliveryStatus) -> None:
    """Only DELIVERED is a success."""
    assert status.is_delivered is (status.value == "DELIVERED")


@pytest.mark.parametrize("status", DeliveryStatus)
def test_is_doubtful(status: DeliveryStatus) -> None:
    """UNKNOWN and a lost msg_id are believed only after several sightings, and are never terminal."""
    assert status.needs_confirmation is (status.value in DOUBTFUL)
    assert not (status.needs_confirmation and status.is_terminal)


def test_codes_name_the_eight_words_of_the_protocol() -> None:
    """Each documented status has one code, and our own two words have none (wire-notes, "Statuses")."""
    own = {DeliveryStatus.UNRECOGNIZED, DeliveryStatus.NOT_FOUND}

    assert sorted(STATUS_BY_CODE) == list(range(1, 9))
    assert sorted(STATUS_BY_CODE.values()) == sorted(set(DeliveryStatus) - own)


def test_the_clock_of_dushanbe() -> None:
    """Wall time is five hours ahead of UTC and written as §5.1 wants it (wire-notes, "Timestamps")."""
    moment = datetime(2026, 11, 23, 20, 30, 5, tzinfo=UTC)

    assert moment.astimezone(TAJIK_TIME).strftime(TIMESTAMP_FORMAT) == "2026-11-24 01:30:05"


def test_a_bulk_file_holds_384_615_phones() -> None:
    """5 MB are taken for 5,000,000 bytes of 13-byte lines (§5.1)."""
    assert MAX_BULK_FILE_BYTES // len("992900001234\n") == 384_615
