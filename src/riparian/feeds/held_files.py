"""What does a sound file say that we hold, and which file is it?

Tags and length are read in a process that may do nothing else (:mod:`.decoders`); nothing is decoded.  The file itself
is read once, for its digest: an owner's archive is verified against it later.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from riparian.catalogue.holdings import ARTWORK, FIXITY, HELD, IDENTIFIER, Document, Holding, table_of
from riparian.catalogue.identifiers import normalise
from riparian.catalogue.releases import said_of
from riparian.errors import InputError
from riparian.feeds import decoders
from riparian.feeds.messages.resources import date_of
from riparian.feeds.sound_files import Limits, answer, opened
from riparian.feeds.works import recording_id

_LIMITS: Final = Limits(memory_bytes=1 << 30, seconds=30, sound_bytes=1 << 20)
_BLOCK: Final = 1 << 20
_MS_MAX: Final = 2**31 - 1
_UPC: Final = "barcode upc ean"
_MBID: Final = "musicbrainz_trackid musicbrainz_recordingid"
_DATE: Final = "originaldate date year tdor tdrc creation_time"


def held_file(path: Path) -> Holding:
    """Read the tags of a sound file; what cannot be read is said in the batch."""
    name = str(path)
    document = Document(name, "tags")
    try:
        with opened(path, _LIMITS) as (file, container):
            said = _told(path, file, container)
            file.seek(0)
            digest, size = _digest(file)
    except InputError as error:
        return Holding(document, refused=((name, error.message),))
    row, codes = _row(said, path)
    of = {"recording": row["recording"]}
    return Holding(
        document,
        recordings=table_of([row], HELD),
        identifiers=table_of(({**of, "kind": kind, "value": value} for kind, value in codes), IDENTIFIER),
        artworks=table_of(({**of, "kind": "front", **_digested(each)} for each in said["pictures"][:1]), ARTWORK),
        fixity=table_of([{**of, "path": str(path.absolute()), "bytes": size, **_digested(digest)}], FIXITY),
    )


def _digested(digest: str) -> dict[str, str]:
    return {"algorithm": "sha256", "digest": digest}


def _told(path: Path, file: BinaryIO, container: str) -> dict[str, Any]:
    """Ask a process what stands beside the sound.

    Raises
    ------
    InputError
        When it is damaged, or costs too much.
    """
    asked = decoders.Asked(container, _LIMITS.memory_bytes, _LIMITS.seconds, rate=-1)
    with decoders.decoding(file, asked) as decoding:
        told = answer(decoding.out, _LIMITS)
    if decoding.is_late:
        told = f"it took longer than {_LIMITS.seconds} s"
    if not isinstance(told, str):
        said, _ = told
        try:
            return {
                "tags": {str(name).lower(): str(text) for name, text in said["tags"].items()},
                "ms": int(said["ms"]),
                "pictures": [str(each) for each in said["pictures"]],
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            # A decoder that somebody took over may say anything.
            told = "its decoder erred"
    raise InputError(f"`{path}` cannot be read: {told}, wanted sound", hint="Look at it with another program.")


def _digest(file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def _row(said: dict[str, Any], path: Path) -> tuple[dict[str, Any], Sequence[tuple[str, str]]]:
    tags: dict[str, str] = said["tags"]
    known = said_of(tags)
    mbid = normalise("mbid", _tagged(tags, _MBID))
    title = known.title or path.stem
    name = known.isrc or mbid or (recording_id(known.artist, known.title) if known.artist and known.title else "")
    row = {
        "recording": name or str(path.absolute()),
        "title": title,
        "artist": known.artist or None,
        "album": tags.get("album") or None,
        "duration_ms": said["ms"] if 0 < said["ms"] <= _MS_MAX else None,
        "released": date_of(_tagged(tags, _DATE)),
        "isrc": known.isrc or None,
        "owner": known.rights or None,
        "label": _tagged(tags, "label publisher organization tpub") or None,
        "upc": normalise("upc", _tagged(tags, _UPC)) or None,
        "iswc": normalise("iswc", tags.get("iswc", "")) or None,
        "mbid": mbid or None,
    }
    codes = [(kind, str(row[kind])) for kind in ("isrc", "iswc", "mbid") if row[kind]]
    return row, codes


def _tagged(tags: dict[str, str], names: str) -> str:
    return next((tags[name].strip() for name in names.split() if tags.get(name, "").strip()), "")
