"""Does an account keep pace with a list of work that others go through?

A ring that takes a catalogue in order (of popularity, or of identifiers) has a *frontier*: the place where it
works just now, which moves on.  Whoever shares the list is always near it; whoever does not is near it no more
often than near any other place of the neighbourhood.

Hypothesis
----------
Null: given that the account's next new work lies in the zone around the frontier of the others, it lies in the
middle part of the zone no more often than a choice by popularity to some power in ``POWERS`` would.
Alternative: it does with chance ``NEAR``, a mixture.

Symbols
-------
R, G   median place of the last ``LAST`` fetches of the others, and four times their median deviation
zone   ``R - 16 G .. R + 16 G``; the middle part is ``R - G .. R + G``

Fetches outside the zone are not bet on, so that replays, duplicates and disguises cost a ring member's evidence
nothing.  An account bets once on an artist, and again only when the frontier has moved past the last middle part:
an album, or somebody who walks down the same chart for an hour, counts once.

Fails when
----------
The ring shuffles its list (see :mod:`riparian.accounts.avoidance`), or works so fast through so small a part that
the zone is everything.  Near the top of the chart nothing is bet on: many people walk down a top 200.

Source
------
Own; the test is Bernoulli with a composite null, mixed over alternatives (Robbins 1970).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.tally import insert
from riparian.schema import DAY_US

NEAR: Final = np.array([0.5, 0.8, 0.97])
NEAR_WEIGHTS: Final = np.array([0.3, 0.4, 0.3])
POWERS: Final = np.array([-1.0, 0.0, 1.0, 1.5])
LAST: Final = 16
JOINS: Final = 24.0
"""An account with so many bits counts as one of the ring from then on: rings replace their accounts."""
HEAD: Final = 200
"""Places from the top on which nothing is bet."""
PARTS: Final = 16.0
_FEWEST: Final = 8
_SHIFT: Final = 64.0
_PLACES: Final = 8
_STALE_US: Final = 3 * DAY_US
_RUN_MAX: Final = 400
_RUN_MIN: Final = 16
_COMPARED_MAX: Final = 3_000

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _weight(a, b, power):  # type: ignore[no-untyped-def]
    """Integrate (place + shift) ** -power from a to b."""
    a, b = max(a, 0.0) + _SHIFT, max(b, 0.0) + _SHIFT
    if power == 1.0:
        return np.log(b / a)
    return (b ** (1 - power) - a ** (1 - power)) / (1 - power)


@njit(cache=True, nogil=True)
def middle_chance(place, spread, n_places):  # type: ignore[no-untyped-def]
    """Bound the chance that a choice inside the zone falls into its middle part.

    Examples
    --------
    >>> round(middle_chance(100_000.0, 10.0, 1_000_000), 3)
    0.062
    """
    chance = 0.0
    for power in POWERS:
        middle = _weight(place - spread, min(place + spread, n_places), power)
        zone = _weight(place - PARTS * spread, min(place + PARTS * spread, n_places), power)
        chance = max(chance, middle / zone)
    return chance


@njit(cache=True, nogil=True)
def _others(keys, owners, count, who, out):  # type: ignore[no-untyped-def]
    """Collect the last places of the ring's fetches that are not this account's own; returns how many."""
    n = 0
    for back in range(1, min(count, len(keys)) + 1):
        i = (count - back) % len(keys)
        if owners[i] != who:
            out[n] = keys[i]
            n += 1
            if n == len(out):
                break
    return n


@njit(cache=True, nogil=True)
def _frontier(room, n):  # type: ignore[no-untyped-def]
    values = room[:n].copy()
    values.sort()
    middle = values[n // 2]
    deviations = np.abs(values - middle)
    deviations.sort()
    return middle, max(8.0, 4.0 * deviations[n // 2])


@njit(cache=True, nogil=True)
def bet(at_us, slot, key, artist, n_places, n_slots, core, since_us, room_for, want, near, weights):  # type: ignore[no-untyped-def]
    """Let every account bet that it shares the list of a core.

    Parameters
    ----------
    at_us, slot, key, artist : np.ndarray [shape=(fetches,), int64]
        New fetches in order of time: when, by whom, place in the order that the core goes through, artist.
    n_places
        Length of that order.
    core : np.ndarray [shape=(slots,), bool]
        Whose fetches make the frontier; a member is compared with the others.
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
        Most bits, when, bets, expected in the middle, seen in the middle, when it first had what is wanted.
    """
    logs, told = np.zeros((n_slots, len(near))), np.zeros((n_slots, 6))
    keys, owners, times = np.zeros(4 * LAST), np.full(4 * LAST, -1), np.zeros(4 * LAST, np.int64)
    ring = core.copy()
    room, passed, artists = np.zeros(LAST), np.full((n_slots, _PLACES), -1e18), np.zeros(room_for, np.uint64)
    count = 0
    for i in range(len(at_us)):
        who, x = slot[i], float(key[i])
        n = 0
        if at_us[i] >= since_us and count and at_us[i] - times[(count - 1) % len(times)] < _STALE_US:
            n = _others(keys, owners, count, who, room)
        if n >= _FEWEST:
            place, spread = _frontier(room, n)
            inside = abs(x - place) <= PARTS * spread and place >= HEAD
            moved = inside and np.abs(place - passed[who]).min() >= 2 * spread
            if moved and insert(artists, np.uint64(who * 16777216 + artist[i] + 1)):
                passed[who, int(told[who, 2]) % _PLACES] = place
                chance = middle_chance(place, spread, n_places)
                if chance < 0.5:
                    _count(logs[who], told[who], abs(x - place) <= spread, chance, at_us[i], want, near, weights)
        ring[who] |= told[who, 0] >= JOINS
        if ring[who]:
            keys[count % len(keys)], owners[count % len(keys)], times[count % len(keys)] = x, who, at_us[i]
            count += 1
    return logs, told


@njit(cache=True, nogil=True)
def _count(logs, told, hit, chance, at_us, want, near, weights):  # type: ignore[no-untyped-def]
    e = 0.0
    for k in range(len(near)):
        logs[k] += np.log2(near[k] / chance) if hit else np.log2((1 - near[k]) / (1 - chance))
        e += weights[k] * 2.0 ** min(logs[k], 1000.0)
    told[2] += 1
    told[3] += chance
    told[4] += hit
    bits = np.log2(max(e, 1e-300))
    if bits > told[0]:
        told[0], told[1] = bits, at_us
    if bits >= want and told[5] == 0:
        told[5] = at_us


@njit(cache=True, nogil=True)
def _longest(key, chosen):  # type: ignore[no-untyped-def]
    """Mark a longest strictly rising subsequence; returns its length (patience sorting)."""
    n, length = len(key), 0
    tails, before = np.zeros(n + 1, np.int64), np.full(n, -1)
    for i in range(n):
        low, high = 0, length
        while low < high:
            mid = (low + high) // 2
            if key[tails[mid]] < key[i]:
                low = mid + 1
            else:
                high = mid
        tails[low] = i
        before[i] = tails[low - 1] if low else -1
        length = max(length, low + 1)
    at = tails[length - 1] if length else -1
    while at >= 0:
        chosen[at] = True
        at = before[at]
    return length


@njit(cache=True, nogil=True)
def _runs(at_us, key, bounds, since_us, until_us, chosen, starts, ends, step):  # type: ignore[no-untyped-def]
    """Mark the rising part of each account's fetches; ``step`` is its median step, 0 where it rises by chance."""
    for who in range(len(bounds) - 1):
        first, last = bounds[who], bounds[who + 1]
        last = first + np.searchsorted(at_us[first:last], until_us)
        first = max(last - _RUN_MAX, first + np.searchsorted(at_us[first:last], since_us))
        starts[who], ends[who] = first, last
        n = last - first
        # Whoever has paused for a day is looked at when they come back.
        if n < _RUN_MIN or at_us[last - 1] < until_us - DAY_US:
            continue
        marks = np.zeros(n, np.bool_)
        length = _longest(key[first:last], marks)
        if length < max(0.5 * n, 2.6 * np.sqrt(n) + 4):
            continue
        chosen[first:last] = marks
        step[who] = max(1.0, np.median(np.diff(key[first:last][marks])))


