"""Which artists do people take together?

An embedding says it: artists whose listeners are the same people point the same way.  It is learnt from earlier logs
and frozen; what is asked of it later is how well the artists of one account go together
(:mod:`riparian.accounts.taste`), and beside how many accounts that are believed honest.

Counts of new recordings, accounts by artists, are taken as logs, divided by how many accounts take the artist (as in
text retrieval), and scaled to length one for every account.  The first direction of what remains is what everybody
hears, which is no taste and is left out; an artist's vector is its place along the following ones, at length one.

Fails when
----------
An account is judged by what it taught itself.  So accounts teach in two *folds*, by a bit of their code, and each is
judged by the vectors of the other fold: honest accounts that taught, honest accounts that did not, and whoever is
judged are then alike under the null.  Rings of the earlier logs teach too; they make the vectors worse, not the ranks,
as long as the accounts that are believed honest are.

Conventions
-----------
* Accounts and artists are 64-bit codes; fetches stand in order of time for each account.
* The same fetches give the same vectors; the beginning of the iteration follows from the artists' codes.

Source
------
Halko, Martinsson & Tropp (2011), *Finding structure with randomness*, algorithm 4.4; Salton & Buckley (1988),
*Term-weighting approaches in automatic text retrieval*.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from numba import njit

DIRECTIONS: Final = 64
"""Directions of the embedding; the first is left out."""
ARTISTS_A_DIRECTION: Final = 8
"""A small catalogue has fewer directions: with as many as artists, every artist would have its own."""
LEAST_LISTENERS: Final = 5
"""An artist with fewer accounts in a fold has no vector there."""
FOLDS: Final = 2
_SPARE: Final = 16
_ROUNDS: Final = 8
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)

Codes = npt.NDArray[np.uint64]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Artists as directions, once for each fold of accounts.

    Parameters
    ----------
    artists : np.ndarray [shape=(artists,), uint64, sorted]
        Codes of artists that have a vector in some fold.
    by_fold : np.ndarray [shape=(FOLDS, artists, directions), float32]
        Vectors of length one as the accounts of a fold taught them; zeros where they taught nothing.
    """

    artists: Codes
    by_fold: Singles

    def find(self, artists: Codes) -> npt.NDArray[np.int64]:
        """Rows of these artists; -1 for those that have no vector."""
        if not len(self.artists):
            return np.full(len(artists), -1)
        at = np.minimum(np.searchsorted(self.artists, artists), len(self.artists) - 1)
        return np.where(self.artists[at] == artists, at, -1)


def fold_of(accounts: Codes) -> npt.NDArray[np.int64]:
    """Tell in which fold accounts teach; they are judged by the other.

    Examples
    --------
    >>> fold_of(np.array([0, 1, 2], np.uint64)).tolist()
    [0, 1, 0]
    """
    return (accounts & np.uint64(1)).astype(np.int64)


def vectors_of(accounts: Codes, artists: Codes) -> Vectors:
    """Learn the vectors of artists from who took what.

    Parameters
    ----------
    accounts, artists : np.ndarray [shape=(fetches,), uint64]
        Who took a recording new to them, and whose recording it was; in any order.

    Examples
    --------
    >>> accounts = np.repeat(np.arange(80, dtype=np.uint64), 8)
    >>> artists = accounts // 2 % 2 * 8 + np.tile(np.arange(8, dtype=np.uint64), 80)
    >>> vectors_of(accounts, artists).by_fold.shape
    (2, 16, 63)
    """
    known, column = np.unique(artists, return_inverse=True)
    made = np.zeros((FOLDS, len(known), DIRECTIONS - 1), np.float32)
    folds = fold_of(accounts)
    for fold in range(FOLDS):
        mine = folds == fold
        made[fold] = _directions(*_counts(accounts[mine], column[mine], len(known)), known)
    kept = np.abs(made).sum(axis=(0, 2)) > 0
    return Vectors(known[kept], np.ascontiguousarray(made[:, kept]))


