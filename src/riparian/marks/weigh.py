"""How surely was this copy issued to this account?

For each account of a pool, every channel and every splice is weighed on every recording, exactly; the mean over them
is the account's ``e``, whose own mean is one for whoever had no part.

Libraries
---------
Recordings that leaked together add up, in four ways that are mixed with weights fixed beforehand (:data:`PARTS`,
:data:`EACH`): the same channel in all recordings, or in about half, or in about an eighth of them, and the account had
no part in the rest; or in each recording any channel.  The first loses least where one ring mixed everything in one
way; the last allows for each recording another way and another ring, and loses a little for each.  Were the channels
mixed inside each recording alone, a ring of ten in fifty recordings would pay for not knowing its size fifty times.

Known accounts
--------------
In a recording, those of the accounts named before that the recording itself speaks for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from riparian.bets.channels import BANK, ONE, Cells, Channel, learned, log_e
from riparian.marks.code import words
from riparian.marks.keys import MarkKey
from riparian.marks.owners import SPLICES, Splice, log_forward
from riparian.marks.search import Heard

HYPOTHESES: Final[tuple[Channel | Splice, ...]] = (*BANK, *SPLICES)
"""Every way in which a copy of one recording may have come about."""
PARTS: Final = ((1.0, 3 / 6), (0.5, 1 / 6), (0.125, 1 / 6))
"""In which part of the recordings an account may have a part, and the weight of that."""
EACH: Final = 1 / 6
_OF_ONE: Final = 1 / 4
_BATCH: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What a library says of each account of a pool.

    Parameters
    ----------
    nats : np.ndarray [shape=(m,)]
        Natural logarithm of ``e``.
    leading_nats : np.ndarray [shape=(m,)]
        Of the one hypothesis that says most, before it is mixed with the others.
    leading
        Its name, account by account.
    by_recording : np.ndarray [shape=(recordings, m)]
        What each recording says by itself; nats.
    """

    nats: NDArray[np.float64]
    leading_nats: NDArray[np.float64]
    leading: tuple[str, ...]
    by_recording: NDArray[np.float64]


def weights(explained: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithms of the weights of the hypotheses, which sum to one.

    Half of the weight is fixed: a quarter of it to one account alone, the rest to all others alike.  The other half
    goes to those that explain the copy, by the biases alone.

    Examples
    --------
    >>> found = np.exp(weights(np.zeros(len(HYPOTHESES))))
    >>> float(found.sum().round(12)), float(found[0].round(3))
    (1.0, 0.25)
    """
    prior = np.full(len(HYPOTHESES), (1 - _OF_ONE) / (len(HYPOTHESES) - 1))
    prior[HYPOTHESES.index(ONE)] = _OF_ONE
    return learned(prior, explained)


def weigh(
    heard: Sequence[Heard],
    seeds_of: Callable[[MarkKey], NDArray[np.uint64]],
    pool: NDArray[np.int64],
    known: NDArray[np.int64],
    spoken: NDArray[np.float64] | None = None,
) -> Weighed:
    """Weigh every account of a pool.

    Parameters
    ----------
    heard
        Readings of different recordings, one or more.
    seeds_of
        Gives every candidate's seed under a key.
    pool : np.ndarray [shape=(m,), int64]
        Which candidates.
    known : np.ndarray [shape=(k,), int64]
        Where in the pool those stand that were named before.
    spoken : np.ndarray [shape=(recordings, m)]
        ``by_recording`` of when they were named.
    """
    n = len(HYPOTHESES)
    sums = np.zeros((len(PARTS), pool.size, n))
    by_recording = np.zeros((len(heard), pool.size))
    explained = np.zeros(n)
    for i, one in enumerate(heard):
        here = known[spoken[i, known] > 0] if spoken is not None else known
        nats, by_copy = _recording(one, seeds_of(one.key)[pool], here)
        explained += by_copy
        by_recording[i] = logsumexp(nats + weights(by_copy), axis=1)
        for part, (share, _) in enumerate(PARTS):
            sums[part] += np.logaddexp(np.log(share) + nats, np.log1p(-share)) if share < 1 else nats
    return _mixed(sums, by_recording, weights(explained))


def _mixed(sums: NDArray[np.float64], by_recording: NDArray[np.float64], log_weights: NDArray[np.float64]) -> Weighed:
    several = len(by_recording) > 1
    of_parts = [np.log(weight) for _, weight in PARTS] if several else [0.0]
    found = [sums[i] + log_weights + of_part for i, of_part in enumerate(of_parts)]
    names = [f"{h.name}{_where(share)}" for share, _ in PARTS[: len(found)] for h in HYPOTHESES]
    raw = [sums[i] for i in range(len(found))]
    if several:
        each = by_recording.sum(axis=0)[:, None]
        found.append(each + np.log(EACH))
        raw.append(each)
        names.append("in each recording its own way")
    every, bare = np.concatenate(found, axis=1), np.concatenate(raw, axis=1)
    leading = every.argmax(axis=1)
    return Weighed(
        logsumexp(every, axis=1),
        np.take_along_axis(bare, leading[:, None], axis=1)[:, 0],
        tuple(names[i] for i in leading.tolist()),
        by_recording,
    )


def _where(share: float) -> str:
    return "" if share == 1 else f", in one recording of {round(1 / share)}"


def _recording(
    one: Heard, seeds: NDArray[np.uint64], known: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weigh every hypothesis on one recording: nats [shape=(m, hypotheses)], and how each explains the copy."""
    reading = one.reading
    chunks = len(reading.soft)
    of_known = words(one.key, reading.recording, seeds[known], reading.layout, chunks, one.tier)
    cells, alone = one.cells(of_known), one.cells()
    each = [log_e(channel, cells) for channel in BANK]
    down, up = (np.stack([of[side] for of in each], axis=1) for side in (0, 1))
    by_copy = np.array([of[2] for of in each] + [log_e(ONE, alone)[2]] * len(SPLICES))
    nats = np.empty((seeds.size, len(HYPOTHESES)))
    for at in range(0, seeds.size, _BATCH):
        part = slice(at, at + _BATCH)
        bits = words(one.key, reading.recording, seeds[part], reading.layout, chunks, one.tier)
        is_up = (bits.reshape(len(bits), -1) > 0).astype(np.float64)
        nats[part, : len(BANK)] = is_up @ (up - down) + down.sum(axis=0)
        told = told_by_chunk(alone, is_up, chunks)
        for i, splice in enumerate(SPLICES):
            nats[part, len(BANK) + i] = log_forward(told, splice)
    return nats, by_copy


def told_by_chunk(cells: Cells, is_up: NDArray[np.float64], chunks: int) -> NDArray[np.float64]:
    """Give what each chunk adds where it is one account's copy; shape=(accounts, chunks), nats.

    Parameters
    ----------
    cells
        Of a recording, nobody known.
    is_up : np.ndarray [shape=(accounts, cells), float64]
        1 where an account's bit is +1, else 0.
    chunks
        How many the recording has.
    """
    down, up, _ = log_e(ONE, cells)
    told: NDArray[np.float64] = (is_up * (up - down) + down).reshape(len(is_up), chunks, -1).sum(axis=2)
    return told
