"""Which recordings are new to an account, in which order: one sequence an account, without repetition.

A listener goes on with the album at hand, or opens one of a favourite artist, or takes what is popular,
popular in a favourite genre, or far away.  Nothing is drawn that the account has, that its market lacks or
that is not out yet.  A ring deals one list of work to its accounts.

The sequences lie end to end in one pool, account after account in the order of the day counts, so that the
running sum of ``novel`` is an address.  That is why events agree with the counts by construction.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.sim.dice import below, reseed, uniform
from riparian.sim.holdings import GUIDE, Shelf
from riparian.sim.personas import CHART_DAY_CHANCE, WALK_ALBUMS, WALK_CHARTS

FAVOURITES: Final = 40
"""Favourite artists of one person."""
ALBUM_STICK: Final = 0.45
"""Chance that the next new recording continues the album."""
LIBRARY_STICK: Final = 0.9
"""The same inside an imported library, and for who plays albums front to back."""
CHART_RUN: Final = 120
"""New recordings of one walk down a chart."""
CHART_FAITH: Final = 0.95
"""Chance that somebody who walks down a chart takes the next place, not something to their taste."""
_TRIES: Final = 24

CHARACTER: Final = np.dtype(
    [
        ("seed", "u8"), ("kind", "i8"), ("rhythm", "i8"), ("lanes", "i8"), ("people", "i8"), ("walk", "i8"),
        ("offset_h", "i8"), ("country", "i8"), ("narrow", "i8"), ("mute", "i8"), ("device_first", "i8"),
        ("devices", "i8"), ("skip", "f8"), ("deep", "f8"),
    ]
)  # fmt: skip
"""One account: the number from which all its draws follow; its kind and rhythm (see :mod:`riparian.sim.playback`); how
many plays may run side by side; people; how it walks; hours from UTC; index into ``COUNTRIES``; whether replays come
from a few favourites only; whether its player never reports playback; first device and how many; chance that a play is
cut short; chance that a new recording comes from anywhere, whatever its popularity."""
ACCOUNT_DAY: Final = np.dtype(
    [(name, "i8") for name in ("account", "day", "plays", "novel", "downloads", "rows", "history", "at", "cursor")]
)
"""One account-day, as in :class:`riparian.sim.town.Days`, with the places in the pool of the account's first recording
and of the day's first new one, and the row of the catalogue at which a reader of metadata begins."""


@njit(cache=True)
def popular(state: Any, shelf: Any) -> Any:
    """Draw a place of the chart by its share of plays."""
    u = uniform(state)
    place = shelf.guide[np.int64(u * GUIDE)]
    while place < len(shelf.chart) - 1 and shelf.chart[place].cumulative <= u:
        place += 1
    return place


@njit(cache=True)
def _is_open(shelf: Any, seen: Any, recording: Any, who: Any, day: Any) -> Any:
    track = shelf.tracks[recording]
    return seen[recording] == 0 and (track.markets >> who.country) & 1 == 1 and track.released <= day


@njit(cache=True)
def _from(shelf: Any, seen: Any, recording: Any, end: Any, who: Any, day: Any) -> Any:
    """Take the first open recording in this stretch of the catalogue; -1 when there is none."""
    while recording < end:
        if _is_open(shelf, seen, recording, who, day):
            return recording
        recording += 1
    return -1


@njit(cache=True)
def _anywhere(state: Any, shelf: Any, seen: Any, who: Any, day: Any) -> Any:
    """Take the next open recording after a random one; there is one, since nobody plays half of the catalogue."""
    start = below(state, len(seen))
    recording = _from(shelf, seen, start, len(seen), who, day)
    if recording < 0:
        recording = _from(shelf, seen, 0, start, who, day)
    if recording < 0:
        raise ValueError("the catalogue is too small for this account")
    return recording


