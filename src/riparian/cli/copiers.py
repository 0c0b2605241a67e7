"""Copiers that go among the accounts of a log, simulated or as somebody else wrote them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.assembly import House
from riparian.feeds import access_log
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.sim.copiers import parse_ring
from riparian.sim.spike import spike

SEED: Final = 793_218_557
"""No town is drawn from it: copiers put into a simulated log are nobody who is in it already."""


class Spike:
    """Copiers that go among the accounts of a log.

    Parameters
    ----------
    house
        Whose catalogue they copy; without one, what the log itself shows, by plays.
    spec
        A ring, as in ``20x200:queue:mimic=0.25``, or a file of accesses that somebody else wrote.
    read
        How to read such a file.
    """

    def __init__(self, house: House, spec: str, read: ReadOptions) -> None:
        self._house, self._spec, self._read = house, spec, read
        self._codes: list[npt.NDArray[np.uint64]] = []

    @property
    def accounts(self) -> npt.NDArray[np.uint64]:
        """Codes of the accounts that were put in so far."""
        return np.unique(np.concatenate([*self._codes, np.empty(0, np.uint64)]))

    def among(self, logs: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield the logs, then the copiers, over the same days and with the columns that the logs have."""
        first, last = 2**63 - 1, 0
        names: set[str] = set()
        played: list[pa.Table] = []
        for chunk in logs:
            if len(chunk.accesses):
                at_us = pc.min_max(chunk.accesses["at_us"]).as_py()
                first, last = min(first, at_us["min"]), max(last, at_us["max"])
                names |= set(chunk.accesses.column_names)
                if not self._house.terms.popularity.size:
                    played.append(chunk.accesses["recording"].combine_chunks().value_counts())
            yield chunk
        for number, made in enumerate(self._made((first, last), played)):
            kept = made.accesses.select([name for name in made.accesses.column_names if name in names])
            self._codes.append(np.unique(kept["account"].to_numpy()))
            yield replace(made, accesses=kept, digest=hashlib.blake2b(b"spike %d" % number, digest_size=16).digest())

    def _made(self, span_us: tuple[int, int], played: list[Any]) -> Iterator[Chunk]:
        key = self._house.world.vault.key
        if Path(self._spec).exists():
            yield from access_log.read([self._spec], options=self._read, key=key)
            return
        for accesses in spike((parse_ring(self._spec),), self._catalogue(played), span_us, key, seed=SEED):
            yield Chunk(b"", self._spec, 0, len(accesses), accesses)

    def _catalogue(self, played: list[Any]) -> npt.NDArray[np.uint64]:
        popularity = self._house.terms.popularity
        if popularity.size:
            return np.asarray(popularity.codes[np.argsort(popularity.rank, kind="stable")], np.uint64)
        codes = np.concatenate([np.asarray(p.field("values")) for p in played])
        counts = np.concatenate([np.asarray(p.field("counts")) for p in played])
        found, inverse = np.unique(codes, return_inverse=True)
        order = np.argsort(-np.bincount(inverse, weights=counts), kind="stable")
        return np.asarray(found[order][found[order] != 0], np.uint64)
