"""How are a million identifiers kept by code, quickly, and each of them erasable?

As sorted parts in the workspace's database, each part one Arrow batch of codes and identifiers.  A new part takes up
those no more than twice its size, so that there are few of them and each row is moved a few times at most;
a row each in a tree of random codes would cost ten times as much.  Erasing writes the part anew.
"""

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.stores.recorded import Recorded

_MOST: Final = 4_000_000  # rows to a part: far below the largest value that SQLite takes


class Names:
    """Identifiers by code.

    Parameters
    ----------
    records
        The workspace's database: parts that this process has read of it are not read again by whoever opens it next.
    """

    def __init__(self, records: Recorded) -> None:
        self._records = records
        self._read = _parts_of(records.place)

    def keep(self, codes: NDArray[np.uint64], ids: Sequence[str]) -> None:
        """Keep identifiers whose codes are not known; inside a transaction."""
        codes, first = np.unique(codes, return_index=True)
        new = np.ones(codes.size, bool)
        parts = self._parts()
        for part in parts.values():
            new &= ~_found(_codes(part), codes)[1]
        if not new.any():
            return
        chosen = pa.array(first[new])
        fresh = _part(codes[new], pa.array(ids, pa.large_string()).take(chosen))
        for name, part in sorted(parts.items(), key=lambda named: named[1].num_rows):
            if part.num_rows <= 2 * fresh.num_rows and part.num_rows + fresh.num_rows <= _MOST:
                fresh = _merged(part, fresh)
                self._records.run("DELETE FROM vault WHERE part = ?", name)
        self._write(fresh)

    def find(self, codes: NDArray[np.uint64]) -> list[str | None]:
        """Name each code; None where it is not known."""
        names: list[str | None] = [None] * codes.size
        for part in self._parts().values():
            rows, there = _found(_codes(part), codes)
            asked = np.flatnonzero(there)
            for at, name in zip(asked.tolist(), part["id"].take(pa.array(rows[asked])).to_pylist(), strict=True):
                names[at] = name
        return names

    def forget(self, code: int) -> bool:
        """Erase one; inside a transaction.  False when it was not known."""
        for name, part in self._parts().items():
            left = _codes(part) != np.uint64(code)
            if not left.all():
                self._records.run("DELETE FROM vault WHERE part = ?", name)
                self._write(part.filter(pa.array(left)))
                return True
        return False

    def _write(self, part: pa.RecordBatch) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, part.schema) as writer:
            writer.write_batch(part)
        # A name at random: after a rollback no other part may go by the same one.
        values = (secrets.randbits(62), part.num_rows, memoryview(sink.getvalue()))
        self._records.run("INSERT INTO vault (part, n, batch) VALUES (?, ?, ?)", *values)

    def _parts(self) -> dict[int, pa.RecordBatch]:
        names = {name for (name,) in self._records.rows("SELECT part FROM vault WHERE n > 0")}
        # Others may read at the same time: what is handed out is one's own, and what was erased is forgotten.
        for name in [*self._read]:
            if name not in names:
                self._read.pop(name, None)
        return {name: self._part(name) for name in names}

    def _part(self, name: int) -> pa.RecordBatch:
        part = self._read.get(name)
        if part is None:
            ((batch,),) = self._records.rows("SELECT batch FROM vault WHERE part = ?", name)
            part = self._read[name] = pa.ipc.open_stream(batch).read_next_batch()
        return part


@lru_cache(maxsize=4)
def _parts_of(place: str) -> dict[int, pa.RecordBatch]:
    """Keep what was read of one database; a part has a name of its own, drawn by lot, and never changes."""
    del place
    return {}


def _codes(part: pa.RecordBatch) -> NDArray[np.uint64]:
    return np.asarray(part["code"].to_numpy(), np.uint64)


def _found(known: NDArray[np.uint64], codes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    rows = np.minimum(np.searchsorted(known, codes), known.size - 1)
    return rows, known[rows] == codes


def _part(codes: NDArray[np.uint64], ids: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(codes, pa.uint64()), ids], names=["code", "id"])


def _merged(one: pa.RecordBatch, other: pa.RecordBatch) -> pa.RecordBatch:
    codes = np.concatenate((_codes(one), _codes(other)))
    order = np.argsort(codes, kind="stable")
    return _part(codes[order], pa.concat_arrays([one["id"], other["id"]]).take(pa.array(order)))
