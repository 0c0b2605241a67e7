"""Whose copy does each second come from, where a copy is put together from stretches of several?

Stretch by stretch a copy is one account's or another's.  For one account: it *owns* a chunk or it does not, owns a
share of all, and keeps what it has for a while.  Where it owns, the reading speaks for its bits; where it does not, it
says nothing of them.  The sum over all ways in which that may change from chunk to chunk is the forward algorithm; as
every way has mean one for an account that had no part, so has the sum.

Source
------
Rabiner, L. (1989), A tutorial on hidden Markov models, equations 19 to 27.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Splice:
    """How much of a copy is one account's, and in how long stretches.

    Parameters
    ----------
    one_in
        The account owns one chunk in so many.
    chunks
        How long a stretch is until somebody is drawn anew; chunks.

    Examples
    --------
    >>> Splice(5, 10).name
    'stretches of about 10 chunks, one in 5 from this account'
    """

    one_in: int
    chunks: int

    @property
    def name(self) -> str:
        """How a person is told of it."""
        long = "a chunk" if self.chunks == 1 else f"about {self.chunks} chunks"
        return f"stretches of {long}, one in {self.one_in} from this account"


SPLICES: Final = tuple(Splice(one_in, chunks) for chunks in (1, 10) for one_in in (2, 5, 10))
"""Every way of putting stretches together that is weighed."""


def log_forward(told: NDArray[np.float64], splice: Splice) -> NDArray[np.float64]:
    """Give what the chunks of a recording add, whichever of them an account may own.

    Parameters
    ----------
    told : np.ndarray [shape=(accounts, chunks), float64]
        Logarithm of what each chunk adds where the account owns it; nats.
    splice
        The prior.

    Returns
    -------
    log_e : np.ndarray [shape=(accounts,)]

    Examples
    --------
    >>> told = np.log([[1.5, 0.5, 1.9], [0.5, 1.5, 0.1]])  # two words of an even chance, and their opposites
    >>> [round(float(e), 4) for e in np.exp(log_forward(told, Splice(2, 1)))]
    [1.3594, 0.5156]
    """
    out = np.empty(len(told))
    _forward(np.exp(told), 1 / splice.one_in, 1 / splice.chunks, out)
    return out


def owned(told: NDArray[np.float64], splice: Splice) -> NDArray[np.float64]:
    """Give the chance that an account owns each chunk, given all of them.

    Parameters
    ----------
    told : np.ndarray [shape=(chunks,), float64]
        As for :func:`log_forward`, of one account.

    Returns
    -------
    chance : np.ndarray [shape=(chunks,)]

    Examples
    --------
    >>> owned(np.log([6.0, 6.0, 6.0, 0.1, 0.1, 0.1]), Splice(2, 10)).round(2).tolist()
    [0.93, 0.92, 0.8, 0.09, 0.02, 0.02]
    """
    share, change = 1 / splice.one_in, 1 / splice.chunks
    ahead, behind = np.empty(told.size), np.empty(told.size)
    for out, order in ((ahead, slice(None)), (behind, slice(None, None, -1))):
        chance = share
        along = out[order]
        for i, e in enumerate(np.exp(told[order])):
            along[i] = chance
            chance = chance * e / (chance * e + 1 - chance)
            chance = (1 - change) * chance + change * share
    # Both sides hold the prior once: one of them is taken out again.
    odds = ahead / (1 - ahead) * behind / (1 - behind) * (1 - share) / share * np.exp(told)
    found: NDArray[np.float64] = odds / (1 + odds)
    return found


@njit(cache=True, nogil=True)
def _forward(e: Any, share: Any, change: Any, out: Any) -> None:
    for account in range(e.shape[0]):
        chance, total, product = share, 0.0, 1.0
        for chunk in range(e.shape[1]):
            own = chance * e[account, chunk]
            both = own + 1.0 - chance
            product *= both
            # A logarithm now and then, before the product leaves what a number can hold.
            if product > 1e200 or product < 1e-200:
                total += np.log(product)
                product = 1.0
            chance = (1.0 - change) * own / both + change * share
        out[account] = total + np.log(product)
