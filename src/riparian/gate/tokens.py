"""How is a token counted, exactly and fast?

The arithmetic of :mod:`riparian.gate.budgets`, compiled: a level is a whole number of units of
1/86,400,000,000 token, and ``r`` tokens a day are ``r`` units a microsecond.  Each function takes
the arrays of the state, changes them in place, and goes through accesses in the order given.

Bounds
------
With at most ten million tokens to a bucket, every product here stays below 2**63; where one might not, the
division is done first.  Times before 1970 count as 1970, and times after the year 75,000 as that.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.schema import DAY_US

NEWCOMER_DAYS: Final = 7
"""How long a new account earns the half of the burst that it was not given."""
PARENT_DAYS: Final = 30
HOUSEHOLD: Final = 6
SPELL_US: Final = 7 * DAY_US
"""Refusals further apart than this are told as two spells."""

UNKNOWN_US: Final = -(2**63)
"""Stands for a time that is not known."""

LATEST_US: Final = 2**61

Ints = NDArray[np.int64]


@njit(cache=True)
def price(streams: int) -> int:
    """Price a recording in units: a whole token for a plan of one or two streams, half of one up to four, else a third.

    Examples
    --------
    >>> [DAY_US // price(streams) for streams in (1, 2, 3, 4, 5, 9)]
    [1, 1, 2, 2, 3, 3]
    """
    return DAY_US // min(3, 1 + max(0, streams - 1) // 2)


@njit(cache=True)
def earned(age_us: int, burst: int) -> int:
    """Count the units that being new has added by an age."""
    # burst * age / 14 units, rounded down once and for all at each age, without leaving 64 bits.
    age, whole = min(max(age_us, 0), NEWCOMER_DAYS * DAY_US), 2 * NEWCOMER_DAYS
    return burst * (age // whole) + burst * (age % whole) // whole


@njit(cache=True)
def most(age_us: int, burst: int) -> int:
    """Count the units that an account may hold at an age."""
    return burst * DAY_US // 2 + earned(age_us, burst)


@njit(cache=True)
def filled(level: int, dt_us: int, per_day: int, cap: int) -> int:
    """Add what the time brought, up to the cap."""
    # The product would leave 64 bits after a long absence: whoever was away that long is full.
    if per_day > 0 and dt_us > (cap - level) // per_day:
        return cap
    return level + per_day * dt_us


@njit(cache=True)
def level_at(now: int, burst: int, per_day: int, created_us: int, level: int, at_us: int) -> int:
    """Say what is in an account's bucket at a time, from what was in it before."""
    if at_us != UNKNOWN_US and now <= at_us:
        return level
    known = created_us != UNKNOWN_US
    age = now - created_us if known else NEWCOMER_DAYS * DAY_US
    cap = most(age, burst)
    if at_us == UNKNOWN_US:
        return cap
    if known:
        level += earned(age, burst) - earned(at_us - created_us, burst)
    return filled(min(level, cap), now - at_us, per_day, cap)


@njit(cache=True)
def plain_level_at(now: int, cap: int, per_day: int, level: int, at_us: int) -> int:
    """Say what is in a bucket without an age at a time, from what was in it before."""
    if at_us == UNKNOWN_US:
        return cap
    if now <= at_us:
        return level
    return filled(min(level, cap), now - at_us, per_day, cap)


@njit(cache=True)
def refill(row: int, now: int, burst: int, per_day: int, created_us: Ints, level: Ints, at_us: Ints) -> None:
    """Bring an account's bucket to a time."""
    level[row] = level_at(now, burst, per_day, created_us[row], level[row], at_us[row])
    at_us[row] = max(at_us[row], now)


@njit(cache=True)
def refill_plain(row: int, now: int, cap: int, per_day: int, level: Ints, at_us: Ints) -> None:
    """Bring a bucket without an age to a time."""
    level[row] = plain_level_at(now, cap, per_day, level[row], at_us[row])
    at_us[row] = max(at_us[row], now)


@njit(cache=True)
def tell(told: Ints, row: int, now: int, n: int) -> None:
    """Note a refusal: of this spell, since, last, ever."""
    if told[row, 0] == 0 or now - told[row, 2] > SPELL_US:
        told[row, 0] = 0
        told[row, 1] = now
        told[row, 2] = now
    told[row, 0] += n
    told[row, 2] = max(told[row, 2], now)
    told[row, 3] += n


@njit(cache=True)
def served(
    slot: NDArray[np.int32],
    at_us: Ints,
    novel: NDArray[np.bool_],
    burst: int,
    per_day: int,
    created: Ints,
    level: Ints,
    last: Ints,
    price: Ints,
    told: Ints,
) -> NDArray[np.bool_]:
    """Charge recordings that were served; True where refused."""
    refused = np.zeros(slot.size, np.bool_)
    for i in range(slot.size):
        if novel[i]:
            row, now = slot[i], min(max(at_us[i], 0), LATEST_US)
            refill(row, now, burst, per_day, created, level, last)
            if level[row] >= price[row]:
                level[row] -= price[row]
            else:
                refused[i] = True
                tell(told, row, now, 1)
    return refused


@njit(cache=True)
def responses(
    slot: NDArray[np.int32],
    at_us: Ints,
    rows: NDArray[np.int32],
    burst: int,
    per_day: int,
    level: Ints,
    last: Ints,
    told: Ints,
) -> NDArray[np.bool_]:
    """Charge responses for their rows; True where refused."""
    refused = np.zeros(slot.size, np.bool_)
    for i in range(slot.size):
        if rows[i] > 0:
            row, now, wanted = slot[i], min(max(at_us[i], 0), LATEST_US), int(rows[i])
            refill_plain(row, now, burst * DAY_US, per_day, level, last)
            if wanted <= burst and level[row] >= wanted * DAY_US:
                level[row] -= wanted * DAY_US
            else:
                refused[i] = True
                tell(told, row, now, wanted)
    return refused


@njit(cache=True)
def drawn(
    parent: NDArray[np.int32],
    account: NDArray[np.int32],
    at_us: Ints,
    cap: int,
    per_day: int,
    level: Ints,
    last: Ints,
    told: Ints,
) -> NDArray[np.bool_]:
    """Charge parents for what new accounts drew; True where refused."""
    refused = np.zeros(parent.size, np.bool_)
    for i in range(parent.size):
        row, now = parent[i], min(max(at_us[i], 0), LATEST_US)
        if row >= 0:
            refill_plain(row, now, cap, per_day, level, last)
            if level[row] >= DAY_US:
                level[row] -= DAY_US
            else:
                refused[i] = True
                tell(told, account[i], now, 1)
    return refused


@njit(cache=True)
def enforced(
    slot: NDArray[np.int32],
    at_us: Ints,
    novel: NDArray[np.bool_],
    pair: NDArray[np.uint64],
    unhad: NDArray[np.uint64],
    parent: NDArray[np.int32],
    burst: int,
    per_day: int,
    own: tuple[Ints, Ints, Ints, Ints],
    told: Ints,
    cap: int,
    parent_level: Ints,
    parent_last: Ints,
) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Charge recordings that are had only if allowed; True where refused, and what is not had."""
    created, level, last, price = own
    waiting = set(unhad)
    refused = np.zeros(slot.size, np.bool_)
    for i in range(slot.size):
        again = not novel[i] and len(waiting) > 1 and pair[i] in waiting
        if not (novel[i] or again):
            continue
        row, up, now = slot[i], parent[i], min(max(at_us[i], 0), LATEST_US)
        refill(row, now, burst, per_day, created, level, last)
        shared = up >= 0 and created[row] != UNKNOWN_US and now - created[row] < PARENT_DAYS * DAY_US
        if shared:
            refill_plain(up, now, cap, HOUSEHOLD * per_day, parent_level, parent_last)
        if level[row] < price[row] or (shared and parent_level[up] < DAY_US):
            refused[i] = True
            tell(told, row, now, 1)
            waiting.add(pair[i])
            continue
        level[row] -= price[row]
        if shared:
            parent_level[up] -= DAY_US
        if again:
            waiting.discard(pair[i])
    return refused, np.array(sorted(waiting), np.uint64)
