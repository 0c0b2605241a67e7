"""What is visible of prints, as of one moment?

Shards are files that never change, mapped to memory; which there are, which prints are gone and which are the same is
read once.  So somebody who adds meanwhile disturbs nobody who searches.
"""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import CustodyError, InputError
from riparian.ports.prints import Known
from riparian.prints.build import gone_bits
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates, Index
from riparian.prints.keys import PrintKey
from riparian.prints.null import Draws, Null, fit
from riparian.prints.packing import unpack
from riparian.prints.peaks import Peaks
from riparian.prints.shard import opened
from riparian.prints.sketch import asked
from riparian.stores.files import reaching
from riparian.stores.prints.blobs import Blobs, FolderBlobs
from riparian.stores.prints.keys import print_key
from riparian.stores.prints.ledger import Ledger, State

_PEAKS_HELD: Final = 256
_NOTHING: Final = Peaks(np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.uint8), 0)


class SqlHeld:
    """``ports.prints.Held``: one state of the ledger."""

    def __init__(self, ledger: Ledger, blobs: Blobs, key: PrintKey) -> None:
        self._ledger, self._blobs, self.key = ledger, blobs, key
        self.peaks = lru_cache(_PEAKS_HELD)(self._peaks)
        with ledger.transaction():
            self.k: int = ledger.setting("k")
            self.state = state_of(ledger)
            names = [name for (name,) in ledger.rows("SELECT name FROM shard ORDER BY name")]
            gone = np.array([n for (n,) in ledger.rows("SELECT number FROM print WHERE state = 2")], np.int64)
            self.recordings: int = ledger.one("SELECT count(*) FROM print WHERE state = 1")
            clusters = ledger.rows("SELECT number, cluster FROM print WHERE cluster <> number")
        with reaching("opening the index of prints"):
            self._index = Index(tuple(opened(blobs.shard(name), key) for name in names), gone_bits(gone))
        self._clusters: dict[int, int] = dict(clusters)

    def close(self) -> None:
        """See ``ports.prints.Held``."""

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        """See ``riparian.prints.ours.Ours``."""
        return self._index.candidates(asked(heard, self.key, self.k, asking), most)

    def cluster(self, recording: int) -> int:
        """See ``riparian.prints.ours.Ours``."""
        return self._clusters.get(recording, recording)

    def alike(self, number: int) -> list[int]:
        """See ``ports.prints.Held``."""
        label = self.cluster(number)
        found = (label, *self._twins.get(label, ()))
        where = f"state = 1 AND number IN ({', '.join('?' * len(found))}) ORDER BY number"
        return [n for (n,) in self._ledger.rows(f"SELECT number FROM print WHERE {where}", *found)]  # noqa: S608

    @cached_property
    def _twins(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, label in self._clusters.items():
            found.setdefault(label, []).append(number)
        return found

    @cached_property
    def null(self) -> Null:
        """See ``ports.prints.Held``."""
        return fit(drawn(self._ledger), self._ledger.setting("drawn") or 0)

    def known(self, number: int) -> Known:
        """See ``ports.prints.Held``."""
        return self._ledger.known("number = ?", number)[0]

    def named(self, recording: str) -> list[int]:
        """See ``ports.prints.Held``."""
        rows = self._ledger.rows("SELECT number FROM print WHERE recording = ? AND state = 1", recording)
        return [number for (number,) in rows]

    def exactly(self, packets: bytes) -> list[int]:
        """See ``ports.prints.Held``."""
        where = "packets = ? AND state = 1 AND packets <> x''"
        return [n for (n,) in self._ledger.rows(f"SELECT number FROM print WHERE {where} ORDER BY number", packets)]  # noqa: S608

    def has(self, digest: str) -> bool:
        """See ``ports.prints.Held``."""
        return bool(self._ledger.rows("SELECT 1 FROM print WHERE digest = ? AND state = 1 LIMIT 1", digest))

    def numbers(self) -> NDArray[np.int64]:
        """See ``ports.prints.Held``."""
        rows = self._ledger.rows("SELECT number FROM print WHERE state = 1 ORDER BY number")
        return np.array([number for (number,) in rows], np.int64)

    def _peaks(self, recording: int) -> Peaks:
        found = self._ledger.rows("SELECT state, segment, at, bytes FROM print WHERE number = ?", recording)
        if not found or found[0][0] == State.GONE:
            return _NOTHING
        _, segment, at, n = found[0]
        return read_peaks(self._blobs, segment, at, n)


def read_peaks(blobs: Blobs, segment: int, at: int, n: int) -> Peaks:
    """Read a print's peaks.

    Raises
    ------
    CustodyError
        When they are not what was written.
    """
    try:
        with reaching("reading peaks"):
            return unpack(blobs.read(segment, at, n))
    except InputError as error:
        raise CustodyError(error.message, hint="Restore the folder `prints` from a backup.") from error


def state_of(ledger: Ledger) -> str:
    """Give the state's name: of this index and no other."""
    return f"{ledger.setting('key')}.{ledger.setting('k')}.{ledger.setting('state')}"


def drawn(ledger: Ledger) -> Draws:
    """Give what was drawn."""
    rows = ledger.rows(
        "SELECT draw.* FROM draw JOIN print ON print.number = draw.number WHERE state = 1 ORDER BY draw.number"
    )
    columns = list(zip(*rows, strict=True)) or [()] * 6
    kinds = (np.int64, np.float32, np.float32, np.int32, np.float32, np.float32)
    return Draws(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


class Hold:
    """Opens what is visible in a folder, in whichever process; one state is opened once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> SqlHeld:
        """Open it."""
        ledger = _ledger(self._folder)
        return _held(self._folder, state_of(ledger))


@lru_cache(4)
def _ledger(folder: Path) -> Ledger:
    return Ledger(folder)


@lru_cache(2)
def _held(folder: Path, state: str) -> SqlHeld:
    del state
    ledger = _ledger(folder)
    return SqlHeld(ledger, FolderBlobs(folder), print_key(folder, ledger))
