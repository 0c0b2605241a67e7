"""What is written down of the catalogue, and in which tables?

``recording`` has a row a recording: its number, by which all other tables name it and which nobody gets again; its
name; whether it is held (a list of all that we hold may leave it out); whether the name is its own, or one of its
identifiers; and the columns of ``HELD``.  ``posting`` is the index of words, in the order of words as far as it was
settled: a word, a number, and how much the word says of it.  Times are UTC, without a zone.
"""

from typing import Final

import pyarrow as pa

from riparian.catalogue.holdings import HELD
from riparian.schema import TERM

VERSION: Final = 1
TYPES: Final = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
}
VALUES: Final = tuple(name for name in HELD.names if name != "recording")
"""What a recording has besides its name."""
IDENTITIES: Final = ("isrc", "mbid", "platform_id")
"""Columns by which two names are seen to be of one recording."""
CODES: Final = (*IDENTITIES, "upc", "iswc")
"""Columns that are identifiers, of a recording or of what it belongs to."""


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f'"{each.name}" {TYPES[each.type]}' for each in schema)


TABLES: Final = f"""
CREATE TABLE setting (name VARCHAR, value BIGINT);
CREATE TABLE recording (number BIGINT, held BOOLEAN, own BOOLEAN, {_columns(HELD)});
CREATE TABLE identifier (number BIGINT, kind VARCHAR, value VARCHAR);
CREATE TABLE title (number BIGINT, title VARCHAR, artist VARCHAR, language VARCHAR, kind VARCHAR);
CREATE TABLE release (release VARCHAR, title VARCHAR, artist VARCHAR, upc VARCHAR, grid VARCHAR, mbid VARCHAR,
    label VARCHAR, kind VARCHAR, released DATE, territory VARCHAR);
CREATE TABLE track (release VARCHAR, number BIGINT, disc INTEGER, track INTEGER);
CREATE TABLE artwork (release VARCHAR, number BIGINT, kind VARCHAR, path VARCHAR, algorithm VARCHAR, digest VARCHAR);
CREATE TABLE played (number BIGINT, "on" DATE, measure VARCHAR, value DOUBLE);
CREATE TABLE term (place BIGINT, number BIGINT, {_columns(TERM)});
CREATE TABLE fixity (place BIGINT, number BIGINT, path VARCHAR, bytes BIGINT, algorithm VARCHAR, digest VARCHAR,
    looked_us BIGINT, state VARCHAR, found VARCHAR);
CREATE TABLE document (number BIGINT, name VARCHAR, kind VARCHAR, version VARCHAR, sender VARCHAR, stated_us BIGINT,
    digest VARCHAR, taken_us BIGINT, batches BIGINT, whole BOOLEAN);
CREATE TABLE said (number BIGINT, document BIGINT);
CREATE TABLE refused (document BIGINT, place VARCHAR, why VARCHAR);
CREATE TABLE posting (word VARCHAR, number BIGINT, weight UTINYINT);
CREATE INDEX recording_of_number ON recording (number);
"""
