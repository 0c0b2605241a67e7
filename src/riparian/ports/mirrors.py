"""What watching mirrors asks of the outside: see :mod:`riparian.ports`."""

from dataclasses import dataclass, field
from enum import StrEnum

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
