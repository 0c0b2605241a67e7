"""Where does a chunk wait until it is counted?

In one Arrow IPC file, uncompressed, its rows grouped by bucket, so that any Arrow reader opens it.  Where each
column begins in the file is noted once, and a bucket is then read by position: one system call
a column, into the place where it is wanted, and no page of it stays mapped.

What its bytes sum up to (CRC-32) is noted, too.  Whoever wrote a file reads it back as it is; whoever finds one that
somebody else left, sums it up once before the first row of it counts.
"""

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.errors import CustodyError
from riparian.ports import ABSENT, Arrays
from riparian.stores.arrange import Arranged, dtype_of
from riparian.stores.files import write_whole

_SUM: Final = ""
"""Where among the columns' beginnings the sum of the file stands."""
_BLOCK_BYTES: Final = 1 << 20
_SOUND_MOST: Final = 4096
_sound: dict[Path, None] = {}
"""Files that this process wrote, or has summed up, the latest of them; no name is used twice."""


@dataclass(frozen=True, slots=True)
class Staged:
    """One staged file, and where in it what begins.

    Parameters
    ----------
    path
        The file.
    begins
        For each column, its first byte in the file; and under no name what the bytes of the file sum up to.
    offsets
        Of rows, by bucket [shape=(BUCKETS + 1,), int64].
    """

    path: Path
    begins: dict[str, int]
    offsets: NDArray[np.int64]


def write_staged(path: Path, rows: Arranged) -> Staged:
    """Keep arranged rows, and note where each column begins."""
    arrays = [pa.array(column) for column in rows.columns.values()]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(rows.columns))

    def write(file: Any) -> None:
        with pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)

    write_whole(path, write)
    _note_sound(path)
    return Staged(path, _begins(path) | {_SUM: _sum_of(path)} if batch.num_rows else {}, rows.offsets)


def _begins(path: Path) -> dict[str, int]:
    with pa.memory_map(str(path)) as source:
        whole = source.read_buffer()
        batch = pa.ipc.open_file(pa.BufferReader(whole)).get_batch(0)
        return {
            name: column.buffers()[1].address - whole.address
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        }


def _sum_of(path: Path) -> int:
    summed = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            summed = zlib.crc32(block, summed)
    return summed


def _note_sound(path: Path) -> None:
    _sound[path] = None
    while len(_sound) > _SOUND_MOST:
        del _sound[next(iter(_sound))]


def _require_sound(chunk: Staged) -> None:
    if chunk.path in _sound:
        return
    # One from before there were sums is taken as it is.
    if _SUM in chunk.begins and _sum_of(chunk.path) != chunk.begins[_SUM]:
        raise CustodyError(
            f"`{chunk.path.name}` is not what was written: its bytes do not sum up to what was noted",
            hint="Restore the workspace from a backup, or scan the logs into a new one.",
        )
    _note_sound(chunk.path)


def read_bucket(chunks: Sequence[Staged], bucket: int, *names: str) -> Arrays:
    """Read one bucket's rows out of every chunk, in the order of the chunks; all columns or those named.

    Raises
    ------
    CustodyError
        When a file is not what was written.
    """
    counts = [int(chunk.offsets[bucket + 1] - chunk.offsets[bucket]) for chunk in chunks]
    there = [name for name in ABSENT if any(name in chunk.begins for chunk in chunks)]
    columns: Arrays = {
        name: np.empty(sum(counts), dtype_of(name)) for name in names or there or ("at_us", "account", "recording")
    }
    first = 0
    for chunk, count in zip(chunks, counts, strict=True):
        if count:
            _require_sound(chunk)
            _read_rows(chunk, int(chunk.offsets[bucket]), {n: c[first : first + count] for n, c in columns.items()})
        first += count
    return columns


def _read_rows(chunk: Staged, row: int, columns: Arrays) -> None:
    handle = os.open(chunk.path, os.O_RDONLY)
    try:
        for name, column in columns.items():
            if name not in chunk.begins:
                column.fill(ABSENT[name])
                continue
            at = chunk.begins[name] + row * column.itemsize
            if not _fill(handle, column.view(np.uint8).data, at):
                raise CustodyError(
                    f"`{chunk.path.name}` is shorter than it was written",
                    hint="Restore the workspace from a backup, or scan the logs into a new one.",
                )
    finally:
        os.close(handle)


def _fill(handle: int, room: memoryview, at: int) -> bool:
    while room:
        n = os.preadv(handle, [room], at)
        if n == 0:
            return False
        room, at = room[n:], at + n
    return True


def read_whole(chunk: Staged) -> Arranged:
    """Read all rows of a chunk."""
    parts = [read_bucket([chunk], bucket) for bucket in range(BUCKETS)]
    return Arranged({name: np.concatenate([p[name] for p in parts]) for name in parts[0]}, chunk.offsets)
