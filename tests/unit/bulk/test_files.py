"""The files of a bulk job: the same people give the same bytes."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.bulk.files import split_into_files
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = 992900000001, 992900000002, 992900000003
PHONES = st.lists(st.integers(992_000_000_000, 992_999_999_999), unique=True)


def test_the_bytes_of_a_file() -> None:
    """A file is one sorted column without header and BOM, LF after each phone, and its SHA-256."""
    (file,) = split_into_files(np.array([B, A], dtype=np.int64))

    assert file.content == b"992900000001\n992900000002\n"
    assert file.recipients == 2
    # printf '992900000001\n992900000002\n' | sha256sum
    assert file.digest == "e807396f7757535e9351919366f95615629e737b2055193399521cad627195b8"


@given(PHONES, st.integers(min_value=13, max_value=70))
def test_the_files_are_the_sorted_phones(phones: list[int], max_bytes: int) -> None:
    """The files together are the sorted phones, each within the limit and none empty."""
    files = list(split_into_files(np.array(phones, dtype=np.int64), max_bytes=max_bytes))

    assert b"".join(file.content for file in files).split() == [b"%d" % phone for phone in sorted(phones)]
    assert all(0 < len(file.content) <= max_bytes for file in files)
    assert sum(file.recipients for file in files) == len(phones)


@given(PHONES, st.randoms())
def test_the_order_of_a_query_does_not_matter(phones: list[int], random: Random) -> None:
    """The same people give the same files in whatever order they come."""
    shuffled = random.sample(phones, len(phones))

    assert list(split_into_files(np.array(shuffled, dtype=np.int64), max_bytes=40)) == list(
        split_into_files(np.array(phones, dtype=np.int64), max_bytes=40)
    )


def test_a_digest_depends_on_its_own_file() -> None:
    """People behind a full file do not change that file."""
    alone = next(split_into_files(np.array([A, B], dtype=np.int64), max_bytes=26))
    first, second = split_into_files(np.array([A, B, C], dtype=np.int64), max_bytes=26)

    assert first == alone
    assert second.digest != first.digest


def test_how_many_fit_one_file() -> None:
    """384,615 phones fit the gateway's limit and one more begins a second file."""
    phones = range(992_000_000_000, 992_000_384_616)

    assert [
        (file.recipients, len(file.content)) for file in split_into_files(np.array(phones, dtype=np.int64))
    ] == [
        (384_615, 4_999_995),
        (1, 13),
    ]


def test_no_phones_make_no_file() -> None:
    """An empty audience makes no file: the gateway would refuse one."""
    assert list(split_into_files(np.array([], dtype=np.int64))) == []


def test_a_repr_shows_no_phone() -> None:
    """What a log prints of a file holds no phone."""
    (file,) = split_into_files(np.array([A], dtype=np.int64))

    assert str(A) not in repr(file)


@pytest.mark.parametrize("phone", [0, -1, 900000001, 991999999999, 993000000000, 9929000000010])
def test_only_prepared_phones_are_written(phone: int) -> None:
    """What is not an MSISDN is never written to a file, and the error does not show it."""
    with pytest.raises(InvalidMessageError, match="12 digits") as error:
        list(split_into_files(np.array([A, phone], dtype=np.int64)))

    assert "0000" not in str(error.value)


def test_a_limit_below_one_line_is_an_error() -> None:
    """A limit that no phone fits is refused before anything is written."""
    with pytest.raises(InvalidMessageError, match="12 bytes"):
        split_into_files(np.array([A], dtype=np.int64), max_bytes=12)
