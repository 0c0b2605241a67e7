"""The town's days as new fetches only: who took which recording first, and about when.

Between the counts and the accesses: what is new to each account is that of :mod:`riparian.sim.events`, recording by
recording and day by day, but nothing is replayed, searched or heard.  Evidence that looks at new fetches alone is
tuned on it, at a fraction of the time: 50,000 listeners for 40 days take well under a minute.

A listener's new recordings of a day lie in a few visits at hours of their own time zone.  A ring takes turns evenly
through the day, account after account, so that its order in time is the order in which its list is dealt.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.schema import DAY_US
from riparian.sim import playback
from riparian.sim.cast import cast_of, novelties, rows_of
from riparian.sim.dice import reseed, uniform
from riparian.sim.holdings import stock
from riparian.sim.town import Days, TownSpec, days

VISIT_FETCHES: Final = 6
"""New recordings of one visit, about."""
STEP_US: Final = 210_000_000
"""Time from one new recording to the next inside a visit, about; less on a day that would not hold them all."""
_SALT: Final = 4_801

FETCH: Final = np.dtype([("at_us", "i8"), ("account", "i4"), ("recording", "i4")])
"""One new fetch: microseconds since 1970; index of the account; row of the catalogue in the order of identifiers."""


def fetches(spec: TownSpec) -> npt.NDArray[np.void]:
    """Draw all new fetches of a town.

    Returns
    -------
    fetches : FETCH [shape=(sum of novel,)]
        Sorted by time.

    Examples
    --------
    >>> from riparian.sim.copiers import parse_ring
    >>> taken = fetches(TownSpec(listeners=20, days=3, recordings=2_000, copiers=(parse_ring("2x30"),)))
    >>> bool((np.diff(taken["at_us"]) >= 0).all()), int(taken["account"].max())
    (True, 21)
    """
    return np.concatenate([np.empty(0, FETCH), *each_day_fetched(spec)])


def each_day_fetched(spec: TownSpec, counts: Days | None = None) -> Iterator[npt.NDArray[np.void]]:
    """Yield the new fetches of one day after another, each sorted by time.

    Parameters
    ----------
    counts
        What :func:`riparian.sim.town.days` drew for the same ``spec``, when it is at hand.

    Yields
    ------
    fetches : FETCH [shape=(new fetches of the day,)]
    """
    counts = days(spec) if counts is None else counts
    shelf = stock(spec.seed, spec.recordings, days=spec.days, weekday=spec.weekday)
    people = cast_of(spec, counts)
    pool, rows = novelties(spec, counts, shelf, people), rows_of(counts)
    by_day = np.argsort(counts.day, kind="stable")
    edges = np.searchsorted(counts.day[by_day], np.arange(spec.days + 1))
    first, many = _rings(spec)
    for day in range(spec.days):
        which = by_day[edges[day] : edges[day + 1]]
        which = which[counts.novel[which] > 0]
        most = _most(counts, which, first)
        sheet = np.empty(int(counts.novel[which].sum()), FETCH)
        midnight = spec.start_us + day * DAY_US
        _fetch_day(which, rows, people, pool, playback.RHYTHMS, spec.listeners, first, many, most, midnight, sheet)
        yield sheet[np.argsort(sheet["at_us"], kind="stable")]


def _rings(spec: TownSpec) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each ring, its first account and how many it has."""
    many = np.array([ring.accounts for ring in spec.copiers], np.int64)
    return spec.listeners + np.cumsum(many) - many, many


def _most(counts: Days, which: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each ring, the most that one of its accounts takes anew on this day."""
    most = np.zeros(len(first), np.int64)
    ring = np.searchsorted(first, counts.account[which], side="right") - 1
    copies = ring >= 0
    np.maximum.at(most, ring[copies], counts.novel[which][copies])
    return most


@njit(cache=True)
def _visits(state: Any, sheet: Any, who: Any, hours: Any, midnight: Any) -> None:
    """Write when a listener takes a day's new recordings: an import at one go, the others in a few visits."""
    n = len(sheet)
    visits = 1 + (n - 1) // VISIT_FETCHES
    step = min(STEP_US, DAY_US * 4 // 5 // n)
    starts = np.zeros(visits)
    for v in range(visits):
        u, hour = uniform(state), 0
        while hour < 23 and hours[hour] <= u:
            hour += 1
        starts[v] = ((hour - who.offset_h) % 24 + uniform(state)) * 3_600_000_000
    starts.sort()
    clock: Any = 0
    for i in range(n):
        clock = max(clock, np.int64(starts[i * visits // n]))
        # What is left of the day must hold what is left to fetch.
        clock = min(clock, DAY_US - (n - i) * step)
        sheet[i].at_us = midnight + clock + np.int64(uniform(state) * 0.5 * step)
        clock += step


@njit(cache=True)
def _turns(state: Any, sheet: Any, member: Any, many: Any, most: Any, midnight: Any) -> None:
    """Write when an account of a ring takes its turns."""
    slot = DAY_US / (most * many)
    for turn in range(len(sheet)):
        sheet[turn].at_us = midnight + np.int64((turn * many + member + 0.8 * uniform(state)) * slot)


@njit(cache=True)
def _fetch_day(
    which: Any, rows: Any, people: Any, pool: Any, rhythms: Any, listeners: Any, first: Any, many: Any, most: Any,
    midnight: Any, sheet: Any,
) -> None:  # fmt: skip
    state = np.zeros(1, np.uint64)
    i = 0
    for r in which:
        row = rows[r]
        who, mine = people[row.account], sheet[i : i + row.novel]
        reseed(state, who.seed + np.uint64(_SALT), row.day + 1)
        for k in range(row.novel):
            mine[k].account = row.account
            mine[k].recording = pool[row.at + k]
        if row.account < listeners:
            _visits(state, mine, who, rhythms[who.rhythm], midnight)
        else:
            ring = np.searchsorted(first, row.account, side="right") - 1
            _turns(state, mine, row.account - first[ring], many[ring], most[ring], midnight)
        i += row.novel
