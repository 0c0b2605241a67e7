"""How do rows of a list come to be weighed: the map of what is ours, and what was learnt of this list's mistakes?"""

import hashlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from riparian.metadata import records
from riparian.metadata.calibrated import Counted
from riparian.ports.catalogue import Holdings
from riparian.ports.dumps import Parts, Told
from riparian.schema import RECORDING

_SEED_BYTES = 16


class Weighed:
    """``ports.dumps.Matcher`` by :mod:`riparian.metadata.records`.

    Parameters
    ----------
    ours
        The map of what is ours.
    state
        Of the catalogue that it was made of.
    key
        The secret of the workspace: what is learnt is learnt by lot, and nobody can write a list for these lots.
    """

    def __init__(self, ours: records.Ours, state: str, key: bytes) -> None:
        self._ours = ours
        self._catalogue = state
        self._key = key
        self._matching: records.Matching | None = None

    @property
    def held(self) -> int:
        """See ``ports.dumps.Matcher``."""
        return self._ours.count

    @property
    def state(self) -> str:
        """See ``ports.dumps.Matcher``."""
        return hashlib.sha256(f"{records.VERSION} {self._catalogue}".encode()).hexdigest()[:16]

    def learn(self, parts: Parts, rows: int, progress: Told) -> None:
        """See ``ports.dumps.Matcher``; the same is learnt whenever the same is asked."""
        seed = hashlib.blake2b(self.state.encode(), digest_size=_SEED_BYTES, key=self._key).digest()
        rng = np.random.default_rng(int.from_bytes(seed))
        progress("looking at what the list is like", 0, rows)
        sample = records.sampled(parts())
        progress("learning what mistakes look like", 0, None)
        self._matching = records.Matching(self._ours, iter(()), records.learn(self._ours, sample, rng), rng)

    def match(self, rows: pa.Table) -> pa.Table:
        """See ``ports.dumps.Matcher``; besides, what counting needs (``records.WEIGHED``)."""
        return self._learnt().weighed(rows)

    def count(self, found: Parts) -> Mapping[str, tuple[float, float, float]]:
        """See ``ports.dumps.Matcher``."""
        matching = self._learnt()
        for table in found():
            matching.add(table)
        totals = matching.counted()
        return {"rows_ours": _ends(totals.rows), "recordings_ours": _ends(totals.recordings)}

    def _learnt(self) -> records.Matching:
        assert self._matching is not None  # noqa: S101 -- learn comes first
        return self._matching


def weighing(
    open_map: Callable[[str, Callable[[], Iterator[pa.RecordBatch]], Told], records.Ours], held: Holdings, key: bytes
) -> Callable[[Told], Weighed]:
    """Give a way to make the matcher of a catalogue, which draws its map where there is none.

    Parameters
    ----------
    open_map
        Takes the state of the catalogue, a way to go through it, and whom to tell how far it is.
    held
        The catalogue.
    key
        The secret of the workspace.
    """

    def made(told: Told) -> Weighed:
        return Weighed(open_map(held.state, lambda: held.whole(RECORDING.names), told), held.state, key)

    return made


def _ends(counted: Counted) -> tuple[float, float, float]:
    return counted.estimate, counted.low, counted.high
