"""One day of accounts played out as accesses: when, what, on which device, how much sound.

A listener's day is a few visits at hours of their own time zone.  Inside a visit, plays follow one another
no faster than they are heard; some are skipped, and on a day too full for everything to be heard to the end all
are cut alike.  Several people, or floors of a shop, play side by side.  Searches come before visits.  An import
downloads faster than anybody hears, as imports do.  A copier spreads its fetches over its hours, whole recordings,
and nothing reports that they are played.

Everything lies inside the UTC day, and exactly the counted plays are new.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.schema import Action
from riparian.sim.dice import below, mix, reseed, uniform
from riparian.sim.taste import popular

LISTENER, COPIER, READER, WIDGET = 0, 1, 2, 3
SEARCH_ROWS: Final = 20
PAGE_ROWS: Final = 50
VISIT_PLAYS: Final = 14
"""Plays of a visit, about."""
_VISITS_MAX: Final = 128
_DAY_MS: Final = 86_400_000
_FULLEST: Final = 0.85
_GAP_MS: Final = 1_500
_BETWEEN_MS: Final = 30_000
_NOVEL_RUN: Final = 0.4
_FAVOURED: Final = 40
_LOST_HEARTBEAT: Final = 0.004
_PLAY, _SEARCH, _METADATA, _DOWNLOAD = (
    int(Action.PLAY), int(Action.SEARCH), int(Action.METADATA), int(Action.DOWNLOAD),
)  # fmt: skip

EVENING, NIGHT, OPENING = 0, 1, 2
"""Rhythms: people at home, sleepers, places with opening hours."""
_HOURS: Final = np.array([
    [2, 1, 1, 1, 1, 2, 4, 7, 8, 6, 5, 5, 6, 6, 5, 5, 6, 8, 9, 8, 8, 8, 7, 4],
    [6, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 6, 12, 10],
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
], dtype=np.float64)  # fmt: skip
RHYTHMS: Final = np.cumsum(_HOURS / _HOURS.sum(axis=1, keepdims=True), axis=1)


ENTRY: Final = np.dtype(
    [
        ("at_ms", "i4"), ("account", "i4"), ("recording", "i4"), ("device", "i4"), ("visit", "i4"),
        ("media_ms", "i4"), ("rows", "i4"), ("action", "u1"), ("country", "u1"), ("heartbeat", "i1"),
    ],
    align=True,
)  # fmt: skip
"""One access: time since midnight; indices of account, recording (-1 where none was asked for) and device; index of
the visit; sound received; metadata rows (-1 where none); action as in ``ACCESS``; index into ``COUNTRIES``; 1 reported
as played, 0 not, -1 not a matter of playing."""


@njit(cache=True)
def _visit(visits: Any, row: Any, who: Any, number: Any) -> Any:
    """Begin a visit: the first place of ``visits`` counts them, the others hold a number that is like no other's."""
    visits[0] += np.uint64(1)
    index = np.int64(visits[0])
    visits[index] = mix(who.seed + np.uint64(row.day * 4_096 + number))
    return index - 1


@njit(cache=True)
def _write(sheet: Any, i: Any, row: Any, who: Any, at_ms: Any, visit: Any, device: Any) -> Any:
    """Write what all accesses have; the place in the sheet is returned for the rest."""
    entry = sheet[i]
    entry.at_ms = at_ms
    entry.account = row.account
    entry.device = who.device_first + device % who.devices
    entry.visit = visit
    entry.country = who.country
    entry.recording = -1
    entry.rows = -1
    entry.media_ms = 0
    entry.heartbeat = -1
    return entry


@njit(cache=True)
def _replay(state: Any, size: Any, previous: Any, narrow: Any) -> Any:
    """Choose a place in one's own history: old favourites, the last weeks, the one that followed, anything."""
    if narrow:
        return np.int64(uniform(state) ** 2 * min(size, _FAVOURED))
    u = uniform(state)
    if u < 0.15 and previous >= 0 and previous + 1 < size:
        return previous + 1
    if u < 0.5:
        return np.int64(uniform(state) ** 2 * size)
    if u < 0.85:
        return size - 1 - np.int64(uniform(state) ** 2 * min(size, 300))
    return below(state, size)


@njit(cache=True)
def _choose(state: Any, pool: Any, row: Any, run: Any, narrow: Any, out: Any) -> None:
    """Write the recordings of a day but its import: exactly the counted ones new, the others from one's history."""
    plays, fresh_left, at = len(out), row.novel - row.downloads, row.at + row.downloads
    previous, was_novel = -1, False
    for i in range(plays):
        chance = fresh_left / (plays - i)
        if i > 0:
            chance = chance * (1 - run) + (run if was_novel else 0.0)
        size = at - row.history
        was_novel = fresh_left == plays - i or (fresh_left > 0 and (size == 0 or uniform(state) < chance))
        if was_novel:
            out[i] = pool[at]
            at += 1
            fresh_left -= 1
            continue
        previous = _replay(state, size, previous, narrow)
        if i > 0 and pool[row.history + previous] == out[i - 1]:
            previous = (previous + 1) % size
        out[i] = pool[row.history + previous]


