"""Which rows are the same work, and which the same recording, by rules that are not those being measured.

Two rows are one work if their titles, less what names a version or a guest, or less what stands in brackets, have the
same letters (of long ones, nearly all) and the same numbers, and they have an artist in common; one recording if what
names the version has the same letters too.  Words that do not change the sound (remaster, mono, album version) name
no version.  The rules are written apart from ``riparian.metadata.normalise``, lest a mistake there is repeated here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

_GUEST: Final = re.compile(r"\b(feat|ft|featuring|with|prod)\b\.?", re.IGNORECASE)
_GUEST_LAST: Final = re.compile(r"\s[\(\[]?(feat\.?|ft\.?|featuring)\s.*$", re.IGNORECASE)
_NEUTRAL: Final = re.compile(
    r"\b(re-?master(ed)?|mono|stereo|explicit|clean|(album|single|original|lp|us|uk|full length|full) (version|mix)"
    r"|version|bonus( track)?|deluxe( edition)?|digital|edition|(19|20)\d\d|from .*|soundtrack|main|original)\b",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(
    r"\b(re-?master(ed)?|mono|stereo|explicit|clean|version|mix|remix(ed)?|rmx|re-?mixes|edit|live|acoustic|demo|dub|vip"
    r"|karaoke|instrumental|cover|extended|radio|club|unplugged|session(s)?|re-?work|bootleg|mashup|medley|reprise"
    r"|bonus( track)?|deluxe|original motion picture.*|soundtrack|single|alternate|take \d+|outtake|orchestral|piano"
    r"|stripped|sped up|slowed|nightcore|a ?cappella|duet|recorded at.*|mtv.*|re-?recorded|anniversary|commentary"
    r"|chopped|screwed|tribute|rehearsal|cut|en vivo|ao vivo|refix|remode|mixed|freestyle|ver|presents?)\b"
    r"|^\s*from |^\s*(19|20)\d\d\s*$|\bfrom [\"\u201c\u2018'].*",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    r"\d+|\b(?:[ivx]{2,}|[vx]|one|two|three|four|five|six|seven|eight|nine|ten)\b", re.IGNORECASE
)
_SHORT, _LONG, _SAME_SIDE, _SAME_WORK = 2, 9, 88.0, 94.0
_PART: Final = re.compile(r"[\(\[\{]([^\(\)\[\]\{\}]*)[\)\]\}]")
_NOT_ALNUM: Final = re.compile(r"[^a-z0-9]+")
_AMONG: Final = re.compile(
    r"\s*(?:;|,|\s&\s|\sand\s|\sx\s|\+|\svs\.?\s|\bfeat\.?\s|\bft\.?\s|\bfeaturing\s)\s*", re.IGNORECASE
)


def letters(text: str) -> str:
    """Give what is left of a text in lower-case Latin letters and digits; the text itself where nothing is."""
    return _NOT_ALNUM.sub("", anyascii(text).lower().replace("&", "and")) or text.strip().lower()


def core_and_version(title: str) -> tuple[str, str]:
    """Split a title into letters of the work and letters of what names a version that sounds otherwise."""
    inner = _PART.findall(title)
    outer, *dashed = re.split(r"\s+[-\u2013]\s+|\s+/\s+(?=.*\b(?:remix|mix|live)\b)", _PART.sub(" ", title))
    kept, versions = [_GUEST_LAST.sub("", outer)], []
    first = next((place for place, part in enumerate(dashed) if _VERSION.search(part)), len(dashed))
    for place, part in enumerate([*dashed, *inner]):
        if _VERSION.search(part) or first < place < len(dashed):
            versions.append(letters(_NEUTRAL.sub("", part)))
        elif not _GUEST.match(part.strip()):
            kept.append(part)
    core = letters(" ".join(kept))
    return (core or letters(title)), "".join(sorted(one for one in versions if one.isalnum()))


def artists_of(artist: str) -> list[str]:
    """List letters of all artists, the first as written first."""
    found = [letters(re.sub(r"^the\s+", "", one.strip(), flags=re.IGNORECASE)) for one in _AMONG.split(artist)]
    whole = letters(re.sub(r"^the\s+", "", artist.strip(), flags=re.IGNORECASE))
    return [one for one in dict.fromkeys([*found, whole]) if one]


def main_artist(artist: str) -> str:
    """Give the letters of whoever is named first."""
    return (artists_of(artist) or [""])[0]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Numbers of rows, each an array of shape (n,): rows with the same number are the same.

    ``side`` is coarser than ``work``: what may well be one work, under a title written otherwise, has one number, so
    that a catalogue without some works holds nothing of what it lacks.
    """

    side: NDArray[np.int64]
    work: NDArray[np.int64]
    version: NDArray[np.int64]