@njit(cache=True)
def _one(state: Any, shelf: Any, favourites: Any, who: Any) -> Any:
    """Draw a recording by taste, open or not."""
    u = uniform(state)
    if u < who.deep:
        return below(state, len(shelf.tracks))
    u = (u - who.deep) / (1 - who.deep)
    if u < 0.5:
        artist = shelf.artists[favourites[below(state, len(favourites))]]
        recording = artist.start + below(state, artist.end - artist.start)
        if uniform(state) < 0.5:
            while recording > artist.start and shelf.tracks[recording - 1].album == shelf.tracks[recording].album:
                recording -= 1
        return recording
    recording = shelf.chart[popular(state, shelf)].recording
    tries = 6 if u < 0.7 else 0
    genre = shelf.artists[favourites[0]].genre
    while tries > 0 and shelf.artists[shelf.tracks[recording].artist].genre != genre:
        recording = shelf.chart[popular(state, shelf)].recording
        tries -= 1
    return recording


@njit(cache=True)
def _next(state: Any, shelf: Any, seen: Any, last: Any, stick: Any, favourites: Any, who: Any, day: Any) -> Any:
    """Choose the next new recording: the album goes on, or the artist for who plays albums, or by taste."""
    if last >= 0 and uniform(state) < stick:
        track = shelf.tracks[last]
        end = track.album_end
        if who.walk == WALK_ALBUMS:
            end = shelf.artists[track.artist].end
        recording = _from(shelf, seen, last + 1, end, who, day)
        if recording >= 0:
            return recording
    for _ in range(_TRIES):
        recording = _one(state, shelf, favourites, who)
        if who.walk == WALK_ALBUMS:
            recording = shelf.artists[shelf.tracks[recording].artist].start
        if _is_open(shelf, seen, recording, who, day):
            return recording
    return _anywhere(state, shelf, seen, who, day)


@njit(cache=True)
def _down_the_chart(shelf: Any, seen: Any, place: Any, who: Any, day: Any) -> Any:
    """Find the first place from this one on whose recording is open; -1 at the end of the chart."""
    while place < len(shelf.chart):
        if _is_open(shelf, seen, shelf.chart[place].recording, who, day):
            return place
        place += 1
    return -1


