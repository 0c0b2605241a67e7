"""What does a message say of one recording?

ERN 3 says what differs between territories in ``...DetailsByTerritory``, ERN 4 of the resource itself or of an edition
of it; MEAD in a ``ResourceSummary``.  All of these are looked at in that order, and the first word is taken.

Source
------
DDEX, Electronic Release Notification Message Suite Standard, versions 3.8.2 and 4.3: ``SoundRecording``, ``Video``,
``Image``; Media Enrichment and Description Standard 1.0: ``ResourceInformation``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, Final

from riparian.catalogue.identifiers import isrc, iswc
from riparian.feeds.messages.parts import Part, all_of, said, text_of

_DURATION: Final = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.(\d{1,9}))?S)?)?", re.ASCII
)
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T.*)?", re.ASCII)
_RIGHTS: Final = re.compile(r"^\s*(?:\([PC]\)|[\u2117\u00a9])?\s*(?:\d{4})?\s*", re.IGNORECASE)
_MS_MAX: Final = 2**31 - 1
_YEAR_MIN: Final = 1800
_FEATURED: Final = {"FeaturedArtist", "Featuring"}
_TITLES: Final = {"FormalTitle": "formal", "DisplayTitle": "display", "TranslatedTitle": "translated"}
_RELEASED: Final = (
    "FirstPublicationDate",
    "OriginalResourceReleaseDate",
    "ResourceReleaseDate",
    "RemasteredDate",
)
_HEX_DIGITS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
INSIDE: Final = frozenset(
    (
        *("ISRC", "ISWC", "ProprietaryId", "IndirectSoundRecordingId", "IndirectVideoId", "IndirectMidiId", "WorkId"),
        *("ResourceId", "SoundRecordingId", "VideoId", "MidiId", "ImageId", "ResourceReference", "ResourceSummary"),
        *("SoundRecordingDetailsByTerritory", "VideoDetailsByTerritory", "MidiDetailsByTerritory"),
        *("ImageDetailsByTerritory", "SoundRecordingEdition", "VideoEdition", "TerritoryCode"),
        *("DisplayTitleText", "DisplayTitle", "ReferenceTitle", "Title", "AdditionalTitle", "TitleText", "SubTitle"),
        *("DisplayArtistName", "DisplayArtist", "ArtistPartyReference", "PartyName", "FullName", "Name"),
        *("ArtistRole", "DisplayArtistRole", "PLine", "PLineText", "PLineCompany", "Duration", *_RELEASED),
        *("ImageType", "Type", "TechnicalSoundRecordingDetails", "TechnicalVideoDetails", "TechnicalImageDetails"),
        *("TechnicalDetails", "DeliveryFile", "File", "URI", "FileName", "FilePath", "HashSum", "HashSumValue"),
        *("HashSumAlgorithmType", "Algorithm", "PartyId", "PartyReference"),
    )
)
"""Names of whatever is wanted of a resource."""
KINDS: Final = ("SoundRecording", "Video", "MIDI")
_PLACES: Final = (
    *("ResourceSummary", "SoundRecordingEdition", "VideoEdition", "SoundRecordingDetailsByTerritory"),
    *("VideoDetailsByTerritory", "MidiDetailsByTerritory", "ImageDetailsByTerritory"),
)
_CODES: Final = ("ResourceId", "SoundRecordingId", "VideoId", "MidiId")
_WORKS: Final = ("IndirectSoundRecordingId", "IndirectVideoId", "IndirectMidiId", "WorkId")


@dataclass(slots=True, eq=False)
class Resource:
    """What is said of one recording: rows of the tables of :mod:`riparian.catalogue.holdings`.

    Parameters
    ----------
    reference
        By which the message refers to it.
    wrong
        What stands where an ISRC should, and is none.
    """

    reference: str
    recording: dict[str, Any]
    identifiers: list[dict[str, Any]] = field(default_factory=list)
    titles: list[dict[str, Any]] = field(default_factory=list)
    fixity: list[dict[str, Any]] = field(default_factory=list)
    wrong: str = ""


def places_of(one: Part) -> list[Part]:
    """List where a message says something of a resource, in the order in which it counts."""
    found = [one]
    for name in _PLACES:
        if name in one:
            found += [each for each in one[name] if isinstance(each, dict)]
    return found


def resource_of(one: Part, parties: Mapping[str, str], fallback: str) -> Resource:
    """Take from a resource what a catalogue keeps.

    Parameters
    ----------
    parties
        Names of those whom the message refers to.
    fallback
        What the recording is called where the message has no code for it.
    """
    places = places_of(one)
    codes: dict[tuple[str, str], None] = {}
    wrong = ""
    for place in places:
        for kind, text, value in _codes(place):
            if value:
                codes[kind, value] = None
            elif kind == "isrc" and text:
                wrong = text
    first = dict(reversed(codes))
    name = first.get("isrc") or next((f"{kind[4:]}:{value}" for kind, value in codes if kind[:4] == "own:"), fallback)
    title = title_of(places)
    row = {
        "recording": name,
        "title": title or None,
        "artist": artist_of(places, parties) or None,
        "duration_ms": next((ms for each in one.get("Duration", ()) if (ms := duration_ms(text_of(each)))), None),
        "released": next(filter(None, map(released_of, places)), None),
        "isrc": first.get("isrc"),
        "iswc": first.get("iswc"),
        "owner": next(filter(None, map(rights_of, places)), None),
    }
    return Resource(
        said(one, "ResourceReference"),
        row,
        [{"recording": name, "kind": kind, "value": value} for kind, value in codes],
        [{"recording": name, **other} for other in titles_of(places) if other["title"] != title],
        [{"recording": name, **file} for place in places for file in files_of(place, "HashSum") if file["digest"]],
        wrong[:40],
    )


def _codes(place: Part) -> Iterator[tuple[str, str, str]]:
    """Give kinds of codes, what stands there, and the code; nothing where it is none."""
    for name in _CODES:
        for code in place.get(name, ()):
            if isinstance(code, dict):
                for each in code.get("ISRC", ()):
                    text = text_of(each)
                    yield "isrc", text, isrc(text)
                for own in code.get("ProprietaryId", ()):
                    text = text_of(own)
                    yield f"own:{said(own, '@Namespace') if isinstance(own, dict) else ''}", text, text
    for name in _WORKS:
        if name in place:
            for each in all_of(place, name, "ISWC"):
                text = text_of(each)
                yield "iswc", text, iswc(text)


def title_of(places: list[Part]) -> str:
    """Give the title that is shown, with its second line in brackets where it is not in the first."""
    for path in ("DisplayTitle", "DisplayTitleText", "ReferenceTitle", "Title"):
        for place in places:
            for title in place.get(path, ()):
                if text := _titled(title):
                    return text
    return ""


def _titled(title: Part | str) -> str:
    if isinstance(title, str):
        return text_of(title)
    # MEAD has one more element around the words.
    text = said(title, "TitleText") or said(title, "TitleText", "Title") or text_of(title)
    second = said(title, "SubTitle") or said(title, "TitleText", "SubTitle")
    return f"{text} ({second})" if text and second and second.casefold() not in text.casefold() else text


def titles_of(places: list[Part]) -> Iterator[dict[str, Any]]:
    """Give every title, with its language where it is said."""
    seen = set()
    for place in places:
        for name in ("DisplayTitle", "Title", "AdditionalTitle"):
            for title in place.get(name, ()):
                text = _titled(title)
                kind, language = "", ""
                if isinstance(title, dict):
                    kind, language = said(title, "@TitleType"), said(title, "@LanguageAndScriptCode")
                if text and (text, language) not in seen:
                    seen.add((text, language))
                    yield {"title": text, "language": language or None, "kind": _TITLES.get(kind, "")}


def artist_of(places: list[Part], parties: Mapping[str, str]) -> str:
    """Give the line of artists: as it is shown, or those who are named, the featured ones last."""
    for place in places:
        if shown := said(place, "DisplayArtistName"):
            return shown
        if "DisplayArtist" not in place:
            continue
        lead: dict[str, None] = {}
        featured: dict[str, None] = {}
        for artist in place.get("DisplayArtist", ()):
            if not isinstance(artist, dict):
                continue
            name = (
                said(artist, "PartyName", "FullName")
                or said(artist, "FullName", "Name")
                or parties.get(said(artist, "ArtistPartyReference"), "")
            )
            role = said(artist, "ArtistRole") or said(artist, "DisplayArtistRole")
            if name:
                (featured if role in _FEATURED else lead).setdefault(name)
        if lead or featured:
            named = ", ".join(lead or featured)
            return f"{named} feat. {', '.join(featured)}" if lead and featured else named
    return ""


def rights_of(place: Part) -> str:
    """Give who is said to own a recording.

    Examples
    --------
    >>> rights_of({"PLine": [{"PLineText": ["(P) 2010 Iron Crown Music"]}]})
    'Iron Crown Music'
    """
    if "PLine" not in place:
        return ""
    return said(place, "PLine", "PLineCompany") or _RIGHTS.sub("", said(place, "PLine", "PLineText"))


def released_of(place: Part) -> date | None:
    """Give the day on which a recording was first released."""
    for name in _RELEASED:
        for each in place.get(name, ()):
            if (day := date_of(text_of(each))) is not None:
                return day
    return None


def files_of(place: Part, wanted: str = "") -> Iterator[dict[str, Any]]:
    """Give the files of a resource of which something wanted is said: where each is beside the message, and its digest.

    What lies elsewhere, and a digest that is not as long as one of its kind, is none.
    """
    for name in (
        "TechnicalDetails",
        "TechnicalSoundRecordingDetails",
        "TechnicalVideoDetails",
        "TechnicalImageDetails",
    ):
        for details in place.get(name, ()):
            if isinstance(details, dict):
                for file in (*details.get("File", ()), *all_of(details, "DeliveryFile", "File")):
                    if isinstance(file, dict) and (not wanted or wanted in file):
                        yield _file(file)


def _file(file: Part) -> dict[str, Any]:
    path = said(file, "URI") or "/".join(filter(None, (said(file, "FilePath"), said(file, "FileName"))))
    path = path.removeprefix("file:").replace("\\", "/")
    kind = said(file, "HashSum", "Algorithm") or said(file, "HashSum", "HashSumAlgorithmType")
    kind = kind.replace("-", "").lower()
    digest = said(file, "HashSum", "HashSumValue").lower()
    good = len(digest) == _HEX_DIGITS.get(kind) and re.fullmatch(r"[0-9a-f]+", digest) is not None
    beside = bool(path) and not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
    return {
        "path": path if beside else None,
        "algorithm": kind if good else None,
        "digest": digest if good else None,
    }


def duration_ms(text: str) -> int | None:
    """Read a duration of ISO 8601; None for none, and for nothing.

    Examples
    --------
    >>> duration_ms("PT13M31S"), duration_ms("PT0H3M25.5S"), duration_ms("3:25")
    (811000, 205500, None)
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[:4])
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    ms = whole * 1_000 + int((found[5] or "").ljust(3, "0")[:3])
    return ms if 0 < ms <= _MS_MAX else None


@lru_cache(maxsize=4096)
def date_of(text: str) -> date | None:
    """Read a date, of which the month and the day may be missing; years before there was sound are none.

    Examples
    --------
    >>> date_of("2011"), date_of("2011-01-30T00:00:00"), date_of("2011-13"), date_of("0001-01-01")
    (datetime.date(2011, 1, 1), datetime.date(2011, 1, 30), None, None)
    """
    found = _DATE.fullmatch(text)
    if found is None or int(found[1]) < _YEAR_MIN:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None
