"""The catalogue of a town: artists, albums, markets, releases, and how much each recording is heard.

Recordings stand in the order of their identifiers: an artist's are together, an album's are together and
in track order, and artists are in no order of popularity.  Shares of plays follow a Zipf-Mandelbrot law over
ranks; ranks follow the artist's strength, the album's and the recording's own.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.schema import DAY_US, RECORDING
from riparian.sim.streams import stream

COUNTRIES: Final = ("US", "GB", "DE", "BR", "JP", "IN", "MX", "SE")
COUNTRY_SHARES: Final = (0.30, 0.14, 0.14, 0.14, 0.10, 0.08, 0.06, 0.04)
UTC_OFFSETS: Final = (-6, 0, 1, -3, 9, 5, -6, 1)
"""Hours from UTC of each country's listeners, one zone a country."""
EVERYWHERE: Final = (1 << len(COUNTRIES)) - 1
TERRITORIAL_SHARE: Final = 0.25
"""Share of artists who are not available everywhere."""
RELEASED_SHARE: Final = 0.01
"""Share of albums that appear during the period, on Fridays."""
GENRES: Final = 18
SCENE_ARTISTS: Final = 80
"""Artists a scene, about; a catalogue has at least one scene for each genre and at most SCENES_MAX."""
SCENES_MAX: Final = 360
LOCAL_SHARE: Final = 0.5
"""Share of scenes that belong to one country, by its language; the others belong to all."""
ZIPF_SHIFT: Final = 60.0
ZIPF_EXPONENT: Final = 1.0
GUIDE: Final = 4096
"""Cells of the guide table that shortens drawing by share."""
_ALBUM_LENGTHS: Final = (1, 5, 10, 12, 14)
_ALBUM_CHANCES: Final = (0.15, 0.20, 0.35, 0.20, 0.10)
_FRIDAY: Final = 4
_FIRST: Final = ("Quiet", "Northern", "Paper", "Golden", "Hollow", "Slow", "Salt", "Second", "Blue", "Open", "Glass",
                 "Winter", "Silver", "Distant", "Borrowed", "Little")  # fmt: skip
_SECOND: Final = ("Harbour", "River", "Osprey", "Lantern", "Orchard", "Signal", "Meadow", "Engine", "Garden", "Tide",
                  "Window", "Choir", "Field", "Compass", "Letter", "Bridge")  # fmt: skip


TRACK: Final = np.dtype(
    [
        ("artist", "i8"),
        ("album", "i8"),
        ("album_end", "i8"),
        ("markets", "i8"),
        ("released", "i8"),
        ("duration_ms", "i8"),
    ]
)
"""One recording: index of its artist and album, one past the album's last recording, bit ``i`` of ``markets`` set where
it may be heard in ``COUNTRIES[i]``, day of the town on which it appeared (mostly long before), length."""
ARTIST: Final = np.dtype([("start", "i8"), ("end", "i8"), ("genre", "i8"), ("scene", "i8")])
"""One artist: first and one past the last recording, genre, scene."""
SCENE: Final = np.dtype([("start", "i8"), ("end", "i8"), ("home", "i8")])
"""One scene: first and one past the last place of its chart, index into ``COUNTRIES`` (-1 for all)."""
PLACE: Final = np.dtype([("recording", "i8"), ("cumulative", "f8")])
"""One place of the chart, most popular first: its recording, and the share of plays down to it."""


Ints = npt.NDArray[np.int64]


class Shelf(NamedTuple):
    """The catalogue as compiled loops read it.

    Parameters
    ----------
    tracks, artists, chart
        Record arrays of TRACK, ARTIST and PLACE.
    guide
        First place of the chart whose cumulative share passes ``i / GUIDE`` [shape=(GUIDE + 1,)].
    scenes, scene_chart
        Records of SCENE; the charts of the scenes end to end, as PLACE, shares counted inside each scene.
    """

    tracks: npt.NDArray[np.void]
    artists: npt.NDArray[np.void]
    chart: npt.NDArray[np.void]
    guide: npt.NDArray[np.int64]
    scenes: npt.NDArray[np.void]
    scene_chart: npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class _Albums:
    artist: npt.NDArray[np.int32]
    album: npt.NDArray[np.int32]
    position: npt.NDArray[np.int32]


