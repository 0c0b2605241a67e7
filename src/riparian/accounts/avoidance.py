"""Does an account keep clear of what others have fetched before it?

A ring that shares a list of work takes nothing twice, in whatever order.  Two strangers of one taste do meet.

Hypothesis
----------
Null: inside a cell (:mod:`riparian.catalogue.cells`), an account's next new work is drawn by a law that only rises or
only falls with popularity and is spread over half of the cell at least, so that it meets what the core fetched
earlier with at least ``SLACK`` times the chance ``lot``.
Alternative: with ``rho`` times that chance, a mixture over ``MEETS``.

Symbols
-------
lot    least share of works that others of the core fetched earlier, among the most played ``j`` of the ``M`` works
       of the cell that are open to the account, or the least played ``j``, for ``j`` from ``M/2`` to ``M``
p      ``SLACK * lot``
bits   ``log2((1 - rho p) / (1 - p))`` for keeping clear, ``log2(rho)`` for meeting

A law that falls with popularity is a mixture of draws by lot among the first ``j``, one that rises a mixture of draws
among the last ``j``; so the true chance is at least ``lot``.  The mean of the bet falls in that chance and is one
at ``p``: the bits are an e-process for the account that makes the fetch, whatever the core does next.  Somebody
who has an artist's hits already gains nothing against a core that takes the hits first.

Walks are single choices: a fetch of the artist of the one before, or near it on the chart (``STRIDE``), is no bet.
Whoever goes through albums or down charts bets where a walk begins.

Fails when
----------
More than a third of the ring's fetches are duplicates; the ring deals whole artists (no cell is shared); or so little
of the catalogue is taken that two members hardly ever stand before one cell (the birthday limit: the fetches that a
member needs grow with the square root of the catalogue).  Rings in order are left to
:mod:`riparian.accounts.frontier`.

Source
------
Own.  Peeling after Charikar (2000) and FRAUDAR (Hooi et al., 2016), for a similarity that is negative.
"""

import itertools
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.frontier import JOINS
from riparian.accounts.tally import mask
from riparian.bets.combine import price_of_subset
from riparian.catalogue.cells import SIZE_MAX

