"""What is written down of prints, and in which tables?

``print`` has a row a print: 0 it waits, 1 it is visible, 2 it is gone and has no name any more.  ``refused`` lists
files that could not be heard, ``shard`` the files of the index, ``draw`` what was drawn to learn what mistakes look
like.  ``setting`` holds what the index was made with, and its state: a number that grows with every change.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from riparian.errors import InputError
from riparian.ports.prints import Known, SoundFile
from riparian.stores.files import make_private, reaching

NAME: Final = "prints.sqlite"
_APPLICATION: Final = 0x52495050  # RIPP
_SCHEMA: Final = 1
_PATIENCE_S: Final = 30.0
_TABLES: Final = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE print (
    number INTEGER PRIMARY KEY, state INTEGER NOT NULL, recording TEXT NOT NULL, path TEXT NOT NULL,
    stamp TEXT NOT NULL, digest TEXT NOT NULL, packets BLOB NOT NULL, seconds REAL NOT NULL,
    segment INTEGER NOT NULL, at INTEGER NOT NULL, bytes INTEGER NOT NULL,
    cluster INTEGER NOT NULL, related INTEGER NOT NULL, sketch BLOB);
CREATE INDEX print_of_path ON print (path) WHERE state < 2;
CREATE INDEX print_of_recording ON print (recording) WHERE state < 2;
CREATE INDEX print_of_digest ON print (digest) WHERE state < 2;
CREATE INDEX print_of_packets ON print (packets) WHERE state = 1 AND packets <> x'';
CREATE INDEX print_that_waits ON print (number) WHERE state = 0;
CREATE INDEX print_that_is_gone ON print (number) WHERE state = 2;
CREATE INDEX print_in_a_cluster ON print (number, cluster) WHERE cluster <> number;
CREATE INDEX print_without_relations ON print (number) WHERE related = 0 AND state = 1;
CREATE INDEX print_at_the_end ON print (segment, at, bytes);
CREATE TABLE refused (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE shard (name TEXT PRIMARY KEY, postings INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE draw (
    number INTEGER NOT NULL, seconds REAL NOT NULL, lasted_s REAL NOT NULL, peaks INTEGER NOT NULL,
    copy REAL NOT NULL, shares REAL NOT NULL, PRIMARY KEY (number, seconds)) WITHOUT ROWID;
"""
KNOWN: Final = "number, recording, path, stamp, digest, packets, seconds"


class State(IntEnum):
    """Of a print."""

    WAITING = 0
    VISIBLE = 1
    GONE = 2


class Ledger:
    """The tables, in a folder or in memory.

    Raises
    ------
    InputError
        When another version of Riparian made them.
    """

    def __init__(self, folder: Path | None) -> None:
        with reaching("opening the ledger of prints"):
            if folder is not None:
                make_private(folder / NAME)
            place = ":memory:" if folder is None else folder / NAME
            self._connection = sqlite3.connect(place, timeout=_PATIENCE_S, isolation_level=None)
            self._prepare()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask."""
        with reaching("reading the ledger of prints"):
            return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: Any) -> Any:
        """Ask for a single value."""
        ((value,),) = self.rows(statement, *values)
        return value

    def each(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Ask for many rows, without holding them."""
        with reaching("reading the ledger of prints"):
            yield from self._connection.execute(statement, values)

    def run(self, statement: str, *values: Any) -> int:
        """Change something; say how many rows were changed."""
        with reaching("writing to the ledger of prints"):
            return self._connection.execute(statement, values).rowcount

    def many(self, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
        """Change something for each."""
        with reaching("writing to the ledger of prints"):
            self._connection.executemany(statement, values)

    def known(self, where: str, *values: Any) -> list[Known]:
        """List prints, oldest first."""
        rows = self.rows(f"SELECT {KNOWN} FROM print WHERE {where} ORDER BY number", *values)  # noqa: S608
        return [
            Known(number, recording, SoundFile(path, stamp), digest, packets, seconds)
            for number, recording, path, stamp, digest, packets, seconds in rows
        ]

    def setting(self, name: str) -> Any:
        """Give a setting; None where it was never made."""
        found = self.rows("SELECT value FROM setting WHERE name = ?", name)
        return found[0][0] if found else None

    def set(self, name: str, value: Any) -> None:
        """Make a setting."""
        self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)

    def changed(self) -> None:
        """Begin another state."""
        self.run("UPDATE setting SET value = value + 1 WHERE name = 'state'")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it, or nothing."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA secure_delete = ON")
        with self.transaction():
            if not self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
                for statement in _TABLES.split(";"):
                    run(statement)
                run(f"PRAGMA application_id = {_APPLICATION}")
                run(f"PRAGMA user_version = {_SCHEMA}")
                self.set("state", 0)
        version, application = self.one("PRAGMA user_version"), self.one("PRAGMA application_id")
        if (version, application) != (_SCHEMA, _APPLICATION):
            raise InputError(
                f"`{NAME}` has schema version {version}, wanted {_SCHEMA}",
                hint="Use the version of Riparian that made this workspace.",
            )
