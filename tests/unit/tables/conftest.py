"""Places for tables: on this machine, in memory, and in a storage that shows an object when it is whole."""

import importlib.util
import io

import pytest

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None


class MemoryPath:
    """A file in memory, for reading."""

    def __init__(self, content, suffix=".csv"):
        self.content = content
        self.suffix = suffix

    def open(self, mode):
        """Open it."""
        assert mode == "rb"
        return io.BytesIO(self.content)


class Upload(io.BytesIO):
    """An upload that is completed when it is closed, and never after it was discarded.

    Args:
        complete: Told the content.
        fails_after: Bytes that the network takes; None for all.
    """

    def __init__(self, complete, *, fails_after=None):
        super().__init__()
        self.is_discarded = False
        self._complete = complete
        self._fails_after = fails_after

    def write(self, data):
        """Take in some bytes, or fail."""
        if self._fails_after is not None and self.tell() + len(data) > self._fails_after:
            raise TimeoutError("the storage does not answer")
        return super().write(data)

    def discard(self):
        """Forget what was uploaded."""
        self.is_discarded = True

    def close(self):
        """Complete the upload."""
        if not self.closed and not self.is_discarded:
            self._complete(self.getvalue())
        super().close()


class RemotePath:
    """A path of an object storage: what it holds is shared by all paths of a bucket."""

    def __init__(self, name, bucket, *, fails_after=None):
        self.name = name
        self.suffix = name[name.rindex(".") :]
        self.bucket = bucket
        self.parent = self
        self.uploads = []
        self._fails_after = fails_after

    def mkdir(self, *, parents, exist_ok):
        """Do nothing: a bucket has no folders."""

    def with_name(self, name):
        """Return another path of the same bucket."""
        return RemotePath(name, self.bucket)

    def unlink(self):
        """Delete the object."""
        del self.bucket[self.name]

    def open(self, mode):
        """Open the object, or begin its upload."""
        if mode == "rb":
            return io.BytesIO(self.bucket[self.name])
        upload = Upload(
            lambda content: self.bucket.__setitem__(self.name, content), fails_after=self._fails_after
        )
        self.uploads.append(upload)
        return upload


@pytest.fixture(scope="session")
def make_memory_path():
    """Make a file in memory."""
    return MemoryPath


@pytest.fixture
def bucket():
    """The objects of a storage, by name."""
    return {}


@pytest.fixture
def make_remote_path(bucket):
    """Make a path in that storage."""

    def make(name, **given):
        return RemotePath(name, bucket, **given)

    return make


@pytest.fixture(
    scope="session",
    params=[
        ".csv",
        pytest.param(
            ".parquet", marks=pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow is not installed")
        ),
    ],
)
def suffix(request):
    """The suffix of each format."""
    return request.param


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder on this machine, for tests that write many tables one after the other."""
    return tmp_path_factory.mktemp("tables")
