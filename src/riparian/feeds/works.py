"""What is a recording called where only artist and title are known?

Personal exports name no identifiers.  There a recording is its artist and title, in Unicode
compatibility form and without case, joined by the unit separator; a catalogue without identifiers
uses the same rule, so that the two agree.
"""

import unicodedata
from typing import Final

import polars as pl
import pyarrow as pa

JOINT: Final = "\x1f"


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def recording_id(artist: str, title: str) -> str:
    """Name a recording by its artist and title.

    Examples
    --------
    >>> recording_id("Björk", " JÓGA ") == recording_id("BJÖRK", "Jóga")
    True
    """
    return _fold(artist) + JOINT + _fold(title)


def recording_ids(artists: pa.ChunkedArray, titles: pa.ChunkedArray) -> pa.ChunkedArray:
    r"""Name recordings, null where the title or the artist is missing [shape=(n,)].

    Examples
    --------
    >>> recording_ids(pa.chunked_array([["A", None]]), pa.chunked_array([["B", "C"]])).to_pylist()
    ['a\x1fb', None]
    """
    pairs = pl.DataFrame({"artist": pl.Series(artists).cast(pl.String), "title": pl.Series(titles).cast(pl.String)})
    pairs = pairs.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))
    whole = pairs.select(pl.concat_str("artist", pl.lit("\0"), "title").alias("pair")).to_series()
    distinct = whole.drop_nulls().unique()
    names = pl.Series([recording_id(*pair.split("\0", 1)) for pair in distinct], dtype=pl.String)
    return pa.chunked_array([whole.replace_strict(distinct, names, default=None, return_dtype=pl.String).to_arrow()])