def groups(titles: Sequence[str], artists: Sequence[str]) -> Groups:
    """Give numbers to works and recordings of rows given by titles and artists as written."""
    split = [core_and_version(title) for title in titles]
    heads = [letters(_GUEST_LAST.sub("", _PART.sub(" ", title).split(" - ")[0])) for title in titles]
    by_artist: dict[str, list[int]] = {}
    for number, artist in enumerate(artists):
        for one in artists_of(artist):
            by_artist.setdefault(one, []).append(number)
    works: list[tuple[int, int]] = []
    sides: list[tuple[int, int]] = []
    numbers = [_numbers(title) for title in titles]
    for rows in by_artist.values():
        works += _same([(split[row][0], numbers[row]) for row in rows], rows)
        bare = [letters(_PART.sub(" ", titles[row])) for row in rows]
        works += _same(
            [
                (one, numbers[row]) if len(one) > _SHORT else (one, (str(row),))
                for row, one in zip(rows, bare, strict=True)
            ],
            rows,
        )
        sides += _same([(heads[row], numbers[row]) for row in rows], rows)
        for pair, alike in _alike([split[row][0] for row in rows], [numbers[row] for row in rows], rows):
            (works if alike >= _SAME_WORK else sides).append(pair)
    n = len(titles)
    work = _components(works, n)
    keys: dict[tuple[int, str], int] = {}
    version = [keys.setdefault((int(w), said), len(keys)) for w, (_, said) in zip(work, split, strict=True)]
    return Groups(_components(works + sides, n), work, np.array(version, np.int64))


def _numbers(title: str) -> tuple[str, ...]:
    outer, *inner = re.split(r"[\(\)\[\]]", _GUEST_LAST.sub("", title))
    head, *dashed = re.split(r"\s+[-\u2013]\s+", outer)
    first = next((place for place, part in enumerate(dashed) if _VERSION.search(part)), len(dashed))
    parts = [head, *dashed[:first], *inner]
    bare = " ".join(part for part in parts if not (_VERSION.search(part) or _GUEST.match(part.strip())))
    return tuple(sorted(one.lower() for one in _NUMBER.findall(anyascii(bare))))


def _same(keys: Sequence[object], rows: Sequence[int]) -> list[tuple[int, int]]:
    first: dict[object, int] = {}
    return [(first.setdefault(key, row), row) for key, row in zip(keys, rows, strict=True)]


def _alike(
    cores: Sequence[str], numbers: Sequence[tuple[str, ...]], rows: Sequence[int]
) -> list[tuple[tuple[int, int], float]]:
    """List pairs of long titles by one artist that differ in few letters and in no number."""
    long = [i for i, core in enumerate(cores) if len(core) >= _LONG]
    if len(long) < 2:
        return []
    words = [cores[i] for i in long]
    scores = process.cdist(words, words, scorer=fuzz.ratio, score_cutoff=_SAME_SIDE)
    return [
        ((rows[long[i]], rows[long[j]]), float(scores[i, j]))
        for i, j in zip(*np.nonzero(np.triu(scores, 1)), strict=True)
        if numbers[long[i]] == numbers[long[j]]
    ]


def _components(pairs: Sequence[tuple[int, int]], n: int) -> NDArray[np.int64]:
    one, other = np.array(pairs, np.int64).T
    found: NDArray[np.int64] = connected_components(
        coo_matrix((np.ones(one.size), (one, other)), (n, n)), directed=False
    )[1]
    return found.astype(np.int64)
