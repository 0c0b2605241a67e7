"""What is there to tell of a data set that was audited?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from riparian.catalogue.consent import Stance
from riparian.catalogue.terms import Use
from riparian.metadata.datasets import Bounds

NEAR_ROWS: Final = 200_000
"""Of the items that are not surely ours, so many are weighed at most, chosen by lot."""
CLAIMED: Final = 0.05
"""Of items that were weighed, those are claimed whose error is at most this."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """How a data set is audited.

    Parameters
    ----------
    digests
        SHA-256 of files in hex to recordings of ours, beside those that the catalogue knows.
    published_us
        When the data set was published; None where nobody says.
    near_rows
        How many of the items that are not surely ours are weighed at most; 0 for none.
    control
        Recordings that were never released, ``title`` and ``artist``; None to make some.
    keep
        Told of every item that is ours: what it says (``row``, ``title``, ``artist``, ``isrc``, ``path``, ``licence``),
        ``by`` what it is ours, the ``error`` where it was weighed, and what it is (``ours_recording``, ...).
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    published_us: int | None = None
    near_rows: int = NEAR_ROWS
    control: pa.Table | None = None
    keep: Callable[[pa.Table], None] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some items (schema ``ITEM``), where they are from, and what could not be read there."""

    source: str
    items: pa.Table
    unread: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What weighing found of the items that are not surely ours.

    Parameters
    ----------
    left, asked
        How many these are, and how many of them were weighed.
    items
        How many of all that are left are recordings of ours.
    recordings
        Recordings of ours among those that were weighed, at an error of at most ``CLAIMED``.
    """

    left: int
    asked: int
    items: Bounds
    recordings: int


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """How many of the items that are ours were under which terms.

    Parameters
    ----------
    use
        What for.
    as_of_us
        As far as was stated by then, and at that time; None for now.
    items
        Stance to items.
    recordings
        Stance to recordings of ours that are surely in it.
    said
        Of the recordings that are reserved, how many some document speaks of: the others are since nobody permits.
    """

    use: Use
    as_of_us: int | None
    items: Mapping[Stance, Bounds]
    recordings: Mapping[Stance, int]
    said: int


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """What there is to tell of a data set.

    Parameters
    ----------
    items
        How many it has.
    sources
        File to its items.
    unread
        What could not be read: where, and why.
    levels
        Level to items that are surely ours by it, and recordings.
    near
        What weighing found of the rest; None where nothing was weighed.
    ours, recordings
        Items that are ours, all levels together; recordings of ours that are surely in it.
    held
        Recordings of ours.
    control
        How many recordings the control set has, and how many of them were found.
    mistaken
        How many recordings of ours may be found by mistake, by names.
    said
        Under which terms they were.
    licences
        Licence as the data set says to its items, those that are surely ours, and of these what ``train`` is.
    """

    items: int
    sources: Mapping[str, int]
    unread: Sequence[tuple[str, str]]
    levels: Mapping[str, tuple[int, int]]
    near: Weighed | None
    ours: Bounds
    recordings: Bounds
    held: int
    control: tuple[int, int]
    mistaken: Bounds
    said: Sequence[Said]
    licences: Mapping[str, tuple[int, int, Mapping[Stance, int]]]