def _counts(
    accounts: Codes, column: npt.NDArray[np.int64], n_artists: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Singles, npt.NDArray[np.int64]]:
    """Weigh who took whom how often: the rows of a sparse matrix, and the accounts of each artist."""
    row = np.unique(accounts, return_inverse=True)[1].astype(np.int64)
    pairs, many = np.unique(row * n_artists + column, return_counts=True)
    row, column = pairs // max(n_artists, 1), pairs % max(n_artists, 1)
    listeners = np.bincount(column, minlength=n_artists)
    n_accounts = int(row[-1]) + 1 if len(row) else 0
    weight = np.log1p(many) * np.log((n_accounts + 1) / (listeners[column] + 1.0))
    weight[listeners[column] < LEAST_LISTENERS] = 0.0
    length = np.sqrt(np.bincount(row, weight**2, minlength=n_accounts))
    weight /= np.maximum(length, 1e-12)[row]
    starts = np.searchsorted(row, np.arange(n_accounts + 1))
    return starts, column, weight.astype(np.float32), listeners


def _directions(
    starts: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], weights: Singles, listeners: npt.NDArray[np.int64],
    artists: Codes,
) -> Singles:  # fmt: skip
    """Find the leading directions of the artists, and scale each artist's place along them to length one."""
    n = int((listeners >= LEAST_LISTENERS).sum())
    directions = min(DIRECTIONS, 1 + n // ARTISTS_A_DIRECTION)
    width = min(directions + _SPARE, n, len(starts) - 1)
    out = np.zeros((len(artists), DIRECTIONS - 1), np.float32)
    if width < 2:
        return out
    block = _signs(artists, width)
    seen = np.empty((len(starts) - 1, width), np.float32)
    for _ in range(_ROUNDS):
        _times(starts, columns, weights, block, seen)
        _times_back(starts, columns, weights, seen, block)
        upright = np.ascontiguousarray(block.T)
        _straighten(upright)
        block = np.ascontiguousarray(upright.T)
    # The strongest comes first: it is what everybody hears, and is left out.
    best = block[:, 1:directions]
    best[listeners < LEAST_LISTENERS] = 0.0
    length = np.linalg.norm(best, axis=1, keepdims=True)
    out[:, : best.shape[1]] = np.where(length > 1e-6, best / np.maximum(length, 1e-6), 0.0)
    return out


def _signs(codes: Codes, width: int) -> Singles:
    """Begin with plus or minus one for each artist and direction, from the artist's code."""
    z = codes[:, None] + (np.arange(1, width + 1, dtype=np.uint64) * _GOLDEN)[None, :]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return cast(Singles, ((z >> np.uint64(63)).astype(np.float32) * 2 - 1))


@njit(cache=True, nogil=True)
def _straighten(rows: Any) -> None:
    """Make rows orthogonal and of length one, each against those before it (modified Gram-Schmidt).

    Compiled here and not left to a library of linear algebra, so that the bits do not depend on its threads.
    """
    for i in range(len(rows)):
        for before in range(i):
            part = 0.0
            for j in range(rows.shape[1]):
                part += rows[before, j] * rows[i, j]
            for j in range(rows.shape[1]):
                rows[i, j] -= part * rows[before, j]
        length = 0.0
        for j in range(rows.shape[1]):
            length += rows[i, j] * rows[i, j]
        rows[i] /= max(np.sqrt(length), 1e-12)


@njit(cache=True, nogil=True)
def _times(starts: Any, columns: Any, weights: Any, block: Any, out: Any) -> None:
    out[:] = 0
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            for j in range(block.shape[1]):
                out[i, j] += weights[k] * block[columns[k], j]


@njit(cache=True, nogil=True)
def _times_back(starts: Any, columns: Any, weights: Any, block: Any, out: Any) -> None:
    out[:] = 0
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            for j in range(block.shape[1]):
                out[columns[k], j] += weights[k] * block[i, j]
