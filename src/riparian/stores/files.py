"""How is a file written so that it is there whole, or not at all?

To a temporary name beside it, synchronised, renamed, and the folder synchronised: whoever is killed
or loses power in between leaves the old file, or none, and a leftover that :func:`sweep` removes.
Whatever fails outside becomes ``OutsideError`` with its cause (:func:`reaching`).
"""

import contextlib
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from riparian.errors import OutsideError

UNFINISHED: Final = ".unfinished"
_MODE: Final = 0o600
_AGAIN_S: Final = 0.02


@contextlib.contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turn a failure of disk or database into ``OutsideError``; ``what`` was being done says the message."""
    try:
        yield
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise OutsideError(
            f"{what} failed: {error}", hint="Look at the disk's space and permissions, then try again."
        ) from error


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a file, and put it in its place only when it is complete and on disk."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE), "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    synchronise(path.parent)


def make_private(path: Path) -> None:
    """Make an empty file for its owner's eyes only, where there is none.

    One that is there is not touched: to close a file takes away whatever locks this process holds on it, those of
    SQLite as well; whoever closes a database next would take its write-ahead log for nobody's, and remove it under us.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))


def patiently(do: Callable[[], None], patience_s: float) -> None:
    """Prepare a database, again while others lock it out: SQLite waits for a writer, and not for every other lock."""
    until_s = time.monotonic() + patience_s
    while True:
        try:
            do()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def synchronise(folder: Path) -> None:
    """Put a folder's list of names on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of_file(path: Path) -> str:
    """Give the SHA-256 of a file, in hex; ``OutsideError`` when it cannot be read."""
    with reaching(f"reading `{path}`"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep(folder: Path, wanted: set[str]) -> None:
    """Remove every file of a folder that nothing refers to."""
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Keep a table as Parquet."""
    write_whole(path, lambda file: pq.write_table(table, file, compression="zstd", compression_level=1))


def read_table(path: Path) -> pa.Table:
    """Read a table from Parquet."""
    return pq.read_table(path, memory_map=False, partitioning=None)
