"""Which rows are the same work, and which the same recording, by rules that are not those being measured.

Two rows are one work if their titles, less what names a version or a guest, have the same letters and they have an
artist in common; one recording if what names the version has the same letters too.  Words that do not change the sound
(remaster, mono, album version, explicit) name no version.  The rules are written apart from
``riparian.metadata.normalise``, so that a mistake there is not repeated here.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

_GUEST: Final = re.compile(r"\b(feat|ft|featuring|with|prod)\b\.?", re.IGNORECASE)
_GUEST_LAST: Final = re.compile(r"\s[\(\[]?(feat\.?|ft\.|featuring)\s.*$", re.IGNORECASE)
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
    r"|chopped|screwed|tribute|rehearsal|cut)\b",
    re.IGNORECASE,
)
_PART: Final = re.compile(r"[\(\[\{]([^\(\)\[\]\{\}]*)[\)\]\}]")
_NOT_ALNUM: Final = re.compile(r"[^a-z0-9]+")
_AMONG: Final = re.compile(
    r"\s*(?:;|,|\s&\s|\sand\s|\sx\s|\+|\svs\.?\s|\bfeat\.?\s|\bft\.?\s|\bfeaturing\s)\s*", re.IGNORECASE
)


def letters(text: str) -> str:
    """Give what is left of a text in lower-case Latin letters and digits; the text itself where nothing is."""
    return _NOT_ALNUM.sub("", anyascii(text).lower()) or text.strip().lower()


def core_and_version(title: str) -> tuple[str, str]:
    """Split a title into letters of the work and letters of what names a version that sounds otherwise."""
    inner = _PART.findall(title)
    outer, *dashed = re.split(r"\s+-\s+|\s+/\s+(?=.*\b(?:remix|mix|live)\b)", _PART.sub(" ", title))
    kept, versions = [_GUEST_LAST.sub("", outer)], []
    for part in [*inner, *dashed]:
        if _VERSION.search(part):
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


def groups(titles: Sequence[str], artists: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give numbers of works and of recordings; rows with the same number are the same.

    Parameters
    ----------
    titles, artists : sequences of str, equally long
        As written.

    Returns
    -------
    work, recording : np.ndarray [shape=(n,)]
    """
    split = [core_and_version(title) for title in titles]
    keys: dict[str, int] = {}
    row, key = [], []
    for number, ((core, _), artist) in enumerate(zip(split, artists, strict=True)):
        for one in artists_of(artist):
            row.append(number)
            key.append(keys.setdefault(f"{core}|{one}", len(keys)))
    n = len(split)
    edges = coo_matrix((np.ones(len(row)), (row, np.array(key, np.int64) + n)), shape=(n + len(keys), n + len(keys)))
    work = connected_components(edges, directed=False)[1][:n].astype(np.int64)
    versions: dict[tuple[int, str], int] = {}
    recording = [
        versions.setdefault((int(w), version), len(versions)) for w, (_, version) in zip(work, split, strict=True)
    ]
    return work, np.array(recording, np.int64)
