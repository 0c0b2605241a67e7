"""What are the rows of Parquet and Arrow files?"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from riparian.feeds.dumps.objects import JOINED
from riparian.feeds.dumps.sheets import BATCH_ROWS, CELL_CHARS_MAX, COLUMNS_MAX, Batch, Reject, Sheet, framed

PARQUET_MAGIC: Final = b"PAR1"
ARROW_MAGIC: Final = b"ARROW1"
STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
_DEPTH_MAX: Final = 6


def is_columnar(head: bytes) -> bool:
    """Say whether a file with these first bytes is Parquet or Arrow."""
    return head.startswith((PARQUET_MAGIC, ARROW_MAGIC, STREAM_MAGIC))


def columnar_sheet(source: str, held: Path | bytes, head: bytes) -> Sheet:
    """Read a file, or the bytes of one."""
    form = "Parquet" if head.startswith(PARQUET_MAGIC) else "Arrow"
    return Sheet(source, form, _batches(source, held, head))


def _batches(source: str, held: Path | bytes, head: bytes) -> Iterator[Batch]:
    at = 0
    try:
        for batch in _records(held, head):
            batch.validate(full=True)
            at += batch.num_rows
            yield Batch(_texts(batch))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, MemoryError) as error:
        why = (str(error).splitlines() or ["?"])[0][:120]
        yield Batch(framed({}), (Reject(source, at + 1, f"is damaged ({why})"),))


def _records(held: Path | bytes, head: bytes) -> Iterator[Any]:
    raw = held.open("rb") if isinstance(held, Path) else io.BytesIO(held)
    with raw:
        if head.startswith(PARQUET_MAGIC):
            # Page checksums and lazy reading: a hostile group of rows is met page by page.
            yield from pq.ParquetFile(raw, pre_buffer=False).iter_batches(BATCH_ROWS, use_threads=False)
        elif head.startswith(ARROW_MAGIC):
            reader = ipc.open_file(raw)
            yield from (reader.get_batch(n) for n in range(reader.num_record_batches))
        else:
            yield from ipc.open_stream(raw)


def _texts(batch: Any) -> pl.DataFrame:
    frame = pl.DataFrame(pa.Table.from_batches([batch]))
    made: dict[str, pl.Series] = {}
    for name in frame.columns[:COLUMNS_MAX]:
        _flatten(frame[name], name, made, _DEPTH_MAX)
    return pl.DataFrame(made).with_columns(pl.all().str.slice(0, CELL_CHARS_MAX))


def _flatten(values: pl.Series, name: str, made: dict[str, pl.Series], depth: int) -> None:
    kind = values.dtype
    if isinstance(kind, pl.Struct) and depth:
        for field in kind.fields:
            _flatten(values.struct.field(field.name), f"{name}.{field.name}", made, depth - 1)
    elif isinstance(kind, pl.List) and depth and isinstance(kind.inner, pl.Struct):
        for field in kind.inner.fields:
            inner = values.list.eval(pl.element().struct.field(field.name))
            _flatten(inner, f"{name}.{field.name}", made, depth - 1)
    elif isinstance(kind, pl.List) and not isinstance(kind.inner, pl.List):
        made[name] = values.cast(pl.List(pl.String), strict=False).list.join(JOINED)
    elif kind == pl.Binary:
        texts = [None if each is None else each.decode("utf-8", "replace") for each in values.to_list()]
        made[name] = pl.Series(name, texts, dtype=pl.String)
    elif not kind.is_nested():
        made[name] = values.cast(pl.String, strict=False)
