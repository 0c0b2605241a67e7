"""Which of a million accounts are worth a closer look?

Every candidate's word is made on the fly, 64 bits of hash at a time, and looked up in tables that say what eight bits
of hash add under a few channels.  What is found here ranks, and accuses nobody: the few that rank highest are weighed
in full (:mod:`.weigh`).  Who is not among them is given nothing, which is less than they would have had, so that what
holds of innocents holds all the more; what pruning may lose is somebody who had a part, never somebody who had none.

Of a library of many recordings, all candidates are ranked on the recordings that say most, until ``SCREENED`` cells
are read; about an eighth of them on four times as many, and so on.

Who stays must not hang on the others: were it the highest so many, a candidate would put somebody else out of the pool
by its own word, and who is named before it, whose words its own is weighed beside, would follow from that word.  So
each is ranked beside ``STRANGERS``, words by lot that are nobody's, and stays who ranks higher than a certain one of
them.

Symbols
-------
n   candidates
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.bets.channels import ONE, Cells, Channel, Way, log_e
from riparian.codes import hash_pairs
from riparian.marks.code import Tier, biases, blocks, start
from riparian.marks.keys import MarkKey
from riparian.marks.reading import Reading

RANKING: Final = (ONE, Channel(Way.LOT, 5), Channel(Way.FEWEST, 5), Channel(Way.COIN, 8))
"""Channels by which all candidates are ranked."""
SCREENED: Final = 2_048
"""Cells on which all candidates are ranked; a recording is not divided."""
KEPT: Final = 8
WIDENED: Final = 4
POOL: Final = 128
"""How many of words by lot are weighed in full, in the mean and for each way to rank."""
STRANGERS: Final = 65_536
_BATCH: Final = 4_096
_DEVIATIONS: Final = np.arange(-8.0, 8.25, 0.25)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A reading, with what is needed to say which bits an account's copy would have had.

    Parameters
    ----------
    reading
        Of one recording.
    key
        Of the epoch that it was read under.
    tier
        Of the words.

    Raises
    ------
    ValueError
        When the key is another epoch's.
    """

    reading: Reading
    key: MarkKey
    tier: Tier

    def __post_init__(self) -> None:
        if self.key.epoch != self.reading.epoch:
            raise ValueError(f"the key is of epoch {self.key.epoch}, wanted {self.reading.epoch} as the reading")

    @property
    def chance(self) -> NDArray[np.uint8]:
        """Chances that bits are +1, in sixteenths; shape=(chunks, groups)."""
        reading = self.reading
        return biases(self.key, reading.recording, reading.layout, len(reading.soft), self.tier)

    def cells(self, known: NDArray[np.int8] | None = None) -> Cells:
        """Give the cells, given the words of known accounts."""
        return Cells.of(self.reading.soft, self.chance, known)


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """How far candidates lie from what words drawn by lot give, in the channel that ranks.

    Parameters
    ----------
    channel
        Which.
    recordings
        On how many recordings.
    mean_bits, sd_bits
        Mean and standard deviation over words by lot: exact, from the reading and the biases alone.
    edges : np.ndarray [shape=(65,)]
        In standard deviations from the mean.
    counts : np.ndarray [shape=(64,), int64]
        Candidates between two edges; what lies beyond the last stands in the last.
    deviations : np.ndarray [shape=(n,), float32]
        Of each candidate.
    """

    channel: Channel
    recordings: int
    mean_bits: float
    sd_bits: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    deviations: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Who is worth a closer look.

    Parameters
    ----------
    pool : np.ndarray [shape=(m,), int64]
        Which candidates, in their order.
    crowd
        All of them, as they rank on the first recordings.
    """

    pool: NDArray[np.int64]
    crowd: Crowd


def search(heard: Sequence[Heard], seeds_of: Callable[[MarkKey], NDArray[np.uint64]], n: int) -> Found:
    """Rank all candidates, and give the highest.

    Parameters
    ----------
    heard
        Readings of different recordings, one or more.
    seeds_of
        Gives every candidate's seed under a key [shape=(n,)].
    n
        How many candidates there are, 1 or more.
    """
    order = sorted(heard, key=lambda one: -float((one.reading.soft.astype(np.float64) ** 2).sum()))
    # Candidates first, and behind them strangers; of so few that all are weighed nobody is put aside.
    strangers = min(n, STRANGERS) if n > POOL else 0
    passing = max(1, round(strangers * POOL / n))
    alive = np.arange(n + strangers)
    ranks = np.zeros((alive.size, len(RANKING) + 1))
    moments = np.zeros((2, len(RANKING)))
    marginal = np.zeros(len(RANKING))
    crowd: Crowd | None = None
    cells, until = 0, SCREENED
    for i, one in enumerate(order):
        if cells >= until:
            crowd = crowd or _crowd(ranks[:n], moments, marginal, i)
            alive = _highest(ranks, alive, n, max(passing, int((alive >= n).sum()) // KEPT))
            until *= WIDENED
        down, up, explained = _ranking(one.cells())
        seeds = np.concatenate([seeds_of(one.key), one.key.stream("strangers", words=strangers)])
        told = _told(one, seeds[alive] if alive.size < seeds.size else seeds, down, up)
        ranks[alive, :-1] += told
        # Of many recordings an account may have had a part in some: those that speak against it count for little.
        ranks[alive, -1] += np.logaddexp(told[:, 0], 0.0)
        if crowd is None:
            p = one.chance.ravel()[:, None] / 16
            moments += np.stack([(p * up + (1 - p) * down).sum(0), (p * (1 - p) * (up - down) ** 2).sum(0)])
            marginal += explained
        cells += one.reading.soft.size
    crowd = crowd or _crowd(ranks[:n], moments, marginal, len(order))
    kept = _highest(ranks, alive, n, passing)
    return Found(kept[kept < n], crowd)


def _ranking(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    each = [log_e(channel, cells) for channel in RANKING]
    down, up = (np.stack([one[side] for one in each], axis=1) for side in (0, 1))
    return down, up, np.array([one[2] for one in each])


def _highest(ranks: NDArray[np.float64], alive: NDArray[np.int64], n: int, passing: int) -> NDArray[np.int64]:
    """Keep so many strangers as rank highest in each way, and the candidates that rank higher than the last of them."""
    candidates, strangers = alive[alive < n], alive[alive >= n]
    if not strangers.size:
        return alive
    place = strangers.size - min(passing, strangers.size)
    last = np.partition(ranks[strangers], place, axis=0)[place]
    higher = (ranks[candidates] > last).any(axis=1), (ranks[strangers] >= last).any(axis=1)
    return np.concatenate([candidates[higher[0]], strangers[higher[1]]])


def _crowd(ranks: NDArray[np.float64], moments: NDArray[np.float64], marginal: NDArray[np.float64], i: int) -> Crowd:
    # Chosen by the copy alone; of channels that explain it as well, the first.
    at = int(np.argmax(np.round(marginal, 9)))
    mean, sd = float(moments[0, at]), float(np.sqrt(moments[1, at]))
    deviations = ((ranks[:, at] - mean) / (sd or 1.0)).astype(np.float32)
    counts, _ = np.histogram(np.clip(deviations, _DEVIATIONS[0], _DEVIATIONS[-1]), _DEVIATIONS)
    return Crowd(RANKING[at], i, mean / np.log(2), sd / np.log(2), _DEVIATIONS, counts, deviations)


def _told(
    one: Heard, seeds: NDArray[np.uint64], down: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Give what a recording tells of each seed under each channel; shape=(n, channels), nats."""
    tables = _tables(one, down, up)
    begin = start(one.key, one.reading.recording, one.reading.layout, one.tier)
    places = np.arange(len(tables) // 8, dtype=np.uint64)
    drawn = np.empty((min(_BATCH, seeds.size), places.size), dtype=np.uint64)
    told = np.empty((seeds.size, down.shape[1]), dtype=np.float32)
    for at in range(0, seeds.size, _BATCH):
        part = seeds[at : at + _BATCH]
        hash_pairs(begin, part, places, drawn[: part.size])
        _look_up(drawn[: part.size], tables, told[at : at + part.size])
    return told


def _tables(one: Heard, down: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give what each byte of hash adds; shape=(bytes, 256, channels)."""
    each = one.tier.cell_bits
    n_bytes = blocks(len(down), one.tier) * 8
    n_cells = n_bytes * 8 // each
    value = np.arange(256)[:, None] >> np.arange(0, 8, each) & (1 << each) - 1
    chance = np.zeros(n_cells, dtype=np.int64)
    chance[: len(down)] = one.chance.ravel() if one.tier is Tier.MANY else 1
    is_up = value < chance.reshape(n_bytes, 1, -1)
    tables = np.zeros((n_bytes, 256, down.shape[1]), dtype=np.float32)
    padded = np.zeros((2, n_cells, down.shape[1]))
    padded[0, : len(down)], padded[1, : len(up)] = down, up
    by_byte = padded.reshape(2, n_bytes, -1, down.shape[1])
    for place in range(by_byte.shape[2]):
        tables += np.where(is_up[:, :, place, None], by_byte[1, :, None, place], by_byte[0, :, None, place])
    return tables


@njit(cache=True, nogil=True, fastmath=True)
def _look_up(drawn: Any, tables: Any, told: Any) -> None:
    for i in range(drawn.shape[0]):
        a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for block in range(drawn.shape[1]):
            word = drawn[i, block]
            for byte in range(8):
                row = tables[8 * block + byte, word & np.uint64(255)]
                a += row[0]
                b += row[1]
                c += row[2]
                d += row[3]
                word >>= np.uint64(8)
        told[i, 0], told[i, 1], told[i, 2], told[i, 3] = a, b, c, d
