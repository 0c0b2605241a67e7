"""Does it happen to this account more often than by the lots, or than people say of themselves?

Three bets count how often something came true among how many times it could:

* *adopted refusals*.  Null: what the account asks for does not depend on the lots of others.  When it asks for a
  recording, each elevated account that asked for it before was refused with chance exactly ``share``, and every one
  of these lots is a fresh coin **in the order in which they were asked for**: so their product over all that asked
  since some hours before is a martingale, whoever saw the earlier lots and decided to ask on.  (The *nearest*
  earlier asker alone is no such thing: whoever wishes can go on asking with fresh accounts until one is refused, and
  leave that one nearest.)
* *canaries* and *unsurfaced* fetches.  Null: a person; all but a declared ``share`` of them meet such recordings at a
  rate of at most ``usual`` a request, those few at a rate of at most ``often``.  ``usual`` is the certified upper
  bound of honest accounts (:func:`usual_rate`).  Fewer hits only lower the bits, so the bound is safe for every
  smaller rate.

A fourth counts *occasions*: hours in which a handle was used that had been given to another account.  Null: an honest
account ever has ``k`` of them with chance at most ``passing * again**(k - 1)``, as declared.  A guess has chance
2**-120.

Fails when
----------
Refusals: nobody of the ring is elevated; refused recordings are left out, or asked for again only by the account
that was refused.  Canaries: the list was made from what is shown.  Unsurfaced: the platform does not log what it
showed.  Handles: a ring asks for a handle of its own before each fetch.

Source
------
Ville (1939); Robbins (1970), mixtures.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.surfaced.asked import CANARY, ELEVATED, SURFACED, UNSURFACED, Asked
from riparian.accounts.surfaced.orders import FOUND
from riparian.accounts.surfaced.shown import Shown, refuses
from riparian.bets.bounded import upper_bound_mean
from riparian.schema import DAY_US, HOUR_US

ADOPTED: Final = (0.1, 0.3, 0.6, 0.9)
WITHIN_US: Final = (6 * HOUR_US, 2 * DAY_US, 30 * DAY_US)
"""How long after a refusal it may be taken over; mixed over, with the weights below."""
WITHIN_WEIGHTS: Final = (0.4, 0.4, 0.2)


@dataclass(frozen=True, slots=True)
class People:
    """How often honest accounts do what they seldom do.

    Parameters
    ----------
    usual
        Most of them at most so often a request: :func:`usual_rate`.
    often, share
        The others, a declared share, at most so often.
    """

    usual: float
    often: float
    share: float


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of honest accounts where no lot decides."""

    canary: People = People(usual=0.0005, often=0.01, share=0.01)
    unsurfaced: People = People(usual=0.05, often=0.4, share=0.05)
    passing: float = 0.02
    again: float = 0.5


def usual_rate(hits: npt.NDArray[np.int64], requests: npt.NDArray[np.int64], *, alpha: float = 0.05) -> float:
    """Bound the rate of honest accounts from above, one value an account.

    Parameters
    ----------
    hits, requests : np.ndarray [shape=(accounts,)]
        Of accounts believed honest, in an order that was not chosen by what they did.

    Examples
    --------
    >>> 0.0 < usual_rate(np.zeros(1000, np.int64), np.full(1000, 300)) < 0.01
    True
    """
    counted = requests > 0
    return upper_bound_mean(hits[counted] / requests[counted], cap=1.0, alpha=alpha)


def adopts(asked: Asked, shown: Shown) -> npt.NDArray[np.void]:
    """Bet on every watched account as one that takes over what others were refused.

    Returns
    -------
    np.ndarray [shape=(accounts,), dtype=FOUND]
        Of those that asked for anything that an elevated account had asked for.
    """
    hits, misses = handovers(asked, shown)
    by_lot = People(shown.refused_share, 0.5, 0.0)
    return _weighed(asked.asks, hits, misses, _laws(np.array(ADOPTED), by_lot, WITHIN_WEIGHTS))


