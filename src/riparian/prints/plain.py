"""What does the index answer, said in the simplest way?

Here every sketch is kept as it is, and a query is compared with each one.  That is the specification of the index: what
:class:`riparian.prints.index.Index` gives is what this gives, and it is tested so.  It also serves a few thousand
recordings that need no file.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.prints.index import UNITS, Candidates, distinct, weights
from riparian.prints.shard import FREQUENT, addresses


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """All sketches, as they are.

    Parameters
    ----------
    values : np.ndarray [shape=(n,), uint64]
        All their values.
    recordings : np.ndarray [shape=(n,), int64]
        Whose each is.
    k
        How many values a sketch of ordinary length has at most.
    gone
        Recordings that were deleted.

    Examples
    --------
    >>> plain = Plain(np.array([7, 8, 9, 7], np.uint64), np.array([0, 0, 0, 1]), k=64)
    >>> found = plain.candidates(np.array([7, 9], np.uint64), most=10)
    >>> found.recording.tolist(), found.hits.tolist()
    ([0, 1], [2, 1])
    """

    values: NDArray[np.uint64]
    recordings: NDArray[np.int64]
    k: int
    gone: frozenset[int] = frozenset()

    def frequencies(self, values: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Say how many recordings have each value in their sketches; shape=(n,), -1 where they are too many."""
        held = addresses(self.values, self.k)
        n = [np.unique(self.recordings[held == at]).size for at in addresses(values, self.k)]
        return np.array([m if m <= FREQUENT else -1 for m in n], dtype=np.int32)

    def candidates(
        self, values: NDArray[np.uint64], most: int, *, chance: NDArray[np.float32] | None = None
    ) -> Candidates:
        """Rank the recordings that have values of a query in their sketches, as the index does."""
        asked, chances = distinct(addresses(values, self.k), chance)
        held = addresses(self.values, self.k)
        owners = [np.unique(self.recordings[held == at]) for at in asked]
        n = np.array([who.size for who in owners], dtype=np.int32)
        there = set(self.recordings.tolist()) - self.gone
        votes: dict[int, list[int]] = {}
        for who, weight in zip(owners, weights(n, len(there), chances).tolist(), strict=True):
            for recording in who.tolist():
                if weight > 0 and recording in there:
                    votes.setdefault(recording, []).append(weight)
        ranked = sorted(votes, key=lambda recording: (-sum(votes[recording]), recording))[:most]
        return Candidates(
            np.array(ranked, dtype=np.int64),
            np.array([sum(votes[recording]) / UNITS for recording in ranked], dtype=np.float32),
            np.array([len(votes[recording]) for recording in ranked], dtype=np.int32),
        )
