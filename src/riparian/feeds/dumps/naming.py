"""What does the name of a column say that is in it?

A path of names (``track.album.name``) is read from its end: the longest end that names a field is believed.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from riparian.feeds.tables import plain_name

FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "title": "title tracktitle trackname track_name song songname songtitle name recording recordingname"
        " recordingtitle trackttitle worktitle titel titre titulo titolo",
        "artist": "artist artists artistname artistnames artistsname trackartist trackartists performer performers"
        " albumartist artistcredit artistcreditname creator author singer band kunstler interpret artista artiste",
        "album": "album albumname albumtitle release releasename releasetitle collection collectionname",
        "duration_ms": "durationms durationmsec lengthms milliseconds duration length durations durationseconds seconds"
        " runtime time playtime durationsec lengthseconds tracklength tracktime"
        " dauer dur durs durms durationinms lens ms lengthsec",
        "isrc": "isrc isrccode isrcs externalidsisrc",
        "upc": "upc ean barcode gtin upccode upcean icpn externalidsupc",
        "iswc": "iswc iswccode",
        "mbid": "mbid recordingmbid musicbrainzid musicbrainztrackid recordinggid gid",
        "platform_id": "platformid trackid spotifyid spotifytrackid trackuri spotifyuri uri deezerid appleid itunesid"
        " tidalid youtubeid videoid songid externalid id",
        "added": "added addedat dateadded firstadded createdat created firstseen uploaded uploadedat uploaddate adddate"
        " mtime modified timestamp crawledat fetchedat scrapedat lastmodified ingested",
        "label": "label labelname recordlabel publisher copyright pline cline albumlabel",
        "territory": "territory territories market markets country countries availablemarkets region countrycode",
        "path": "path file filename filepath location folder uripath dir directory relativepath",
    }
)
"""Field to the names that it goes by, each without case and punctuation, the surest first."""

_KNOWN: Final = {plain_name(name): field for field, names in FIELDS.items() for name in names.split()}
_OTHERS: Final = (
    "year date released releasedate popularity plays playcount rank genre bpm key tempo number no nr track disc"
    " tracknumber discnumber explicit url link size bytes bitrate codec hash md5 sha1 sha256 views likes rating status"
    " comment energy danceability language artistid albumid rowid price composer writer lyrics"
)
_HINTS: Final = frozenset(_OTHERS.split())
_VALUE: Final = re.compile(
    r"\s*(?:[-+]?\d+(?:[.,]\d+)*\s*%?|\d{1,3}:\d{2}(?::\d{2})?(?:\.\d+)?|\d{4}-\d{2}(?:-\d{2}.*)?"
    r"|[A-Za-z]{2}-?[A-Za-z0-9]{3}-?\d{2}-?\d{5}|https?://\S+|\S*[/\\]\S*|true|false|null|none|nan|\\N"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-zA-Z]{22}|spotify:\S+)\s*",
    re.IGNORECASE,
)


def named(column: str) -> str:
    """Say which field a column's name names, or nothing.

    Examples
    --------
    >>> named("track.album.name"), named("Track Name"), named("track.artists.name"), named("popularity")
    ('album', 'title', 'artist', '')
    """
    parts = [plain_name(part) for part in re.split(r"[./]", re.sub(r" \(\d+\)$", "", column))]
    ends = ("".join(parts[start:]) for start in range(len(parts)))
    return next((_KNOWN[end] for end in ends if end in _KNOWN), "")


def surest_first(column: str, field: str) -> int:
    """Say which of its names a column has for a field, from 0 for the surest; a large number for none."""
    parts = [plain_name(part) for part in column.split(".")]
    names = [plain_name(name) for name in FIELDS[field].split()]
    ends = ("".join(parts[start:]) for start in range(len(parts)))
    return next((names.index(end) for end in ends if end in names), len(names))


def is_a_name(cell: str) -> bool:
    """Say whether a cell of a first row is a name that columns have."""
    plain = plain_name(cell)
    return bool(named(cell)) or plain in _HINTS or ("_" in cell and cell.isascii() and cell.islower())


def is_value(cell: str) -> bool:
    """Say whether a cell can only be a value, never the name of a column.

    Examples
    --------
    >>> [is_value(cell) for cell in ("3:12", "USRC17607839", "Length", "")]
    [True, True, False, False]
    """
    return bool(_VALUE.fullmatch(cell))
