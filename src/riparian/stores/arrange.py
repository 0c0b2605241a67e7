"""How do rows come to lie bucket by bucket, without a sort?

A chunk's rows are counted by bucket and then moved, column by column, to where their bucket begins: two
passes over the codes and one over each column.  Rows of a bucket stay in the order of the log.
Nulls become ``ports.ABSENT`` on the way, truth values int8, so that what is read back is plain arrays.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.errors import InputError
from riparian.ports import ABSENT, Arrays
from riparian.schema import ACCESS, ACCESS_REQUIRED

_SHIFT: Final = 58  # the six highest bits of a code name its bucket, as codes.bucket_of has it


@dataclass(frozen=True, slots=True)
class Arranged:
    """Rows grouped by bucket.

    Parameters
    ----------
    columns
        Arrays of equal length.
    offsets
        Bucket ``b`` is rows ``offsets[b]`` to ``offsets[b + 1]`` [shape=(BUCKETS + 1,), int64].
    """

    columns: Arrays
    offsets: NDArray[np.int64]

    def bucket(self, bucket: int) -> Arrays:
        """Look at one bucket's rows."""
        rows = slice(int(self.offsets[bucket]), int(self.offsets[bucket + 1]))
        return {name: column[rows] for name, column in self.columns.items()}

    def without(self, account: int) -> "Arranged":
        """Leave out one account's rows."""
        keep = self.columns["account"] != np.uint64(account)
        return arranged({name: column[keep] for name, column in self.columns.items()})


def dtype_of(name: str) -> np.dtype[Any]:
    """Say as what a column of ``ACCESS`` is kept.

    Examples
    --------
    >>> dtype_of("at_us"), dtype_of("heartbeat")
    (dtype('int64'), dtype('int8'))
    """
    kind = ACCESS.field(name).type
    return np.dtype(np.int8) if pa.types.is_boolean(kind) else np.dtype(kind.to_pandas_dtype())


def plain(accesses: pa.Table) -> Arrays:
    """Turn a table of accesses into arrays without nulls.

    Raises
    ------
    InputError
        When a required column is missing, or a column is not of ``ACCESS``.
    """
    for name in ACCESS_REQUIRED:
        if name not in accesses.column_names:
            raise InputError(f"a chunk has no column `{name}`, wanted one")
    return {name: _plain_column(name, accesses[name]) for name in accesses.column_names}


def _plain_column(name: str, column: pa.ChunkedArray) -> NDArray[Any]:
    if name not in ABSENT:
        raise InputError(f"a chunk has a column `{name}`, wanted columns of ACCESS")
    kind = pa.int8() if pa.types.is_boolean(ACCESS.field(name).type) else ACCESS.field(name).type
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if whole.type != kind:
        whole = whole.cast(kind)
    if whole.null_count:
        whole = pc.fill_null(whole, pa.scalar(ABSENT[name], pa.float64()).cast(kind))
    return np.asarray(whole.to_numpy(zero_copy_only=False))


def arranged(columns: Arrays) -> Arranged:
    """Group rows by the bucket of their account, keeping their order within it.

    Examples
    --------
    >>> account = np.array([2**63, 5, 2**63 + 1], np.uint64)
    >>> rows = arranged({"account": account, "at_us": np.array([30, 20, 10])})
    >>> rows.bucket(32)["at_us"].tolist(), rows.bucket(0)["at_us"].tolist()
    ([30, 10], [20])
    """
    to, offsets = _places(columns["account"])
    moved: Arrays = {}
    for name, column in columns.items():
        out = np.empty_like(column)
        # Only the size of a value matters for moving it: four compiled versions serve all columns.
        bits = f"u{column.dtype.itemsize}"
        _move(np.ascontiguousarray(column).view(bits), to, out.view(bits))
        moved[name] = out
    return Arranged(moved, offsets)


@njit(cache=True)
def _places(account: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    offsets = np.zeros(BUCKETS + 1, np.int64)
    for code in account:
        offsets[(code >> np.uint64(_SHIFT)) + np.uint64(1)] += 1
    for bucket in range(BUCKETS):
        offsets[bucket + 1] += offsets[bucket]
    place = offsets.copy()
    to = np.empty(account.size, np.int32)
    for row in range(account.size):
        bucket = account[row] >> np.uint64(_SHIFT)
        to[row] = place[bucket]
        place[bucket] += 1
    return to, offsets


@njit(cache=True)
def _move(column: NDArray[Any], to: NDArray[np.int32], out: NDArray[Any]) -> None:
    for row in range(column.size):
        out[to[row]] = column[row]
