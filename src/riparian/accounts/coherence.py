"""How well do the artists of one account go together?

*Coherence* is the mean cosine of an account's distinct artists, two by two, under vectors that other accounts taught
(:mod:`riparian.accounts.colistening`), at a few fixed sizes: after so many recordings new to the account.

Symbols
-------
k, S   distinct artists with a vector; the sum of their vectors: coherence = (|S|**2 - k) / (k (k - 1))
level  tenths of the way from the middle of all accounts to their 5 % point (apart) or 95 % point (alike)

Fails when
----------
Sizes are mixed: the more an account has taken, the less its artists go together.  Most of those who teach copy: then
the middle is theirs, and people are far from it.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.colistening import Codes, Vectors, fold_of, vectors_of

SIZES: Final = (100, 200, 400)
"""New recordings after which an account is looked at."""
LEAST_ARTISTS: Final = 30
"""An account with fewer distinct artists that have a vector is not judged at that size."""
ENOUGH: Final = 50_000
"""Accounts that are enough to learn from; of more, a part is taken."""
MIDDLE_OF: Final = 200
"""Accounts without which nobody knows where the middle is."""
TAILS: Final = ("apart", "alike")
"""Below and above the middle, as the ladders of the people file are called."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What earlier logs say of taste: vectors, and how coherent accounts are; frozen before anybody is judged by it.

    Parameters
    ----------
    vectors
        Of artists.
    middle : np.ndarray [shape=(sizes, 3)]
        The 5 %, 50 % and 95 % points of coherence over all accounts at each size; NaN where there are too few.
    as_of_us
        End of the logs that it was learnt from.
    """

    vectors: Vectors
    middle: npt.NDArray[np.float64]
    as_of_us: int

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Lay it down."""
        return {
            "artists": self.vectors.artists,
            "by_fold": self.vectors.by_fold,
            "middle": self.middle,
            "as_of_us": np.array([self.as_of_us]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Embedding":
        """Take it up."""
        vectors = Vectors(arrays["artists"], arrays["by_fold"])
        return cls(vectors, arrays["middle"], int(arrays["as_of_us"][0]))


def learn(accounts: Codes, artists: Codes, *, as_of_us: int) -> Embedding:
    """Learn from earlier logs which artists go together, and how well those of most accounts do.

    A size has a middle when at least half of those who reached the first size reached it, and they are ``MIDDLE_OF``:
    who gets further than most is not most people.

    Parameters
    ----------
    accounts, artists : np.ndarray [shape=(fetches,), uint64]
        Who took a recording new to them, and whose it was; in order of time for each account.  Candidates are not most
        people: hand in everybody, or some buckets.  Of very many accounts a part is taken, by their codes.
    as_of_us
        End of these logs.
    """
    part = np.flatnonzero(_in_part(accounts))
    vectors = vectors_of(accounts[part], artists[part])
    order = part[np.argsort(accounts[part], kind="stable")]
    who, starts = runs(accounts[order])
    coherence, _ = coherences(vectors, who, starts, artists[order], np.arange(len(who)))
    middle = np.full((len(SIZES), 3), np.nan)
    reached = np.diff(starts)
    most = (reached >= SIZES[0]).sum() / 2
    for i, size in enumerate(SIZES):
        known = coherence[~np.isnan(coherence[:, i]), i]
        if len(known) >= MIDDLE_OF and (reached >= size).sum() >= most:
            middle[i] = np.quantile(known, [0.05, 0.5, 0.95])
    return Embedding(vectors, middle, as_of_us)


def _in_part(accounts: Codes) -> npt.NDArray[np.bool_]:
    """Halve the accounts by a bit of their codes until about ``ENOUGH`` are left."""
    # The lowest bit tells the fold; the next eight are enough to estimate how many accounts there are.
    about = 256 * len(np.unique(accounts[(accounts >> np.uint64(1)) & np.uint64(255) == 0]))
    halvings = max(0, math.ceil(math.log2(max(about, 1) / ENOUGH)))
    return cast(npt.NDArray[np.bool_], (accounts >> np.uint64(1)) & np.uint64((1 << halvings) - 1) == 0)


def levels(coherence: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Tell how far looks are from the middle, below and above it [shape=(looks, tails)]; zero when nobody knows."""
    low, mid, high = middle
    level = np.zeros((len(coherence), len(TAILS)))
    if high > mid > low:
        level[:, 0], level[:, 1] = (mid - coherence) / (mid - low), (coherence - mid) / (high - mid)
    return np.clip(np.floor(10 * np.nan_to_num(level)), 0, 10_000).astype(np.int32)


def runs(accounts: Codes) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Tell which accounts there are, and where each one's run of a sorted column starts, and the last ends."""
    starts = np.flatnonzero(np.append(True, accounts[1:] != accounts[:-1])) if len(accounts) else np.empty(0, np.int64)
    return accounts[starts], np.append(starts, len(accounts))


def coherences(
    vectors: Vectors, who: Codes, starts: npt.NDArray[np.int64], artists: Codes, due: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Tell how well the artists of accounts go together at each size, and how many there are [shape=(accounts, sizes)].

    NaN for an account that is not among the ``due`` rows, has not reached the size, or has too few artists.
    """
    coherence = np.full((len(who), len(SIZES)), np.nan)
    many = np.zeros((len(who), len(SIZES)), np.int32)
    # Each account is judged by the fold that it did not teach.
    _cohere(vectors.by_fold, 1 - fold_of(who), starts, vectors.find(artists), np.array(SIZES), due, coherence, many)
    coherence[many < LEAST_ARTISTS] = np.nan
    return coherence, many


@njit(cache=True, nogil=True)
def _cohere(by_fold: Any, fold: Any, starts: Any, rows: Any, sizes: Any, due: Any, coherence: Any, many: Any) -> None:
    met = np.full(by_fold.shape[1], -1)
    total = np.zeros(by_fold.shape[2])
    for i in due:
        total[:] = 0
        k, at = 0, 0
        for place in range(min(starts[i + 1] - starts[i], sizes[-1])):
            row = rows[starts[i] + place]
            if row >= 0 and met[row] != i:
                met[row] = i
                vector, length = by_fold[fold[i], row], 0.0
                for j in range(len(vector)):
                    total[j] += vector[j]
                    length += vector[j] * vector[j]
                k += length > 0.5
            if place + 1 == sizes[at]:
                many[i, at] = k
                if k > 1:
                    coherence[i, at] = ((total * total).sum() - k) / (k * (k - 1.0))
                at += 1
