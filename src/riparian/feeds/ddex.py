"""What does a message of DDEX say of the files that came with it?

Release messages name each recording, its artist, its ISRC and the file it is in.  They are read as those that say what
a catalogue holds (:mod:`riparian.feeds.messages`), of which a delivery needs little.  What a message says is what its
sender says; nothing of it is known to be true.

Source
------
DDEX, Electronic Release Notification Message Suite Standard, versions 3.8.2 and 4.3: ``MessageHeader``, ``PartyList``,
``SoundRecording``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from riparian.catalogue.releases import Said
from riparian.errors import InputError

MESSAGE_BYTES_MAX: Final = 64 << 20


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
        return _message(octets)
    except ValueError as error:
        raise InputError(
            f"`{path}` cannot be read: {error}, wanted a message of DDEX", hint="Ask its sender for another one."
        ) from error


def _message(octets: bytes) -> Message | None:
    # lxml takes its time to load, and few deliveries come with a message.
    from riparian.feeds.messages import read, resources  # noqa: PLC0415
    from riparian.feeds.messages.parts import parts, plain_name, said  # noqa: PLC0415

    wanted = {"MessageHeader": read.HEADER, "Party": read.PARTY, "SoundRecording": resources.INSIDE}
    senders: tuple[str, ...] = ()
    parties: dict[str, str] = {}
    recordings: list[Sent] = []
    root = ""
    for name, part in parts(octets, wanted):
        if not root:
            root = plain_name(name)
        elif name == "MessageHeader":
            names = (text for who in ("SentOnBehalfOf", "MessageSender") for text in _named(part, who))
            senders = tuple(dict.fromkeys(names))
        elif name == "Party":
            parties[said(part, "PartyReference")] = said(part, "PartyName", "FullName")
        else:
            recordings.append(_sent(part, parties))
    return Message(senders, tuple(recordings)) if root == "NewReleaseMessage" else None


def _named(header: Mapping[str, Any], who: str) -> Iterator[str]:
    from riparian.feeds.messages.parts import said, text_of  # noqa: PLC0415 -- as above

    for party in header.get(who, ()):
        if isinstance(party, dict):
            yield from filter(None, (said(party, "PartyName", "FullName"), *map(text_of, party.get("PartyId", ()))))


def _sent(part: dict[str, list[Any]], parties: Mapping[str, str]) -> Sent:
    from riparian.feeds.messages import resources  # noqa: PLC0415 -- as above

    places = resources.places_of(part)
    row = resources.resource_of(part, parties, "").recording
    said = Said(*(row[name] or "" for name in ("title", "artist", "isrc", "owner")))
    files = (file["path"] for place in places for file in resources.files_of(place))
    return Sent(said, tuple(PurePosixPath(path) for path in files if path))
