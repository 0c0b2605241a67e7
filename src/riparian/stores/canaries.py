"""Where is what was planted, and to whom was which list issued?

``canaries.json`` in the workspace holds the keys, an epoch each (:mod:`.epoch_keys`).  ``canaries.sqlite`` holds the
ledger: which key each epoch has (by its commitment, which tells nothing of it), what was planted, every list that was
issued, every list that was traced, every key that was revealed.  Each entry's digest covers the one before it
(:mod:`riparian.marks.grants`), and entries are only added.  ``canaries/`` holds the catalogue as it was when it was
planted, each by its SHA-256: to read a list, and to show somebody else how it was read, the texts and durations of that
day are needed.

Tenants stand in the ledger by name: they are businesses that signed for a list.
"""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from riparian.errors import CustodyError
from riparian.marks.grants import START, Entry, chained, verified
from riparian.metadata.canaries.code import CanaryKey
from riparian.stores.epoch_keys import FolderEpochKeys
from riparian.stores.files import digest_of_file, reaching, read_table, write_table
from riparian.stores.one_file import Layout, OneFile
from riparian.stores.secret_file import SecretFile

NAME: Final = "canaries"
_KEYS: Final = f"{NAME}.json"
_LEDGER: Final = f"{NAME}.sqlite"
_LAYOUT: Final = Layout(
    "the ledger of canaries",
    _LEDGER,
    0x52495043,  # RIPC
    1,
    ("CREATE TABLE entry (seq INTEGER PRIMARY KEY, text TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT)",),
)


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
        self._file = OneFile(folder, _LAYOUT)
        self._rows = self._file.rows

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, said: Mapping[str, Any]) -> None:
        """See ``ports.Issues``."""
        with self._file.writing() as run:
            last = self._rows("SELECT digest FROM entry ORDER BY seq DESC LIMIT 1")
            entry = chained(last[0][0] if last else START, said)
            run("INSERT INTO entry (text, digest, kind) VALUES (?, ?, ?)", (entry.text, entry.digest, said["kind"]))

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