def stock(seed: int, recordings: int, *, days: int, weekday: int) -> Shelf:
    """Make a catalogue.

    Parameters
    ----------
    days, weekday
        Length of the period and weekday of its first day (Monday 0), for releases.

    Examples
    --------
    >>> shelf = stock(1, 1000, days=14, weekday=0)
    >>> len(shelf.tracks), int(shelf.artists["end"][-1]), bool(shelf.chart["cumulative"][-1] == 1)
    (1000, 1000, True)
    """
    albums = _albums(stream(seed, "catalogue/albums"), recordings)
    n_artists, n_albums = int(albums.artist[-1]) + 1, int(albums.album[-1]) + 1
    rng = stream(seed, "catalogue/popularity")
    strength = rng.normal(0, 1.2, n_artists)[albums.artist] + rng.normal(0, 0.4, n_albums)[albums.album]
    order = np.argsort(-(strength + rng.normal(0, 0.7, recordings)), kind="stable")
    rng = stream(seed, "catalogue/markets")
    some = rng.integers(1, EVERYWHERE, n_artists)
    markets = np.where(rng.random(n_artists) < TERRITORIAL_SHARE, some, EVERYWHERE).astype(np.uint16)
    genre = np.minimum(stream(seed, "catalogue/genre").zipf(1.6, n_artists) - 1, GENRES - 1).astype(np.uint8)
    seconds = 205 * np.exp(0.3 * stream(seed, "catalogue/duration").standard_normal(recordings))
    starts = np.flatnonzero(np.diff(albums.artist, prepend=-1)).astype(np.int32)
    ends = np.append(np.flatnonzero(np.diff(albums.album)) + 1, recordings).astype(np.int32)
    released = _releases(stream(seed, "catalogue/releases"), n_albums, days, weekday)
    tracks = _records(
        TRACK,
        artist=albums.artist,
        album=albums.album,
        album_end=ends[albums.album],
        markets=markets[albums.artist],
        released=released[albums.album],
        duration_ms=(np.clip(seconds, 40, 900) * 1000).astype(np.int64),
    )
    scene, homes = _scenes(stream(seed, "catalogue/scenes"), genre)
    artists = _records(ARTIST, start=starts, end=np.append(starts[1:], recordings), genre=genre, scene=scene)
    return _shelf(tracks, artists, order, homes)


