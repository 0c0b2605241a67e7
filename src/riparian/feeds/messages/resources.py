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
from pathlib import PurePosixPath
from typing import Any, Final

from riparian.catalogue.identifiers import normalise
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


@dataclass(slots=True, eq=False)
class Resource:
    """What is said of one recording: rows of the tables of :mod:`riparian.catalogue.holdings`.

    Parameters
    ----------
    reference
        By which the message refers to it.
    """

    reference: str
    recording: dict[str, Any]
    identifiers: list[dict[str, Any]] = field(default_factory=list)
    titles: list[dict[str, Any]] = field(default_factory=list)
    fixity: list[dict[str, Any]] = field(default_factory=list)


def places_of(one: Part) -> list[Part]:
    """List where a message says something of a resource, in the order in which it counts."""
    found = [one]
    for name, inner in one.items():
        if name == "ResourceSummary" or name.endswith(("DetailsByTerritory", "Edition")):
            found += [each for each in inner if isinstance(each, dict)]
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
    codes = list(_codes(places))
    isrc = next((value for kind, value in codes if kind == "isrc"), "")
    own = next((f"{kind.removeprefix('own:')}:{value}" for kind, value in codes if kind.startswith("own:")), "")
    name = isrc or own or fallback
    title = title_of(places)
    row = {
        "recording": name,
        "title": title or None,
        "artist": artist_of(places, parties) or None,
        "duration_ms": next((ms for each in all_of(one, "Duration") if (ms := duration_ms(text_of(each)))), None),
        "released": next(filter(None, (released_of(place) for place in places)), None),
        "isrc": isrc or None,
        "iswc": next((value for kind, value in codes if kind == "iswc"), None),
        "owner": next(filter(None, (rights_of(place) for place in places)), None),
    }
    return Resource(
        said(one, "ResourceReference"),
        row,
        [{"recording": name, "kind": kind, "value": value} for kind, value in dict.fromkeys(codes)],
        [{"recording": name, **other} for other in titles_of(places) if other["title"] != title],
        [{"recording": name, **file} for place in places for file in files_of(place) if file["digest"]],
    )


def _codes(places: list[Part]) -> Iterator[tuple[str, str]]:
    for place in places:
        for name in ("ResourceId", "SoundRecordingId", "VideoId", "MidiId"):
            for code in place.get(name, ()):
                yield from codes_of(code)
        for name in ("IndirectSoundRecordingId", "IndirectVideoId", "IndirectMidiId", "WorkId"):
            for text in all_of(place, name, "ISWC"):
                if value := normalise("iswc", text_of(text)):
                    yield "iswc", value


def codes_of(code: Part | str) -> Iterator[tuple[str, str]]:
    """Give the codes of a resource: kinds and values."""
    if isinstance(code, str):
        return
    for text in code.get("ISRC", ()):
        if value := normalise("isrc", text_of(text)):
            yield "isrc", value
    for own in code.get("ProprietaryId", ()):
        whose = said(own, "@Namespace") if isinstance(own, dict) else ""
        if value := text_of(own):
            yield f"own:{whose}", value


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
    return said(place, "PLine", "PLineCompany") or _RIGHTS.sub("", said(place, "PLine", "PLineText"))


def released_of(place: Part) -> date | None:
    """Give the day on which a recording was first released."""
    return next((day for name in _RELEASED for each in place.get(name, ()) if (day := date_of(text_of(each)))), None)


def files_of(place: Part) -> Iterator[dict[str, Any]]:
    """Give the files of a resource: where each is beside the message, and its digest.

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
                    if isinstance(file, dict):
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
