"""How is everything of one bucket kept in one file?

Named arrays in NumPy's own format, then named tables as Arrow streams, then a line of JSON that says where each begins,
and last the length of that line.  One file to a bucket is one synchronisation to a bucket, which is what
a scan would otherwise spend its time on; the line at the end is missing in whatever was cut short.
"""

import json
import os
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


def write_drawer(path: Path, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> None:
    """Keep arrays and tables under their names."""

    def write(file: BinaryIO) -> None:
        begins: dict[str, dict[str, int]] = {"arrays": {}, "tables": {}}
        for name, array in arrays.items():
            begins["arrays"][name] = file.tell()
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        for name, table in tables.items():
            begins["tables"][name] = file.tell()
            with pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table.combine_chunks())
        line = json.dumps(begins).encode()
        file.write(line + len(line).to_bytes(_LENGTH_BYTES, "big"))

    write_whole(path, write)


def read_arrays(path: Path) -> Arrays:
    """Read all arrays.

    Raises
    ------
    CustodyError
        When the file is not what was written.
    """
    with path.open("rb") as file:
        try:
            begins = _begins(file)["arrays"]
            return {name: _array(file, at) for name, at in begins.items()}
        except (ValueError, KeyError) as error:
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
            at = _begins(file)["tables"].get(name)
            if at is None:
                return None
            file.seek(at)
            return pa.ipc.open_stream(file).read_all()
        except (ValueError, KeyError, pa.ArrowInvalid) as error:
            raise _altered(path, error) from error


def table_names(path: Path) -> list[str]:
    """List the tables of a drawer."""
    with path.open("rb") as file:
        return list(_begins(file)["tables"])


def _array(file: BinaryIO, at: int) -> NDArray[Any]:
    file.seek(at)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _begins(file: BinaryIO) -> dict[str, dict[str, int]]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _LENGTH_BYTES, 0))
    length = int.from_bytes(file.read(), "big")
    if not 0 < length <= size - _LENGTH_BYTES:
        raise ValueError("its end is missing")
    file.seek(size - _LENGTH_BYTES - length)
    begins = json.loads(file.read(length))
    if not isinstance(begins, dict):
        raise ValueError("its end is another file's")  # noqa: TRY004  a defect of the file, not of a caller
    return begins


def _altered(path: Path, error: Exception) -> CustodyError:
    return CustodyError(f"`{path.name}` is not what was written: {error}", hint="Restore the workspace from a backup.")
