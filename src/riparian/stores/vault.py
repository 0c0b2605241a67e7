"""Who is behind a pseudonym, and how does a folder forget?

Forgetting goes through everything: the identifier, the tally, every table beside it that has a column
``account``, or lists of ``accounts``, decisions, events, and rows still staged.  Files are written anew without the
account, one transaction puts them in place, and the old ones are removed; the database overwrites what it deletes.
Copies of the folder, and the operator's own logs, are the operator's to clear; the lines in rejects.tsv could not
be read, so that nobody knows whose they are.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riparian.codes import bucket_of, codes_of
from riparian.ports import SHARED, Arrays
from riparian.stores.drawers import read_arrays, read_table, table_names, write_drawer
from riparian.stores.files import reaching
from riparian.stores.folder import Folder
from riparian.stores.recorded import signed
from riparian.stores.staged import Staged, read_whole, write_staged


class FolderVault:
    """``ports.Vault`` in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._records = folder.records

    @property
    def key(self) -> bytes:
        """See ``ports.Vault``."""
        return self._folder.key

    def remember(self, codes: NDArray[np.uint64], ids: Sequence[str]) -> None:
        """See ``ports.Vault``."""
        with reaching("remembering identifiers"), self._records.transaction():
            self._folder.names.keep(codes, ids)

    def ids_of(self, codes: NDArray[np.uint64]) -> list[str | None]:
        """See ``ports.Vault``."""
        with reaching("reading identifiers"):
            return self._folder.names.find(codes)

    def code_of(self, identifier: str) -> int | None:
        """See ``ports.Vault``."""
        code = codes_of(pa.array([identifier], pa.string()), self.key)
        return int(code[0]) if self.ids_of(code) == [identifier] else None

    def erase(self, account: int, forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """See ``ports.Vault``."""
        return self.erase_all([account], forget)

    def erase_all(self, accounts: Sequence[int], forget: Callable[[Arrays, Sequence[int]], Arrays]) -> bool:
        """See ``ports.Vault``."""
        with self._folder.alone(), reaching("erasing an account"):
            staged = self._staged_without(accounts)
            kept = self._kept_without(accounts, forget)
            with self._records.transaction():
                gone = False
                for account in accounts:
                    gone |= self._folder.names.forget(account)
                    gone |= self._records.run("DELETE FROM decision WHERE account = ?", signed(account)) > 0
                    gone |= self._records.run("DELETE FROM event WHERE account = ?", signed(account)) > 0
                # What a killed scan drafted holds the accounts, too; its chunks are still staged.
                self._records.forget_drafts()
                for seq, file, chunk in staged:
                    self._records.run(
                        "UPDATE chunk SET file = ?, begins = ?, offsets = ?, rows = ? WHERE seq = ?",
                        file,
                        json.dumps(chunk.begins),
                        chunk.offsets.tobytes(),
                        int(chunk.offsets[-1]),
                        seq,
                    )
                for bucket, file in kept:
                    self._records.run("UPDATE kept SET file = ? WHERE bucket = ?", file, bucket)
            self._folder.sweep()
            self._records.checkpoint()
        return bool(gone or staged or kept)

    def _staged_without(self, accounts: Sequence[int]) -> list[tuple[int, str, Staged]]:
        written = []
        for seq, file, begins, offsets in self._records.rows(
            "SELECT seq, file, begins, offsets FROM chunk WHERE file IS NOT NULL"
        ):
            chunk = Staged(self._folder.path / file, json.loads(begins), np.frombuffer(offsets, np.int64))
            rows = read_whole(chunk)
            found = np.intersect1d(rows.columns["account"], np.array(accounts, np.uint64)).tolist()
            if found:
                for account in found:
                    rows = rows.without(account)
                name = self._folder.new("staged", f"{seq}", "arrow")
                written.append((seq, name, write_staged(self._folder.path / name, rows)))
        return written

    def _kept_without(
        self, accounts: Sequence[int], forget: Callable[[Arrays, Sequence[int]], Arrays]
    ) -> list[tuple[int, str]]:
        own = bucket_of(np.array(accounts, np.uint64)).tolist()
        concerned = {
            bucket: [a for a, b in zip(accounts, own, strict=True) if b == bucket] for bucket in sorted({*own})
        }
        written = []
        for bucket, of_it in [*concerned.items(), (SHARED, accounts)]:
            for (old,) in self._records.rows("SELECT file FROM kept WHERE bucket = ?", bucket):
                file = self._drawer_without(self._folder.path / old, bucket, of_it, forget)
                if file is not None:
                    written.append((bucket, file))
        return written

    def _drawer_without(
        self, path: Path, bucket: int, accounts: Sequence[int], forget: Callable[[Arrays, Sequence[int]], Arrays]
    ) -> str | None:
        arrays = read_arrays(path)
        left = forget({name: array.copy() for name, array in arrays.items()}, accounts)
        same = unchanged(arrays, left)
        tables = {name: read_table(path, name) for name in table_names(path)}
        others = {name: without(table, accounts) for name, table in tables.items()}
        if same and all(table is None for table in others.values()):
            return None
        file = self._folder.new("drawers", f"{bucket:02d}-without", "drawer")
        write_drawer(
            self._folder.path / file, left, {n: tables[n] if table is None else table for n, table in others.items()}
        )
        return file


def unchanged(before: Arrays, after: Arrays) -> bool:
    """Say whether arrays are the same to the last bit; a number that is none equals itself here."""
    return before.keys() == after.keys() and all(
        (before[n].dtype, before[n].shape, before[n].tobytes()) == (after[n].dtype, after[n].shape, after[n].tobytes())
        for n in before
    )


def without(table: pa.Table, accounts: Sequence[int]) -> pa.Table | None:
    """Leave the rows of accounts out of a table, and accounts out of its lists of accounts; None when it has none."""
    if "accounts" in table.column_names and pa.types.is_list(table.schema.field("accounts").type):
        return _unlisted(table, accounts)
    if "account" not in table.column_names:
        return None
    left = table.filter(pc.invert(pc.is_in(table["account"], value_set=pa.array(accounts, pa.uint64()))))
    return left if left.num_rows < table.num_rows else None


def _unlisted(table: pa.Table, accounts: Sequence[int]) -> pa.Table | None:
    gone = set(accounts)
    before = table["accounts"].to_pylist()
    after = [[member for member in members if member not in gone] for members in before]
    if after == before:
        return None
    column = table.column_names.index("accounts")
    left = table.set_column(
        column, table.schema.field("accounts"), pa.array(after, table.schema.field("accounts").type)
    )
    # One alone is no ring.
    return left.filter(pc.greater(pc.list_value_length(left["accounts"]), 1))
