"""What outlives a try of the model: a state store and a storage of files; both may fail or be wiped."""

import io
import json
from collections.abc import Callable
from typing import Any

from model_gateway import find_msg_ids


class _Memory:
    """Fails when told to.

    Attributes:
        failures: How many of the next writings fail.
        is_failing: Whether the last one has failed.
        tracked: The msg_ids that were written here and were not wiped since.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.is_failing = False
        self.tracked: set[str] = set()

    def _write(self, content: bytes) -> None:
        self.is_failing = self.failures > 0
        if self.is_failing:
            self.failures -= 1
            raise ConnectionError("the storage is away")
        self.tracked |= find_msg_ids(content)


class Store(_Memory):
    """A task state store, whose values survive retries and a *Clear*."""

    is_lasting = True

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    def get(self, key: str) -> Any:
        """Return a copy of the value under *key*."""
        return json.loads(self.values.get(key, "null"))

    def set(self, key: str, value: Any) -> None:
        """Store a copy of *value*."""
        written = json.dumps(value)
        self._write(written.encode())
        self.values[key] = written

    def wipe(self) -> None:
        """Forget everything."""
        self.values.clear()
        self.tracked.clear()


class Files(_Memory):
    """A storage of files by path.

    Attributes:
        is_sticky: Whether nothing can be removed for now.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_sticky = False
        self.contents: dict[str, bytes] = {}
        self._written: list[tuple[str, set[str]]] = []

    def tracked_below(self, prefix: str) -> set[str]:
        """Return the msg_ids that were written to paths with *prefix* and were not wiped since."""
        found = [msg_ids for path, msg_ids in self._written if path.startswith(prefix)]
        return set().union(*found)

    def put(self, path: str, content: bytes) -> None:
        """Let *path* hold *content*."""
        self._write(content)
        self.contents[path] = content
        self._written.append((path, find_msg_ids(content)))

    def wipe(self, prefix: str, *, but: str = "\0") -> None:
        """Remove what begins with *prefix*, and does not begin with *but*."""
        for path in list(self.contents):
            if path.startswith(prefix) and not path.startswith(but):
                del self.contents[path]
        self._written = [(path, find_msg_ids(content)) for path, content in self.contents.items()]


class MortalStore:
    """A store as one try sees it: when the try is dead, nothing is read or written any more."""

    def __init__(self, store: Store, check: Callable[[], None]) -> None:
        self.is_lasting = store.is_lasting
        self._store = store
        self._check = check

    def get(self, key: str) -> Any:
        """Return a copy of the value under *key*."""
        self._check()
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store a copy of *value*."""
        self._check()
        self._store.set(key, value)


class ModelPath:
    """A path of `Files` as one try sees it, with the methods of Airflow's ObjectStoragePath that are used."""

    def __init__(self, files: Files, path: str, check: Callable[[], None] = lambda: None) -> None:
        self._files = files
        self._path = path
        self._check = check

    def __str__(self) -> str:
        return self._path

    def __truediv__(self, name: str) -> "ModelPath":
        return self._at(f"{self._path}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self._path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The end of the name, with its dot."""
        return f".{self.name.rpartition('.')[2]}"

    @property
    def parent(self) -> "ModelPath":
        """The folder."""
        return self._at(self._path.rpartition("/")[0])

    def with_name(self, name: str) -> "ModelPath":
        """Return the path of *name* in the same folder."""
        return self.parent / name

    def mkdir(self, **_options: bool) -> None:
        """Do nothing: there are no folders."""

    def rmdir(self) -> None:
        """Do nothing: there are no folders."""

    def exists(self) -> bool:
        """Say whether there is a file."""
        self._check()
        return self._path in self._files.contents

    def is_dir(self) -> bool:
        """Say whether something is below it."""
        self._check()
        return any(path.startswith(f"{self._path}/") for path in self._files.contents)

    def iterdir(self) -> "list[ModelPath]":
        """Return the files below it."""
        return [self._at(path) for path in self._files.contents if path.startswith(f"{self._path}/")]

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the file."""
        self._check()
        if self._files.is_sticky:
            raise ConnectionError("the storage is away")
        if self._files.contents.pop(self._path, None) is None and not missing_ok:
            raise FileNotFoundError(self._path)

    def open(self, mode: str) -> io.BytesIO:
        """Open the file to be read, or to be replaced when it is closed."""
        self._check()
        return io.BytesIO(self._files.contents[self._path]) if mode == "rb" else _Upload(self)

    def put(self, content: bytes) -> None:
        """Let it hold *content*."""
        self._check()
        self._files.put(self._path, content)

    def _at(self, path: str) -> "ModelPath":
        return ModelPath(self._files, path, self._check)


class _Upload(io.BytesIO):
    """Shows a file once it is closed."""

    def __init__(self, path: ModelPath) -> None:
        super().__init__()
        self._target = path

    def discard(self) -> None:
        """Show nothing."""
        super().close()

    def close(self) -> None:
        """Show the file."""
        if not self.closed:
            content = self.getvalue()
            super().close()
            self._target.put(content)