SLACK: Final = 0.8
MEETS: Final = np.array([0.02, 0.1, 0.25, 0.5, 1.0])
MEETS_WEIGHTS: Final = np.array([0.3, 0.3, 0.2, 0.15, 0.05])
ACCOUNTS_MAX: Final = 4_096
"""Accounts that a search compares with one another: half for what they have against them by themselves, half for
having most new works."""
STRIDE: Final = 0.25
"""How far on the chart, as a natural logarithm of places, a fetch must be from the one before to be a bet."""
_HEAD: Final = 64.0
_FEWEST: Final = 12
_SEEDS: Final = 200
_FIRST_AMONG: Final = (ACCOUNTS_MAX // 16, ACCOUNTS_MAX // 4, ACCOUNTS_MAX)
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
def least_share(theirs, still_open):  # type: ignore[no-untyped-def]
    """Bound from below the chance of meeting what others have, by any law that rises or falls with popularity.

    Parameters
    ----------
    theirs, still_open
        Works of a cell as bits, the most played one lowest; ``theirs`` among those ``still_open``.

    Examples
    --------
    >>> float(least_share(0b0011, 0b1111)), float(least_share(0b0101, 0b1111))
    (0.0, 0.333...)
    """
    many = 0
    for bit in range(SIZE_MAX):
        many += (still_open >> bit) & 1
    least, half = 1.0, (many + 1) // 2
    for down in range(2):
        seen, met = 0, 0
        for i in range(SIZE_MAX):
            bit = SIZE_MAX - 1 - i if down else i
            if (still_open >> bit) & 1:
                seen += 1
                met += (theirs >> bit) & 1
                if seen >= half:
                    least = min(least, met / seen)
    return least


@njit(cache=True, nogil=True)
def bet(at_us, slot, work, artist, cell, bit, n_cells, n_slots, core, since_us, room_for, want, meets, weights):  # type: ignore[no-untyped-def]
    """Let every account bet that it shares the list of a core.

    Parameters
    ----------
    at_us, slot, work : np.ndarray [shape=(fetches,), int64]
        New fetches in order of time; an account has each work once.
    artist, cell, bit : np.ndarray [shape=(works,)]
        Artist and cell of each work, and its place in the cell by popularity.
    n_cells, n_slots
        How many cells and slots there are.
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
        Most bits, when, bets, expected meetings at least, meetings, when it first had what is wanted.
    """
    ring = core.copy()
    logs, told = np.zeros((n_slots, len(meets))), np.zeros((n_slots, 6))
    keys, had = np.zeros(room_for, np.int64), np.zeros(room_for, np.int64)
    fetched, whole = np.zeros(n_cells, np.int64), np.zeros(n_cells, np.int64)
    before = np.full(n_slots, -1)
    for what in range(len(cell)):
        whole[cell[what]] |= 1 << bit[what]
    for i in range(len(at_us)):
        who, what = slot[i], work[i]
        c, mark = cell[what], 1 << bit[what]
        mine = _place(keys, who * n_cells + c + 1)
        # What it has not had, somebody else has fetched.
        still_open = whole[c] & ~had[mine]
        theirs = fetched[c] & still_open
        last = before[who]
        before[who] = what
        jumped = last >= 0 and artist[last] != artist[what] and abs(np.log((what + _HEAD) / (last + _HEAD))) > STRIDE
        if jumped and at_us[i] >= since_us and theirs and theirs != still_open:
            lot, met = least_share(theirs, still_open), (theirs & mark) != 0
            if lot > 0:
                _count(logs[who], told[who], met, lot, at_us[i], want, meets, weights)
        had[mine] |= mark
        ring[who] |= told[who, 0] >= JOINS
        if ring[who]:
            fetched[c] |= mark
    return logs, told


@njit(cache=True, nogil=True)
def _count(logs, told, met, lot, at_us, want, meets, weights):  # type: ignore[no-untyped-def]
    chance, e = min(SLACK * lot, _CLIP), 0.0
    for k in range(len(meets)):
        logs[k] += np.log2(meets[k]) if met else np.log2((1 - meets[k] * chance) / (1 - chance))
        e += weights[k] * 2.0 ** min(logs[k], 1000.0)
    told[2] += 1
    told[3] += lot
    told[4] += met
    bits = np.log2(max(e, 1e-300))
    if bits > told[0]:
        told[0], told[1] = bits, at_us
    if bits >= want and told[5] == 0:
        told[5] = at_us


def search(
    slot: Ints,
    work: Ints,
    cell: npt.NDArray[np.int32],
    size: npt.NDArray[np.int32],
    among: int,
    suspected: npt.NDArray[np.float64],
) -> list[Ints]:
    """Find clusters whose members keep clear of one another, largest gain first.

    Parameters
    ----------
    slot, work
        New fetches; an account has each work once [shape=(fetches,)].
    among
        How many accounts there are, of which a cluster is singled out.
    suspected
        What each account has against it by itself, in bits [shape=(accounts,)].

    Returns
    -------
    cores : list of np.ndarray [int64]
        Slots of each cluster, three or more; a guess that :func:`bet` weighs.
    """
    counted = np.bincount(slot, minlength=len(suspected))
    chosen = _worth_comparing(counted, suspected)
    if len(chosen) < 3:
        return []
    index = np.full(len(counted), -1)
    index[chosen] = np.arange(len(chosen))
    kept = (index[slot] >= 0) & (size[cell[work]] > 1)
    lots, meetings = _pairs(index[slot[kept]], work[kept], cell, size, len(chosen))
    prices = np.array([0.0, 0.0, *(price_of_subset(among, k) for k in range(2, len(chosen) + 1))])
    rank = np.argsort(np.argsort(-suspected[chosen], kind="stable"))
    free = np.ones(len(chosen), np.bool_)
    cores = []
    # A cluster is drowned among thousands of others: it is looked for among the most suspected first.
    for penalty, most in itertools.product(_PENALTIES, _FIRST_AMONG):
        gain = (1.44 * SLACK * (1 - penalty) * lots + np.log2(penalty) * meetings).astype(np.float32)
        while (found := _best(gain, free & (rank < most), prices, np.log2(among))) is not None:
            free &= ~found
            cores.append(chosen[found])
    return cores


def _worth_comparing(counted: Ints, suspected: npt.NDArray[np.float64]) -> Ints:
    """Choose half by what they have against them, half by how much they have fetched."""
    able = np.flatnonzero(counted >= _FEWEST)
    if len(able) <= ACCOUNTS_MAX:
        return able
    by_bits = able[np.argsort(-suspected[able], kind="stable")]
    rest = by_bits[ACCOUNTS_MAX // 2 :]
    most = rest[np.argsort(-counted[rest], kind="stable")]
    return np.sort(np.concatenate([by_bits[: ACCOUNTS_MAX // 2], most[: ACCOUNTS_MAX - ACCOUNTS_MAX // 2]]))


def _pairs(slot: Ints, work: Ints, cell: Any, size: Any, n: int) -> tuple[Singles, Singles]:
    """Expect meetings of each pair by lot, and count them."""
    lots, meetings = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32)
    _add_products(*_counted(slot, cell[work]), (1 / size).astype(np.float32), lots)
    _add_products(*_counted(slot, work), np.ones(len(cell), np.float32), meetings)
    np.fill_diagonal(lots, 0)
    np.fill_diagonal(meetings, 0)
    return lots, meetings


def _counted(slot: Ints, thing: Ints) -> tuple[Ints, Ints, Singles]:
    """Count how often each account has each thing, thing by thing."""
    keys, times = np.unique((thing.astype(np.int64) << 20) | slot, return_counts=True)
    return keys >> 20, keys & ((1 << 20) - 1), times.astype(np.float32)


@njit(cache=True, nogil=True)
def _add_products(of, who, times, weight, out):  # type: ignore[no-untyped-def]
    """Add to each pair of accounts the product of what both have of a thing, times its weight, for all things."""
    first = 0
    for i in range(1, len(of) + 1):
        if i < len(of) and of[i] == of[first]:
            continue
        for j in range(first, i):
            share = times[j] * weight[of[first]]
            for k in range(first, i):
                out[who[j], who[k]] += share * times[k]
        first = i


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