def handovers(asked: Asked, shown: Shown) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count, for each request, the elevated accounts that had asked for the same and been refused it, or not.

    Returns
    -------
    hits, misses : np.ndarray [shape=(requests, 3)]
        For each of ``WITHIN_US``.
    """
    asks = asked.asks
    order = np.lexsort((asks["account"], asks["at_us"], asks["recording"]))
    elevated = (asks["marks"][order] & ELEVATED) != 0
    account, recording = asks["account"][order], asks["recording"][order]
    refused = elevated & refuses(shown.secret, account, recording, share=shown.refused_share)
    hits, misses = np.zeros((2, len(asks), len(WITHIN_US)), np.int64)
    within = np.array(WITHIN_US)
    hits[order], misses[order] = _earlier(recording, asks["at_us"][order], elevated, refused, within)
    return hits, misses


def path(hits: npt.NDArray[np.int64], misses: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.float64]:
    """Give the bits of adopted refusals after each request of one account.

    Parameters
    ----------
    hits, misses : np.ndarray [shape=(n, 3)]
        As :func:`handovers` counts them, in order of time.
    share
        The share that is refused.

    Examples
    --------
    >>> once = np.ones((1, 3), np.int64)
    >>> path(once, 0 * once, 0.02).round(2).tolist(), path(0 * once, once, 0.02).round(2).tolist()
    ([4.57], [-0.9])
    """
    out, found = np.empty(len(hits)), np.zeros(1, FOUND)
    offsets, at_us = np.array([0, len(hits)]), np.zeros(len(hits), np.int64)
    _rate(offsets, at_us, hits, misses, *_laws(np.array(ADOPTED), People(share, 0.5, 0.0), WITHIN_WEIGHTS), out, found)
    return out


def meets(asked: Asked, mark: int, people: People) -> npt.NDArray[np.void]:
    """Bet on every watched account as one that meets what people seldom meet.

    Parameters
    ----------
    mark
        ``CANARY`` or ``UNSURFACED``.
    """
    marks = asked.asks["marks"]
    hits = ((marks & mark) != 0).astype(np.int64)
    bet = np.ones(len(hits), np.bool_) if mark == CANARY else (marks & (SURFACED | UNSURFACED)) != 0
    above = people.often + (1 - people.often) * np.array(ADOPTED)
    return _weighed(asked.asks, hits[:, None], (bet - hits)[:, None], _laws(above, people))


def passes_on(asked: Asked, declared: Declared) -> npt.NDArray[np.void]:
    """Count the occasions on which each account used what was given to another."""
    accounts, begins, n = np.unique(asked.occasions["account"], return_index=True, return_counts=True)
    out = np.zeros(len(accounts), FOUND)
    out["account"], out["n"], out["hits"] = accounts, n, n
    out["most"] = out["now"] = -np.log2(declared.passing) - (n - 1) * np.log2(declared.again)
    last = begins + n - 1
    out["reached_us"], out["issuer"] = asked.occasions["at_us"][last], asked.occasions["giver"][last]
    return out


Laws = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _laws(above: npt.NDArray[np.float64], people: People, columns: tuple[float, ...] = (1.0,)) -> Laws:
    rates = np.array([people.usual, people.often])
    return above, rates, np.array([1 - people.share, people.share]), np.array(columns)


def _weighed(
    asks: npt.NDArray[np.void], hits: npt.NDArray[np.int64], misses: npt.NDArray[np.int64], laws: Laws
) -> npt.NDArray[np.void]:
    rows = np.flatnonzero((hits + misses).any(axis=1))
    accounts, begins = np.unique(asks["account"][rows], return_index=True)
    out = np.zeros(len(accounts), FOUND)
    out["account"] = accounts
    at_us = np.ascontiguousarray(asks["at_us"][rows])
    _rate(np.append(begins, len(rows)), at_us, hits[rows], misses[rows], *laws, np.empty(len(rows)), out)
    return out


@njit(cache=True, nogil=True)
def _earlier(recording, at_us, elevated, refused, within) -> Any:  # type: ignore[no-untyped-def]
    # Rows by recording and time; each account stands once at a recording, so nobody meets a lot of its own.
    hits = np.zeros((len(recording), len(within)), np.int64)
    misses = np.zeros((len(recording), len(within)), np.int64)
    held = np.empty(np.sum(elevated), np.int64)
    begin, end = 0, 0
    for i in range(len(recording)):
        if i > 0 and recording[i] != recording[i - 1]:
            begin = end
        for place in range(end - 1, begin - 1, -1):
            p = held[place]
            if at_us[p] < at_us[i] - within[-1]:
                break
            if at_us[p] == at_us[i]:
                continue
            for w in range(len(within)):
                if at_us[p] >= at_us[i] - within[w]:
                    hits[i, w] += refused[p]
                    misses[i, w] += not refused[p]
        if elevated[i]:
            held[end] = i
            end += 1
    return hits, misses


@njit(cache=True, nogil=True)
def _log_mean(weights, rates, k, m):  # type: ignore[no-untyped-def]
    # log2 of the mean over rates of rate**k * (1 - rate)**m, without underflow.
    top = -np.inf
    for i in range(len(rates)):
        if weights[i] > 0:
            top = max(top, k * np.log2(rates[i]) + m * np.log2(1 - rates[i]))
    total = 0.0
    for i in range(len(rates)):
        if weights[i] > 0:
            total += weights[i] * 2.0 ** (k * np.log2(rates[i]) + m * np.log2(1 - rates[i]) - top)
    return top + np.log2(total)


@njit(cache=True, nogil=True)
def _rate(offsets, at_us, hits, misses, above, rates, weights, columns, path, out) -> Any:  # type: ignore[no-untyped-def]
    even = np.full(len(above), 1.0 / len(above))
    each = np.empty(len(columns))
    for a in range(len(out)):
        k = np.zeros(len(columns), np.int64)
        m = np.zeros(len(columns), np.int64)
        for i in range(offsets[a], offsets[a + 1]):
            k += hits[i]
            m += misses[i]
            for c in range(len(columns)):
                each[c] = _log_mean(even, above, k[c], m[c]) - _log_mean(weights, rates, k[c], m[c])
            top = each.max()
            bits = top + np.log2(np.sum(columns * 2.0 ** (each - top)))
            if bits > out[a].most:
                out[a].most, out[a].reached_us = bits, at_us[i]
            path[i] = out[a].now = bits
        out[a].n, out[a].hits = k[-1] + m[-1], k[-1]
