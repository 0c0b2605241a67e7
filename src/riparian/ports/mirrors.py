"""What watching mirrors asks of the outside: see :mod:`riparian.ports`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from riparian.errors import OutsideError


class Kind(StrEnum):
    """What kind of source named something."""

    SITEMAP = "sitemap"
    FEED = "feed"
    LISTING = "listing"
    TORRENTS = "torrents"
    FOLDER = "folder"
    REPORT = "report"


class What(StrEnum):
    """What something is that a source names."""

    SOUND = "sound"
    TORRENT = "torrent"
    MAGNET = "magnet"
    PAGE = "page"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a source names.

    Parameters
    ----------
    url
        Where it is: an address, a path, a magnet link; a file in a torrent is ``TORRENT#PATH``.
    title, artist
        As the source says them; empty where it does not.
    length_us, bytes, changed_us
        How long it lasts, how large it is and when it was published or last changed, as the source says; None where it
        does not.
    digest
        ``sha256:...`` of a file that was read, ``urn:btih:...`` of a torrent; empty where there is none.
    isrc
        As the source says it.
    """

    url: str
    what: What
    title: str = ""
    artist: str = ""
    length_us: int | None = None
    bytes: int | None = None
    changed_us: int | None = None
    digest: str = ""
    isrc: str = ""


@dataclass(slots=True)
class Told:
    """What a document says.

    Parameters
    ----------
    leads
        Addresses of further documents that are read like this one.
    faults
        What of it could not be read, and why; the rest was.
    """

    kind: Kind
    items: list[Item] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Got:
    """What came of a question.

    Parameters
    ----------
    address
        The last one that was asked.
    status
        304 when nothing changed since.
    etag, modified
        What to say the next time; empty when nothing was said.
    why_cut
        Why the body is not whole; empty when it is.
    """

    address: str
    status: int
    body: bytes = b""
    media_type: str = ""
    etag: str = ""
    modified: str = ""
    why_cut: str = ""


class RefusedError(OutsideError):
    """A document is not asked for, or not given; others may be.

    Parameters
    ----------
    until_s
        How long the host wants to be left alone; 0 when it did not say.
    """

    def __init__(self, why: str, until_s: float = 0.0) -> None:
        super().__init__(why)
        self.until_s = until_s


@dataclass(frozen=True, slots=True)
class Source:
    """Something that the operator lists.

    Parameters
    ----------
    name
        Its address, or the path of a folder or a file of one's own.
    host
        Who is asked, with the port; empty where nobody is.
    permitted_by
        Who permits it, when, and where that is written; empty where nobody is asked.
    ask
        Asks for a document under that host, given what its last answer said (``ETag``, ``Last-Modified``); nothing is
        told when nothing changed.  Raises ``RefusedError``.
    walk
        Reads a folder or a file of one's own, and appends to a list what could not be read.
    """

    name: str
    host: str = ""
    permitted_by: str = ""
    ask: Callable[[str, str, str], tuple[Got, Told | None]] | None = None
    walk: Callable[[list[str]], Iterator[tuple[Kind, Item]]] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a source that is still to be asked for.

    Parameters
    ----------
    depth
        How many documents led to it.
    etag, modified
        What its last answer said; empty where there was none.
    """

    address: str
    depth: int = 0
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Sighted:
    """Something found outside, as it is kept.

    Parameters
    ----------
    number
        In the order in which they were seen first, from 1.
    first_us, seen_us
        When it was seen first, and last.
    file
        Where it lies here; empty where it does not.
    heard
        When it was listened to; None where it was not, or has changed since.
    why_not
        Why it could not be heard; empty when it could, or nobody tried.
    ours
        What of ours is in it: ``recording``, ``error`` and more, for programs.
    issued
        To whom it was issued: ``account``, ``bits``, ``error_bound``; None where nobody looked.
    case
        The case that was opened about it; empty where none was.
    """

    number: int
    source: str
    kind: str
    item: Item
    permitted_by: str
    first_us: int
    seen_us: int
    file: str = ""
    heard: int | None = None
    why_not: str = ""
    ours: tuple[Mapping[str, Any], ...] = ()
    issued: tuple[Mapping[str, Any], ...] | None = None
    case: str = ""


class Sightings(Protocol):
    """What was seen outside, and how far each source was read."""

    def begin(self, source: Source, at_us: int) -> bool:
        """Begin a round of a source, or go on with one that did not end; says whether it goes on.

        Who permits it is written into the log.
        """
        ...

    def next(self, source: str) -> Document | None:
        """Give a document that is still to be asked for in this round; None when there is none."""
        ...

    def keep(self, source: Source, items: Sequence[tuple[str, Item]], at_us: int, document: str = "") -> list[int]:
        """Keep what a source names, by kind and item, and give the numbers of what is new."""
        ...

    def keep_document(self, source: Source, document: Document, got: Got, told: Told | None, at_us: int) -> list[int]:
        """Keep what a document names, where it leads and what to say next time: all of it, or nothing."""
        ...

    def pass_over(self, source: str, document: Document) -> None:
        """Leave a document for this round."""
        ...

    def rest(self, host: str, until_us: int) -> None:
        """Leave a host alone until a time."""
        ...

    def rests_until(self, host: str) -> int:
        """Say until when a host is to be left alone; 0 where it is not."""
        ...

    def end(self, source: Source, at_us: int, *, documents: int, seen: int, new: int) -> None:
        """End a round of a source."""
        ...

    def untold(self, source: str) -> Iterator[tuple[Sighted, bool]]:
        """Give what nobody was told of yet, in order, and whether it is new; else something came of it since."""
        ...

    def told(self, source: str) -> None:
        """Write down that somebody was told of all that a source named, and of all that came of it."""
        ...

    def unheard(self, source: str) -> list[Sighted]:
        """Give sound that a source named and nobody listened to yet, the oldest first."""
        ...

    def unopened(self, source: str) -> list[Sighted]:
        """Give what holds something of ours and has no case yet, the oldest first."""
        ...

    def cases_of(self, source: str) -> list[str]:
        """Give the cases that sightings of a source are in, the last one first."""
        ...

    def update(self, number: int, **said: Any) -> None:
        """Write down what came of a sighting: ``file``, ``heard``, ``why_not``, ``ours``, ``issued``, ``case``."""
        ...
