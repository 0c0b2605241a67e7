"""What does a workspace know about its own files, in one SQLite database?

The database is what decides: a file that no row refers to does not exist and is swept.  Write-ahead
logging lets people look while a scan runs; every transaction is synchronised before it counts, because
files are removed after it.

::

    chunk      every chunk ever read: staged (in a file), then counted (only its digest is left)
    scan       every generation; the one without a summary is in the making
    draft      files of the generation in the making        kept    files that are visible
    decision   restraints in force                          event   what was done to whom, only added to
    vault      identifiers, in parts                        note  check of the key, length of the rejects
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from riparian.errors import InputError
from riparian.stores.files import make_private, patiently, reaching
from riparian.stores.recorded import SCHEMA_VERSION, Recorded

_APPLICATION: Final = 0x52495041  # RIPA
_PATIENCE_S: Final = 30.0

_TABLES: Final = """
CREATE TABLE chunk (
    seq INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, source TEXT NOT NULL, lines INTEGER NOT NULL,
    rows INTEGER NOT NULL, rejected INTEGER NOT NULL, generation INTEGER, file TEXT, begins TEXT, offsets BLOB);
CREATE TABLE scan (
    generation INTEGER PRIMARY KEY, context BLOB NOT NULL, begun_us INTEGER NOT NULL,
    last_event INTEGER NOT NULL, summary TEXT);
CREATE TABLE draft (bucket INTEGER PRIMARY KEY, file TEXT NOT NULL);
CREATE TABLE kept (bucket INTEGER PRIMARY KEY, file TEXT NOT NULL);
CREATE TABLE decision (
    account INTEGER PRIMARY KEY, restraint INTEGER NOT NULL, because TEXT NOT NULL, bits REAL NOT NULL,
    threshold_bits REAL NOT NULL, declared REAL NOT NULL, certified REAL, since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL, applied INTEGER NOT NULL, bits_before REAL, bits_then REAL);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, at_us INTEGER NOT NULL, step TEXT NOT NULL,
    restraint INTEGER NOT NULL, until_us INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL,
    ring INTEGER NOT NULL DEFAULT 0);
CREATE INDEX event_of_account ON event (account);
CREATE INDEX event_of_step ON event (step);
CREATE INDEX decision_strongest ON decision (-restraint, -bits, account, until_us);
CREATE TABLE vault (part INTEGER PRIMARY KEY, n INTEGER NOT NULL, batch BLOB NOT NULL);
CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

_MIGRATIONS: Final = {
    # What people do together: with which ring an account was proposed and ended.
    1: ("ALTER TABLE event ADD COLUMN ring INTEGER NOT NULL DEFAULT 0",),
    # What is looked at a page at a time, and by step.
    2: (
        "CREATE INDEX event_of_step ON event (step)",
        "CREATE INDEX decision_strongest ON decision (-restraint, -bits, account, until_us)",
    ),
}
"""What makes a database of a version one of the next."""


class Records(Recorded):
    """One connection to ``riparian.sqlite``."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path.resolve()))
        with reaching("opening the workspace's database"):
            # It holds the vault: nobody else may read it, whatever the folder allows.
            make_private(path)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
            patiently(lambda: self._prepare(path), _PATIENCE_S)

    def _prepare(self, path: Path) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA secure_delete = ON")
        run("PRAGMA cache_size = -65536")
        if not self._made():
            with self.transaction():
                if not self._made():
                    self._make()
        if self._older():
            with self.transaction():
                while self._older():
                    self._migrate()
        version = self.number("PRAGMA user_version")
        if version != SCHEMA_VERSION or self.number("PRAGMA application_id") != _APPLICATION:
            raise InputError(
                f"`{path.name}` has schema version {version}, wanted {SCHEMA_VERSION}",
                hint="Use the version of Riparian that made this workspace, or scan the logs into a new one.",
            )

    def _made(self) -> bool:
        # Whoever only looks must not wait for a scan that writes: no transaction where none is needed.
        return bool(self.rows("SELECT 1 FROM sqlite_master LIMIT 1"))

    def _older(self) -> bool:
        ours = self.number("PRAGMA application_id") == _APPLICATION
        return ours and self.number("PRAGMA user_version") in _MIGRATIONS

    def _migrate(self) -> None:
        version = self.number("PRAGMA user_version")
        for statement in _MIGRATIONS[version]:
            self.run(statement)
        self.run(f"PRAGMA user_version = {version + 1}")

    def _make(self) -> None:
        for statement in filter(str.strip, _TABLES.split(";")):
            self.run(statement)
        self.run(f"PRAGMA application_id = {_APPLICATION}")
        self.run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Do one statement; the number of rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Any) -> None:
        """Do one statement for each row of values."""
        self._connection.executemany(sql, rows)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask for rows."""
        return self._connection.execute(sql, values).fetchall()

    def checkpoint(self) -> None:
        """Empty the write-ahead log, so that what was erased is in no file."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