@njit(cache=True)
def _sequence(state: Any, shelf: Any, seen: Any, who: Any, rows: Any, favourites: Any, pool: Any) -> None:
    """Fill the pool for the account-days of one account."""
    last, place, left = -1, 0, 0
    for row in rows:
        charts = who.walk == WALK_CHARTS or uniform(state) < CHART_DAY_CHANCE
        for i in range(row.novel):
            here = -1
            imported = i < row.downloads
            if charts and not imported and uniform(state) < CHART_FAITH:
                if left == 0:
                    place, left = below(state, len(shelf.chart) // 2), CHART_RUN
                place, left = _down_the_chart(shelf, seen, place, who, row.day), left - 1
                if place < 0:
                    place, left = 0, 0
                else:
                    here = shelf.chart[place].recording
            if here < 0:
                stick = ALBUM_STICK
                if imported or who.walk == WALK_ALBUMS:
                    stick = LIBRARY_STICK
                here = _next(state, shelf, seen, last, stick, favourites, who, row.day)
            pool[row.at + i] = here
            seen[here] = 1
            last = here


@njit(cache=True)
def listen(shelf: Any, people: Any, first_row: Any, rows: Any, pool: Any) -> None:
    """Fill the pool with the sequences of listeners.

    Parameters
    ----------
    shelf
        The catalogue.
    people
        Records of CHARACTER, one a listener.
    first_row
        First account-day of each account, and one past the last.
    rows
        Records of ACCOUNT_DAY, sorted by account, then day.
    pool
        Recordings end to end [shape=(sum of novel,), int32]; the part of these accounts is written.
    """
    seen = np.zeros(len(shelf.tracks), np.uint8)
    state = np.zeros(1, np.uint64)
    favourites = np.zeros(FAVOURITES * 5, np.int64)
    for account in range(len(people)):
        who, mine = people[account], rows[first_row[account] : first_row[account + 1]]
        if len(mine) == 0:
            continue
        reseed(state, who.seed, 0)
        many = FAVOURITES * min(who.people, 5)
        for i in range(many):
            favourites[i] = shelf.tracks[shelf.chart[popular(state, shelf)].recording].artist
        _sequence(state, shelf, seen, who, mine, favourites[:many], pool)
        for i in range(mine[0].at, mine[-1].at + mine[-1].novel):
            seen[pool[i]] = 0


@njit(cache=True)
def _from_another(state: Any, owner: Any, taken: Any, member: Any, work: Any, dealt: Any) -> Any:
    """Find something another account of the ring took before; -1 when a few tries find nothing."""
    for _ in range(_TRIES if dealt > 0 else 0):
        place = below(state, dealt)
        recording = work[place]
        if owner[place] != member and owner[place] >= 0 and taken[member, recording] == 0:
            return recording
    return -1


@njit(cache=True)
def _portion(ends: Any, here: Any, end: Any, dealt: Any) -> Any:
    """Choose where an account goes on when its portion is done: the next of the list, or another's last place."""
    if dealt < len(ends):
        return dealt, ends[dealt], ends[dealt]
    richest = 0
    for member in range(len(here)):
        if end[member] - here[member] > end[richest] - here[richest]:
            richest = member
    end[richest] -= 1
    return end[richest], end[richest] + 1, dealt


@njit(cache=True)
def deal(work: Any, ends: Any, novel: Any, duplicates: Any, seed: Any, starts: Any, pool: Any) -> None:
    """Deal a list of work to a ring, in turn while a day lasts.

    Parameters
    ----------
    work
        Recordings in the order of the list [int64].
    ends
        For each place of the list, one past the end of the portion that one account takes at once [int64].
    novel
        New fetches [shape=(days, accounts), int64].
    duplicates
        Share of new fetches that repeat another account's.
    seed
        Number from which all draws follow.
    starts
        Where each account's sequence begins in the pool [shape=(accounts,)].
    pool
        Written: account after account, each in order of time [shape=(sum of novel,), int32].
    """
    n_days, n = novel.shape
    state = np.zeros(1, np.uint64)
    reseed(state, seed, 1)
    owner = np.full(len(work), -1)
    taken = np.zeros((n if duplicates > 0 else 1, len(work)), np.uint8)
    here, end, done = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    dealt = 0
    for day in range(n_days):
        before, most = dealt, 0
        for member in range(n):
            most = max(most, novel[day, member])
        for turn in range(most):
            for member in range(n):
                if turn >= novel[day, member]:
                    continue
                recording = -1
                if duplicates > 0 and uniform(state) < duplicates:
                    recording = _from_another(state, owner, taken, member, work, before)
                if recording < 0:
                    if here[member] == end[member]:
                        here[member], end[member], dealt = _portion(ends, here, end, dealt)
                    recording = work[here[member]]
                    owner[here[member]] = member
                    here[member] += 1
                if duplicates > 0:
                    taken[member, recording] = 1
                pool[starts[member] + done[member]] = recording
                done[member] += 1


def work_list(
    shelf: Shelf, order: str, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Write a ring's list of work: recordings, and where the portion that starts or goes on there ends.

    Parameters
    ----------
    order
        ``queue``, ``artists`` or ``random``.
    rng
        Shuffles; untouched by ``queue``.
    """
    n = len(shelf.chart)
    single = np.arange(1, n + 1)
    if order == "queue":
        return shelf.chart["recording"].copy(), single
    if order == "random":
        return rng.permutation(n), single
    turn = rng.permutation(len(shelf.artists))[shelf.tracks["artist"]]
    work = np.argsort(turn, kind="stable")
    return work, np.searchsorted(turn[work], turn[work], side="right")