@njit(cache=True, nogil=True)
def _alike(at_us, key, mine, theirs, tolerance):  # type: ignore[no-untyped-def]
    """Tell whether two rising runs go through the same places at the same times."""
    compared, close, j = 0, 0, 0
    for i in mine[-12:]:
        while j < len(theirs) and at_us[theirs[j]] < at_us[i]:
            j += 1
        if j == 0 or j == len(theirs):
            continue
        a, b = theirs[j - 1], theirs[j]
        share = (at_us[i] - at_us[a]) / max(1, at_us[b] - at_us[a])
        compared += 1
        close += abs(key[a] + share * (key[b] - key[a]) - key[i]) <= tolerance
    return compared >= 4 and close >= 0.6 * compared


@njit(cache=True, nogil=True)
def _group(at_us, key, starts, ends, chosen, step, runners):  # type: ignore[no-untyped-def]
    group = np.arange(len(runners))
    for a in range(len(runners)):
        u = runners[a]
        mine = starts[u] + np.flatnonzero(chosen[starts[u] : ends[u]])
        for b in range(a):
            if group[b] == group[a]:
                continue
            v = runners[b]
            theirs = starts[v] + np.flatnonzero(chosen[starts[v] : ends[v]])
            tolerance = 16 + 4 * (step[u] + step[v])
            if _alike(at_us, key, mine, theirs, tolerance) or _alike(at_us, key, theirs, mine, tolerance):
                old = group[a]
                for c in range(a + 1):
                    if group[c] == old:
                        group[c] = group[b]
    return group


def search(at_us: Ints, key: Ints, bounds: Ints, since_us: int, until_us: int) -> list[Ints]:
    """Find accounts that go through one order at one pace, three or more at a time.

    Parameters
    ----------
    at_us, key
        New fetches, account after account, each in order of time [shape=(fetches,)].
    bounds
        Where each account's begin, and one past the last [shape=(slots + 1,)].
    since_us, until_us
        Fetches in this stretch of time are looked at.

    Returns
    -------
    cores : list of np.ndarray [int64]
        Slots of each core.
    """
    n_slots = len(bounds) - 1
    chosen, step = np.zeros(len(key), np.bool_), np.zeros(n_slots)
    starts, ends = np.zeros(n_slots, np.int64), np.zeros(n_slots, np.int64)
    _runs(at_us, key, bounds, since_us, until_us, chosen, starts, ends, step)
    runners = np.flatnonzero(step > 0)[-_COMPARED_MAX:]
    group: npt.NDArray[Any] = _group(at_us, key, starts, ends, chosen, step, runners)
    found, count = np.unique(group, return_counts=True)
    return [runners[group == g] for g in found[count >= 3]]
