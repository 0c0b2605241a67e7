"""How is the file of the catalogue opened, by whom, and for how long?

For as long as something is read or written: whoever comes meanwhile waits.  DuckDB lets one process write, or any
number read.  What is written is one transaction, synchronised before it counts; whoever is killed has left its log
beside the file, and whoever opens the file next reads that, too.

A catalogue of an older workspace, one Parquet file, is taken over when it is first asked for: the new file is made
beside it and gets its name when it is complete and on disk.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb

from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.stores.catalogue.tables import TABLES, VERSION
from riparian.stores.files import UNFINISHED, reaching, synchronise

NAME: Final = "catalogue.duckdb"
OLD: Final = "catalogue.parquet"
LOCK: Final = "catalogue.lock"
PATIENCE_S: Final = 30.0
MEMORY: Final = "2GB"
"""Of one process, for tables in the making; what does not fit is on disk, beside the file."""
_PAUSE_S: Final = 0.05

Connection = duckdb.DuckDBPyConnection


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn a failure of the database into ``OutsideError``; ``what`` was being done says the message."""
    try:
        with reaching(what):
            yield
    except duckdb.Error as error:
        raise OutsideError(
            f"{what} failed: {str(error).splitlines()[0]}",
            hint="Look at the disk's space and permissions; if the file is broken, restore it from a backup.",
        ) from error


class File:
    """The file, or a database in memory.

    Parameters
    ----------
    folder
        Where it lies; None for memory.
    adopt
        Fills a new file from the catalogue of an older workspace.
    threads
        At most; None for as many as there are cores.
    """

    def __init__(
        self, folder: Path | None, adopt: Callable[[Connection, Path], None], *, threads: int | None = None
    ) -> None:
        self._folder = folder
        self._adopt = adopt
        self._settings: dict[str, Any] = {
            "memory_limit": MEMORY,
            "preserve_insertion_order": True,
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        } | ({"threads": threads} if threads else {})
        self._connection: Connection | None = None
        self._writes = False
        self._users = 0

    @property
    def path(self) -> Path | None:
        """Where it is; None for memory."""
        return None if self._folder is None else self._folder / NAME

    @property
    def exists(self) -> bool:
        """Whether there is a catalogue, or one to take over."""
        return self._folder is None or any((self._folder / name).exists() for name in (NAME, OLD))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open it to read, from within whatever else is open."""
        with self._opened(writes=False) as connection:
            cursor = connection if self._writes else connection.cursor()
            try:
                yield cursor
            finally:
                if cursor is not connection:
                    cursor.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open it to change something: all of what is done inside, or nothing."""
        with self._opened(writes=True) as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                # What failed in the database has ended its transaction by itself.
                with contextlib.suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of it, if it is in memory."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _opened(self, *, writes: bool) -> Iterator[Connection]:
        if self._users and writes and not self._writes:
            raise LifecycleError("the catalogue is open to be read, wanted it closed before anything is written")
        if self._connection is None:
            self._connection = self._open(writes=writes)
            self._writes = writes or self._folder is None
        self._users += 1
        try:
            yield self._connection
        finally:
            self._users -= 1
            if not self._users and self._folder is not None:
                self.close()

    def _open(self, *, writes: bool) -> Connection:
        if self._folder is None:
            connection = duckdb.connect(":memory:", config=self._settings)
            _make(connection)
            return connection
        path = self._folder / NAME
        if not path.exists():
            self._create(path)
        (self._folder / OLD).unlink(missing_ok=True)
        connection = self._connect(path, writes=writes)
        try:
            _require_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, path: Path, *, writes: bool) -> Connection:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return duckdb.connect(path, read_only=not writes, config=self._settings)
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                busy = "lock" in str(error) or "different configuration" in str(error)
                if not busy:
                    raise
                if time.monotonic() > until:
                    raise LifecycleError(
                        "somebody else has the catalogue of this workspace open, wanted nobody",
                        hint="Wait until they are done, then try again.",
                    ) from error
                time.sleep(_PAUSE_S)

    def _create(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path.with_name(LOCK), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists():
                return
            for leftover in path.parent.glob(f"{NAME}.*{UNFINISHED}*"):
                leftover.unlink(missing_ok=True)
            unfinished = path.with_name(f"{NAME}.{secrets.token_hex(4)}{UNFINISHED}")
            self._fill(unfinished)
            unfinished.chmod(0o600)
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
            synchronise(path.parent)
        finally:
            os.close(handle)

    def _fill(self, path: Path) -> None:
        connection = duckdb.connect(path, config=self._settings)
        try:
            _make(connection)
            old = path.with_name(OLD)
            if old.exists():
                self._adopt(connection, old)
        finally:
            connection.close()


def _make(connection: Connection) -> None:
    connection.execute("BEGIN")
    for statement in filter(str.strip, TABLES.split(";")):
        connection.execute(statement)
    connection.execute("INSERT INTO setting VALUES ('version', ?), ('state', 0), ('next', 0)", [VERSION])
    connection.execute("COMMIT")


def _require_version(connection: Connection) -> None:
    made = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'setting'").fetchall()
    found = connection.execute("SELECT value FROM setting WHERE name = 'version'").fetchall() if made[0][0] else []
    version = found[0][0] if found else None
    if version != VERSION:
        raise InputError(
            f"`{NAME}` has version {version}, wanted {VERSION}",
            hint="Use the version of Riparian that made this workspace.",
        )