def _scenes(rng: np.random.Generator, genre: npt.NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Divide each genre into scenes, as many as its artists fill; with them go the scenes' countries."""
    scenes = min(max(len(genre) // SCENE_ARTISTS, GENRES), SCENES_MAX)
    share = np.bincount(genre, minlength=GENRES) / len(genre)
    many = 1 + np.floor(share * (scenes - GENRES)).astype(np.int64)
    first = np.cumsum(many) - many
    scene = first[genre] + np.floor(many[genre] * rng.random(len(genre)) ** 1.5).astype(np.int64)
    home = rng.choice(len(COUNTRIES), int(many.sum()), p=COUNTRY_SHARES)
    return scene, np.where(rng.random(len(home)) < LOCAL_SHARE, home, -1)


def _shelf(
    tracks: npt.NDArray[np.void], artists: npt.NDArray[np.void], order: npt.NDArray[np.int64], homes: Ints
) -> Shelf:
    share = (np.arange(len(order)) + 1 + ZIPF_SHIFT) ** -ZIPF_EXPONENT
    cumulative = np.cumsum(share / share.sum())
    cumulative[-1] = 1.0
    guide = np.searchsorted(cumulative, np.arange(GUIDE + 1) / GUIDE)
    chart = _records(PLACE, recording=order, cumulative=cumulative)
    return Shelf(tracks, artists, chart, guide.astype(np.int64), *_scene_charts(tracks, artists, chart, homes))


def _scene_charts(
    tracks: npt.NDArray[np.void], artists: npt.NDArray[np.void], chart: npt.NDArray[np.void], homes: Ints
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    scene = artists["scene"][tracks["artist"][chart["recording"]]]
    order = np.argsort(scene, kind="stable")
    running = np.cumsum(np.diff(chart["cumulative"], prepend=0.0)[order])
    edges = np.searchsorted(scene[order], np.arange(len(homes) + 1))
    before = np.append(0.0, running)[edges]
    inside = scene[order]
    cumulative = (running - before[inside]) / np.diff(before)[inside]
    scenes = _records(SCENE, start=edges[:-1], end=edges[1:], home=homes)
    return scenes, _records(PLACE, recording=chart["recording"][order], cumulative=cumulative)


def _records(kind: np.dtype[np.void], **columns: npt.NDArray[Any]) -> npt.NDArray[np.void]:
    records = np.empty(len(next(iter(columns.values()))), kind)
    for name, column in columns.items():
        records[name] = column
    return records


def _albums(rng: np.random.Generator, recordings: int) -> _Albums:
    sizes = np.clip(6 * np.exp(1.1 * rng.standard_normal(recordings)), 1, 400).astype(np.int64)
    artists = int(np.searchsorted(np.cumsum(sizes), recordings)) + 1
    artist = np.repeat(np.arange(artists, dtype=np.int32), sizes[:artists])[:recordings]
    first = np.flatnonzero(np.diff(artist, prepend=-1))
    position = np.arange(recordings) - first[artist]
    length = rng.choice(_ALBUM_LENGTHS, artists, p=_ALBUM_CHANCES)[artist]
    album = np.cumsum(position % length == 0) - 1
    return _Albums(artist, album.astype(np.int32), position.astype(np.int32))


def _releases(rng: np.random.Generator, albums: int, days: int, weekday: int) -> npt.NDArray[np.int32]:
    before = -1 - rng.exponential(3000, albums).astype(np.int32)
    fridays = np.flatnonzero((np.arange(days) + weekday) % 7 == _FRIDAY)
    appears = rng.random(albums) < RELEASED_SHARE
    if len(fridays) == 0:
        return before
    return np.where(appears, rng.choice(fridays, albums), before).astype(np.int32)


def recording_ids(recordings: int) -> pa.Array:
    """Write identifiers in order, as the operator does.

    Examples
    --------
    >>> recording_ids(2).to_pylist()
    ['r-0000000', 'r-0000001']
    """
    return pa.array([f"r-{i:07d}" for i in range(recordings)])


def recording_table(shelf: Shelf, start_us: int) -> pa.Table:
    """Write the catalogue as a ``RECORDING`` table, in the order of identifiers; a town has no codes and no owners.

    Parameters
    ----------
    start_us
        First midnight of the period, from which release days count.
    """
    tracks, n = shelf.tracks, len(shelf.tracks)
    popularity = np.empty(n)
    popularity[shelf.chart["recording"]] = np.diff(shelf.chart["cumulative"], prepend=0.0)
    first_day = start_us // DAY_US
    markets = [" ".join(c for i, c in enumerate(COUNTRIES) if mask >> i & 1) for mask in range(EVERYWHERE)] + [""]
    artists = [f"The {_name(a * 7)}s {a}" for a in range(len(shelf.artists))]
    albums = [_name(b * 5) for b in range(int(tracks["album"][-1]) + 1)]
    columns = {
        "recording": recording_ids(n),
        "title": pa.array([f"{_name(i)} {i % 997}" for i in range(n)]),
        "artist": pa.array(artists).take(pa.array(tracks["artist"])),
        "album": pa.array(albums).take(pa.array(tracks["album"])),
        "duration_ms": pa.array(tracks["duration_ms"].astype(np.int32)),
        "popularity": pa.array(popularity),
        "released": pa.array((first_day + tracks["released"]).astype(np.int32)).cast(pa.date32()),
        "markets": pa.array(markets).take(pa.array(tracks["markets"])),
    }
    return pa.table(columns, schema=pa.schema([RECORDING.field(name) for name in columns]))


def _name(i: int) -> str:
    mixed = (i * 2654435761) >> 7
    return f"{_FIRST[mixed % 16]} {_SECOND[mixed // 16 % 16]}"
