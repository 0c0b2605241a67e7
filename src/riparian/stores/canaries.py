"""Where is what was planted, and to whom was which list issued?

``canaries.json`` in the workspace holds the keys, an epoch each (:mod:`.epoch_keys`).  ``canaries.sqlite`` holds the
ledger: which key each epoch has (by its commitment, which tells nothing of it), what was planted, every list that was
issued, every list that was traced, every key that was revealed.  Each entry's digest covers the one before it
(:mod:`riparian.marks.grants`), and entries are only added.  ``canaries/`` holds the catalogue as it was when it was
planted, each by its SHA-256: to read a list, and to show somebody else how it was read, the texts and durations of that
day are needed.

Tenants stand in the ledger by name: they are businesses that signed for a list.
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from riparian.errors import CustodyError, InputError
from riparian.marks.grants import START, Entry, chained, verified
from riparian.metadata.canaries.code import CanaryKey
from riparian.stores.epoch_keys import FolderEpochKeys
from riparian.stores.files import digest_of_file, reaching, read_table, write_table
from riparian.stores.secret_file import SecretFile

NAME: Final = "canaries"
_KEYS: Final = f"{NAME}.json"
_LEDGER: Final = f"{NAME}.sqlite"
_APPLICATION: Final = 0x52495043  # RIPC
_SCHEMA: Final = 1
_PATIENCE_S: Final = 30.0


class FolderCanaryKeys(FolderEpochKeys[CanaryKey]):
    """``ports.CanaryKeys`` in a workspace.

    Parameters
    ----------
    folder
        The workspace.
    random
        Gives as many random bytes as it is asked for.
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        file = SecretFile(
            folder / _KEYS,
            "keys of canaries",
            leaked="`riparian canary rotate`, and issue every list anew.",
            lost=f"Restore {_KEYS} from a backup: without it no list that was issued can be traced.",
        )
        super().__init__(file, CanaryKey, random)


class FolderCanaries:
    """``ports.Issues`` in a workspace.

    Parameters
    ----------
    folder
        The workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / NAME
        with reaching("opening the ledger of canaries"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / _LEDGER
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
            self._prepare()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add(self, said: Mapping[str, Any]) -> None:
        """See ``ports.Issues``."""
        with reaching("adding to the ledger of canaries"), self._transaction():
            last = self._rows("SELECT digest FROM entry ORDER BY seq DESC LIMIT 1")
            entry = chained(last[0][0] if last else START, said)
            self._connection.execute(
                "INSERT INTO entry (text, digest, kind) VALUES (?, ?, ?)", (entry.text, entry.digest, said["kind"])
            )

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """See ``ports.Issues``."""
        rows = self._rows("SELECT text, digest FROM entry WHERE kind = ? ORDER BY seq", kind)
        return [Entry(*row).said for row in rows]

    def keep(self, table: pa.Table) -> str:
        """See ``ports.Issues``."""
        with reaching("keeping what was planted"):
            draft = self._folder / f"{secrets.token_hex(8)}.unfinished"
            write_table(draft, table)
            digest = digest_of_file(draft)
            draft.replace(self._folder / f"{digest}.parquet")
        return digest

    def planted(self, digest: str) -> pa.Table:
        """See ``ports.Issues``."""
        path = self._folder / f"{digest}.parquet"
        with reaching("reading what was planted"):
            if not path.exists() or digest_of_file(path) != digest:
                raise CustodyError(
                    f"`{NAME}/{path.name}` is missing or not what was planted, wanted the catalogue of that day",
                    hint="Restore it from a backup.",
                )
            return read_table(path)

    def verify(self, head: str = "") -> tuple[int, str]:
        """See ``ports.Issues``."""
        rows = self._rows("SELECT text, digest FROM entry ORDER BY seq")
        return verified((Entry(*row) for row in rows), head=head)

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        with self._transaction():
            if not self._rows("SELECT 1 FROM sqlite_master LIMIT 1"):
                run("CREATE TABLE entry (seq INTEGER PRIMARY KEY, text TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT)")
                run(f"PRAGMA application_id = {_APPLICATION}")
                run(f"PRAGMA user_version = {_SCHEMA}")
        ((version,),), ((application,),) = self._rows("PRAGMA user_version"), self._rows("PRAGMA application_id")
        if (version, application) != (_SCHEMA, _APPLICATION):
            raise InputError(
                f"`{_LEDGER}` has schema version {version}, wanted {_SCHEMA}",
                hint="Use the version of Riparian that made this workspace.",
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with reaching("reading the ledger of canaries"):
            return self._connection.execute(statement, values).fetchall()
