"""What do the adapters of a workspace share: the folder, its database, its lock, its visible files?"""

# ruff: noqa: S608  a table is one of two words

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from riparian.errors import LifecycleError
from riparian.stores.alone import SCAN, locked_alone
from riparian.stores.files import reaching, sweep
from riparian.stores.names import Names
from riparian.stores.recorded import Recorded

_TRIES: Final = 5

T = TypeVar("T")


@dataclass(slots=True)
class Folder:
    """The folder, its database and its lock; what the adapters share."""

    path: Path
    records: Recorded
    names: Names
    key: bytes
    locked: bool = field(default=False)

    def require_lock(self) -> None:
        """Refuse to write outside a scan."""
        if not self.locked:
            raise LifecycleError("the workspace is not locked, wanted `world.scans.alone()` around a scan")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Lock out every other scan, in this process or another."""
        busy = LifecycleError(
            f"another scan is running on `{self.path}`, wanted one at a time",
            hint="Wait until it has ended, or give this one another --workspace.",
        )
        with locked_alone(self.path / SCAN, "locking the workspace", busy):
            self.locked = True
            try:
                self.sweep()
                yield
            finally:
                self.locked = False

    def sweep(self) -> None:
        """Remove files that no row refers to."""
        with reaching("sweeping the workspace"):
            rows = self.records.rows("SELECT file FROM chunk UNION SELECT file FROM draft UNION SELECT file FROM kept")
            wanted = {file for (file,) in rows if file is not None}
            for name in ("staged", "drawers"):
                sweep(self.path / name, {Path(file).name for file in wanted if file.startswith(f"{name}/")})

    def new(self, folder: str, stem: str, suffix: str) -> str:
        """Name a file that was never there before."""
        return f"{folder}/{stem}-{secrets.token_hex(4)}.{suffix}"

    def visible(self, bucket: int, read: Callable[[Path], T]) -> T | None:
        """Read a bucket as of the last commit; None where there is none.

        A commit may take the file away between the look at its name and at its bytes: then there is
        another name.
        """
        with reaching("reading the workspace"):
            for _ in range(_TRIES - 1):
                with contextlib.suppress(FileNotFoundError):
                    return self._read("kept", bucket, read)
            return self._read("kept", bucket, read)

    def drafted(self, bucket: int, read: Callable[[Path], T]) -> T | None:
        """Read a bucket of the generation in the making; None where there is none."""
        with reaching("reading the workspace"):
            return self._read("draft", bucket, read)

    def _read(self, place: str, bucket: int, read: Callable[[Path], T]) -> T | None:
        found = self.records.rows(f"SELECT file FROM {place} WHERE bucket = ?", bucket)
        return read(self.path / found[0][0]) if found else None
