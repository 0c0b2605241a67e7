"""From the octets of a message to one batch of a catalogue: parts -> resources, releases, deals -> tables.

What is delivered comes first in a message, then the releases that it is on, then their terms: what is said later of a
recording (its label, its release) is added to it in the end.  A recording that is only a part of another one (a song in
a mix) is not delivered, and not ours by this message.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from riparian.catalogue.holdings import (
    ARTWORK,
    FIXITY,
    HELD,
    IDENTIFIER,
    RELEASE,
    TITLE,
    TRACK,
    Document,
    Holding,
    table_of,
)
from riparian.catalogue.terms import Scope
from riparian.errors import InputError
from riparian.feeds.messages import deals, releases, resources
from riparian.feeds.messages.parts import Part, parts, plain_name, said
from riparian.schema import TERM

PARTY: Final = frozenset(("PartyReference", "PartyName", "FullName", "FullNameIndexed"))
HEADER: Final = frozenset(
    (
        *("MessageId", "MessageSender", "SentOnBehalfOf", "MessageRecipient", "PartyId", "PartyName", "FullName"),
        *("TradingName", "MessageCreatedDateTime"),
    )
)
_WANTED: Final = {
    "MessageHeader": HEADER,
    "Party": PARTY,
    **dict.fromkeys((*resources.KINDS, "Image", "ResourceInformation"), resources.INSIDE),
    **dict.fromkeys(("Release", "TrackRelease", "ReleaseInformation"), releases.INSIDE),
    "ReleaseDeal": deals.INSIDE,
}
_ROOTS: Final = {"NewReleaseMessage": "ern", "MeadMessage": "mead"}
_PICTURES: Final = {"FrontCoverImage": "front", "BackCoverImage": "back"}


@dataclass(slots=True)
class _Message:
    """What was read of a message so far."""

    name: str
    digest: str
    kind: str = ""
    version: str = ""
    senders: tuple[str, ...] = ()
    recipient: str = ""
    stated_us: int | None = None
    parties: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, resources.Resource] = field(default_factory=dict)
    images: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    albums: list[releases.Release] = field(default_factory=list)
    permits: list[tuple[list[str], list[deals.Deal]]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def message_kind(octets: bytes) -> str:
    """Say what the first octets of a file are: ``ern``, ``mead``, or nothing for XML of another kind, and no XML.

    Examples
    --------
    >>> message_kind(b"<?xml version='1.0'?><!-- x --><ern:NewReleaseMessage xmlns:ern='http://ddex.net/xml/ern/43'>")
    'ern'
    """
    return next((kind for name, kind in _ROOTS.items() if name.encode() in octets.replace(b"\0", b"")), "")


def read_message(name: str, octets: bytes) -> Holding | None:
    """Read a message; None for XML of another kind.

    Parameters
    ----------
    name
        Its path.

    Raises
    ------
    InputError
        When it is no XML, or is more, or other, than a message has to be.
    """
    message = _Message(name, hashlib.sha256(octets).hexdigest())
    try:
        for part, inside in parts(octets, _WANTED):
            if not message.kind:
                root = plain_name(part)
                if root not in _ROOTS:
                    return None
                message.kind = _ROOTS[root]
                message.version = part.partition("}")[0].rpartition("/xml/")[2]
            else:
                _TAKE[part](message, part, inside)
    except ValueError as error:
        raise InputError(
            f"`{name}` cannot be read: {error}, wanted a message of DDEX", hint="Ask its sender for another one."
        ) from error
    return _holding(message)


def _header(message: _Message, _: str, part: Part) -> None:
    names = [_party(each) for who in ("SentOnBehalfOf", "MessageSender") for each in part.get(who, ())]
    message.senders = tuple(dict.fromkeys(filter(None, names)))
    message.recipient = next(filter(None, map(_party, part.get("MessageRecipient", ()))), "")
    stated_us = deals.us_of(said(part, "MessageCreatedDateTime"))
    # Senders without a clock write the first day of the first year.
    message.stated_us = stated_us if stated_us is not None and stated_us > 0 else None


def _party(party: Part | str) -> str:
    if isinstance(party, str):
        return ""
    return said(party, "PartyName", "FullName") or said(party, "TradingName") or said(party, "PartyId")


def _named(message: _Message, _: str, part: Part) -> None:
    message.parties[said(part, "PartyReference")] = said(part, "PartyName", "FullName")


def _resource(message: _Message, kind: str, part: Part) -> None:
    number = len(message.recordings) + 1
    one = resources.resource_of(part, message.parties, f"{message.digest[:16]}:{number}")
    where = one.reference or str(number)
    if said(part, "@IsSupplemental") == "true":
        message.refused.append((where, "it is a part of another recording, and not delivered itself"))
        return
    if one.wrong:
        message.refused.append((where, f"`{one.wrong}` is no ISRC"))
    message.recordings[one.reference or f"{kind} {number}"] = one


def _image(message: _Message, _: str, part: Part) -> None:
    kind = said(part, "ImageType") or said(part, "Type")
    files = [file for place in resources.places_of(part) for file in resources.files_of(place)]
    rows = [{"kind": _PICTURES.get(kind, kind) or None, **file} for file in files]
    message.images[said(part, "ResourceReference")] = rows


def _release(message: _Message, kind: str, part: Part) -> None:
    fallback = f"{message.digest[:16]}:R{len(message.albums) + 1}"
    one = releases.release_of(part, message.parties, fallback, is_track=kind == "TrackRelease")
    message.albums.append(one)


def _deal(message: _Message, _: str, part: Part) -> None:
    about, found, refused = deals.deals_of(part)
    message.permits.append((about, found))
    message.refused += [(" ".join(about), why) for why in refused]


_TAKE: Final[dict[str, Callable[[_Message, str, Part], None]]] = {
    "MessageHeader": _header,
    "Party": _named,
    **dict.fromkeys((*resources.KINDS, "ResourceInformation"), _resource),
    "Image": _image,
    **dict.fromkeys(("Release", "TrackRelease", "ReleaseInformation"), _release),
    "ReleaseDeal": _deal,
}


def _holding(message: _Message) -> Holding:
    document = Document(
        message.name,
        message.kind,
        message.version,
        message.senders[0] if message.senders else "",
        message.stated_us,
        message.digest,
    )
    found = [one for one in message.recordings.values() if one.recording["title"] or one.identifiers]
    _add_releases(message)
    albums = [one for one in message.albums if not one.is_track]
    tracks = [
        {"release": album.row["release"], "recording": on.recording["recording"], "disc": disc, "track": track}
        for album in albums
        for reference, disc, track in album.on
        if (on := message.recordings.get(reference)) is not None
    ]
    licensed = ";".join(message.senders) or None
    return Holding(
        document,
        recordings=table_of(({"licensed": licensed, **one.recording} for one in _once(found)), HELD),
        identifiers=table_of((row for one in found for row in one.identifiers), IDENTIFIER),
        titles=table_of((row for one in found for row in one.titles), TITLE),
        releases=table_of((album.row for album in albums), RELEASE),
        tracks=table_of(tracks, TRACK),
        artworks=table_of(_artworks(message, albums), ARTWORK),
        terms=_terms(message),
        fixity=table_of((row for one in found for row in one.fixity), FIXITY),
        refused=tuple(message.refused),
    )


def _once(found: list[resources.Resource]) -> list[resources.Resource]:
    """Keep one row a recording: a message may say the same twice, as a sound and as an edition of it."""
    return list({one.recording["recording"]: one for one in reversed(found)}.values())[::-1]


def _add_releases(message: _Message) -> None:
    """Say of each recording what its release says: label, code, title and day."""
    for one in sorted(message.albums, key=lambda release: release.is_track):
        for reference, _, _ in one.on:
            resource = message.recordings.get(reference)
            if resource is not None:
                row = resource.recording
                row["label"] = row.get("label") or one.row["label"]
                row["released"] = row.get("released") or one.row["released"]
                row["artist"] = row.get("artist") or one.row["artist"]
                if not one.is_track:
                    row["upc"] = row.get("upc") or one.row["upc"]
                    row["album"] = row.get("album") or one.row["title"]


def _artworks(message: _Message, albums: list[releases.Release]) -> list[dict[str, Any]]:
    pictured: dict[str, list[str]] = {}
    for album in albums:
        for reference in (*album.linked, *(on for on, _, _ in album.on)):
            pictured.setdefault(reference, []).append(album.row["release"])
    # A picture that no release names goes with the first one: a message is about one release and its tracks.
    first = [album.row["release"] for album in albums[:1]]
    return [
        {"release": release, **row}
        for reference, rows in message.images.items()
        for release in dict.fromkeys(pictured.get(reference, first))
        for row in rows
    ]


def _terms(message: _Message) -> pa.Table:
    """Make the table of what the deals say of each recording on the releases that they are about, once each."""
    on: dict[str, list[str]] = {}
    for release in message.albums:
        on.setdefault(release.reference, []).extend(reference for reference, _, _ in release.on)
    found: dict[tuple[str, deals.Deal], None] = {}
    for about, said_of in message.permits:
        for reference in dict.fromkeys(each for release in about for each in on.get(release, ())):
            if (resource := message.recordings.get(reference)) is not None:
                found |= dict.fromkeys((resource.recording["recording"], deal) for deal in said_of)
    if not found:
        return table_of((), TERM)
    n, permitted = len(found), [deal for _, deal in found]
    columns: dict[str, list[Any]] = {
        "scope": [Scope.RECORDING.value] * n,
        "subject": [recording for recording, _ in found],
        "use": [deal.use.value for deal in permitted],
        "says": [deal.says.value for deal in permitted],
        "territories": [" ".join(sorted(deal.territories)) or None for deal in permitted],
        "except_in": [" ".join(sorted(deal.except_in)) or None for deal in permitted],
        "begins": [deal.begins_us for deal in permitted],
        "ends": [deal.ends_us for deal in permitted],
        "grantee": [message.recipient or None] * n,
        "conditions": [deal.conditions or None for deal in permitted],
        "holder": [message.senders[0] if message.senders else None] * n,
        "document": [message.name] * n,
        "stated": [message.stated_us] * n,
        "withdraws": [None] * n,
    }
    return pa.table([pa.array(columns[each.name], each.type) for each in TERM], schema=TERM)
