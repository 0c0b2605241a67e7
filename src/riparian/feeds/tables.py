"""Small tables beside the logs: read whole, in whichever of the usual formats they come."""

import io
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from riparian.errors import InputError
from riparian.feeds.places import expand
from riparian.feeds.unpack import Broken, blocks

_ARROW_MAGIC: Final = b"ARROW1"
_PARQUET_MAGIC: Final = b"PAR1"
_BOM: Final = b"\xef\xbb\xbf"


def _delimiter(head: str) -> str:
    return max(("\t", ";", ","), key=head.count)


def _parse(data: bytes, name: str) -> pa.Table:
    try:
        if data.startswith((_PARQUET_MAGIC, _ARROW_MAGIC)):
            raw = io.BytesIO(data)
            table = pq.read_table(raw) if data.startswith(_PARQUET_MAGIC) else ipc.open_file(raw).read_all()
            table.validate(full=True)
            return table
        text = data.removeprefix(_BOM).decode("utf-8", "replace").encode()
        if text.lstrip().startswith(b"{"):
            return pl.read_ndjson(text, infer_schema_length=None).to_arrow()
        head = text.partition(b"\n")[0].decode()
        return pl.read_csv(text, separator=_delimiter(head), infer_schema=False).to_arrow()
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        why = str(error).splitlines()[0][:120]
        raise InputError(
            f"`{name}` cannot be read as a table ({why}), wanted CSV, NDJSON, Parquet or Arrow",
            hint="Write it as CSV with a header line.",
        ) from error


def read_bytes(source: str) -> bytes:
    """Read a small file whole.

    Raises
    ------
    InputError
        When it does not exist or breaks off.
    """
    parts = []
    for place in expand([source]):
        with place.open() as raw:
            try:
                parts.append(b"".join(blocks(raw)))
            except Broken as error:
                raise InputError(f"`{place.name}` {error}, wanted a whole file", hint="Copy the file again.") from error
    return b"".join(parts)


def read_table(source: str) -> pa.Table:
    """Read a table from one file, or from all files of a folder or glob that have the same columns.

    Raises
    ------
    InputError
        When it does not exist or is no table.
    """
    tables = []
    for place in expand([source]):
        with place.open() as raw:
            try:
                data = b"".join(blocks(raw))
            except Broken as error:
                raise InputError(f"`{place.name}` {error}, wanted a whole file", hint="Copy the file again.") from error
        if data:
            tables.append(_parse(data, place.name))
    if not tables:
        raise InputError(f"`{source}` is empty, wanted a table", hint="Check the file.")
    return pa.concat_tables(tables, promote_options="permissive")


def plain_name(name: str) -> str:
    """Write a column's name without case and punctuation.

    Examples
    --------
    >>> plain_name("Payment Key")
    'paymentkey'
    """
    return "".join(char for char in name.lower() if char.isalnum())


def columns_named(table: pa.Table, synonyms: Mapping[str, str]) -> dict[str, str]:
    """Say which column is which field, by its name: field to column.

    Parameters
    ----------
    table
        Any table.
    synonyms
        Field to its names, separated by spaces; the earlier name wins.

    Examples
    --------
    >>> columns_named(pa.table({"User ID": ["a"], "x": [1]}), {"account": "account userid"})
    {'account': 'User ID'}
    """
    plain = {plain_name(column): column for column in reversed(table.column_names)}
    found = {}
    for name, names in synonyms.items():
        column = next((plain[each] for each in names.split() if each in plain), None)
        if column is not None:
            found[name] = column
    return found


def need(found: Mapping[str, str], wanted: Sequence[str], table: pa.Table, source: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    InputError
        Names the column and lists those that are there.
    """
    for name in wanted:
        if name not in found:
            there = ", ".join(f"`{column}`" for column in table.column_names)
            raise InputError(
                f"`{source}` has no `{name}`, wanted a column of that name; the columns are {there}",
                hint=f"Rename the column that holds it to `{name}`.",
            )
