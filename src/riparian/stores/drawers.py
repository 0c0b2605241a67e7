"""How is everything of one bucket kept in one file?

Named arrays in NumPy's own format, then named tables as Arrow streams, then a line of JSON that says where each begins
and what its bytes sum up to (CRC-32), and last the length of that line.  One file to a bucket is one synchronisation to
a bucket, which is what a scan would otherwise spend its time on; the line at the end is missing in whatever was cut
short, and the sums are others in whatever was altered.  Drawers from before there were sums are read without.
"""

import json
import os
import tokenize
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.errors import CustodyError
from riparian.ports import Arrays
from riparian.stores.files import write_whole

_LENGTH_BYTES: Final = 8
_SUMS: Final = "sums"
_LINE: Final = b', "line": '
_NO_SUMS: Final[dict[str, dict[str, int]]] = {"arrays": {}, "tables": {}}
_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)
"""What reading raises of bytes that are not what they were."""


def write_drawer(path: Path, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> None:
    """Keep arrays and tables under their names."""

    def write(file: BinaryIO) -> None:
        begins: dict[str, dict[str, int]] = {"arrays": {}, "tables": {}}
        sums: dict[str, dict[str, int]] = {"arrays": {}, "tables": {}}
        for name, given in arrays.items():
            begins["arrays"][name] = file.tell()
            array = np.ascontiguousarray(given)
            np.lib.format.write_array(file, array, allow_pickle=False)
            sums["arrays"][name] = _sum_of(array)
        for name, table in tables.items():
            begins["tables"][name] = file.tell()
            summing = _Summing(file)
            with pa.ipc.new_stream(summing, table.schema) as writer:
                writer.write_table(table.combine_chunks())
            sums["tables"][name] = summing.sum
        line = _with_sum(json.dumps({**begins, _SUMS: sums}).encode())
        file.write(line + len(line).to_bytes(_LENGTH_BYTES, "big"))

    write_whole(path, write)


def _with_sum(line: bytes) -> bytes:
    return line[:-1] + _LINE + b"%d}" % zlib.crc32(line)


class _Summing:
    """A file that sums up what is written to it."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sum = 0

    def write(self, octets: Any) -> int:
        self.sum = zlib.crc32(octets, self.sum)
        return self._file.write(octets)

    def flush(self) -> None:
        """Leave that to whoever opened the file."""


def _sum_of(array: NDArray[Any]) -> int:
    # What an array is called by its header belongs to it.
    head = zlib.crc32(f"{array.dtype.str} {array.shape}".encode())
    return zlib.crc32(array.reshape(-1).view(np.uint8).data, head)


def read_arrays(path: Path) -> Arrays:
    """Read all arrays.

    Raises
    ------
    CustodyError
        When the file is not what was written.
    """
    with path.open("rb") as file:
        try:
            said, _ = _begins(file)
            sums = said.get(_SUMS, _NO_SUMS)["arrays"]
            return {name: _array(file, at, sums.get(name)) for name, at in said["arrays"].items()}
        except _UNREADABLE as error:
            raise _altered(path, error) from error


def read_table(path: Path, name: str) -> pa.Table | None:
    """Read one table; None where there is none of the name.

    Raises
    ------
    CustodyError
        When the file is not what was written.
    """
    with path.open("rb") as file:
        try:
            said, end = _begins(file)
            at = said["tables"].get(name)
            if at is None:
                return None
            ends = min(
                (each for part in ("arrays", "tables") for each in said[part].values() if each > at), default=end
            )
            file.seek(at)
            octets = file.read(ends - at)
            _require(said.get(_SUMS, _NO_SUMS)["tables"].get(name), zlib.crc32(octets))
            return pa.ipc.open_stream(pa.py_buffer(octets)).read_all()
        except (*_UNREADABLE, pa.ArrowInvalid) as error:
            raise _altered(path, error) from error


def table_names(path: Path) -> list[str]:
    """List the tables of a drawer."""
    with path.open("rb") as file:
        try:
            return list(_begins(file)[0]["tables"])
        except _UNREADABLE as error:
            raise _altered(path, error) from error


def _array(file: BinaryIO, at: int, summed: int | None) -> NDArray[Any]:
    file.seek(at)
    array = np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    _require(summed, _sum_of(array))
    return array


def _require(summed: int | None, found: int) -> None:
    if summed is not None and summed != found:
        raise ValueError("its bytes do not sum up to what was noted")


def _begins(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Read where everything begins, and where that is said."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _LENGTH_BYTES, 0))
    length = int.from_bytes(file.read(), "big")
    if not 0 < length <= size - _LENGTH_BYTES:
        raise ValueError("its end is missing")
    file.seek(size - _LENGTH_BYTES - length)
    line = file.read(length)
    begins = json.loads(line)
    if not isinstance(begins, dict):
        raise ValueError("its end is another file's")  # noqa: TRY004  a defect of the file, not of a caller
    if _SUMS in begins or _LINE in line:
        _require(begins["line"], zlib.crc32(line[: line.rindex(_LINE)] + b"}"))
    return begins, size - _LENGTH_BYTES - length


def _altered(path: Path, error: Exception) -> CustodyError:
    return CustodyError(f"`{path.name}` is not what was written: {error}", hint="Restore the workspace from a backup.")
