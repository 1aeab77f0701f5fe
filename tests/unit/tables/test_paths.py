"""Where a table may be written, and that it appears whole or not at all."""

import sys
from pathlib import Path

import pytest

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.files import DamagedTableError
from airflow_provider_osonsms.tables.paths import (
    PathUnavailableError,
    check_table_path,
    check_writable,
    is_final_storage_error,
    refuse_same_files,
    replace_file,
    require_pyarrow,
)


@pytest.mark.parametrize("path", ["a/t.csv", Path("t.csv"), "t.x.csv"])
def test_a_path_that_can_be_used(path):
    """A local path with the suffix of a format is taken as it is."""
    assert check_table_path(path, "results_path") == Path(path)


def test_a_path_of_a_storage_is_taken_as_it_is(make_remote_path):
    """Whatever has a suffix and can be opened is a path."""
    path = make_remote_path("t.csv")

    assert check_table_path(path, "results_path") is path


@pytest.mark.parametrize("path", ["t.xlsx", "t", "", ".csv", "t.CSV", None, 5, ["t.csv"], object()])
def test_a_path_that_cannot_be_used(path):
    """Anything else is refused, with the parameter and the suffixes."""
    with pytest.raises(
        InvalidMessageError, match=r"results_path must be a path that ends in .csv or .parquet"
    ):
        check_table_path(path, "results_path")


def test_parquet_needs_pyarrow(monkeypatch):
    """Without pyarrow a Parquet path is refused before anything is sent, with what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(InvalidMessageError, match=r"results_path .* needs pyarrow: pip install"):
        check_table_path("t.parquet", "results_path")
    with pytest.raises(InvalidMessageError, match="or use CSV"):
        require_pyarrow("rejects_path")


def test_a_new_folder_is_made(tmp_path):
    """A place that can be written is made, and left without a trace of the check."""
    path = tmp_path / "2026" / "11" / "t.csv"

    check_writable(path, "results_path")

    assert list(path.parent.iterdir()) == []


def test_a_check_leaves_the_old_table(make_remote_path, bucket):
    """The check writes beside the table, not into it, and takes its own file away."""
    bucket["t.csv"] = b"old"

    check_writable(make_remote_path("t.csv"), "results_path")

    assert bucket == {"t.csv": b"old"}


def test_a_place_under_a_file_is_refused(tmp_path):
    """A place that can never be written ends the task, without naming the place."""
    (tmp_path / "file").write_text("-")

    with pytest.raises(
        InvalidMessageError, match=r"results_path cannot be written \(\w+\): correct"
    ) as caught:
        check_writable(tmp_path / "file" / "t.csv", "results_path")
    assert str(tmp_path) not in str(caught.value)


def test_a_storage_that_is_away_is_tried_again(make_remote_path):
    """A place that cannot be written for now lets a retry begin anew."""

    class AwayPath(type(make_remote_path("t.csv"))):
        def with_name(self, name):
            return make_remote_path(name, fails_after=-1)

    with pytest.raises(PathUnavailableError, match=r"for now \(TimeoutError\)"):
        check_writable(AwayPath("t.csv", {}), "results_path")


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (FileNotFoundError(), True),
        (PermissionError(), True),
        (NotADirectoryError(), True),
        (IsADirectoryError(), True),
        (FileExistsError(), True),
        (ImportError(), True),
        (KeyError("s4"), True),
        (ValueError(), True),
        (DamagedTableError(), True),
        (OSError(), False),
        (TimeoutError(), False),
        (ConnectionError(), False),
        (RuntimeError(), False),
    ],
)
def test_which_errors_are_final(error, is_final):
    """What is wrong with the place is final; what is wrong with the way to it may be over soon."""
    assert is_final_storage_error(error) is is_final


def test_a_file_appears_when_it_is_whole(tmp_path):
    """While a file is written the old one is there, and afterwards the new one alone."""
    path = tmp_path / "t.csv"
    path.write_text("old")
    with replace_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("-"), KeyboardInterrupt(), SystemExit()])
def test_a_file_that_is_not_whole_never_appears(tmp_path, error):
    """After any error the old file is there, and no draft."""
    path = tmp_path / "t.csv"
    path.write_text("old")

    def write_half():
        with replace_file(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    """What a link leads to is replaced, and the link leads there still."""
    target, link = tmp_path / "real" / "t.csv", tmp_path / "link.csv"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    with replace_file(link) as file:
        file.write(b"new")

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_two_writers_do_not_meet(tmp_path):
    """Two tasks that write to one place have a draft each; the last one stays."""
    path = tmp_path / "t.csv"
    with replace_file(path) as first, replace_file(path) as second:
        second.write(b"second")
        first.write(b"first")

    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_an_upload_begins_when_the_file_is_whole(make_remote_path, bucket):
    """Nothing is uploaded before all is written: an object storage shows what it has when it is closed."""
    path = make_remote_path("t.csv")
    with replace_file(path) as file:
        file.write(b"new")
        assert (path.uploads, bucket) == ([], {})

    assert bucket == {"t.csv": b"new"}


def test_an_upload_that_fails_is_discarded(make_remote_path, bucket):
    """A file that is closed after an error would complete its upload: it is discarded instead."""
    bucket["t.csv"] = b"old"
    path = make_remote_path("t.csv", fails_after=4)

    with pytest.raises(TimeoutError), replace_file(path) as file:
        file.write(b"new, and longer")

    (upload,) = path.uploads
    assert upload.is_discarded
    upload.close()
    assert bucket == {"t.csv": b"old"}


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("{0}/a.csv", "{0}/./a.csv"),
        ("{0}/a.csv", "{0}//a.csv"),
        ("{0}/a.csv", "{0}/x/../a.csv"),
        ("{0}/a.csv", "{0}/link/a.csv"),
        ("{0}/a.csv", "file://{0}/a.csv"),
        ("s3://bucket/x/a.csv", "s3://bucket/x//a.csv"),
        ("s3://bucket/x/a.csv", "s3://bucket/./x/a.csv"),
        ("s3://bucket/x/a.csv", "s3://aws_default@bucket/x/a.csv"),
        ("s3://bucket/x/a.csv", "S3://bucket/x/a.csv"),
    ],
)
def test_one_file_in_other_spellings(tmp_path, path, other):
    """Two parameters that name one file, however they spell it, are refused."""
    (tmp_path / "link").symlink_to(tmp_path)
    first, second = {"a_path": path.format(tmp_path), "none": None}, {"b_path": other.format(tmp_path)}

    for written, read in ((second | first, {}), (first, second)):
        with pytest.raises(InvalidMessageError, match="a_path and b_path are one file"):
            refuse_same_files(written, read=read)
    refuse_same_files({}, read=first | second)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        *(("/a.csv", "/b.csv"), ("s3://x/a.csv", "s3://y/a.csv")),
        *(("s3://x/a.csv", "gs://x/a.csv"), ("a.csv", None)),
    ],
)
def test_two_files(path, other):
    """Other files are other files."""
    refuse_same_files({"report_path": path, "list": other}, read={})
