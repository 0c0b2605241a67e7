"""Which message has which code, and which questions were answered?

``messages.sqlite`` in the workspace: tokens by their codes, and digests of messages that were answered, so that nobody
is answered twice.  No address is in it: a token has a salted hash of one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from riparian.stores.files import reaching

FILE: Final = "messages.sqlite"
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS tokens (code TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS answered (
        digest TEXT PRIMARY KEY, asked_by TEXT NOT NULL, at_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_asker ON answered (asked_by, at_us);
"""


class Messages:
    """Tokens and answers; opened by :func:`messages`."""

    def __init__(self, held: sqlite3.Connection) -> None:
        self._held = held

    def keep(self, code: str, token: str) -> None:
        """Keep a token under its code."""
        with reaching("keeping a message's code"), self._held:
            self._held.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?)", (code, token))

    def token_of(self, code: str) -> str:
        """Give the token of a code; nothing where there is none."""
        with reaching("looking up a message's code"):
            found = self._held.execute("SELECT token FROM tokens WHERE code = ?", (code,)).fetchone()
        return str(found[0]) if found else ""

    def is_answered(self, digest: str) -> bool:
        """Say whether a question was answered."""
        with reaching("looking up an answer"):
            return self._held.execute("SELECT 1 FROM answered WHERE digest = ?", (digest,)).fetchone() is not None

    def answers_to(self, asked_by: str, since_us: int) -> int:
        """Count answers to one asker, named by a hash, since a time."""
        with reaching("counting answers"):
            found = self._held.execute(
                "SELECT count(*) FROM answered WHERE asked_by = ? AND at_us >= ?", (asked_by, since_us)
            ).fetchone()
        return int(found[0])

    def answer(self, digest: str, asked_by: str, at_us: int) -> None:
        """Note that a question was answered."""
        with reaching("noting an answer"), self._held:
            self._held.execute("INSERT OR IGNORE INTO answered VALUES (?, ?, ?)", (digest, asked_by, at_us))


@contextmanager
def messages(folder: Path) -> Iterator[Messages]:
    """Open what a workspace keeps of messages.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place, messages(Path(place)) as held:
    ...     held.keep("RM-1", "token")
    ...     held.token_of("RM-1"), held.token_of("RM-2")
    ('token', '')
    """
    with reaching("opening what is kept of messages"):
        folder.mkdir(parents=True, exist_ok=True)
        held = sqlite3.connect(folder / FILE, timeout=30, check_same_thread=False)
    try:
        with reaching("opening what is kept of messages"):
            held.execute("PRAGMA journal_mode=WAL")
            held.executescript(_TABLES)
        yield Messages(held)
    finally:
        held.close()
