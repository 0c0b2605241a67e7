"""What does a message of DDEX say of the files that came with it?

Release messages (ERN 3.8 to 4.3) name each recording, its artist, its ISRC and the file it is in.  A message is an
attack surface like the files: nothing that it declares is expanded, no document type is allowed, and depth, elements
and text are bounded.  What it says is what its sender says; nothing of it is known to be true.

Source
------
DDEX, Electronic Release Notification Message Suite Standard, versions 3.8.2 and 4.3: ``MessageHeader``, ``PartyList``,
``SoundRecording``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from xml.parsers import expat

from riparian.catalogue.releases import Said, isrc_of
from riparian.errors import InputError

MESSAGE_BYTES_MAX: Final = 64 << 20
_DEPTH_MAX: Final = 64
_ELEMENTS_MAX: Final = 2_000_000
_TEXT_MAX: Final = 4096


@dataclass(slots=True)
class Element:
    """One element: its name without a prefix, its text, and what is in it."""

    name: str
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    def all(self, *names: str) -> Iterator["Element"]:
        """Give every element along a path of names."""
        found = [self]
        for name in names:
            found = [inner for one in found for inner in one.inside if inner.name == name]
        yield from found

    def anywhere(self, name: str) -> Iterator["Element"]:
        """Give every element of a name, however deep, in order."""
        for inner in self.inside:
            if inner.name == name:
                yield inner
            yield from inner.anywhere(name)

    def said(self, *names: str) -> str:
        """Give the first text along a path, or nothing."""
        return next((one.text for one in self.all(*names) if one.text), "")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a message says of a recording, and the files that it is in: paths beside the message, in its order."""

    said: Said
    files: tuple[PurePosixPath, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A release message: names and codes of its sender, and the recordings."""

    senders: tuple[str, ...]
    recordings: tuple[Sent, ...]


def read_message(path: Path) -> Message | None:
    """Read a message; None for XML of another kind.

    Raises
    ------
    InputError
        When it cannot be read, is no XML, or is more, or other, than a message has to be.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(MESSAGE_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a message of DDEX") from error
    try:
        root = parsed(octets)
    except ValueError as error:
        raise InputError(
            f"`{path}` cannot be read: {error}, wanted a message of DDEX", hint="Ask its sender for another one."
        ) from error
    return message_of(root) if root.name == "NewReleaseMessage" else None


def parsed(octets: bytes) -> Element:
    """Parse XML that may be hostile.

    Raises
    ------
    ValueError
        When it is no XML, or has a document type, entities, or more of anything than a message has.

    Examples
    --------
    >>> parsed(b"<a:x><b>1</b></a:x>").said("b")
    '1'
    >>> parsed(b"<!DOCTYPE x [<!ENTITY e 'ha'>]><x>&e;</x>")
    Traceback (most recent call last):
    ValueError: it declares a document type
    """
    if len(octets) > MESSAGE_BYTES_MAX:
        raise ValueError(f"it has more than {MESSAGE_BYTES_MAX >> 20} MiB")
    parser = expat.ParserCreate()
    top = Element("")
    open_ = [top]
    n = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal n
        del attributes
        n += 1
        if n > _ELEMENTS_MAX or len(open_) > _DEPTH_MAX:
            raise ValueError("it has more elements, or deeper ones, than any message")
        one = Element(name.rpartition(":")[2])
        open_[-1].inside.append(one)
        open_.append(one)

    def end(name: str) -> None:
        del name
        one = open_.pop()
        one.text = " ".join(one.text.split())

    def text(some: str) -> None:
        if len(open_[-1].text) < _TEXT_MAX:
            open_[-1].text += some[:_TEXT_MAX]

    def refuse(*declared: object) -> None:
        del declared
        raise ValueError("it declares a document type")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(octets, True)  # noqa: FBT003 -- expat takes it by place
    except expat.ExpatError as error:
        raise ValueError(f"it is no XML, {expat.ErrorString(error.code)} in line {error.lineno}") from error
    return top.inside[0]


def message_of(root: Element) -> Message:
    """Take from a message what is compared."""
    header = next(root.all("MessageHeader"), Element(""))
    senders = [
        text
        for who in ("SentOnBehalfOf", "MessageSender")
        for path in (("PartyName", "FullName"), ("PartyName",), ("PartyId",))
        for text in [header.said(who, *path)]
        if text
    ]
    parties = {
        party.said("PartyReference"): party.said("PartyName", "FullName") for party in root.all("PartyList", "Party")
    }
    recordings = tuple(_sent(one, parties) for one in root.all("ResourceList", "SoundRecording"))
    return Message(tuple(dict.fromkeys(senders)), recordings)


def _sent(one: Element, parties: dict[str, str]) -> Sent:
    # What ERN 3 says for a territory, ERN 4 says of the recording, or of an edition of it.
    places = [one, *one.all("SoundRecordingEdition"), *one.all("SoundRecordingDetailsByTerritory")]
    codes = (place.said(name, "ISRC") for place in places for name in ("ResourceId", "SoundRecordingId"))
    titles = (
        place.said(*path)
        for place in places
        for path in (("DisplayTitleText",), ("ReferenceTitle", "TitleText"), ("DisplayTitle", "TitleText"))
    )
    rights = next((line for place in places for line in [place.said("PLine", "PLineText")] if line), "")
    said = Said(
        next(filter(None, titles), ""),
        ", ".join(dict.fromkeys(name for place in places for name in _artists(place, parties))),
        next(filter(None, map(isrc_of, codes)), ""),
        re.sub(r"^(?:\(P\)|\u2117)?\s*\d{4}\s*", "", rights, flags=re.IGNORECASE),
    )
    return Sent(said, tuple(_files(one)))


def _artists(place: Element, parties: dict[str, str]) -> Iterator[str]:
    for artist in place.all("DisplayArtist"):
        name = artist.said("PartyName", "FullName") or parties.get(artist.said("ArtistPartyReference"), "")
        if name:
            yield name
    yield from (name.text for name in place.all("DisplayArtistName") if name.text)


def _files(one: Element) -> Iterator[PurePosixPath]:
    for file in one.anywhere("File"):
        said = file.said("URI") or "/".join(filter(None, (file.said("FilePath"), file.said("FileName"))))
        path = PurePosixPath(said.removeprefix("file:").replace("\\", "/"))
        # It names what lies beside it, and nothing else on this machine.
        if said and "\0" not in said and not path.is_absolute() and ".." not in path.parts:
            yield path
