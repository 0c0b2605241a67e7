"""What happens to rows on their way into a dump: two levels of noise, rate by rate.

A row is changed in each of these ways with the chance given here, and at the hard level with twice that: letters
lowered or raised, punctuation dropped or replaced, an edit in a title or in an artist, guests moved between title and
artist, a tag of a remaster added, letters folded to ASCII, everything written in Cyrillic, order of artists changed or
all but the first dropped, duration absent, in whole seconds or up to two seconds off, ISRC dropped, title and artist
swapped, title cut short.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from anyascii import anyascii

T = TypeVar("T")
NORMAL: Final[Mapping[str, float]] = {
    "case": 0.30,
    "punctuation": 0.25,
    "typo_title": 0.25,
    "typo_artist": 0.12,
    "guest": 0.30,
    "remaster": 0.10,
    "ascii": 0.30,
    "cyrillic": 0.02,
    "artists": 0.30,
    "no_duration": 0.25,
    "whole_seconds": 0.40,
    "seconds_off": 0.20,
    "no_isrc": 0.80,
    "swapped": 0.02,
    "cut": 0.03,
}
NOISES: Final = {"normal": NORMAL, "hard": {name: min(1.0, 2 * rate) for name, rate in NORMAL.items()}}
_CYRILLIC: Final = dict(
    zip(
        ("shch", "sh", "ch", "zh", "ts", "ya", "yu", "kh", "th", "ph", *"abcdefghijklmnopqrstuvwyz"),
        "щшчжцяюхтфабкдефгхижклмнопкрстуввйз",
        strict=True,
    )
)
_TO_CYRILLIC: Final = re.compile("|".join(_CYRILLIC))
_TAGS: Final = (
    " - Remastered",
    " (Remastered)",
    " - Remastered {}",
    " ({} Remaster)",
    " - {} Remaster",
    " [Remastered {}]",
    " (Remastered Version)",
    " - {} Digital Remaster",
)
_GUESTS: Final = re.compile(r"\s*[\(\[]?\b(?:feat\.?|ft\.|featuring)\s+([^\)\]]+)[\)\]]?", re.IGNORECASE)
_SAYS: Final = (" feat. ", " ft. ", " featuring ", " Feat ", " (feat. {})", " (ft. {})", " [Feat. {}]")
_JOINS: Final = (", ", " & ", "; ", " / ", " and ", " x ", ",")
_ABC: Final = "abcdefghijklmnopqrstuvwxyz"
_CUT_AT: Final = (16, 20, 25, 30)


@dataclass(slots=True)
class Written:
    """One row as it will stand in a dump."""

    title: str
    artists: list[str]
    duration_ms: int | None
    isrc: str | None
    artist: str = ""


def changed(row: Written, rates: Mapping[str, float], rng: np.random.Generator) -> Written:
    """Write a row as a dump may have it."""
    draw = dict(zip(rates, rng.random(len(rates)), strict=True))
    does = {name: draw[name] < rate for name, rate in rates.items()}
    title, artists = row.title, list(row.artists)
    if does["remaster"]:
        title += _one(_TAGS, rng).format(int(rng.integers(1989, 2024)))
    guests: list[str] = []
    if does["guest"]:
        title, artists, guests = _moved(title, artists, rng)
    if does["artists"] and len(artists) > 1:
        artists = artists[:1] if rng.random() < 0.5 else [artists[i] for i in rng.permutation(len(artists))]
    artist = _one(_JOINS, rng).join(artists)
    if guests:
        title, artist = _guested(title, artist, guests, rng)
    title, artist = _spelled(title, artist, does, rng)
    if does["swapped"]:
        title, artist = artist, title
    if does["cut"]:
        title = title[: int(rng.choice(_CUT_AT))].rstrip()
    return Written(title, [], _timed(row.duration_ms, does, rng), None if does["no_isrc"] else row.isrc, artist)


def _spelled(title: str, artist: str, does: Mapping[str, bool], rng: np.random.Generator) -> tuple[str, str]:
    if does["ascii"]:
        title, artist = anyascii(title) or title, anyascii(artist) or artist
    if does["punctuation"]:
        title, artist = _pointed(title, rng), _pointed(artist, rng)
    if does["typo_title"]:
        title = _mistyped(title, rng)
    if does["typo_artist"]:
        artist = _mistyped(artist, rng)
    if does["case"]:
        how = _one((str.lower, str.upper, str.title), rng)
        title, artist = how(title), how(artist)
    if does["cyrillic"]:
        title, artist = _in_cyrillic(title), _in_cyrillic(artist)
    return title, artist


def _one(of: Sequence[T], rng: np.random.Generator) -> T:
    return of[int(rng.integers(len(of)))]


def _moved(title: str, artists: list[str], rng: np.random.Generator) -> tuple[str, list[str], list[str]]:
    """Take guests out of a title into the artists, or the last artists out of the artists."""
    said = _GUESTS.search(title)
    if said:
        bare = _GUESTS.sub("", title).strip()
        named = {anyascii(one).lower() for one in artists}
        more = [one.strip() for one in re.split(r",|&", said[1]) if anyascii(one.strip()).lower() not in named]
        return (bare or title), (artists if rng.random() < 0.5 else artists + more), []
    if len(artists) > 1:
        return title, artists[:1], artists[1:]
    return title, artists, []


def _guested(title: str, artist: str, guests: list[str], rng: np.random.Generator) -> tuple[str, str]:
    names, how = _one(_JOINS[:2], rng).join(guests), _one(_SAYS, rng)
    said = how.format(names) if "{}" in how else how + names
    return (title + said, artist) if rng.random() < 0.5 else (title, artist + said)


def _pointed(text: str, rng: np.random.Generator) -> str:
    how = int(rng.integers(4))
    if how == 0:
        return re.sub(r"[^\w\s]", "", text) or text
    if how == 1:
        return re.sub(r"\s+", " ", re.sub(r"[^\w\s]", " ", text)).strip() or text
    if how == 2:
        return text.replace("'", "\u2019").replace("&", "and").replace(" - ", " \u2013 ")
    return (
        text.replace(" ", "_")
        if rng.random() < 0.3
        else text.replace("(", "[").replace(")", "]").replace("\u2019", "'")
    )


def _mistyped(text: str, rng: np.random.Generator) -> str:
    if len(text) < 3:
        return text
    at, how, letter = int(rng.integers(len(text) - 1)), int(rng.integers(4)), _ABC[int(rng.integers(26))]
    if how == 0:
        return text[:at] + text[at + 1 :]
    if how == 1:
        return text[:at] + letter + text[at:]
    if how == 2:
        return text[:at] + letter + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _in_cyrillic(text: str) -> str:
    return _TO_CYRILLIC.sub(lambda found: _CYRILLIC[found[0]], anyascii(text).lower())


def _timed(duration_ms: int | None, does: Mapping[str, bool], rng: np.random.Generator) -> int | None:
    if duration_ms is None or does["no_duration"]:
        return None
    if does["seconds_off"]:
        return max(1000, duration_ms + int(rng.integers(-2000, 2001)))
    if does["whole_seconds"]:
        return 1000 * (round(duration_ms / 1000) if rng.random() < 0.5 else duration_ms // 1000)
    return duration_ms
