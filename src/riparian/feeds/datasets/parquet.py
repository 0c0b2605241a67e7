"""What are the items of a Parquet file of a data set?

Such files hold much that says nothing of whose an item is: sound, spectra, vectors.  The first rows tell which columns
matter; the rest is never read from the disk.  Where the sound itself lies in a column, it is read for its digest, a few
items at a time.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from riparian.feeds.datasets.items import Items
from riparian.feeds.dumps.vocabulary import Vocabulary

_LOOKED_ROWS: Final = 2_000
_BATCH_ROWS: Final = 1 << 17
_SOUND_ROWS: Final = 64
_CELL_CHARS: Final = 4_096
_COLUMNS_MAX: Final = 512
_BYTES: Final = "bytes"


def parquet_items(
    path: Path, vocabulary: Vocabulary, said: dict[str, str], first: int, *, with_digests: bool
) -> Iterator[pa.Table]:
    """Give the items of a file.

    Raises
    ------
    ValueError
        When it is damaged, or no Parquet; what came before stands.
    """
    try:
        with path.open("rb") as raw:
            file = pq.ParquetFile(raw, pre_buffer=False)
            leaves = _leaves(file.schema_arrow)[:_COLUMNS_MAX]
            some = next(file.iter_batches(_LOOKED_ROWS, columns=[*leaves], use_threads=False), None)
            if some is None or not some.num_rows:
                return
            made = Items(_frame(some, leaves), vocabulary, said)
            sound = _sound(file.schema_arrow) if with_digests and not made.digest else ""
            wanted = [name for name in leaves if name in made.columns]
            at_once = _SOUND_ROWS if sound else _BATCH_ROWS
            columns = [*wanted, *([sound] if sound else [])]
            if not columns:
                yield made.items(pl.DataFrame({"none": pl.Series([None] * file.metadata.num_rows)}), first)
                return
            for batch in file.iter_batches(at_once, columns=columns, use_threads=False):
                items = made.items(_frame(batch, wanted), first)
                first += items.num_rows
                yield _with_digests(items, batch, sound) if sound else items
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        raise ValueError((str(error).splitlines() or ["?"])[0][:160]) from error


def _leaves(schema: pa.Schema) -> list[str]:
    """List columns that may say something, with a path for a name: texts, numbers and times, in structs too."""
    found: list[str] = []

    def walk(field: pa.Field, name: str, depth: int) -> None:
        kind = field.type
        if pa.types.is_struct(kind) and depth:
            for inner in kind:
                walk(inner, f"{name}.{inner.name}", depth - 1)
        elif not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            found.append(name)

    for field in schema:
        walk(field, field.name, 4)
    return found


def _sound(schema: pa.Schema) -> str:
    """Name the column with sound, as the library ``datasets`` writes it: a struct of ``bytes`` and ``path``."""
    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and {_BYTES, "path"} <= {inner.name for inner in kind}:
            return f"{field.name}.{_BYTES}"
    return ""


def _frame(batch: pa.RecordBatch, leaves: list[str]) -> pl.DataFrame:
    columns = {}
    for name in leaves:
        column: Any = pl.Series(_leaf(batch, name))
        text = column.cast(pl.String, strict=False)
        columns[name] = text.str.slice(0, _CELL_CHARS)
    return pl.DataFrame(columns)


def _leaf(batch: pa.RecordBatch, name: str) -> pa.Array:
    top, *inner = name.split(".")
    if name in batch.schema.names:
        return batch.column(name)
    column = batch.column(top)
    for each in inner:
        column = column.flatten()[[field.name for field in column.type].index(each)]
    return column


def _with_digests(items: pa.Table, batch: pa.RecordBatch, sound: str) -> pa.Table:
    octets = _leaf(batch, sound)
    digests = [hashlib.sha256(each.as_buffer()).hexdigest() if each.is_valid else None for each in octets]
    at = items.column_names.index("digest")
    return items.set_column(at, items.schema.field(at), pa.array(digests, pa.string()))
