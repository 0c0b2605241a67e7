"""Where does the map of what is ours lie, when it is too large to be made each time?

In a folder of the workspace, as files that are mapped to memory: rows as the catalogue has them and as they are
compared (Arrow), words and keys (NumPy).  It is made in parts, with memory for a batch of rows and a part of
the keys, and takes its place when it is whole and on disk; whoever is killed before leaves the old one.  ``head.json``
says of which state of the catalogue it is and which version made it; for another state, it is made anew.  Only one
process at a time makes or opens it (``map.lock``): nobody sweeps what another is writing, or opens half of two maps.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.errors import CustodyError
from riparian.metadata.index import (
    PARTS,
    VERSION,
    Filed,
    Map,
    bucket_bits,
    count_buckets,
    divided,
    file_part,
    rest_of,
)
from riparian.metadata.keys import Vocabulary, keys
from riparian.metadata.normalise import NORMAL, normalise
from riparian.stores.files import UNFINISHED, reaching, synchronise

NAME: Final = "map"
_HEAD: Final = "head.json"
_ROWS: Final = 1 << 18
"""Rows that are in memory at once."""

_SMALL: Final = 1 << 16

Told = Callable[[str, int, int], None]


def open_map(folder: Path, state: str, batches: Callable[[], Iterable[pa.RecordBatch]], told: Told) -> Map:
    """Open the map of a catalogue, after making it where it is not there or of another state.

    Parameters
    ----------
    folder
        Of the workspace; the map lies in ``map`` below it.
    state
        Of the catalogue: another one whenever any recording changed.
    batches
        Gives all recordings, of schema ``RECORDING``.
    told
        Is told the stage, how much of it is done, and of how much; 0 where that is not known.

    Raises
    ------
    OutsideError
        When the disk refuses.
    CustodyError
        When the map is damaged.
    """
    wanted = {"version": VERSION, "state": state}
    with reaching("making the map of the catalogue"), _alone(folder, told):
        if _head(folder / NAME) != wanted:
            _replace(folder, wanted, batches, told)
        return _opened(folder / NAME)


@contextlib.contextmanager
def _alone(folder: Path, told: Told) -> Iterator[None]:
    handle = os.open(folder / f"{NAME}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told("waiting for another process", 0, 0)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(
    folder: Path, head: Mapping[str, object], batches: Callable[[], Iterable[pa.RecordBatch]], told: Told
) -> None:
    """Make a map beside the old one, and put it in its place when all of it is on disk."""
    for leftover in folder.glob(f"{NAME}.*{UNFINISHED}"):
        shutil.rmtree(leftover, ignore_errors=True)
    place, made = folder / NAME, folder / f"{NAME}.{secrets.token_hex(4)}{UNFINISHED}"
    made.mkdir(mode=0o700)
    try:
        _make(made, batches, told)
        (made / _HEAD).write_text(json.dumps(head), encoding="utf-8")
        for path in (*made.iterdir(), made):
            # Files and folders alike: what it opens, it puts on disk.
            synchronise(path)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    synchronise(folder)


def _head(place: Path) -> Any:
    try:
        return json.loads((place / _HEAD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # There is none yet, or it is no map: either way it is made anew.
        return None


def _make(place: Path, batches: Callable[[], Iterable[pa.RecordBatch]], told: Told) -> None:
    _write_rows(place, batches, told)
    vocabulary = Vocabulary.of_rows(_tables(place / "normal.arrow"))
    for name in ("word", "rows", "less", "of"):
        np.save(place / f"{name}.npy", getattr(vocabulary, name))
    parts = place / "parts"
    parts.mkdir()
    n = _write_parts(parts, place, vocabulary, told)
    _write_keys(place, parts, n, told)
    shutil.rmtree(parts)


def _write_rows(place: Path, batches: Callable[[], Iterable[pa.RecordBatch]], told: Told) -> None:
    n = 0
    with contextlib.ExitStack() as stack:
        source: pa.RecordBatchFileWriter | None = None
        normal = stack.enter_context(pa.ipc.new_file(place / "normal.arrow", NORMAL))
        for table in _regrouped(batches()):
            if source is None:
                source = stack.enter_context(pa.ipc.new_file(place / "source.arrow", table.schema))
            source.write_table(table.combine_chunks())
            normal.write_table(normalise(table).combine_chunks())
            n += table.num_rows
            told("reading the catalogue", n, 0)
        if source is None:
            stack.enter_context(pa.ipc.new_file(place / "source.arrow", pa.schema([("recording", pa.string())])))


def _regrouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Give tables of about ``_ROWS`` rows, whatever the size of batches."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        for first in range(0, batch.num_rows, _ROWS):
            part = batch.slice(first, _ROWS)
            held.append(part)
            rows += part.num_rows
            if rows >= _ROWS:
                yield pa.Table.from_batches(held)
                held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _tables(path: Path) -> Iterator[pa.Table]:
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        for i in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(i)])


def _write_parts(parts: Path, place: Path, vocabulary: Vocabulary, told: Told) -> int:
    """Write the keys of rows into files by their part; how many there are."""
    first, n = 0, 0
    with contextlib.ExitStack() as stack:
        files = [
            (stack.enter_context((parts / f"{i}.key").open("wb")), stack.enter_context((parts / f"{i}.row").open("wb")))
            for i in range(PARTS)
        ]
        for table in _tables(place / "normal.arrow"):
            key, row = keys(table, vocabulary)
            for number, its_keys, its_rows in divided(key, row + first):
                its_keys.tofile(files[number][0])
                its_rows.tofile(files[number][1])
            first, n = first + table.num_rows, n + key.size
            told("filing rows", first, vocabulary.count)
    return n


def _write_keys(place: Path, parts: Path, n: int, told: Told) -> None:
    bits = bucket_bits(n)
    begin = _room(place / "begin.npy", np.int64, (1 << bits) + 1)
    rest, row = (_room(place / f"{name}.npy", np.uint32, n) for name in ("rest", "row"))
    at = 0
    for number in range(PARTS):
        sources = [parts / f"{number}.{kind}" for kind in ("key", "row")]
        key, rows = file_part(np.fromfile(sources[0], np.uint64), np.fromfile(sources[1], np.uint32))
        for path in sources:
            path.unlink()
        rest[at : at + key.size], row[at : at + key.size] = rest_of(key, bits), rows
        count_buckets(key, bits, begin)
        at += key.size
        told("sorting keys", number + 1, PARTS)
    np.cumsum(begin, out=begin)
    for array in (begin, rest, row):
        if isinstance(array, np.memmap):
            array.flush()


def _room(path: Path, kind: type[np.uint32 | np.int64], n: int) -> NDArray[Any]:
    """Give an array of zeros that lies in a file."""
    if n:
        return np.lib.format.open_memmap(path, "w+", kind, (n,))
    np.save(path, np.empty(0, kind))
    return np.empty(0, kind)


def _opened(place: Path) -> Map:
    with reaching("opening the map of the catalogue"):
        try:
            source, normal = (_mapped_table(place / f"{name}.arrow") for name in ("source", "normal"))
            word, rows, less, of, begin, rest, row = (
                _mapped_array(place / f"{name}.npy") for name in ("word", "rows", "less", "of", "begin", "rest", "row")
            )
        except ValueError as error:
            raise CustodyError(
                f"the map of the catalogue in `{place.name}` is damaged ({error}), wanted one that is whole",
                hint=f"Remove the folder `{place.name}` of the workspace; it is made anew.",
            ) from error
    return Map(source, normal, Vocabulary(word, rows, less, of, normal.num_rows), Filed(begin, rest, row))


def _mapped_table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _mapped_array(path: Path) -> Any:
    # An empty file cannot be mapped, and a small one need not be.
    return np.load(path, mmap_mode="r" if path.stat().st_size > _SMALL else None)
