"""What does a message say of a release, and what is on it?

Source
------
DDEX, Electronic Release Notification Message Suite Standard, versions 3.8.2 and 4.3: ``Release``, ``TrackRelease``,
``ResourceGroup``; release profile standard (a track release is one recording in commerce, and no album).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from riparian.catalogue.identifiers import normalise
from riparian.feeds.messages.parts import Part, all_of, said, text_of
from riparian.feeds.messages.resources import artist_of, date_of, title_of

INSIDE: Final = frozenset(
    (
        *("ReleaseId", "GRid", "ICPN", "ISRC", "ProprietaryId", "ReleaseReference", "ReleaseType", "ReleaseSummary"),
        *("ReleaseResourceReferenceList", "ReleaseResourceReference", "LinkedReleaseResourceReference"),
        *("ReleaseDetailsByTerritory", "ResourceGroup", "ResourceGroupContentItem", "SequenceNumber"),
        *("DisplayTitleText", "DisplayTitle", "ReferenceTitle", "Title", "TitleText", "SubTitle", "DisplayArtistName"),
        *("DisplayArtist", "ArtistPartyReference", "PartyName", "FullName", "Name", "ArtistRole", "DisplayArtistRole"),
        *("LabelName", "ReleaseLabelReference", "GlobalOriginalReleaseDate", "OriginalReleaseDate", "ReleaseDate"),
        *("GlobalReleaseDate", "TerritoryCode", "AdditionalTitle"),
    )
)
"""Names of whatever is wanted of a release."""
_DATES: Final = ("GlobalOriginalReleaseDate", "OriginalReleaseDate", "ReleaseDate", "GlobalReleaseDate")
_DEEP_MAX: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """What is said of one release.

    Parameters
    ----------
    reference
        By which the message refers to it.
    is_track
        Whether it is one recording in commerce, and no album.
    row
        Of the table ``RELEASE``.
    on
        What is on it: references of resources, with disc and track, from 1.
    linked
        References of pictures and texts that go with it.
    """

    reference: str
    is_track: bool
    row: dict[str, Any]
    on: tuple[tuple[str, int, int], ...]
    linked: tuple[str, ...]


def release_of(one: Part, parties: Mapping[str, str], fallback: str, *, is_track: bool = False) -> Release:
    """Take from a release what a catalogue keeps."""
    places = [one, *one.get("ReleaseDetailsByTerritory", ()), *one.get("ReleaseSummary", ())]
    places = [place for place in places if isinstance(place, dict)]
    codes = [code for place in places for code in place.get("ReleaseId", ()) if isinstance(code, dict)]
    upc = next((code for each in codes if (code := normalise("upc", said(each, "ICPN")))), "")
    grid = next((code for each in codes if (code := normalise("grid", said(each, "GRid")))), "")
    own = next((code for each in codes if (code := _own(each))), "")
    kind = said(one, "ReleaseType")
    groups: list[Any] = next((found for place in places if (found := place.get("ResourceGroup"))), [])
    on = tuple(_contents(groups)) or tuple(_listed(one))
    return Release(
        said(one, "ReleaseReference"),
        is_track or kind == "TrackRelease",
        {
            "release": upc or grid or own or fallback,
            "title": title_of(places) or None,
            "artist": artist_of(places, parties) or None,
            "upc": upc or None,
            "grid": grid or None,
            "label": next(filter(None, (_label(place, parties) for place in places)), None),
            "kind": kind or None,
            "released": next(filter(None, (_released(place) for place in places)), None),
        },
        on,
        tuple(_linked(one, groups)),
    )


def _own(code: Part) -> str:
    for own in code.get("ProprietaryId", ()):
        if text := text_of(own):
            return f"{said(own, '@Namespace') if isinstance(own, dict) else ''}:{text}"
    return ""


def _label(place: Part, parties: Mapping[str, str]) -> str:
    return said(place, "LabelName") or next(
        (name for each in place.get("ReleaseLabelReference", ()) if (name := parties.get(text_of(each)))), ""
    )


def _released(place: Part) -> date | None:
    return next((day for name in _DATES for each in place.get(name, ()) if (day := date_of(text_of(each)))), None)


def _listed(one: Part) -> Iterator[tuple[str, int, int]]:
    """Give what is on a release without groups, in its order."""
    direct = one.get("ReleaseResourceReference", [])
    listed = [*direct, *all_of(one, "ReleaseResourceReferenceList", "ReleaseResourceReference")]
    main = [each for each in listed if not (isinstance(each, dict) and _is_secondary(each))]
    for number, each in enumerate(main, start=1):
        yield text_of(each), 1, number


def _is_secondary(reference: Part) -> bool:
    return said(reference, "@ReleaseResourceType") == "SecondaryResource"


def _contents(groups: list[Any], disc: int = 1, deep: int = 0) -> Iterator[tuple[str, int, int]]:
    """Give what is in groups: the groups in the outermost are the discs."""
    for group in groups:
        if not isinstance(group, dict) or deep > _DEEP_MAX:
            continue
        for number, item in enumerate(group.get("ResourceGroupContentItem", ()), start=1):
            if isinstance(item, dict):
                track = _number(said(item, "SequenceNumber")) or number
                for each in item.get("ReleaseResourceReference", ()):
                    if not (isinstance(each, dict) and _is_secondary(each)):
                        yield text_of(each), disc, track
        for number, inner in enumerate(group.get("ResourceGroup", ()), start=1):
            if isinstance(inner, dict):
                at = (_number(said(inner, "SequenceNumber")) or number) if deep == 0 else disc
                yield from _contents([inner], at, deep + 1)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _linked(one: Part, groups: list[Any], deep: int = 0) -> Iterator[str]:
    if deep == 0:
        for each in all_of(one, "ReleaseResourceReferenceList", "ReleaseResourceReference"):
            if isinstance(each, dict) and _is_secondary(each):
                yield text_of(each)
    for group in groups:
        if isinstance(group, dict) and deep <= _DEEP_MAX:
            yield from map(text_of, group.get("LinkedReleaseResourceReference", ()))
            for item in group.get("ResourceGroupContentItem", ()):
                if isinstance(item, dict):
                    yield from map(text_of, item.get("LinkedReleaseResourceReference", ()))
                    yield from map(text_of, item.get("ReleaseResourceReference", ()))
            yield from _linked(one, group.get("ResourceGroup", []), deep + 1)
