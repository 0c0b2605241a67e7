"""How is something kept in one SQLite file, which the next one finds as it was left?

The file is for the owner's eyes only; it says which application and which version made it, and another one is refused.
What is written is written by one at a time, all of it or nothing, and is on disk when it is done.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from riparian.errors import InputError
from riparian.stores.files import make_private, patiently, reaching

PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out, and by what it is known.

    Parameters
    ----------
    what
        As an error names it, as in ``the sightings``.
    name
        Of the file.
    application
        Four letters, as a number, by which it is known.
    tables
        Statements that make a new one.
    pragmas
        What else is set on every connection.
    """

    what: str
    name: str
    application: int
    version: int
    tables: tuple[str, ...]
    pragmas: tuple[str, ...] = ()


class OneFile:
    """A file of one layout, opened; made where it is missing.

    Parameters
    ----------
    folder
        Where it is; None for memory.
    patience_s
        How long another writer is waited for.
    threads
        Whether other threads use it too, one at a time.

    Raises
    ------
    InputError
        When another application or version made it.
    OutsideError
        When the disk refuses.

    Examples
    --------
    >>> file = OneFile(None, Layout("words", "words.sqlite", 0x52494545, 1, ("CREATE TABLE word (text TEXT)",)))
    >>> with file.writing() as run:
    ...     _ = run("INSERT INTO word VALUES (?)", ("bank",))
    >>> file.rows("SELECT text FROM word")
    [('bank',)]
    >>> file.close()
    """

    def __init__(
        self, folder: Path | None, layout: Layout, *, patience_s: float = PATIENCE_S, threads: bool = False
    ) -> None:
        self._layout = layout
        with reaching(f"opening {layout.what}"):
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_private(folder / layout.name)
            self.connection = sqlite3.connect(
                ":memory:" if folder is None else folder / layout.name,
                timeout=patience_s,
                isolation_level=None,
                check_same_thread=not threads,
            )
            patiently(self._prepare, patience_s)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Give all rows of a query.

        Raises
        ------
        OutsideError
            When the disk refuses.
        """
        with reaching(f"reading {self._layout.what}"):
            return self.connection.execute(query, given).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        """Lock out other writers; what is run is written when all of it was.

        Raises
        ------
        OutsideError
            When the disk refuses.
        """
        with reaching(f"writing to {self._layout.what}"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection.execute
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def _prepare(self) -> None:
        layout = self._layout
        for pragma in ("journal_mode = WAL", "synchronous = FULL", *layout.pragmas):
            self.connection.execute(f"PRAGMA {pragma}")
        with self.writing() as run:
            if not run("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                for table in layout.tables:
                    run(table)
                run(f"PRAGMA application_id = {layout.application}")
                run(f"PRAGMA user_version = {layout.version}")
        (application,), (version,) = (*self.rows("PRAGMA application_id"), *self.rows("PRAGMA user_version"))
        if (application, version) != (layout.application, layout.version):
            self.connection.close()
            raise InputError(
                f"`{layout.name}` has schema version {version}, wanted {layout.version}",
                hint="Use the version of Riparian that made this workspace.",
            )
