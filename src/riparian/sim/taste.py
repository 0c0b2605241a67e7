"""Which recordings are new to an account, in which order: one sequence an account, without repetition.

A listener goes on with the album at hand, or opens one of a favourite artist, or takes what is popular,
popular where a favourite belongs, or far away.  Favourites come from the few scenes that are a person's own, mostly of
their country and often of one genre, and from what everybody hears.  Nothing is drawn that the account has, that its
market lacks or that is not out yet.

The sequences lie end to end in one pool, account after account in the order of the day counts, so that the
running sum of ``novel`` is an address.  That is why events agree with the counts by construction.
"""

from typing import Any, Final

import numpy as np
from numba import njit

from riparian.sim.dice import below, reseed, uniform
from riparian.sim.holdings import GUIDE
from riparian.sim.personas import CHART_DAY_CHANCE, WALK_ALBUMS, WALK_CHARTS

FAVOURITES: Final = 40
"""Favourite artists of one person."""
SCENES_OWN: Final = 5
"""Most scenes that are one person's own; small numbers are more frequent."""
FAITHFUL_LEAST: Final = 0.6
"""Least share of a person's favourites that come from their own scenes; uniform up to all of them."""
SAME_GENRE: Final = 0.8
"""Chance that another scene of a person is of the genre of the first."""
ABROAD: Final = 0.15
"""Chance that a scene of another country may be a person's own, against one of their country or of none."""
FAVOURITE_SHARE: Final = 0.55
"""Share of new recordings, when no album goes on, by a favourite artist."""
SCENE_SHARE: Final = 0.42
"""Share of what is popular in the scene of a favourite; what is left is popular everywhere."""
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
def _popular_in(state: Any, shelf: Any, scene: Any) -> Any:
    """Draw a place of a scene's chart by its share of the scene's plays."""
    u = uniform(state)
    low, high = shelf.scenes[scene].start, shelf.scenes[scene].end - 1
    while low < high:
        middle = (low + high) // 2
        if shelf.scene_chart[middle].cumulative <= u:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _own_scene(state: Any, shelf: Any, country: Any, genre: Any) -> Any:
    """Draw a scene by its share of plays, mostly one that is at home in this country, and of a genre unless -1."""
    scene = 0
    for _ in range(_TRIES):
        artist = shelf.artists[shelf.tracks[shelf.chart[popular(state, shelf)].recording].artist]
        scene, home = artist.scene, shelf.scenes[artist.scene].home
        near = home == -1 or home == country or uniform(state) < ABROAD
        if near and (genre == -1 or artist.genre == genre):
            break
    return scene


@njit(cache=True)
def befriend(state: Any, shelf: Any, country: Any, favourites: Any) -> None:
    """Choose one person's favourite artists [shape=(FAVOURITES,), int64]: of their own scenes, or heard by everybody.

    People differ in how many scenes are theirs and in how faithful they are to them.
    """
    scenes = np.zeros(SCENES_OWN, np.int64)
    many = 1 + np.int64(SCENES_OWN * uniform(state) ** 2)
    faithful = FAITHFUL_LEAST + (1 - FAITHFUL_LEAST) * uniform(state)
    genre = -1
    for i in range(many):
        scenes[i] = _own_scene(state, shelf, country, genre if uniform(state) < SAME_GENRE else -1)
        if i == 0:
            genre = shelf.artists[shelf.tracks[shelf.scene_chart[shelf.scenes[scenes[0]].start].recording].artist].genre
    for i in range(len(favourites)):
        if uniform(state) < faithful:
            scene = scenes[np.int64(many * uniform(state) ** 2)]
            place = shelf.scene_chart[_popular_in(state, shelf, scene)]
        else:
            place = shelf.chart[popular(state, shelf)]
        favourites[i] = shelf.tracks[place.recording].artist


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
def by_taste(state: Any, shelf: Any, favourites: Any, who: Any) -> Any:
    """Draw a recording by taste, open or not."""
    u = uniform(state)
    if u < who.deep:
        return below(state, len(shelf.tracks))
    u = (u - who.deep) / (1 - who.deep)
    artist = shelf.artists[favourites[below(state, len(favourites))]]
    if u < FAVOURITE_SHARE:
        recording = artist.start + below(state, artist.end - artist.start)
        if uniform(state) < 0.5:
            while recording > artist.start and shelf.tracks[recording - 1].album == shelf.tracks[recording].album:
                recording -= 1
        return recording
    if u < FAVOURITE_SHARE + SCENE_SHARE:
        return shelf.scene_chart[_popular_in(state, shelf, artist.scene)].recording
    return shelf.chart[popular(state, shelf)].recording


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
        recording = by_taste(state, shelf, favourites, who)
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
        for i in range(0, many, FAVOURITES):
            befriend(state, shelf, who.country, favourites[i : i + FAVOURITES])
        _sequence(state, shelf, seen, who, mine, favourites[:many], pool)
        for i in range(mine[0].at, mine[-1].at + mine[-1].novel):
            seen[pool[i]] = 0
