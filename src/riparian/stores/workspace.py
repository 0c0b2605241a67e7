"""How is everything kept in one folder?

::

    riparian-workspace/
      riparian.sqlite    what is known, decided and visible (see riparian.stores.records)
      secret.key         16 bytes, made on first use: who has it and an identifier can make its pseudonym
      scan.lock          locked for as long as a scan runs; the system unlocks it when the process dies
      staged/            chunks not yet counted, Arrow IPC
      drawers/           the tally of each bucket and the tables beside it, one file a bucket
      rejects/           rejects.tsv: source, line, reason, and the beginning of each line that could not be read
      partitions/        what workers have read of a log in partitions, not yet staged (see riparian.stores.shares)
      shares/            what they count for one another
      catalogue.duckdb   the recordings that we hold (see riparian.stores.catalogue)

What is killed, when, and what is left
--------------------------------------
Files are written whole or not at all (:mod:`riparian.stores.files`), and one of them exists only once a
row refers to it.  So, killed:

* while a chunk is staged: a file without a row; swept, and the chunk is read again;
* between chunks: staged chunks, which the next scan knows and does not read again;
* while buckets are saved: drafts.  The next scan with the same chunks and context goes on after them, any
  other throws them away;
* while committing: the transaction decides; before it nothing is visible, after it everything;
* after committing: files without rows; swept.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

import pyarrow as pa

from riparian.errors import CustodyError
from riparian.ports import Catalogue, Clock, World
from riparian.stores.chosen import open_records
from riparian.stores.files import UNFINISHED, reaching, synchronise
from riparian.stores.folder import Folder
from riparian.stores.kept import FolderDecisions, FolderFindings, FolderTallies
from riparian.stores.names import Names
from riparian.stores.recorded import Recorded
from riparian.stores.scanning import FolderScans, FolderStaging
from riparian.stores.shares import FolderShares
from riparian.stores.vault import FolderVault

KEY_BYTES: Final = 16
_FOLDERS: Final = ("staged", "drawers", "rejects")
_PRIVATE: Final = 0o700


class Workspace:
    """A workspace folder, opened; made when it is not there.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> workspace = Workspace.open(Path(folder.name) / "riparian-workspace")
    >>> len(workspace.key), sorted(path.name for path in workspace.path.iterdir())[:3]
    (16, ['drawers', 'rejects', 'riparian.sqlite'])
    >>> workspace.close()
    >>> folder.cleanup()
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @classmethod
    def open(cls, path: Path, *, patience_s: float | None = None) -> "Workspace":
        """Open the folder.

        Parameters
        ----------
        path
            Where it is.
        patience_s
            How long a server that is away is waited for; None for as long as its address says.

        Raises
        ------
        InputError
            When another version of Riparian made it.
        CustodyError
            When its secret key is missing or another one.
        OutsideError
            When the disk refuses.
        """
        with reaching(f"opening the workspace `{path}`"):
            path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            for name in _FOLDERS:
                (path / name).mkdir(mode=_PRIVATE, exist_ok=True)
            records = open_records(path, patience_s)
            try:
                return cls(Folder(path, records, Names(records), _key(path, records)))
            except BaseException:
                records.close()
                raise

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._folder.path

    @property
    def key(self) -> bytes:
        """The secret of its pseudonyms."""
        return self._folder.key

    @property
    def rejects(self) -> Path:
        """The file of lines that could not be read; there once there are any."""
        return self._folder.path / "rejects" / "rejects.tsv"

    def world(self, clock: Clock) -> World:
        """Hand its ports to a flow."""
        folder = self._folder
        return World(
            clock=clock,
            catalogue=FolderCatalogue(folder.path, clock),
            vault=FolderVault(folder),
            staging=FolderStaging(folder),
            scans=FolderScans(folder, clock),
            tallies=FolderTallies(folder),
            findings=FolderFindings(folder),
            decisions=FolderDecisions(folder),
        )

    def shares(self) -> FolderShares:
        """Hand out what several workers of it lay down for one another."""
        return FolderShares(self._folder)

    def close(self) -> None:
        """Close its database."""
        self._folder.records.close()


class FolderCatalogue:
    """``ports.Catalogue`` in the file of all that we hold, which takes its time to load."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def recordings(self) -> pa.Table | None:
        """See ``ports.Catalogue``."""
        return self._whole().recordings()

    def keep(self, recordings: pa.Table) -> None:
        """See ``ports.Catalogue``."""
        self._whole().keep(recordings)

    def _whole(self) -> Catalogue:
        from riparian.stores.catalogue import DuckHoldings  # noqa: PLC0415

        return DuckHoldings(self._folder, self._clock)


def _key(path: Path, records: Recorded) -> bytes:
    file = path / "secret.key"
    if not file.exists() and records.note("key") is None:
        _make_key(file)
    key = file.read_bytes() if file.exists() else b""
    check = hashlib.sha256(b"riparian secret key" + key).digest()
    if records.note("key") is None and len(key) == KEY_BYTES:
        with records.transaction():
            if records.note("key") is None:
                records.keep_note("key", check)
    if records.note("key") != check:
        # With another key everybody would be somebody else, and every restraint on nobody.
        raise CustodyError(
            "`secret.key` is missing or not the one that this workspace was made with",
            hint="Restore secret.key from a backup; without it the pseudonyms in this workspace mean nobody.",
        )
    return key


def _make_key(file: Path) -> None:
    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(4)}{UNFINISHED}")
    handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    # A link, unlike a rename, does not replace the key that somebody else has just made.
    with contextlib.suppress(FileExistsError):
        os.link(unfinished, file)
    unfinished.unlink()
    synchronise(file.parent)