@njit(cache=True)
def _hear(state: Any, shelf: Any, skip: Any, recordings: Any, heard: Any) -> None:
    """Decide how much of each play is heard, so that a day holds them all."""
    n = len(recordings)
    total = 0
    for i in range(n):
        heard[i] = shelf.tracks[recordings[i]].duration_ms
        if uniform(state) < skip:
            heard[i] = 4_000 + np.int64(uniform(state) * 0.6 * heard[i])
        total += heard[i]
    room = np.int64(_FULLEST * _DAY_MS) - n * (_GAP_MS + 1_000)
    if total > room:
        for i in range(n):
            heard[i] = 1_000 + np.int64(heard[i] * (room / total))


@njit(cache=True)
def _arrive(state: Any, hours: Any, offset_h: Any, starts: Any) -> None:
    """Draw the starts of visits within the UTC day from a rhythm in local time, in order."""
    for v in range(len(starts)):
        u, hour = uniform(state), 0
        while hour < 23 and hours[hour] <= u:
            hour += 1
        start = np.int64(((hour - offset_h) % 24 + uniform(state)) * 3_600_000)
        place = v
        while place > 0 and starts[place - 1] > start:
            starts[place] = starts[place - 1]
            place -= 1
        starts[place] = start


@njit(cache=True)
def _lay(starts: Any, heard: Any) -> None:
    """Push visits apart until none overlaps the next and all end inside the day; there is room for all."""
    n, visits = len(heard), len(starts)
    lengths = np.zeros(visits, np.int64)
    for v in range(visits):
        for p in range(v * n // visits, (v + 1) * n // visits):
            lengths[v] += heard[p] + _GAP_MS + 1_000
    free = 0
    for v in range(visits):
        starts[v] = max(starts[v], free)
        free = starts[v] + lengths[v] + _BETWEEN_MS
    limit = _DAY_MS
    for v in range(visits - 1, -1, -1):
        starts[v] = min(starts[v], limit - lengths[v])
        limit = starts[v] - _BETWEEN_MS


@njit(cache=True)
def _lane(
    state: Any, sheet: Any, i: Any, row: Any, who: Any, hours: Any, recordings: Any, heard: Any, lane: Any, visits: Any
) -> Any:
    """Play one person's day in visits; returns the next free place and the start of some visit."""
    n = len(recordings)
    many = np.int64(min(1 + n / VISIT_PLAYS * (0.6 + 0.8 * uniform(state)), n, _VISITS_MAX))
    starts = np.zeros(many, np.int64)
    _arrive(state, hours, who.offset_h, starts)
    _lay(starts, heard)
    for v in range(many):
        visit = _visit(visits, row, who, lane * 256 + v + 1)
        device = lane + (1 if uniform(state) < 0.2 else 0)
        clock = starts[v]
        for p in range(v * n // many, (v + 1) * n // many):
            entry = _write(sheet, i, row, who, clock, visit, device)
            entry.recording = recordings[p]
            entry.action = _PLAY
            entry.media_ms = heard[p]
            entry.heartbeat = 0 if who.mute or uniform(state) < _LOST_HEARTBEAT else 1
            clock += heard[p] + _GAP_MS + np.int64(uniform(state) * 1_000)
            i += 1
    return i, starts[below(state, many)]


@njit(cache=True)
def _import(state: Any, sheet: Any, i: Any, row: Any, who: Any, shelf: Any, pool: Any, visits: Any) -> Any:
    """Download a library one after another, side by side with whatever is played."""
    clock = np.int64(uniform(state) * (_DAY_MS - row.downloads * 2_500))
    visit = _visit(visits, row, who, 4_095)
    for p in range(row.downloads):
        recording = np.int64(pool[row.at + p])
        entry = _write(sheet, i, row, who, clock, visit, 0)
        entry.recording = recording
        entry.action = _DOWNLOAD
        entry.media_ms = shelf.tracks[recording].duration_ms
        entry.heartbeat = 0
        clock += 1_500 + np.int64(uniform(state) * 1_000)
        i += 1
    return i


@njit(cache=True)
def _search(state: Any, sheet: Any, i: Any, row: Any, who: Any, around: Any, visit: Any) -> Any:
    left = row.rows
    while left > 0:
        clock = max(around - np.int64(uniform(state) * 90_000), 0)
        entry = _write(sheet, i, row, who, clock, visit, 0)
        entry.action = _SEARCH
        entry.rows = min(left, SEARCH_ROWS)
        left -= SEARCH_ROWS
        i += 1
    return i


@njit(cache=True)
def _page(state: Any, sheet: Any, i: Any, row: Any, who: Any, shelf: Any, visit: Any) -> Any:
    """Read metadata: a reader goes on at its cursor in identifier order, a widget looks up what is popular."""
    left, page = row.rows, 0
    pages = (left + PAGE_ROWS - 1) // PAGE_ROWS
    while left > 0:
        clock = np.int64((page + uniform(state)) / pages * (_DAY_MS - 1))
        entry = _write(sheet, i, row, who, clock, visit, 0)
        entry.recording = (row.cursor + page * PAGE_ROWS) % len(shelf.tracks)
        if who.kind == WIDGET:
            entry.recording = shelf.chart[popular(state, shelf)].recording
        entry.action = _METADATA
        entry.rows = min(left, PAGE_ROWS)
        left -= PAGE_ROWS
        page += 1
        i += 1
    return i


@njit(cache=True)
def _fetch(state: Any, sheet: Any, i: Any, row: Any, who: Any, shelf: Any, recordings: Any, visit: Any) -> Any:
    """Spread a copier's fetches over its hours, 14 to 24 a day, the same every day."""
    n = len(recordings)
    own = mix(who.seed + np.uint64(77))
    length = np.int64(_DAY_MS * (14 + np.float64(own % np.uint64(1_000)) / 100) / 24)
    start = np.int64(np.float64((own >> np.uint64(32)) % np.uint64(1_000)) / 1_000 * (_DAY_MS - length))
    for p in range(n):
        clock = start + np.int64((p + uniform(state)) / n * (length - 1))
        entry = _write(sheet, i, row, who, clock, visit, 0)
        entry.recording = recordings[p]
        entry.action = _PLAY
        entry.media_ms = shelf.tracks[recordings[p]].duration_ms
        entry.heartbeat = 0
        i += 1
    return i


@njit(cache=True)
def play_day(which: Any, rows: Any, people: Any, shelf: Any, pool: Any, rhythms: Any, sheet: Any, visits: Any) -> Any:
    """Write the accesses of these account-days, all of one day, and return how many there are.

    Parameters
    ----------
    which
        Indices of account-days.
    rows, people
        Records of ACCOUNT_DAY and CHARACTER.
    shelf, pool
        The catalogue; new recordings end to end.
    rhythms
        Cumulative hours of the day [shape=(rhythms, 24)].
    sheet
        Records of ENTRY, written from the beginning; wants room for all plays, searches and pages.
    visits
        Zeros, one more than accesses; how many visits there are comes first, then a number for each [uint64].
    """
    state = np.zeros(1, np.uint64)
    most = 1
    for r in which:
        most = max(most, rows[r].plays)
    recordings, heard = np.empty(most, np.int64), np.empty(most, np.int64)
    i = 0
    for r in which:
        row = rows[r]
        who = people[row.account]
        reseed(state, who.seed, row.day + 1)
        n, listens = row.plays - row.downloads, who.kind == LISTENER
        _choose(state, pool, row, _NOVEL_RUN if listens else 0.0, who.narrow, recordings[:n])
        if row.downloads > 0:
            i = _import(state, sheet, i, row, who, shelf, pool, visits)
        around = below(state, _DAY_MS - 1)
        first = np.int64(visits[0])
        lanes = min(who.lanes, 1 + n // VISIT_PLAYS) if listens and n > 0 else 0
        for lane in range(lanes):
            low, high = lane * n // lanes, (lane + 1) * n // lanes
            _hear(state, shelf, who.skip, recordings[low:high], heard[low:high])
            hours = rhythms[who.rhythm]
            i, around = _lane(state, sheet, i, row, who, hours, recordings[low:high], heard[low:high], lane, visits)
        if lanes == 0 and (row.rows > 0 or n > 0):
            first = _visit(visits, row, who, 1)
        if n > 0 and not listens:
            i = _fetch(state, sheet, i, row, who, shelf, recordings[:n], first)
        if row.rows > 0 and listens:
            i = _search(state, sheet, i, row, who, around, first)
        elif row.rows > 0:
            i = _page(state, sheet, i, row, who, shelf, first)
    return i


def accesses_of(rows: npt.NDArray[np.void], people: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Count the accesses of every account-day.

    Parameters
    ----------
    rows, people
        Records of ACCOUNT_DAY and CHARACTER.
    """
    size = np.where(people["kind"] == LISTENER, SEARCH_ROWS, PAGE_ROWS)[rows["account"]]
    return np.asarray(rows["plays"] + -(-rows["rows"] // size), dtype=np.int64)
