"""How is a recording told to programs that read schema.org?

As a ``MusicRecording``, in JSON-LD.

Source
------
schema.org 29: MusicRecording, MusicAlbum, MusicComposition, PropertyValue; ISO 8601 for dates and lengths of time.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

CONTEXT: Final = "https://schema.org"
_MUSICBRAINZ: Final = "https://musicbrainz.org/recording/"


def linked(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row of ``HELD`` as a ``MusicRecording``; what is absent is left out.

    Examples
    --------
    >>> told = linked({"recording": "r-1", "title": "Harbour", "duration_ms": 185_000, "isrc": "GBABC1200001"})
    >>> told["name"], told["duration"], told["isrcCode"], told["identifier"][0]["value"]
    ('Harbour', 'PT3M5S', 'GBABC1200001', 'r-1')
    """
    released = row.get("released")
    told = {
        "@type": "MusicRecording",
        "name": row.get("title"),
        "byArtist": _named("MusicGroup", row.get("artist")),
        "inAlbum": _album(row),
        "duration": _lasts(row.get("duration_ms")),
        "datePublished": released.isoformat() if isinstance(released, date) else released,
        "isrcCode": row.get("isrc"),
        "recordingOf": {"@type": "MusicComposition", "iswcCode": row["iswc"]} if row.get("iswc") else None,
        "copyrightHolder": _named("Organization", row.get("owner")),
        "countryOfOrigin": _named("Country", row.get("territory")),
        "sameAs": f"{_MUSICBRAINZ}{row['mbid']}" if row.get("mbid") else None,
        "identifier": [_value("recording", row["recording"]), *_platform(row.get("platform_id"))],
    }
    return {name: value for name, value in told.items() if value is not None}


def _named(kind: str, name: str | None) -> dict[str, str] | None:
    return {"@type": kind, "name": name} if name else None


def _album(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not (row.get("album") or row.get("upc")):
        return None
    label = _named("Organization", row.get("label"))
    release = {"@type": "MusicRelease", "gtin": row.get("upc"), "recordLabel": label}
    told = {
        "@type": "MusicAlbum",
        "name": row.get("album"),
        "albumRelease": {name: value for name, value in release.items() if value} if row.get("upc") or label else None,
    }
    return {name: value for name, value in told.items() if value}


def _lasts(duration_ms: int | None) -> str | None:
    """Write a length of time.

    Examples
    --------
    >>> _lasts(59_500), _lasts(3_600_000), _lasts(0)
    ('PT59.5S', 'PT60M0S', None)
    """
    if not duration_ms:
        return None
    minutes, left = divmod(duration_ms, 60_000)
    return f"PT{f'{minutes}M' if minutes else ''}{left / 1_000:g}S"


def _value(name: str, value: str) -> dict[str, str]:
    return {"@type": "PropertyValue", "propertyID": name, "value": value}


def _platform(platform_id: str | None) -> list[dict[str, str]]:
    service, found, code = (platform_id or "").partition(":")
    return [_value(service, code)] if found else []
