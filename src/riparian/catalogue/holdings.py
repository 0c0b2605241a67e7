"""What does a document say that we hold?

A delivery message, a dump of a database, a table or the tags of a file say the same kinds of things: recordings and
their codes, titles in other languages, releases and what is on them, artwork, how much is played, on which terms, and
which file it is.  Every feed gives them as :class:`Holding`: one batch of tables, whatever was read.  Whoever keeps a
catalogue takes batches and knows no format.

A recording is named as its document names it: by its own identifier where the document has one that the operator's
logs use, by its ISRC where the message is about ISRCs.  That two names are one recording is for the keeper to see from
``IDENTIFIER``: the feeds decide nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final

import pyarrow as pa

from riparian.schema import RECORDING

HELD: Final = pa.schema(
    [
        *RECORDING,
        pa.field("upc", pa.string()),
        pa.field("iswc", pa.string()),
        pa.field("mbid", pa.string()),
        pa.field("platform_id", pa.string()),
        pa.field("label", pa.string()),
        pa.field("territory", pa.string()),
        pa.field("added", pa.timestamp("us", "UTC")),
    ]
)
"""``RECORDING`` and what else is known of one.  ``mbid`` is MusicBrainz's of the recording, ``platform_id`` a service's
with its name before it (``spotify:...``), ``label`` whose imprint it is on, ``territory`` where it comes from, as ISO
3166 alpha-2, ``added`` when it came into the catalogue."""

IDENTIFIER: Final = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
    ]
)
"""Another name of a recording.  ``kind`` is one of :data:`riparian.catalogue.identifiers.KINDS`, or
``own:`` and whose; ``value`` is written as :mod:`riparian.catalogue.identifiers` writes it."""

TITLE: Final = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("language", pa.string()),
        pa.field("kind", pa.string()),
    ]
)
"""Another title, or its artist's name, of a recording.  ``language`` is of BCP 47 where the document says it (script
included: ``ja-Latn``); ``kind`` is ``formal``, ``display``, ``alias``, ``translated`` or empty."""

RELEASE: Final = pa.schema(
    [
        pa.field("release", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artist", pa.string()),
        pa.field("upc", pa.string()),
        pa.field("grid", pa.string()),
        pa.field("mbid", pa.string()),
        pa.field("label", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("released", pa.date32()),
        pa.field("territory", pa.string()),
    ]
)
"""One release: an album, a single.  ``release`` is its UPC where it has one, or what the document calls it."""

TRACK: Final = pa.schema(
    [
        pa.field("release", pa.string(), nullable=False),
        pa.field("recording", pa.string(), nullable=False),
        pa.field("disc", pa.int32()),
        pa.field("track", pa.int32()),
    ]
)
"""A recording on a release; ``disc`` and ``track`` count from 1."""

ARTWORK: Final = pa.schema(
    [
        pa.field("release", pa.string()),
        pa.field("recording", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("path", pa.string()),
        pa.field("algorithm", pa.string()),
        pa.field("digest", pa.string()),
    ]
)
"""A picture of a release or of a recording: where it is, and its digest in lower-case hex.  ``algorithm`` is
``sha256``, ``blake3``, ``md5`` and the like; digest and algorithm are both there or both absent."""

PLAYED: Final = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("on", pa.date32()),
        pa.field("measure", pa.string()),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""How much a recording was played, as somebody counted it on a date; any number that grows with plays."""

FIXITY: Final = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("path", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("algorithm", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
    ]
)
"""The file of a recording, and its digest in lower-case hex."""


@lru_cache(maxsize=32)
def empty(schema: pa.Schema) -> pa.Table:
    """Give a table without rows, always the same one: making it takes longer than a message has."""
    return schema.empty_table()


@lru_cache(maxsize=32)
def _shape(schema: pa.Schema) -> tuple[list[str], list[pa.DataType]]:
    return schema.names, schema.types


@dataclass(frozen=True, slots=True)
class Document:
    """Which document says it.

    Parameters
    ----------
    name
        Its path or address, and within an archive ``archive!member``.
    kind
        ``ern``, ``mead``, ``musicbrainz``, ``table``, ``sqlite`` or ``tags``.
    version
        Of its format, as it states it itself; empty where it does not.
    sender
        Who sent it, as it says itself.
    stated_us
        When it was made, as it says itself; microseconds since 1970, UTC; None where it does not say.
    digest
        SHA-256 of its octets in hex; empty where it was not read whole.
    """

    name: str
    kind: str
    version: str = ""
    sender: str = ""
    stated_us: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """One batch of what a document says.

    The tables have the schemas of this module, in full (absent values are null), and ``terms`` has
    ``riparian.schema.TERM``.  Empty ones are tables without rows.  Batches of one document come in the same order
    whenever it is read, and ``number`` counts them from 0: after an interruption a keeper goes on with the next one.

    Parameters
    ----------
    document
        Which document.
    number
        Of the batch in the document.
    terms
        None where nothing is said of terms.
    refused
        What in this batch is not what it should be, and why: where it is in the document, and a sentence.
    """

    document: Document
    number: int = 0
    recordings: pa.Table = field(default_factory=partial(empty, HELD))
    identifiers: pa.Table = field(default_factory=partial(empty, IDENTIFIER))
    titles: pa.Table = field(default_factory=partial(empty, TITLE))
    releases: pa.Table = field(default_factory=partial(empty, RELEASE))
    tracks: pa.Table = field(default_factory=partial(empty, TRACK))
    artworks: pa.Table = field(default_factory=partial(empty, ARTWORK))
    played: pa.Table = field(default_factory=partial(empty, PLAYED))
    terms: pa.Table | None = None
    fixity: pa.Table = field(default_factory=partial(empty, FIXITY))
    refused: Sequence[tuple[str, str]] = ()


def table_of(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Make a table of rows; what they lack is null.

    Examples
    --------
    >>> table_of([{"recording": "r-1", "kind": "isrc", "value": "GBABC1200001"}], IDENTIFIER).num_rows
    1
    """
    whole = list(rows)
    if not whole:
        return empty(schema)
    columns = [pa.array([row.get(name) for row in whole], kind) for name, kind in zip(*_shape(schema), strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)


def held(table: pa.Table) -> pa.Table:
    """Bring a table of schema ``RECORDING``, whichever columns it has, to ``HELD`` in full.

    Examples
    --------
    >>> held(pa.table({"recording": ["r-1"], "upc": ["0602557190298"]})).column_names == HELD.names
    True
    """
    there = set(table.column_names)
    columns = [
        table.column(each.name).cast(each.type) if each.name in there else pa.nulls(table.num_rows, each.type)
        for each in HELD
    ]
    return pa.table(columns, schema=HELD)
