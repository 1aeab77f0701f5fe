"""The files of a bulk job: the same people give the same bytes."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.bulk_csv import split_into_files
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"
PHONES = st.lists(st.from_regex(r"\A992[0-9]{9}\Z"), unique=True)


def test_the_bytes_of_a_file() -> None:
    """A file is one sorted column without header and BOM, LF after each phone, and its SHA-256."""
    (file,) = split_into_files([B, A])

    assert file.content == b"992900000001\n992900000002\n"
    assert file.recipients == 2
    # printf '992900000001\n992900000002\n' | sha256sum
    assert file.digest == "e807396f7757535e9351919366f95615629e737b2055193399521cad627195b8"


@given(PHONES, st.integers(min_value=13, max_value=70))
def test_the_files_are_the_sorted_phones(phones: list[str], max_bytes: int) -> None:
    """The files together are the sorted phones, each within the limit and none empty."""
    files = list(split_into_files(phones, max_bytes=max_bytes))

    assert b"".join(file.content for file in files).decode().split() == sorted(phones)
    assert all(0 < len(file.content) <= max_bytes for file in files)
    assert sum(file.recipients for file in files) == len(phones)


@given(PHONES, st.randoms())
def test_the_order_of_a_query_does_not_matter(phones: list[str], random: Random) -> None:
    """The same people give the same files in whatever order they come."""
    shuffled = random.sample(phones, len(phones))

    assert list(split_into_files(shuffled, max_bytes=40)) == list(split_into_files(phones, max_bytes=40))


def test_a_digest_depends_on_its_own_file() -> None:
    """People behind a full file do not change that file."""
    alone = next(split_into_files([A, B], max_bytes=26))
    first, second = split_into_files([A, B, C], max_bytes=26)

    assert first == alone
    assert second.digest != first.digest


def test_how_many_fit_one_file() -> None:
    """384,615 phones fit the gateway's limit and one more begins a second file."""
    phones = [f"992{number:09}" for number in range(384_616)]

    assert [(file.recipients, len(file.content)) for file in split_into_files(phones)] == [
        (384_615, 4_999_995),
        (1, 13),
    ]


def test_no_phones_make_no_file() -> None:
    """An empty audience makes no file: the gateway would refuse one."""
    assert list(split_into_files([])) == []


def test_a_repr_shows_no_phone() -> None:
    """What a log prints of a file holds no phone."""
    (file,) = split_into_files([A])

    assert A not in repr(file)


@pytest.mark.parametrize(
    "phone", ["900000001", "+992900000001", "", "992900000001\n992900000002", "99290000000١"]
)
def test_only_prepared_phones_are_written(phone: str) -> None:
    """What is not an MSISDN is never written to a file, and the error does not show it."""
    with pytest.raises(InvalidMessageError, match="12 digits") as error:
        list(split_into_files([A, phone]))

    assert "0000" not in str(error.value)


def test_a_limit_below_one_line_is_an_error() -> None:
    """A limit that no phone fits is refused before anything is written."""
    with pytest.raises(InvalidMessageError, match="12 bytes"):
        split_into_files([A], max_bytes=12)
