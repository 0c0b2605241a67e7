"""How does a search of a thousand files go on after it was interrupted?

What is said of each file is written down as soon as it is said, for one state of the index: another state may answer
otherwise, and forgets it.  Nothing is lost with this file but time.
"""

import json
import sqlite3
from pathlib import Path
from typing import Final

from riparian.ports.prints import Answered, SoundFile
from riparian.stores.files import make_private, reaching

NAME: Final = "answers.sqlite"
_PATIENCE_S: Final = 30.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS state (state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    path TEXT NOT NULL, stamp TEXT NOT NULL, digest TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (path, stamp)
) WITHOUT ROWID;
"""


class SqlAnswers:
    """``ports.prints.Answers``: in a folder, or in memory."""

    def __init__(self, folder: Path | None) -> None:
        with reaching("opening the list of answers"):
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_private(folder / NAME)
            place = ":memory:" if folder is None else folder / NAME
            self._connection = sqlite3.connect(place, timeout=_PATIENCE_S, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def open(self, state: str) -> None:
        """See ``ports.prints.Answers``."""
        with reaching("opening the list of answers"):
            if self._connection.execute("SELECT state FROM state").fetchall() == [(state,)]:
                return
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("DELETE FROM answer")
                self._connection.execute("DELETE FROM state")
                self._connection.execute("INSERT INTO state VALUES (?)", (state,))

    def of(self, file: SoundFile) -> Answered | None:
        """See ``ports.prints.Answers``."""
        with reaching("reading the list of answers"):
            found = self._connection.execute(
                "SELECT digest, said FROM answer WHERE path = ? AND stamp = ?", (file.name, file.stamp)
            ).fetchall()
        return Answered(file, found[0][0], json.loads(found[0][1])) if found else None

    def keep(self, *answered: Answered) -> None:
        """See ``ports.prints.Answers``."""
        rows = [(one.file.name, one.file.stamp, one.digest, json.dumps(one.said)) for one in answered]
        with reaching("writing to the list of answers"), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", rows)
