"""The listening that people export about themselves: many exports, one account each.

Streaming-history JSON comes in two forms, an array of objects in either::

    {"endTime": "2024-01-31 13:45", "artistName": "A", "trackName": "B", "msPlayed": 203000}
    {"ts": "2024-01-31T13:45:12Z", "master_metadata_album_artist_name": "A",
     "master_metadata_track_name": "B", "ms_played": 203000, ...}

Whose it is
-----------
The first folder below the one that was named: ``people/ann/...json`` is ``ann`` when ``people`` was
named.  Files named directly, or lying directly in the folder, belong to the account of their
folder when they carry the exporter's own file name, else to their own name without its ending.

An access is one play, at the time it ended.  Plays without artist and title (private sessions, deleted
recordings) are counted as ``no recording``.  A last.fm dump (user, time, artist id, artist, track
id, track, separated by tabs) is read by :mod:`riparian.feeds.text`, since it is a log in lines.

Listening histories are personal data: they belong on the disk of whoever they are about.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from riparian.errors import InputError
from riparian.feeds.chunks import DIGEST_BYTES, Chunk
from riparian.feeds.coding import Door, code_table
from riparian.feeds.fields import Plan
from riparian.feeds.places import Place
from riparian.feeds.stretches import Known
from riparian.feeds.text import reject_rows
from riparian.feeds.unpack import Broken

FILE_BYTES_MAX: Final = 1 << 28
_KEYS: Final = re.compile(rb'"(endTime|ms_played)"\s*:')
_OWN_NAME: Final = re.compile(r"(?i)(streaming_?history|endsong).*\.json(\.gz|\.zst)?")
_OWN_FOLDER: Final = re.compile(r"(?i)mydata|my_spotify_data|spotify (account data|extended streaming history)")
_FORMS: Final = (
    {"at": "endTime", "artist": ("artistName",), "title": ("trackName",), "media_ms": "msPlayed"},
    {
        "at": "ts",
        "artist": ("master_metadata_album_artist_name", "episode_show_name"),
        "title": ("master_metadata_track_name", "episode_name"),
        "media_ms": "ms_played",
    },
)


def is_history(head: bytes) -> bool:
    r"""Say whether a file that begins so is a streaming history.

    Examples
    --------
    >>> is_history(b'[\n  {\n    "endTime" : "2024-01-31 13:45",')
    True
    """
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and _KEYS.search(head) is not None


def account_of(place: Place) -> str:
    """Say whose export a file is.

    Examples
    --------
    >>> account_of(Place("people/ann/MyData/StreamingHistory0.json", "ann/MyData/StreamingHistory0.json", open))
    'ann'
    >>> account_of(Place("people/ann/StreamingHistory0.json", "StreamingHistory0.json", open))
    'ann'
    >>> account_of(Place("people/ann.json", "ann.json", open))
    'ann'
    """
    first, _, rest = place.under.partition("/")
    if rest:
        return first
    *folders, name = place.name.replace("\\", "/").split("/")
    if _OWN_NAME.fullmatch(name):
        for folder in reversed(folders):
            if folder not in ("", ".", "..") and not _OWN_FOLDER.fullmatch(folder):
                return folder
    return name.partition(".")[0]


def _plays(data: bytes, name: str) -> list[dict[str, object]]:
    try:
        found = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{name}` is not JSON ({str(error)[:80]}), wanted a streaming history") from error
    if not isinstance(found, list) or not all(isinstance(play, dict) for play in found):
        raise InputError(f"`{name}` is no array of plays, wanted a streaming history", hint="Leave it out.")
    return found


def _first_of(play: dict[str, object], names: Iterable[str]) -> str | None:
    found = next((play[name] for name in names if play.get(name)), None)
    return None if found is None else str(found)


def _table(plays: list[dict[str, object]], account: str, name: str) -> pa.Table:
    form = next((form for form in _FORMS if any(form["at"] in play for play in plays[:100])), None)
    if form is None:
        raise InputError(f"`{name}` has neither `endTime` nor `ts`, wanted a streaming history", hint="Leave it out.")
    texts = {
        "at": [None if play.get(str(form["at"])) is None else str(play[str(form["at"])]) for play in plays],
        "account": [account] * len(plays),
        "artist": [_first_of(play, form["artist"]) for play in plays],
        "title": [_first_of(play, form["title"]) for play in plays],
        "media_ms": [_first_of(play, (str(form["media_ms"]),)) for play in plays],
        "action": ["play"] * len(plays),
    }
    return pa.table({name: pa.array(values, pa.large_string()) for name, values in texts.items()})


_PLAN: Final = Plan({name: name for name in ("at", "account", "artist", "title", "media_ms", "action")})


def read_history(place: Place, stream: Iterable[bytes], *, door: Door, known: Known) -> Iterator[Chunk]:
    """Read one file of somebody's streaming history.

    Raises
    ------
    InputError
        When it is no streaming history, breaks off, or is larger than 256 MiB.
    """
    parts: list[bytes] = []
    size = 0
    try:
        for block in stream:
            parts.append(block)
            size += len(block)
            if size > FILE_BYTES_MAX:
                raise InputError(
                    f"`{place.name}` is larger than {FILE_BYTES_MAX >> 20} MiB, wanted one person's history"
                )
    except Broken as error:
        raise InputError(f"`{place.name}` {error}, wanted a whole file", hint="Copy the file again.") from error
    data = b"".join(parts)
    account = account_of(place)
    digest = hashlib.sha256(account.encode() + b"\0" + data).digest()[:DIGEST_BYTES]
    if known(digest):
        return
    plays = _plays(data, place.name)
    if not plays:
        return
    table = _table(plays, account, place.name)
    coded = code_table(table, _PLAN, door)
    yield Chunk(
        digest=digest,
        source=place.name,
        offset=0,
        n_lines=len(plays),
        accesses=coded.accesses,
        ids=coded.ids,
        rejects=reject_rows(coded, table, _PLAN, place.name, 1 + np.arange(len(plays))),
        n_rejected=coded.bad.size,
        dropped=coded.dropped,
    )
