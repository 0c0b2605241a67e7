"""What would rows of ours look like in this list, if we had taken them?

Nobody can say of a list that was found which rows are ours; of rows that we change ourselves, everybody can.  So rows
of ours are written anew as lists do it: with letters wrong, in another order, in another alphabet and back, guests
moved, artists left out, titles cut, versions and remasters named.  What the list itself tells is copied from it: which
columns a row lacks, and whether durations are whole seconds.

How strongly a list changes its rows is not known either.  Rows are therefore written in three ways, from nearly as they
are to barely recognisable, and how many rows of the list are of which is found afterwards
(:mod:`riparian.metadata.calibrated`).

A third of the plays are not ours although they look so: their recording, their work or their artist is *hidden*, that
is, whatever is found of it does not count.  Others name another version or another number than ours do.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import pyarrow as pa
from anyascii import anyascii
from numpy.typing import NDArray

from riparian.schema import LISTED


class Kind(IntEnum):
    """What a play stands for."""

    LIGHT = 0
    MIDDLE = 1
    HEAVY = 2
    SIBLING = 3
    NO_RECORDING = 4
    NO_WORK = 5
    NO_ARTIST = 6


SHARES: Final = {
    Kind.LIGHT: 0.14,
    Kind.MIDDLE: 0.26,
    Kind.HEAVY: 0.2,
    Kind.SIBLING: 0.06,
    Kind.NO_RECORDING: 0.04,
    Kind.NO_WORK: 0.2,
    Kind.NO_ARTIST: 0.1,
}
"""How many of the plays are of each kind."""
FOREIGN: Final = (0.0, 0.0, 0.0, 0.03, 0.10, 0.57, 0.30)
"""Of rows of a list that are not ours, how many are taken to be of each kind when they stand for all of them."""
MIXED: Final = (True, True, True, False, True, True, True)
"""Of which kinds a list is taken to be made.  Siblings are made up; how many a list has, hidden recordings tell."""
STRENGTH: Final = {Kind.LIGHT: 0.25, Kind.MIDDLE: 1.0, Kind.HEAVY: 2.0}
"""By what the rates are multiplied."""
RATES: Final = {
    "letter in title": 0.24,
    "letter in artist": 0.13,
    "guests": 0.28,
    "artists": 0.30,
    "remaster": 0.10,
    "alphabet": 0.025,
    "signs": 0.25,
    "swapped": 0.02,
    "cut": 0.03,
    "word": 0.006,
    "bracket": 0.01,
    "seconds": 0.25,
}
"""How often each thing is done to a row at strength 1."""
_SOUNDS: Final = (
    ("x", "ks"), ("w", "v"), ("q", "k"), ("j", "zh"), ("h", "kh"), ("c", "k"), ("th", "t"), ("y", "i"), ("ph", "f"),
)  # fmt: skip
_SAID: Final = re.compile(r"\s*[\(\[]?\b(?:feat|ft|featuring)\b\.?\s+([^\)\]]+)[\)\]]?", re.IGNORECASE)
_BRACKET: Final = re.compile(r"\s*[\(\[][^\)\]]*[\)\]]")
_VERSION: Final = re.compile(r"live|mix|version|edit|acoustic|demo|instrumental|karaoke|\d", re.IGNORECASE)
_JOINED: Final = re.compile(r"\s*(?:;|,|\s&\s|\s/\s)\s*")
_JOINS: Final = (", ", " & ", "; ", " and ", " / ", " x ")
_GUESTS: Final = (" feat. {}", " ft. {}", " featuring {}", " (feat. {})", " [ft. {}]")
_TAGS: Final = (" - Remastered", " (Remastered {})", " - {} Remaster", " (Album Version)", " [{} Remastered Version]")
_VERSIONS: Final = (
    " (Live)", " - Live", " (Remix)", " - Acoustic", " (Instrumental)", " (Karaoke Version)", " (Demo)",
    " - Extended Mix",
)  # fmt: skip
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_EDIT: Final = re.compile(
    r"\s*(?:[\(\[](?:radio|single) (?:edit|version)[\)\]]|\s-\s(?:radio|single) (?:edit|version))$", re.IGNORECASE
)
_UNEDITED: Final = 0.3
"""How many lists leave out that what they name is the single's edit."""
_LAST_NUMBER: Final = re.compile(r"\b(?:\d+|I{1,3}|IV|VI{0,3}|IX)$")
_NUMBERED: Final = 0.3
_RENUMBERED: Final = 0.8
_REMIXED: Final = 0.8
_LASTS_OTHERWISE: Final = 0.7
"""How many siblings last longer or shorter than the recording; the others are remixed to its length."""
_OTHERWISE: Final = 0.15
"""By what, as the spread of the logarithm."""
_ABC: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, eq=False)
class Plays:
    """Rows of ours, written anew.

    Parameters
    ----------
    listed : pa.Table of LISTED
    kind : np.ndarray [shape=(n,), int8], values of :class:`Kind`
    """

    listed: pa.Table
    kind: NDArray[np.int8]


