"""What knowing what we hold asks of the outside: see :mod:`riparian.ports`.

Whatever is taken is taken whole: a batch of what documents say is there for everybody, or nobody has seen any of it.
Nothing that is read waits for whoever adds, but for the moment in which a batch is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

import pyarrow as pa

from riparian.catalogue.holdings import Document, Holding
from riparian.ports.world import Catalogue


class Sort(StrEnum):
    """By what recordings are put in order."""

    RELEVANCE = "relevance"
    ADDED = "added"
    ALBUM = "album"
    ARTIST = "artist"
    DURATION = "duration"
    POPULARITY = "popularity"
    RECORDING = "recording"
    RELEASED = "released"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Question:
    """Which recordings are looked for; all that is held, where nothing is said.

    Parameters
    ----------
    text
        Words of title, artist, album, other titles and label, all of which must be there, the last one at least in its
        beginning; or one identifier.
    artist, owner
        Words of these.
    isrc
        In any way of writing.
    released_from, released_to
        First and last day of the release; a recording without one is not among them.
    territory
        A country in which it may be heard: one of its markets, where it names any.
    term
        ``USE``, or ``USE:permitted``, ``USE:reserved``: some row of the ledger says that of the recording, its label or
        all recordings, whatever other rows say.
    sort, reverse
        The order: relevance, popularity, dates and lengths from the greatest down, names from A on.
    """

    text: str = ""
    artist: str = ""
    owner: str = ""
    isrc: str = ""
    released_from: date | None = None
    released_to: date | None = None
    territory: str = ""
    term: str = ""
    sort: Sort = Sort.RELEVANCE
    reverse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Part of what was found: ``recordings`` (schema ``HELD``), and how many there are altogether."""

    total: int
    recordings: pa.Table


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything that is known of one recording.

    Parameters
    ----------
    recording
        Its row of ``HELD``; absent values left out.
    is_held
        False for one that a later list of all that we hold did not name any more.
    parts
        ``identifiers``, ``titles``, ``releases``, ``artworks``, ``played``, ``terms``, ``fixity`` and ``documents``:
        rows, absent values left out; parts without any left out.
    """

    recording: Mapping[str, Any]
    is_held: bool
    parts: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(slots=True)
class Taken:
    """What came of batches.

    Parameters
    ----------
    batches
        That were new.
    recordings
        Rows of recordings in them.
    new, changed
        Recordings that were not there, and of which something is another than it was.
    unknown
        Rows about a recording that no document has described.
    refused
        Rows that their reader refused.
    again
        Batches that were taken before.
    """

    batches: int = 0
    recordings: int = 0
    new: int = 0
    changed: int = 0
    unknown: int = 0
    refused: int = 0
    again: int = 0

    def plus(self, other: "Taken") -> "Taken":
        """Add two up.

        Examples
        --------
        >>> Taken(new=1).plus(Taken(new=2, unknown=1))
        Taken(batches=0, recordings=0, new=3, changed=0, unknown=1, refused=0, again=0)
        """
        names = ("batches", "recordings", "new", "changed", "unknown", "refused", "again")
        return Taken(*(getattr(self, name) + getattr(other, name) for name in names))


class State(StrEnum):
    """What a scrub found of a file."""

    WELL = "well"
    ROT = "rot"
    LOST = "lost"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Master:
    """A file of ours, and what it must be.

    Parameters
    ----------
    number
        In the catalogue.
    recording
        What it is a recording of.
    path
        Where it lies, as its document says.
    bytes
        How long it is; None where nobody said.
    algorithm, digest
        What its octets come to, in lower-case hex.
    """

    number: int
    recording: str
    path: str
    bytes: int | None
    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found where a file should be: ``found`` is the digest, or why there is none."""

    master: Master
    state: State
    found: str = ""


@dataclass(frozen=True, slots=True)
class Scrub:
    """How far a scrub is: when it was begun, and how many files are done and still to do."""

    begun_us: int
    done: int
    left: int
    nowhere: int = field(default=0)
    """Digests of which no document says where their file lies."""


class Holdings(Catalogue, Protocol):
    """The recordings that we hold, and all that documents say of them."""

    @property
    def state(self) -> str:
        """Another one when anything has changed that is said of a recording."""
        ...

    def open(self) -> AbstractContextManager[None]:
        """Keep it open, for whoever asks many things; nobody else writes meanwhile."""
        ...

    def take(self, *holdings: Holding, ended: Sequence[Document] = (), at_us: int | None = None) -> Taken:
        """Take batches, all or none, but those taken before; what says no time is of ``at_us``, or else of now.

        Documents that have ``ended`` have no further batches: one of them that comes again says nothing new if its
        digest is the same, and is another document if it has none.
        """
        ...

    def settle(self) -> None:
        """Put in order what search relies on, after much was taken."""
        ...

    def forget(self, documents: Sequence[str]) -> int:
        """Forget that documents were taken, by their names, so that they are taken again; gives how many there were."""
        ...

    def search(self, question: Question, *, first: int = 0, rows: int = 20, after: str = "") -> Page:
        """Find recordings; ``InputError`` when a filter is none.

        Parameters
        ----------
        first, rows
            Which of them.
        after
            Counted from what comes after this recording; ``InputError`` when it is not held.
        """
        ...

    def found(self, question: Question) -> Iterator[pa.RecordBatch]:
        """Give all that is found, as ``HELD``, in order."""
        ...

    def whole(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Give all that is held, as ``HELD`` or some columns of it, in the order in which it came."""
        ...

    def codes(self) -> pa.Table:
        """Give every identifier, and every digest of a file, of what is held: ``recording``, ``kind``, ``value``."""
        ...

    def entries(self, name: str) -> list[Entry]:
        """Find what is known of a recording by its name, or of all that have an identifier."""
        ...

    def remove(self, names: Sequence[str]) -> int:
        """Forget recordings by their names; what was said of terms stays.  Gives how many there were."""
        ...

    def terms(self, *, as_said: bool = False, about: Sequence[str] | None = None) -> pa.Table:
        """Give the ledger of terms (``schema.TERM``) as it came, recordings as they are named now, or as it was said.

        Of what is about single recordings, only what is ``about`` these, where any are given.
        Rows are in the same order either way; what names a row for ever is the row as it was said.
        """
        ...

    def documents(self) -> list[Mapping[str, Any]]:
        """List what was taken, latest last."""
        ...

    def refusals(self, last: int | None = None) -> Iterator[Mapping[str, Any]]:
        """List what documents said and was not taken, latest first, or the last few: document, place and why."""
        ...

    def scrub(self, begun_us: int, *, anew: bool = False) -> Scrub:
        """Begin to look at all files, or go on where the last scrub was left, unless it shall begin anew."""
        ...

    def unseen(self, n: int) -> list[Master]:
        """List the next files to look at."""
        ...

    def keep_looked(self, looked: Sequence[Looked], at_us: int) -> None:
        """Note what was found of files."""
        ...

    def amiss(self) -> Iterator[tuple[Looked, Sequence[str]]]:
        """List files that were not as they must be when somebody looked last, and where copies of each are well."""
        ...

    def check(self) -> list[str]:
        """Read everything, and give a sentence for each thing that does not fit; none when all is well."""
        ...

    def totals(self) -> dict[str, Any]:
        """Count what there is, and tell the bytes on disk."""
        ...


__all__ = [
    "Entry",
    "Holdings",
    "Looked",
    "Master",
    "Page",
    "Question",
    "Scrub",
    "Sort",
    "State",
    "Taken",
]
