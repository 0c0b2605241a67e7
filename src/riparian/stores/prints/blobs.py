"""Where do peaks and shards lie: in files of a folder, or in memory?

Peaks are appended to segments; shards are written once.  Neither counts until a row of the ledger refers to it.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.errors import CustodyError
from riparian.stores.files import UNFINISHED, reaching, synchronise

SEGMENT_BYTES: Final = 256 << 20
_MODE: Final = 0o600


@dataclass(slots=True, eq=False)
class Making:
    """A shard that is being written: its name, room that is all zeros, and how much of that it takes."""

    name: str
    octets: NDArray[np.uint8]
    length: int = 0


class Blobs(Protocol):
    """Bytes by name."""

    def append(self, segment: int, at: int, octets: Sequence[bytes]) -> None:
        """Write runs of bytes one after another from a place in a segment, over whatever stands there."""
        ...

    def read(self, segment: int, at: int, n: int) -> bytes:
        """Read bytes of a segment."""
        ...

    def wipe(self, segment: int, at: int, n: int) -> None:
        """Write zeros over bytes of a segment."""
        ...

    def making(self, room: int) -> AbstractContextManager[Making]:
        """Make a shard of at most so many bytes; it is there at the end."""
        ...

    def shard(self, name: str) -> NDArray[np.uint8]:
        """Give the bytes of a shard."""
        ...

    def sweep(self, wanted: set[str]) -> None:
        """Remove every shard but these."""
        ...


class FolderBlobs:
    """Bytes in files."""

    def __init__(self, folder: Path) -> None:
        self._peaks, self._shards = folder / "peaks", folder / "shards"
        for each in (self._peaks, self._shards):
            each.mkdir(mode=0o700, exist_ok=True)

    def _segment(self, segment: int) -> Path:
        return self._peaks / f"{segment:06d}.peaks"

    def append(self, segment: int, at: int, octets: Sequence[bytes]) -> None:
        """See :class:`Blobs`."""
        path = self._segment(segment)
        is_new = not path.exists()
        handle = os.open(path, os.O_CREAT | os.O_RDWR, _MODE)
        try:
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            with os.fdopen(handle, "wb", closefd=False) as file:
                file.writelines(octets)
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            synchronise(self._peaks)

    def read(self, segment: int, at: int, n: int) -> bytes:
        """See :class:`Blobs`."""
        handle = os.open(self._segment(segment), os.O_RDONLY)
        try:
            octets = os.pread(handle, n, at)
        finally:
            os.close(handle)
        if len(octets) < n:
            raise CustodyError(
                f"`{self._segment(segment).name}` ends before its print does, wanted all of it",
                hint="Restore it from a backup, or delete the recording and add it again.",
            )
        return octets

    def wipe(self, segment: int, at: int, n: int) -> None:
        """See :class:`Blobs`."""
        handle = os.open(self._segment(segment), os.O_RDWR)
        try:
            os.pwrite(handle, bytes(n), at)
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def making(self, room: int) -> Iterator[Making]:
        """See :class:`Blobs`."""
        name = f"{secrets.token_hex(8)}.shard"
        unfinished = self._shards / f"{name}{UNFINISHED}"
        handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE)
        try:
            os.ftruncate(handle, room)
            octets = np.memmap(unfinished, np.uint8, "r+", shape=(room,))
            making = Making(name, octets)
            yield making
            octets.flush()
            os.ftruncate(handle, making.length)
            os.fsync(handle)
            unfinished.replace(self._shards / name)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        synchronise(self._shards)

    def shard(self, name: str) -> NDArray[np.uint8]:
        """See :class:`Blobs`."""
        return np.memmap(self._shards / name, np.uint8, "r")

    def sweep(self, wanted: set[str]) -> None:
        """See :class:`Blobs`."""
        with reaching("removing shards of the index that were merged"):
            for path in self._shards.iterdir():
                if path.name not in wanted:
                    path.unlink(missing_ok=True)


class MemoryBlobs:
    """Bytes in memory."""

    def __init__(self) -> None:
        self._segments: dict[int, bytearray] = {}
        self._shards: dict[str, NDArray[np.uint8]] = {}

    def append(self, segment: int, at: int, octets: Sequence[bytes]) -> None:
        """See :class:`Blobs`."""
        held = self._segments.setdefault(segment, bytearray())
        del held[at:]
        held += b"".join(octets)

    def read(self, segment: int, at: int, n: int) -> bytes:
        """See :class:`Blobs`."""
        return bytes(self._segments[segment][at : at + n])

    def wipe(self, segment: int, at: int, n: int) -> None:
        """See :class:`Blobs`."""
        self._segments[segment][at : at + n] = bytes(n)

    @contextlib.contextmanager
    def making(self, room: int) -> Iterator[Making]:
        """See :class:`Blobs`."""
        making = Making(secrets.token_hex(8), np.zeros(room, np.uint8))
        yield making
        self._shards[making.name] = making.octets[: making.length]

    def shard(self, name: str) -> NDArray[np.uint8]:
        """See :class:`Blobs`."""
        return self._shards[name]

    def sweep(self, wanted: set[str]) -> None:
        """See :class:`Blobs`."""
        self._shards = {name: octets for name, octets in self._shards.items() if name in wanted}
