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
from riparian.prints.shard import FREQUENT, Shard, addresses, once

CHANCE: Final = 0.15
"""Of a value of the query in the sketch of the same recording, where nothing better is known."""
ELSEWHERE: Final = 1 << 20
"""Recordings, one of which has a value before any is seen."""
UNITS: Final = 1024
"""Parts in which votes are counted."""
_TOO_MANY: Final = -1
_WEIGHT_BITS: Final = 16


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
    recordings: int = field(init=False)
    """How many can be candidates."""

    def __post_init__(self) -> None:
        kinds = sorted({shard.head.k for shard in self.shards})
        if len(kinds) > 1:
            raise InputError(f"shards of an index have sketches of {kinds} values, wanted all alike")
        held: dict[tuple[int, int], int] = {}
        for head in (shard.head for shard in self.shards):
            held[head.first, head.span] = max(head.recordings, held.get((head.first, head.span), 0))
        lost = sum(build.gone_among(first, span, self.gone) for first, span in held)
        object.__setattr__(self, "recordings", max(0, sum(held.values()) - lost))

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
        hits = np.empty(int(np.where(weight > 0, n, 0).sum()), dtype=np.uint64)
        n_hits = 0
        for shard, (since, found) in zip(self.shards, where, strict=True):
            held = shard.head
            ones = (1 << held.number_bits) - 1
            n_hits = _gather(since, found, weight, shard.postings, ones, held.first, held.span, self.gone, hits, n_hits)
        return _ranked(np.sort(hits[:n_hits]), most)

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
        each = once(at.astype(np.uint64)).astype(np.int64)
        return each, np.full(each.size, CHANCE, dtype=np.float32)
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


def _ranked(hits: NDArray[np.uint64], most: int) -> Candidates:
    recording, votes = np.empty(hits.size, dtype=np.int64), np.empty(hits.size, dtype=np.int64)
    n_hits = np.empty(hits.size, dtype=np.int32)
    n = _sum(hits, recording, votes, n_hits)
    recording, votes, n_hits = recording[:n], votes[:n], n_hits[:n]
    if n > most:
        enough = votes >= np.partition(votes, n - most)[n - most]
        recording, votes, n_hits = recording[enough], votes[enough], n_hits[enough]
    order = np.lexsort((recording, -votes))[:most]
    return Candidates(recording[order], (votes[order] / UNITS).astype(np.float32), n_hits[order])


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
def _gather(
    since: Any,
    n: Any,
    weight: Any,
    postings: Any,
    ones: Any,
    first: Any,
    span: Any,
    gone: Any,
    hits: Any,
    n_hits: Any,
) -> Any:
    # Recording and weight of each hit, in one number, so that sorting them is all there is to do.
    for i in range(since.size):
        if weight[i] <= 0:
            continue
        for j in range(since[i], since[i] + n[i]):
            number = np.int64(postings[j]) & ones
            whose = first + number
            # Postings of a damaged file may name anybody.
            if number >= span:
                continue
            if whose >> 3 < gone.size and gone[whose >> 3] >> (whose & 7) & 1:
                continue
            hits[n_hits] = whose << _WEIGHT_BITS | weight[i]
            n_hits += 1
    return n_hits


@njit(cache=True, nogil=True)
def _sum(hits: Any, recording: Any, votes: Any, n_hits: Any) -> Any:
    n = -1
    last = np.int64(-1)
    for i in range(hits.size):
        whose, weight = np.int64(hits[i]) >> _WEIGHT_BITS, np.int64(hits[i]) & ((1 << _WEIGHT_BITS) - 1)
        if whose != last:
            n += 1
            recording[n], votes[n], n_hits[n] = whose, 0, 0
            last = whose
        votes[n] += weight
        n_hits[n] += 1
    return n + 1
