"""What would one use against rings without Riparian: dense blocks, same actions, naive overlap.

All three look at who took what, as it stands at the end of a day, and each is written here as published.

Peers
-----
fraudar
    The densest block of the graph of accounts and recordings: nodes are peeled off greedily, a recording's edges
    weigh ``1 / log(5 + degree)``, and what is densest on the way is the block.  It is cut out and the next one
    sought, ``BLOCKS`` times.
synchrotrap
    Two accounts match on a recording that both take within one day.  Their similarity is the Jaccard index of such
    actions over all days so far; clusters are joined by single linkage at a limit.
overlap
    How many recordings two accounts have in common, against a Poisson number of them were both to choose by
    popularity; bits are ``-log2`` of the chance of so few.  Rings that share a list never meet.

Symbols
-------
n      recordings that an account has taken
lam    expected overlap of two accounts

Source
------
Hooi et al. (2016), *FRAUDAR: Bounding Graph Fraud in the Face of Camouflage*, algorithm 1 and section 4.2.
Cao et al. (2014), *Uncovering Large Groups of Active Malicious Accounts in Online Social Networks*, sections 4 and 5.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

BLOCKS: Final = 2
DEGREE_SHIFT: Final = 5.0
ACTIONS_MIN: Final = 20
"""Accounts with fewer actions are not compared: two who did one and the same thing would be wholly alike."""
LEVELS: Final = 96
"""Numbers of recordings taken, on a logarithmic scale, for which the expected overlap is worked out."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]


# Dense blocks


def dense_blocks(account: Ints, recording: Ints) -> list[tuple[float, Ints]]:
    """Find the densest blocks, one after another.

    Parameters
    ----------
    account, recording
        Who took what; every pair once [each shape=(edges,)].

    Returns
    -------
    list
        Density and accounts of each block.

    Examples
    --------
    >>> density, who = dense_blocks(np.array([0, 0, 1, 1, 2]), np.array([7, 8, 7, 8, 9]))[0]
    >>> round(density, 2), who.tolist()
    (0.51, [0, 1])
    """
    blocks, left = [], np.ones(len(account), np.bool_)
    for _ in range(BLOCKS):
        if not left.any():
            break
        accounts, row = np.unique(account[left], return_inverse=True)
        recordings, column = np.unique(recording[left], return_inverse=True)
        degree = np.bincount(column)
        density, kept = _peeled(
            row, column + len(accounts), 1 / np.log(DEGREE_SHIFT + degree)[column], len(accounts) + len(recordings)
        )
        who = accounts[kept[: len(accounts)]]
        blocks.append((float(density), who))
        what = recordings[kept[len(accounts) :]]
        left &= ~(np.isin(account, who) & np.isin(recording, what))
    return blocks


@njit(cache=True)
def _peeled(row, column, weight, n_nodes):  # type: ignore[no-untyped-def]
    """Take the lightest node off again and again; the densest rest, as its density and marks [shape=(nodes,)]."""
    start = np.zeros(n_nodes + 1, np.int64)
    for e in range(len(row)):
        start[row[e] + 1] += 1
        start[column[e] + 1] += 1
    start = np.cumsum(start)
    fill, other, heavy = start[:-1].copy(), np.empty(2 * len(row), np.int64), np.empty(2 * len(row))
    key, total = np.zeros(n_nodes), 0.0
    for e in range(len(row)):
        for a, b in ((row[e], column[e]), (column[e], row[e])):
            other[fill[a]], heavy[fill[a]] = b, weight[e]
            fill[a] += 1
            key[a] += weight[e]
        total += weight[e]
    heap = np.argsort(key)
    place = np.empty(n_nodes, np.int64)
    for i in range(n_nodes):
        place[heap[i]] = i
    out_at = np.full(n_nodes, n_nodes, np.int64)
    best, best_at = total / n_nodes, 0
    for step in range(n_nodes - 1):
        size = n_nodes - step
        node = heap[0]
        _settle_down(heap, place, key, size - 1, heap[size - 1])
        out_at[node] = step
        total -= key[node]
        for i in range(start[node], start[node + 1]):
            if out_at[other[i]] == n_nodes:
                key[other[i]] -= heavy[i]
                _rise(heap, place, key, other[i])
        if total / (size - 1) > best:
            best, best_at = total / (size - 1), step + 1
    return best, out_at >= best_at


