"""Which recordings share rare hashes with this sound?

Every value of a query is looked up; every recording that has it in its sketch gets a vote.  A value that few recordings
have says much, and one that many have, little: a vote weighs the logarithm of how much likelier the hit is where query
and recording are the same sound than where they are not.  Those with most votes are candidates, and no more than that:
votes for one recording depend on one another, so their sum is no evidence, and only its peaks can tell whether it is
the same sound (:mod:`riparian.prints.align`).

Symbols
-------
N    recordings in the index
n    of them, how many have the value
c    chance that a value of the query stands in the sketch of the same recording, where that has it among its hashes

Weight
------
A hit has chance c if this is the recording, and ``(n + 1) / (N + ELSEWHERE)`` if it is another one: as if, before any
recording was seen, one in ``ELSEWHERE`` had the value.  So it weighs ``log2(c (N + ELSEWHERE) / (n + 1))``, and never
less than nothing.  Values that were dropped weigh nothing.  Weights are whole 1,024ths, so that sums do not depend on
the order of addition.

Source
------
Robertson, S. and Sparck Jones, K. (1976), Relevance weighting of search terms, equation F1 (with one term's n small).
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.prints import build
from riparian.prints.shard import FREQUENT, Shard, addresses

CHANCE: Final = 0.15
"""Of a value of the query in the sketch of the same recording, where nothing better is known."""
ELSEWHERE: Final = 1 << 20
"""Recordings, one of which has a value before any is seen."""
UNITS: Final = 1024
"""Parts in which votes are counted."""
_TOO_MANY: Final = -1
_HITS_BITS: Final = 24
_LEVELS: Final = 1 << 16
_MIX: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Recordings that may be the same sound, the likeliest first.

    Parameters
    ----------
    recording : np.ndarray [shape=(m,), int64]
        Among equals the lowest number first.
    votes : np.ndarray [shape=(m,), float32]
        Sum of the weights of its hits.
    hits : np.ndarray [shape=(m,), int32]
        How many values of its sketch the query has.
    """

    recording: NDArray[np.int64]
    votes: NDArray[np.float32]
    hits: NDArray[np.int32]

    def __len__(self) -> int:
        return self.recording.size


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Shards that are asked together.

    Parameters
    ----------
    shards
        All with sketches of as many values; of other recordings, or other parts.
    gone : np.ndarray [shape=(bytes,), uint8]
        Recordings that were deleted since (:func:`riparian.prints.build.gone_bits`); they are never candidates.

    Raises
    ------
    InputError
        When shards have sketches of different sizes.

    Examples
    --------
    >>> from riparian.prints.keys import PrintKey
    >>> values, recordings = np.array([7, 8, 9, 7], np.uint64), np.array([0, 0, 0, 1])
    >>> index = Index((build.build(values, recordings, PrintKey(bytes(32)), k=64),))
    >>> index.frequencies(np.array([7, 8, 1], np.uint64)).tolist()
    [2, 1, 0]
    """

    shards: tuple[Shard, ...]
    gone: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))

    def __post_init__(self) -> None:
        kinds = sorted({shard.head.k for shard in self.shards})
        if len(kinds) > 1:
            raise InputError(f"shards of an index have sketches of {kinds} values, wanted all alike")

    @property
    def recordings(self) -> int:
        """How many recordings can be candidates."""
        held: dict[tuple[int, int], int] = {}
        for head in (shard.head for shard in self.shards):
            held[head.first, head.span] = max(head.recordings, held.get((head.first, head.span), 0))
        lost = sum(build.gone_among(first, span, self.gone) for first, span in held)
        return max(0, sum(held.values()) - lost)

    def frequencies(self, values: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Say how many recordings have each value in their sketches; shape=(n,), -1 where it was dropped."""
        n = np.zeros(values.size, dtype=np.int32)
        if self.shards:
            at = addresses(values, self.shards[0].head.k)
            for shard in self.shards:
                _count(n, self._found(shard, at)[1])
        return n

    def candidates(
        self, values: NDArray[np.uint64], most: int, *, chance: NDArray[np.float32] | None = None
    ) -> Candidates:
        """Rank the recordings that have values of a query in their sketches.

        Parameters
        ----------
        values : np.ndarray [shape=(n,), uint64]
            The query's; the same one twice counts once.
        most
            How many to give.
        chance : np.ndarray [shape=(n,), float32]
            Of each value to stand in the sketch of the same recording, 0 to 1; ``CHANCE`` where not given.

        Raises
        ------
        InputError
            When there are not as many chances as values.
        """
        if not self.shards:
            return _none()
        at, chances = distinct(addresses(values, self.shards[0].head.k), chance)
        where = [self._found(shard, at) for shard in self.shards]
        n = np.zeros(at.size, dtype=np.int32)
        for _, found in where:
            _count(n, found)
        weight = weights(n, self.recordings, chances)
        hits = int(n[weight > 0].sum())
        slots = max(1024, 1 << (2 * min(hits, sum(shard.head.span for shard in self.shards))).bit_length())
        table = np.zeros((slots, 2), dtype=np.int64)
        for shard, (since, found) in zip(self.shards, where, strict=True):
            ones = (1 << shard.head.number_bits) - 1
            _tally(since, found, weight, shard.postings, ones, shard.head.first, table)
        return _best(table, self.gone, most)

    @staticmethod
    def _found(shard: Shard, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        since, n = np.zeros(at.size, dtype=np.int64), np.zeros(at.size, dtype=np.int32)
        head = shard.head
        _find(at, head.first_bucket, head.number_bits, shard.starts, shard.counts, shard.postings, since, n)
        return since, n


def weights(n: NDArray[np.int32], recordings: int, chance: NDArray[np.float32]) -> NDArray[np.int64]:
    """Say what a hit of each value weighs, in 1,024ths.

    Parameters
    ----------
    n : np.ndarray [shape=(values,), int32]
        How many recordings have it; -1 where it was dropped.
    recordings
        How many there are.
    chance : np.ndarray [shape=(values,), float32]
        That the same recording has it.

    Examples
    --------
    >>> weights(np.array([1, 200, 201, -1], np.int32), 10**7, np.full(4, .15, np.float32)).tolist()
    [20132, 13322, 0, 0]
    """
    usable = (n > 0) & (n <= FREQUENT)
    likelier = chance.astype(np.float64) * (recordings + ELSEWHERE) / (np.maximum(n, 0) + 1)
    units = np.rint(np.log2(np.maximum(likelier, 1.0)) * UNITS)
    return np.where(usable, units, 0).astype(np.int64)


def distinct(
    at: NDArray[np.int64], chance: NDArray[np.float32] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give each address once, ascending, with the best of its chances.

    Raises
    ------
    InputError
        When there are not as many chances as addresses.
    """
    if chance is None:
        once = np.unique(at)
        return once, np.full(once.size, CHANCE, dtype=np.float32)
    if chance.shape != at.shape:
        raise InputError(f"there are {chance.size} chances of {at.size} values, wanted as many of each")
    order = np.argsort(at)
    sorted_ = at[order]
    begins = np.flatnonzero(np.diff(sorted_, prepend=-1))
    best = np.maximum.reduceat(chance[order], begins) if begins.size else chance
    return sorted_[begins], best


def _none() -> Candidates:
    return Candidates(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32))


def _count(n: NDArray[np.int32], found: NDArray[np.int32]) -> None:
    # Dropped in one shard is dropped.
    dropped = (n == _TOO_MANY) | (found == _TOO_MANY)
    n += found
    n[dropped | (n > FREQUENT)] = _TOO_MANY


def _best(table: NDArray[np.int64], gone: NDArray[np.uint8], most: int) -> Candidates:
    taken = np.empty(table.shape, dtype=np.int64)
    taken = taken[: _take(table, gone, most, taken)]
    votes, hits = taken[:, 1] >> _HITS_BITS, taken[:, 1] & ((1 << _HITS_BITS) - 1)
    order = np.lexsort((taken[:, 0], -votes))[:most]
    return Candidates(taken[order, 0], (votes[order] / UNITS).astype(np.float32), hits[order].astype(np.int32))


@njit(cache=True, nogil=True)
def _find(
    at: Any, first_bucket: Any, number_bits: Any, starts: Any, counts: Any, postings: Any, since: Any, n: Any
) -> None:
    # Where the postings of each address begin and how many there are; -1 where it was dropped.
    rest_bits = 32 - number_bits
    ones = np.uint32((1 << number_bits) - 1)
    for i in range(at.size):
        bucket = (at[i] >> rest_bits) - first_bucket
        if bucket < 0 or bucket >= counts.size or counts[bucket] == 0:
            continue
        rest = at[i] & ((1 << rest_bits) - 1)
        j = build.start_of(starts, counts, bucket)
        end = j + counts[bucket]
        while j < end and np.int64(postings[j]) >> number_bits < rest:
            j += 1
        since[i] = j
        while j < end and np.int64(postings[j]) >> number_bits == rest:
            j += 1
        n[i] = j - since[i]
        if n[i] and postings[since[i]] & ones == ones:
            n[i] = _TOO_MANY


@njit(cache=True, nogil=True)
def _tally(since: Any, n: Any, weight: Any, postings: Any, ones: Any, first: Any, table: Any) -> None:
    # Add the weights of all hits up in a hash table of (recording + 1, weight and hits), open, at most half full.
    mask = table.shape[0] - 1
    for i in range(since.size):
        if weight[i] <= 0:
            continue
        vote = (weight[i] << _HITS_BITS) + 1
        for j in range(since[i], since[i] + n[i]):
            whose = first + (np.int64(postings[j]) & ones) + 1
            slot = np.int64((np.uint64(whose) * np.uint64(_MIX)) >> np.uint64(32)) & mask
            while table[slot, 0] != 0 and table[slot, 0] != whose:
                slot = (slot + 1) & mask
            table[slot, 0] = whose
            table[slot, 1] += vote


@njit(cache=True, nogil=True)
def _take(table: Any, gone: Any, most: Any, taken: Any) -> int:
    # Those with at least as many votes as it takes to have enough of them; the last of these are sorted out later.
    level_bits = _HITS_BITS + 6
    at_level = np.zeros(_LEVELS, np.int64)
    n = 0
    for slot in range(table.shape[0]):
        whose = table[slot, 0] - 1
        if whose < 0 or (whose >> 3 < gone.size and gone[whose >> 3] >> (whose & 7) & 1):
            continue
        taken[n, 0], taken[n, 1] = whose, table[slot, 1]
        at_level[min(table[slot, 1] >> level_bits, _LEVELS - 1)] += 1
        n += 1
    least, enough = _LEVELS, 0
    while least > 0 and enough < most:
        least -= 1
        enough += at_level[least]
    kept = 0
    for i in range(n):
        if min(taken[i, 1] >> level_bits, _LEVELS - 1) >= least:
            taken[kept, 0], taken[kept, 1] = taken[i, 0], taken[i, 1]
            kept += 1
    return kept
