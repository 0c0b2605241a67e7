"""To whom were these copies issued, and how surely?

The law
-------
An account that had no part in a copy has a word that was drawn apart from it.  Over that draw, given the copy and all
other accounts' words, the mean of ``2**bits`` is at most one, whatever was done to the copy: so an account without a
part reaches ``b`` bits with chance at most ``2**-b``, and any of ``n`` such does with chance at most ``n 2**-b``.  That
the mean holds needs only that words are drawn by a key which whoever made the copy had not, nor heard anything through,
such as what an earlier trace said of the same recording; that accounts have seeds of their own (:mod:`.code`); and that
nothing else of the procedure reads a word: alignment, soft values and the weights of channels come of the copy, the
master and the key.

Rounds
------
Accounts are named in rounds.  In the first, each is weighed by itself; in each later one, given the words of those
already named, which takes their share of the noise away.  Round ``r`` has weight ``1 / (r (r + 1))``, paid in bits.
Consider an account without a part, and the procedure without that account among the candidates: until it is named
itself, nobody else's round depends on its word, nor whether anybody else is weighed (:mod:`.search`), so that those
already named are others', drawn apart from its word.
Its chance to be named in round ``r`` is thus at most that round's weight times ``2**-b``, and over all rounds
``2**-b``.

What is paid
------------
The round, and how many epochs and masters were tried (``log2``).  How many candidates there are is not paid here but
asked for in ``needed_bits``, which an operator's policy gives.  Rounding is downwards throughout.

What is not claimed
-------------------
That a candidate who was likely beforehand, say because a log shows that they fetched the recording, is more likely now:
that is a prior, and there is no argument for it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.evidence import ISSUED, Evidence, Row, Source, on_grid
from riparian.marks.code import words
from riparian.marks.keys import MarkKey
from riparian.marks.owners import Splice, owned
from riparian.marks.search import Crowd, Heard, search
from riparian.marks.weigh import Weighed, told_by_chunk, weigh

SOURCE: Final = Source("marks.trace", "1")
ROUNDS_MAX: Final = 12
_SHOWN: Final = Splice(5, 10)
_BITS: Final = 1 / math.log(2)
_SLACK: Final = 1e-9  # far above what is lost to rounding in sums of logarithms, far below the grid
_RECORDINGS_TOLD: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Everybody to whom a copy may have been issued.

    Parameters
    ----------
    subjects : np.ndarray [shape=(n,), uint64]
        Pseudonyms, as evidence has them.
    seeds_of
        Gives every candidate's seed under a key [shape=(n,)]; asked often, and should remember.
    """

    subjects: NDArray[np.uint64]
    seeds_of: Callable[[MarkKey], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """An account to which these copies, or a part of them, were issued.

    Parameters
    ----------
    candidate
        Its place among the candidates.
    evidence
        ``ISSUED``.
    owned
        For each recording, the chance that each chunk comes from this account's copy, if it is put together from
        stretches of one account in five; shape=(chunks,).
    """

    candidate: int
    evidence: Evidence
    owned: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """To whom copies were issued.

    Parameters
    ----------
    named
        Whoever has the bits that were asked for, the surest first.
    runner_up_bits
        Of whoever came next.
    needed_bits
        What was asked for.
    crowd
        All candidates, beside what words drawn by lot give.
    """

    named: tuple[Named, ...]
    runner_up_bits: float
    needed_bits: float
    crowd: Crowd


@dataclass(frozen=True, slots=True)
class Tried:
    """How many keys and masters were tried before these readings were kept; each 1 or more."""

    epochs: int = 1
    masters: int = 1


def trace(
    heard: Sequence[Heard],
    candidates: Candidates,
    *,
    needed_bits: float,
    at_us: int,
    tried: Tried = Tried(),
) -> Traced:
    """Say to whom copies were issued.

    Parameters
    ----------
    heard
        Readings of different recordings that leaked together, one or more.
    candidates
        One or more, each once.
    needed_bits
        ``log2`` of candidates times copies traced a year, by the mistakes that are tolerated a year.
    at_us
        When this is asked; microseconds since 1970, UTC.
    tried
        What is paid for.

    Raises
    ------
    InputError
        When there is nothing to trace, nobody to trace it to, or a recording twice.
    """
    _require(heard, candidates)
    found = search(heard, candidates.seeds_of, candidates.subjects.size)
    rounds, last = _rounds(heard, candidates, found.pool, needed_bits, _price(tried))
    made = _Made(heard, candidates, found.pool, found.crowd, tried, needed_bits, at_us)
    of_named = [(place, r, weighed) for r, (weighed, places) in enumerate(rounds, 1) for place in places]
    rest = np.setdiff1d(np.arange(found.pool.size), [place for place, _, _ in of_named])
    r = min(len(rounds) + 1, ROUNDS_MAX)
    bits = _bits(last, r, _price(tried))
    runner_up = float(bits[rest].max()) if rest.size else -math.inf
    named = [made.named(place, r, weighed, runner_up) for place, r, weighed in of_named]
    return Traced(_surest_first(named), on_grid(runner_up), needed_bits, found.crowd)


def _require(heard: Sequence[Heard], candidates: Candidates) -> None:
    recordings = [one.reading.recording for one in heard]
    if not heard or not candidates.subjects.size:
        raise InputError(
            f"{len(heard)} readings are traced to {candidates.subjects.size} candidates, wanted one of each or more"
        )
    if len(set(recordings)) < len(recordings):
        raise InputError(
            f"{len(recordings)} readings are of {len(set(recordings))} recordings, wanted each once",
            hint="Of several copies of one recording, trace each by itself.",
        )


def _price(tried: Tried) -> float:
    return math.log2(tried.epochs) + math.log2(tried.masters)


def round_price(r: int) -> float:
    """Bits that round ``r`` costs, from 1.

    Examples
    --------
    >>> [round(round_price(r), 2) for r in (1, 2, 10)]
    [1.0, 2.58, 6.78]
    >>> sum(2.0 ** -round_price(r) for r in range(1, 10_000)) < 1
    True
    """
    return math.log2(r * (r + 1))


def _bits(weighed: Weighed, r: int, price: float) -> NDArray[np.float64]:
    bits: NDArray[np.float64] = weighed.nats * _BITS - round_price(r) - price
    return bits


def _rounds(
    heard: Sequence[Heard], candidates: Candidates, pool: NDArray[np.int64], needed_bits: float, price: float
) -> tuple[list[tuple[Weighed, NDArray[np.int64]]], Weighed]:
    """Give what was weighed in each round with the places in the pool that it named, and what named nobody more."""
    known = np.zeros(0, dtype=np.int64)
    rounds: list[tuple[Weighed, NDArray[np.int64]]] = []
    spoken = np.zeros((len(heard), pool.size))
    while True:
        weighed = weigh(heard, candidates.seeds_of, pool, known, spoken)
        # A row short of the total by less than the grid is told, so as many grids more are asked for as there are rows.
        high = np.flatnonzero(_bits(weighed, len(rounds) + 1, price) >= needed_bits + 8 / 1024)
        new = np.setdiff1d(high, known)
        if not new.size or len(rounds) + 1 == ROUNDS_MAX:
            return rounds, weighed
        rounds.append((weighed, new))
        spoken[:, new] = weighed.by_recording[:, new]
        known = np.concatenate([known, new])


def _surest_first(named: Sequence[Named]) -> tuple[Named, ...]:
    return tuple(sorted(named, key=lambda one: -one.evidence.bits))


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What every explanation is made from."""

    heard: Sequence[Heard]
    candidates: Candidates
    pool: NDArray[np.int64]
    crowd: Crowd
    tried: Tried
    needed_bits: float
    at_us: int

    def named(self, place: int, r: int, weighed: Weighed, runner_up: float) -> Named:
        candidate = int(self.pool[place])
        rows = self._rows(place, r, weighed)
        facts = self._facts(place, weighed) | {"round": r, "runner_up_bits": on_grid(runner_up)}
        subject = int(self.candidates.subjects[candidate])
        bits = sum(row.bits for row in rows)
        evidence = Evidence(ISSUED, subject, bits, rows, self.at_us, SOURCE, facts)
        return Named(candidate, evidence, tuple(self._owned(one, candidate) for one in self.heard))

    def _rows(self, place: int, r: int, weighed: Weighed) -> tuple[Row, ...]:
        leading, total = (float(x[place]) * _BITS - _SLACK for x in (weighed.leading_nats, weighed.nats))
        first = on_grid(leading)
        rows = [
            Row(f"the copy agrees with the account's word; taken as of {weighed.leading[place]}", first),
            Row("other ways in which the copy may have come about", on_grid(total - first)),
            Row(f"named in round {r}", on_grid(-round_price(r))),
        ]
        for what, n in (("epochs", self.tried.epochs), ("masters", self.tried.masters)):
            if n > 1:
                rows.append(Row(f"{n} {what} were tried", on_grid(-math.log2(n))))
        return tuple(rows)

    def _facts(self, place: int, weighed: Weighed) -> dict[str, object]:
        said = weighed.by_recording[:, place] * _BITS
        most = np.argsort(-said)[:_RECORDINGS_TOLD]
        readings = [one.reading for one in self.heard]
        deviation = float(self.crowd.deviations[self.pool[place]])
        return {
            "recordings": len(self.heard),
            "bits_by_recording": {readings[i].recording: on_grid(float(said[i])) for i in most.tolist()},
            "seconds_read": round(sum(reading.facts.aligned_s for reading in readings), 3),
            "pilot_z": round(min(reading.pilot_z for reading in readings), 2),
            "candidates": int(self.candidates.subjects.size),
            "epochs_tried": self.tried.epochs,
            "masters_tried": self.tried.masters,
            "needed_bits": self.needed_bits,
            "deviations": round(deviation, 3),
        }

    def _owned(self, one: Heard, candidate: int) -> NDArray[np.float64]:
        reading = one.reading
        seed = self.candidates.seeds_of(one.key)[candidate : candidate + 1]
        bits = words(one.key, reading.recording, seed, reading.layout, len(reading.soft), one.tier)
        is_up = (bits.reshape(1, -1) > 0).astype(np.float64)
        return owned(told_by_chunk(one.cells(), is_up, len(reading.soft))[0], _SHOWN)