@njit(cache=True)
def _rise(heap, place, key, node):  # type: ignore[no-untyped-def]
    at = place[node]
    while at > 0 and key[heap[(at - 1) // 2]] > key[node]:
        heap[at] = heap[(at - 1) // 2]
        place[heap[at]] = at
        at = (at - 1) // 2
    heap[at] = node
    place[node] = at


@njit(cache=True)
def _settle_down(heap, place, key, size, node):  # type: ignore[no-untyped-def]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[node]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = node
    place[node] = at


# Pairs of accounts


@njit(cache=True)
def meet_within_a_day(account, recording, met):  # type: ignore[no-untyped-def]
    """Count the pairs of one day that took the same recording.

    Parameters
    ----------
    account, recording
        New fetches of the day, sorted by recording [each shape=(fetches,)].
    met
        Is added to, in both triangles [shape=(accounts, accounts)].
    """
    first = 0
    for i in range(len(account)):
        if recording[i] != recording[first]:
            first = i
        for j in range(first, i):
            met[account[i], account[j]] += 1
            met[account[j], account[i]] += 1


@njit(cache=True)
def meet_ever(account, recording, chains, at, met):  # type: ignore[no-untyped-def]
    """Count the pairs that have a recording in common, as these fetches add to them.

    Parameters
    ----------
    account, recording
        New fetches [each shape=(fetches,)].
    chains
        For each recording the latest entry in the list of holders, -1 at first [shape=(recordings,)]; the entry
        before each, and whose it is [each shape=(all fetches,)].  Changed in place.
    at
        How many entries the list has already.
    met
        Is added to, in both triangles [shape=(accounts, accounts)].
    """
    last, before, holder = chains
    for i in range(len(account)):
        entry = last[recording[i]]
        while entry >= 0:
            met[account[i], holder[entry]] += 1
            met[holder[entry], account[i]] += 1
            entry = before[entry]
        before[at + i], holder[at + i] = last[recording[i]], account[i]
        last[recording[i]] = at + i


def similarity(met: Counts, actions: Ints) -> npt.NDArray[np.float32]:
    """Jaccard index of the actions of every pair; -1 where one did hardly anything [shape=(accounts, accounts)].

    Examples
    --------
    >>> similarity(np.array([[0, 10], [10, 0]], np.int32), np.array([20, 30])).tolist()
    [[-1.0, 0.25], [0.25, -1.0]]
    """
    either = np.maximum(np.add.outer(actions, actions) - met, 1)
    alike = (met / either).astype(np.float32)
    few = actions < ACTIONS_MIN
    alike[few, :] = -1
    alike[:, few] = -1
    np.fill_diagonal(alike, -1)
    return alike


def overlap_bits(met: Counts, taken: Ints, share: Floats) -> npt.NDArray[np.float32]:
    """Bits against every pair that has less in common than popularity says [shape=(accounts, accounts)].

    Parameters
    ----------
    met
        Recordings in common [shape=(accounts, accounts)].
    taken
        Recordings that each has taken [shape=(accounts,)].
    share
        Of each recording among all new fetches [shape=(recordings,)].

    Examples
    --------
    >>> share = np.full(1000, 1e-3)
    >>> bits = overlap_bits(np.zeros((2, 2), np.int32), np.array([200, 200]), share)
    >>> bool(abs(bits[0, 1] - 1000 * (1 - np.exp(-0.2)) ** 2 / np.log(2)) < 1)
    True
    """
    levels = np.unique(np.round(np.geomspace(1, max(int(taken.max(initial=1)), 2), LEVELS)))
    has = (1 - np.exp(-np.outer(levels, share))).astype(np.float32)
    # Between two levels the smaller is taken, so that no pair is expected to share more than it is.
    level = np.maximum(np.searchsorted(levels, taken, side="right") - 1, 0)
    return np.asarray(_poisson_bits(met, level, (has @ has.T).astype(np.float64)))


@njit(cache=True)
def _poisson_bits(met, level, lams):  # type: ignore[no-untyped-def]
    n = len(met)
    bits = np.zeros((n, n), np.float32)
    most = int(met.max()) + 2
    log_factorial = np.zeros(most)
    for k in range(2, most):
        log_factorial[k] = log_factorial[k - 1] + np.log(k)
    for u in range(n):
        for v in range(u):
            lam, seen = lams[level[u], level[v]], met[u, v]
            if seen < lam:
                term, total, k = 1.0, 1.0, seen
                while k > 0 and term > 1e-9 * total:
                    term *= k / lam
                    total += term
                    k -= 1
                log = seen * np.log(lam) - lam - log_factorial[seen] + np.log(total)
                bits[u, v] = bits[v, u] = max(0.0, -log / np.log(2.0))
    return bits