def play(recordings: pa.Table, like: pa.Table, rng: np.random.Generator) -> Plays:
    """Write rows of ours as they would stand in a list.

    Parameters
    ----------
    recordings : pa.Table of RECORDING
        One row a play.
    like : pa.Table of LISTED
        Rows of the list: what they lack, the plays lack.

    Examples
    --------
    >>> from riparian.schema import RECORDING
    >>> ours = pa.Table.from_pylist([{"recording": "a", "title": "Harbour Lights", "artist": "Nobody"}] * 50, RECORDING)
    >>> like = pa.Table.from_pylist([{"row": 0, "title": "x", "artist": "y"}], LISTED)
    >>> plays = play(ours, like, np.random.default_rng(1))
    >>> plays.listed.num_rows, plays.listed["isrc"].null_count
    (50, 50)
    """
    n = recordings.num_rows
    kind = rng.choice(np.array(list(SHARES), np.int8), n, p=np.array(list(SHARES.values())))
    strengths = np.array([STRENGTH.get(Kind(k), 0.0) for k in range(len(Kind))])
    drawn = rng.choice(np.array([0.25, 1.0, 2.0]), n)
    strength = np.where(kind <= Kind.HEAVY, strengths[kind], drawn)
    copied = rng.integers(max(1, like.num_rows), size=n)
    artists = [artist or "" for artist in recordings["artist"].to_pylist()]
    written = [
        _written(
            _sibling(title or "", _one(artists, rng), rng) if k == Kind.SIBLING else title or "", artist, float(s), rng
        )
        for title, artist, k, s in zip(recordings["title"].to_pylist(), artists, kind, strength, strict=True)
    ]
    given = {name: _given(like, name, copied) for name in ("title", "artist", "album", "duration_ms", "isrc")}
    columns = {
        "row": pa.array(np.arange(n)),
        "title": _kept([one[0] for one in written], given["title"]),
        "artist": _kept([one[1] for one in written], given["artist"]),
        "duration_ms": _durations(recordings, like, kind, strength, rng),
    }
    columns["duration_ms"] = _masked(columns["duration_ms"], given["duration_ms"])
    for name in ("album", "isrc"):
        if name in recordings.column_names:
            columns[name] = _masked(recordings[name].combine_chunks(), given[name])
    arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in LISTED]
    return Plays(pa.table(arrays, schema=LISTED), kind.astype(np.int8))


def _given(like: pa.Table, name: str, copied: NDArray[np.int64]) -> NDArray[np.bool_]:
    if name not in like.column_names or not like.num_rows:
        return np.zeros(copied.size, bool)
    found: NDArray[np.bool_] = like[name].is_valid().to_numpy()[copied]
    return found


def _kept(text: Sequence[str], given: NDArray[np.bool_]) -> pa.Array:
    return pa.array([one if is_given else None for one, is_given in zip(text, given, strict=True)], pa.string())


def _masked(values: pa.Array, given: NDArray[np.bool_]) -> pa.Array:
    return pa.compute.if_else(pa.array(given), values, pa.nulls(len(values), values.type))


