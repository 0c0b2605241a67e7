"""Does an account keep clear of what others have fetched before it?

A ring that shares a list of work takes nothing twice, in whatever order.  Two strangers of one taste do meet.

Hypothesis
----------
Null: inside a cell (:mod:`riparian.catalogue.cells`), an account's next new work is among those that the core
fetched earlier with at least ``SLACK`` times the chance of a draw by lot.
Alternative: with ``rho`` times that chance, a mixture over ``MEETS``.

Symbols
-------
K, M   works of the cell that others of the core fetched earlier, and works open to the account
p      ``SLACK * K / M``
bits   ``log2((1 - rho p) / (1 - p))`` for keeping clear, ``log2(rho)`` for meeting

For any true chance ``q >= p`` the mean of the bet is at most one, since it falls in ``q``; so the bits are an
e-process for the account that makes the fetch, whatever the core does next.

Fails when
----------
More than a third of the ring's fetches are duplicates; the ring deals whole artists (no cell is shared); or so little
of the catalogue is taken that two members hardly ever stand before one cell: a shuffled list of ``N`` works takes about
``sqrt(40 N / (1.44 A))`` fetches of each of ``A`` accounts.  Somebody who walks down the chart keeps clear of a ring
that does the same ahead of them; rings in order are left to :mod:`riparian.accounts.frontier`.

Source
------
Own.  Peeling after Charikar (2000) and FRAUDAR (Hooi et al., 2016), for a similarity that is negative.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from riparian.accounts.frontier import JOINS
from riparian.accounts.tally import mask
from riparian.bets.combine import price_of_subset

SLACK: Final = 0.8
MEETS: Final = np.array([0.02, 0.1, 0.25, 0.5, 1.0])
MEETS_WEIGHTS: Final = np.array([0.3, 0.3, 0.2, 0.15, 0.05])
ACCOUNTS_MAX: Final = 4_096
"""Accounts that a search compares with one another: those with most new works."""
_FEWEST: Final = 12
_SEEDS: Final = 200
_PENALTIES: Final = (0.05, 0.3)
_CLIP: Final = 0.95

Ints = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]


@njit(cache=True, nogil=True)
def _place(keys, key):  # type: ignore[no-untyped-def]
    last = np.uint64(len(keys) - 1)
    at = mask(np.uint64(key)) & last
    while keys[at] != 0 and keys[at] != key:
        at = (at + np.uint64(1)) & last
    keys[at] = key
    return np.int64(at)


@njit(cache=True, nogil=True)
def bet(at_us, slot, work, cell, size, n_slots, core, since_us, room_for, want, meets, weights):  # type: ignore[no-untyped-def]
    """Let every account bet that it shares the list of a core.

    Parameters
    ----------
    at_us, slot, work : np.ndarray [shape=(fetches,), int64]
        New fetches in order of time; an account has each work once.
    cell, size : np.ndarray
        Cell of each work, and works of each cell.
    core : np.ndarray [shape=(slots,), bool]
        Whose fetches are kept clear of; a member is compared with the others.
    since_us
        Bets count from here on; the core was fixed by then.
    room_for
        A power of two, at least twice the number of fetches.
    want
        Bits of which the first moment is told.

    Returns
    -------
    logs : np.ndarray [shape=(slots, alternatives), float64]
        Bits under each alternative.
    told : np.ndarray [shape=(slots, 6), float64]
        Most bits, when, bets, expected meetings by lot, meetings, when it first had what is wanted.
    """
    ring = core.copy()
    logs, told = np.zeros((n_slots, len(meets))), np.zeros((n_slots, 6))
    keys, own = np.zeros(room_for, np.int64), np.zeros((room_for, 3), np.int32)
    fetched, owner, shared = np.zeros(len(size), np.int32), np.full(len(cell), -1), np.zeros(len(cell), np.bool_)
    for i in range(len(at_us)):
        who, what = slot[i], work[i]
        c = cell[what]
        mine = own[_place(keys, who * len(size) + c + 1)]
        meeting = shared[what] or (owner[what] >= 0 and owner[what] != who)
        # Works of the cell that it had, that it met, and that it alone of the core has.
        theirs, still_open = fetched[c] - mine[2] - mine[1], size[c] - mine[0]
        if at_us[i] >= since_us and 0 < theirs < still_open:
            lot = theirs / still_open
            chance, e = min(SLACK * lot, _CLIP), 0.0
            for k in range(len(meets)):
                logs[who, k] += np.log2(meets[k]) if meeting else np.log2((1 - meets[k] * chance) / (1 - chance))
                e += weights[k] * 2.0 ** min(logs[who, k], 1000.0)
            told[who, 2] += 1
            told[who, 3] += lot
            told[who, 4] += meeting
            bits = np.log2(max(e, 1e-300))
            if bits > told[who, 0]:
                told[who, 0], told[who, 1] = bits, at_us[i]
            if bits >= want and told[who, 5] == 0:
                told[who, 5] = at_us[i]
        mine[0] += 1
        mine[1] += meeting
        ring[who] |= told[who, 0] >= JOINS
        if not ring[who]:
            continue
        if owner[what] < 0:
            owner[what] = who
            fetched[c] += 1
            mine[2] += 1
        elif owner[what] != who and not shared[what]:
            shared[what] = True
            own[_place(keys, owner[what] * len(size) + c + 1)][2] -= 1
    return logs, told


def search(slot: Ints, work: Ints, cell: npt.NDArray[np.int32], size: npt.NDArray[np.int32], among: int) -> list[Ints]:
    """Find clusters whose members keep clear of one another, largest gain first.

    Parameters
    ----------
    slot, work
        New fetches; an account has each work once [shape=(fetches,)].
    among
        How many accounts there are, of which a cluster is singled out.

    Returns
    -------
    cores : list of np.ndarray [int64]
        Slots of each cluster, three or more; a guess that :func:`bet` weighs.
    """
    counted = np.bincount(slot)
    chosen = np.argsort(-counted, kind="stable")[:ACCOUNTS_MAX]
    chosen = np.sort(chosen[counted[chosen] >= _FEWEST])
    if len(chosen) < 3:
        return []
    index = np.full(len(counted), -1)
    index[chosen] = np.arange(len(chosen))
    kept = (index[slot] >= 0) & (size[cell[work]] > 1)
    lots, meetings = _pairs(index[slot[kept]], work[kept], cell, size, len(chosen))
    prices = np.array([0.0, 0.0, *(price_of_subset(among, k) for k in range(2, len(chosen) + 1))])
    alive = np.ones(len(chosen), np.bool_)
    cores = []
    for penalty in _PENALTIES:
        gain = (1.44 * SLACK * (1 - penalty) * lots + np.log2(penalty) * meetings).astype(np.float32)
        while (found := _best(gain, alive, prices, np.log2(among))) is not None:
            alive &= ~found
            cores.append(chosen[found])
    return cores


def _pairs(slot: Ints, work: Ints, cell: Any, size: Any, n: int) -> tuple[Singles, Singles]:
    """Expect meetings of each pair by lot, and count them."""
    ones = np.ones(len(slot), np.float32)
    by_cell = sparse.csr_matrix((ones, (slot, cell[work])), shape=(n, len(size)))
    by_work = sparse.csr_matrix((ones, (slot, work)), shape=(n, len(cell)))
    lots = (by_cell @ sparse.diags_array((1 / size).astype(np.float32)) @ by_cell.T).toarray()
    meetings = (by_work @ by_work.T).toarray()
    np.fill_diagonal(lots, 0)
    np.fill_diagonal(meetings, 0)
    return lots, meetings


def _best(gain: Singles, alive: npt.NDArray[np.bool_], prices: Any, log_among: float) -> npt.NDArray[np.bool_] | None:
    value, found = _peel(gain, alive, prices)
    if value <= 0:
        # A small cluster is drowned among all; it is grown from those who gain most with whoever they gain with.
        promise = np.where(alive, np.maximum(gain, 0).sum(axis=1), 0)
        value, found = _grow(gain, alive, log_among, np.argsort(-promise)[:_SEEDS])
    return found if value > 0 and found.sum() >= 3 else None


@njit(cache=True, nogil=True)
def _peel(gain, alive, prices):  # type: ignore[no-untyped-def]
    """Take away who gains least, one after another, and keep the best that was left."""
    n, live = len(gain), alive.copy()
    degree, total, left = np.zeros(n), 0.0, 0
    for i in range(n):
        if live[i]:
            left += 1
            for j in range(n):
                if live[j]:
                    degree[i] += gain[i, j]
            total += degree[i] / 2
    order, taken, best, best_left = np.zeros(n, np.int64), 0, -1e18, 0
    while left > 2:
        if total - prices[left] > best:
            best, best_left = total - prices[left], left
        least = -1
        for i in range(n):
            if live[i] and (least < 0 or degree[i] < degree[least]):
                least = i
        live[least] = False
        order[taken] = least
        taken, left, total = taken + 1, left - 1, total - degree[least]
        for j in range(n):
            degree[j] -= gain[least, j]
    kept, left = alive.copy(), alive.sum()
    for i in order[: left - best_left]:
        kept[i] = False
    return best, kept


@njit(cache=True, nogil=True)
def _grow(gain, alive, log_among, seeds):  # type: ignore[no-untyped-def]
    """From each seed, add whoever gains most while it gains more than it costs, and keep the best cluster."""
    n, best, kept = len(gain), 0.0, np.zeros(len(gain), np.bool_)
    for seed in seeds:
        if not alive[seed]:
            continue
        inside, with_all, total, size = np.zeros(n, np.bool_), gain[seed].copy(), 0.0, 1
        inside[seed] = True
        while size < n:
            most = -1
            for i in range(n):
                if alive[i] and not inside[i] and (most < 0 or with_all[i] > with_all[most]):
                    most = i
            if most < 0 or with_all[most] <= 0 or (size >= 4 and with_all[most] < log_among - np.log2(size) + 1.44):
                break
            inside[most] = True
            total, size = total + with_all[most], size + 1
            for i in range(n):
                with_all[i] += gain[most, i]
        value = total - size * (log_among - np.log2(size) + 1.44)
        if size >= 3 and value > best:
            best = value
            kept[:] = inside
    return best, kept
