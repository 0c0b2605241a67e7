"""Which recordings on an artist's page came from somebody who has nothing else of theirs?

A release by a stranger lands on an artist's page because it bears the name: by a mistake, since two artists share it,
or on purpose.  What is the artist's own is known by who delivers it.  The deliverer with the most of the artist's
recordings, those to whom one of theirs is licensed, those who share an album, a registrant of codes (the first five
characters of an ISRC) or a work (ISWC) with them are the artist's; what remains is told to the artist, who alone knows.
Nothing is said of why.

Source
------
ISO 3901 (ISRC: two letters of a country and three of a registrant, before the year).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa

from riparian.catalogue.names import folded, look, parts
from riparian.catalogue.releases import isrc_of, owners_of

_REGISTRANT: Final = 5
_COLUMNS: Final = (
    "recording",
    "title",
    "artist",
    "album",
    "isrc",
    "iswc",
    "owner",
    "licensed",
    "label",
    "released",
    "added",
)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A recording that an artist should look at.

    Parameters
    ----------
    owner
        Who delivers it.
    is_same_name
        Whether it bears the artist's name, and not one that only looks like it.
    is_alone
        Whether the artist is the only one whom it names; beside others, it may be a guest's part in their recording.
    of_theirs
        How many recordings under the name the same deliverer has.
    added
        When it came; None where nobody says.
    """

    recording: str
    title: str
    artist: str
    owner: str
    isrc: str
    is_same_name: bool
    is_alone: bool
    of_theirs: int
    added: date | None


@dataclass(frozen=True, slots=True)
class Page:
    """What bears an artist's name: how many recordings, who delivers the artist's own, and what is a stranger's."""

    name: str
    recordings: int
    own: tuple[str, ...]
    strangers: tuple[Stranger, ...]


def page(name: str, held: pa.Table, own: tuple[str, ...] = ()) -> Page:
    """Look at everything under a name.

    Parameters
    ----------
    name
        The artist's.
    held
        The catalogue (:data:`riparian.catalogue.holdings.HELD`); rows of other names are passed over.
    own
        Deliverers who are known to be the artist's; where none is, the one with the most recordings.

    Examples
    --------
    >>> table = pa.table({"recording": ["r1", "r2", "r3"], "artist": ["Mira", "Mira", "M1ra"],
    ...                   "owner": ["Reed", "Reed", "Quick Uploads"]})
    >>> seen = page("Mira", table)
    >>> seen.own, [(one.recording, one.is_same_name) for one in seen.strangers]
    (('Reed',), [('r3', False)])
    """
    rows = [row for row in _rows(held) if _names(name, row["artist"])]
    # Of a name that only looks alike nothing is the artist's: it says nothing of who delivers for them.
    same = [row for row in rows if folded(name) in {folded(part) for part in parts(row["artist"])}]
    counts: dict[str, int] = {}
    written: dict[str, str] = {}
    for row in same:
        fold = folded(row["owner"])
        counts[fold] = counts.get(fold, 0) + 1
        written.setdefault(fold, row["owner"])
    trusted = {folded(one) for one in own} or set(
        sorted((one for one in counts if one), key=lambda one: -counts[one])[:1]
    )
    trusted = _with_kin(same, trusted)
    strangers = [
        Stranger(
            row["recording"],
            row["title"],
            row["artist"],
            row["owner"],
            row["isrc"],
            row in same,
            len(parts(row["artist"])) == 1,
            counts.get(folded(row["owner"]), 0),
            row["added"],
        )
        for row in rows
        if row not in same or (folded(row["owner"]) and folded(row["owner"]) not in trusted)
    ]
    strangers.sort(key=lambda one: (one.added or date.min, one.recording), reverse=True)
    return Page(name, len(rows), tuple(written.get(one, one) for one in sorted(trusted)), tuple(strangers))


def _with_kin(rows: Sequence[Mapping[str, Any]], trusted: set[str]) -> set[str]:
    """Add whoever shares a licence, an album, a registrant or a work with them, until nobody more does."""
    grown, before = set(trusted), -1
    while len(grown) != before:
        before = len(grown)
        theirs = [row for row in rows if folded(row["owner"]) in grown]
        marks = {mark for row in theirs for mark in _marks(row)}
        may = {fold for row in theirs for fold in owners_of("", row["licensed"])}
        grown |= {folded(row["owner"]) for row in rows if folded(row["owner"]) in may or marks & set(_marks(row))}
        grown.discard("")
    return grown


def _marks(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [("album", folded(row["album"])), ("registrant", isrc_of(row["isrc"])[:_REGISTRANT]), ("work", row["iswc"])]
    return [(kind, value) for kind, value in found if value]


def _names(name: str, artist: str) -> bool:
    said = parts(artist)
    return folded(name) in {folded(part) for part in said} or look(name) in {look(part) for part in said}


def _rows(held: pa.Table) -> list[dict[str, Any]]:
    table = held.select([name for name in _COLUMNS if name in held.column_names])
    return [_plain(row) for row in table.to_pylist()]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: row.get(name) or "" for name in _COLUMNS}
    found["owner"] = found["owner"] or found["label"]
    added = row.get("added") or row.get("released")
    found["added"] = added.date() if isinstance(added, datetime) else added
    return found