def _durations(
    recordings: pa.Table,
    like: pa.Table,
    kind: NDArray[np.int8],
    strength: NDArray[np.float64],
    rng: np.random.Generator,
) -> pa.Array:
    n = recordings.num_rows
    if "duration_ms" not in recordings.column_names:
        return pa.nulls(n, pa.int32())
    values = recordings["duration_ms"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    off = rng.random(n) < RATES["seconds"] * strength
    values = values + off * rng.integers(-2000, 2001, n)
    other = (kind == Kind.SIBLING) & (rng.random(n) < _LASTS_OTHERWISE)
    values = np.where(other, values * rng.lognormal(0.0, _OTHERWISE, n), values)
    whole = rng.random(n) < _whole_seconds(like)
    seconds = np.where(rng.random(n) < 0.5, np.floor(values / 1000), np.round(values / 1000))
    values = np.maximum(1000.0, np.where(whole, 1000 * seconds, values))
    return pa.array(np.nan_to_num(values).astype(np.int32), mask=np.isnan(values))


def _whole_seconds(like: pa.Table) -> float:
    if "duration_ms" not in like.column_names:
        return 0.0
    known = like["duration_ms"].drop_null().to_numpy()
    return float((known % 1000 == 0).mean()) if known.size else 0.0


def _written(title: str, artist: str, strength: float, rng: np.random.Generator) -> tuple[str, str]:
    does = dict(zip(RATES, rng.random(len(RATES)) < strength * np.array(list(RATES.values())), strict=True))
    if does["remaster"]:
        title += _one(_TAGS, rng).format(int(rng.integers(1989, 2025)))
    if rng.random() < _UNEDITED:
        title = _EDIT.sub("", title) or title
    if does["bracket"] and not _VERSION.search(title):
        title = _BRACKET.sub("", title) or title
    artists = [one for one in _JOINED.split(artist) if one] or [artist]
    guests: list[str] = []
    if does["guests"]:
        title, artists, guests = _moved(title, artists, rng)
    if does["artists"] and len(artists) > 1:
        artists = artists[:1] if rng.random() < 0.5 else [artists[i] for i in rng.permutation(len(artists))]
    artist = _one(_JOINS, rng).join(artists)
    if guests:
        said = _one(_GUESTS, rng).format(_one(_JOINS[:2], rng).join(guests))
        title, artist = (title + said, artist) if rng.random() < 0.5 else (title, artist + said)
    title, artist = _spelled(title, artist, does, rng)
    if does["swapped"]:
        title, artist = artist, title
    if does["cut"]:
        title = title[: int(rng.integers(14, 31))].rstrip()
    return title, artist


def _spelled(title: str, artist: str, does: dict[str, bool], rng: np.random.Generator) -> tuple[str, str]:
    if does["word"]:
        words = title.split()
        if len(words) > 2:
            del words[int(rng.integers(len(words)))]
            title = " ".join(words)
    if does["alphabet"]:
        title, artist = _heard(title), _heard(artist)
    if does["signs"]:
        title, artist = _pointed(title, rng), _pointed(artist, rng)
    if does["letter in title"]:
        title = _mistyped(title, rng)
    if does["letter in artist"]:
        artist = _mistyped(artist, rng)
    return title, artist


def _one(of: Sequence[str], rng: np.random.Generator) -> str:
    return of[int(rng.integers(len(of)))]


def _sibling(title: str, somebody: str, rng: np.random.Generator) -> str:
    """Name another version, another number or another hand than a title does."""
    bare = _BRACKET.sub("", title.split(" - ", maxsplit=1)[0]).strip() or title
    if rng.random() < (_RENUMBERED if _LAST_NUMBER.search(bare) else _NUMBERED):
        number = re.search(r"\d+$", bare)
        roman = re.search(r"\b(I{1,3}|IV|VI{0,3}|IX)$", bare)
        if roman:
            return bare[: roman.start()] + _one([one for one in _ROMAN if one != roman[0]], rng) + title[len(bare) :]
        if number:
            return f"{bare[: number.start()]}{int(number[0][:6]) + 1}{title[len(bare) :]}"
        return f"{bare} {_one(('2', 'II', '3', 'Pt. 2', 'Part 2', 'IV'), rng)}"
    if rng.random() < (_REMIXED if "mix" in title.lower() else _REMIXED / 4):
        return f"{bare} ({_JOINED.split(somebody)[0]} Remix)"
    return bare + _one(_VERSIONS, rng)


def _moved(title: str, artists: list[str], rng: np.random.Generator) -> tuple[str, list[str], list[str]]:
    said = _SAID.search(title)
    if said is None:
        return (title, artists[:1], artists[1:]) if len(artists) > 1 else (title, artists, [])
    named = {anyascii(one).lower() for one in artists}
    more = [one for one in _JOINED.split(said[1]) if one and anyascii(one).lower() not in named]
    return _SAID.sub("", title) or title, artists if rng.random() < 0.5 else artists + more, []


def _heard(text: str) -> str:
    text = anyascii(text).lower()
    for latin, heard in _SOUNDS:
        text = text.replace(latin, heard)
    return text


def _pointed(text: str, rng: np.random.Generator) -> str:
    how = int(rng.integers(4))
    if how == 0:
        return re.sub(r"[^\w\s]", "", text) or text
    if how == 1:
        return re.sub(r"[^\w\s]+", " ", text).strip() or text
    if how == 2:
        return text.replace("&", "and").replace(" - ", " \u2013 ")
    return text.replace(" ", "_") if rng.random() < 0.3 else text.replace("(", "[").replace(")", "]")


def _mistyped(text: str, rng: np.random.Generator) -> str:
    if len(text) < 3:
        return text
    at, letter = int(rng.integers(len(text) - 1)), _ABC[int(rng.integers(26))]
    ways: tuple[Callable[[], str], ...] = (
        lambda: text[:at] + text[at + 1 :],
        lambda: text[:at] + letter + text[at:],
        lambda: text[:at] + letter + text[at + 1 :],
        lambda: text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return ways[int(rng.integers(4))]()
