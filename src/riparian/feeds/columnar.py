"""Logs in Parquet and Arrow files: columns as they are, a row group or record batch at a time.

Only the columns that the plan names are decoded, and strings are read as dictionaries, so that an
identifier is hashed once per row group and not per row.

Digests
-------
A Parquet row group is known by SHA-256 over the bytes of its column chunks in the file, and by the
number of its part of 2**20 rows: nothing is decoded of a part that was counted.  An Arrow record
batch is known by SHA-256 over its buffers and dictionaries.  A log that was written anew, with other row
groups or another compression, is another log.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from riparian.errors import InputError
from riparian.feeds.chunks import DIGEST_BYTES
from riparian.feeds.fields import SAMPLE_ROWS
from riparian.feeds.stretches import Known

PARQUET_MAGIC: Final = b"PAR1"
ARROW_MAGIC: Final = b"ARROW1"
ROWS_MAX: Final = 1 << 20
_READ_BYTES: Final = 1 << 20
_GROUP_BYTES_MAX: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that follow one another in one file; ``table`` is None when they were counted before."""

    digest: bytes
    offset: int
    n_rows: int
    table: pa.Table | None


def is_columnar(head: bytes) -> bool:
    """Say whether a file with these first bytes is Parquet or Arrow."""
    return head.startswith((PARQUET_MAGIC, ARROW_MAGIC))


def _damaged(name: str, error: Exception) -> InputError:
    return InputError(
        f"`{name}` is a damaged Parquet or Arrow file ({str(error).splitlines()[0][:120]}), wanted a whole one",
        hint="Copy the file again, or leave it out.",
    )


def _texts(table: pa.Table) -> dict[str, list[str | None]]:
    sample = {}
    for name in table.column_names:
        values = table.column(name)
        if pa.types.is_nested(values.type):
            continue
        if pa.types.is_timestamp(values.type):
            sample[name] = [
                None if each is None else each.isoformat() for each in values.cast(pa.timestamp("us")).to_pylist()
            ]
        elif pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
            sample[name] = [None if each is None else each.decode("utf-8", "replace") for each in values.to_pylist()]
        else:
            sample[name] = [None if each is None else str(each) for each in values.to_pylist()]
    return sample


def _flat(table: pa.Table) -> pa.Table:
    # Neither format promises that offsets lie inside their buffers, or that text is UTF-8.
    table.validate(full=True)
    while any(pa.types.is_struct(each.type) for each in table.schema):
        table = table.flatten()
    return table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


_DICTIONARY_BYTES_MAX: Final = 5
"""Bytes a value, uncompressed, above which a column of texts is not kept as a dictionary throughout."""


def _is_dictionary(metadata: pq.FileMetaData, name: str) -> bool:
    # A writer gives a dictionary up when it grows too large. Building one anew costs three times the reading.
    values = size = 0
    for group in range(metadata.num_row_groups):
        for i in range(metadata.num_columns):
            column = metadata.row_group(group).column(i)
            if column.path_in_schema == name:
                values += column.num_values
                size += column.total_uncompressed_size
    return size < _DICTIONARY_BYTES_MAX * values


@dataclass(frozen=True, slots=True)
class ParquetLog:
    """An open Parquet file."""

    name: str
    raw: BinaryIO
    file: pq.ParquetFile

    def sample(self) -> dict[str, list[str | None]]:
        """Give the first rows as text."""
        try:
            batch = next(self.file.iter_batches(SAMPLE_ROWS, use_threads=False), None)
            table = None if batch is None else _flat(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.name, error) from error
        return {} if table is None else _texts(table)

    def _digest(self, group: int) -> bytes:
        meta = self.file.metadata.row_group(group)
        state = hashlib.sha256(str(meta.num_rows).encode())
        for i in range(meta.num_columns):
            column = meta.column(i)
            begin = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
            self.raw.seek(begin or column.data_page_offset)
            left = column.total_compressed_size
            while left > 0 and (data := self.raw.read(min(left, _READ_BYTES))):
                state.update(data)
                left -= len(data)
        return state.digest()

    def parts(self, columns: Sequence[str], known: Known) -> Iterator[Part]:
        """Give the rows, those that were counted before without a table."""
        schema = self.file.schema_arrow
        texts = [
            name
            for name in columns
            if name in schema.names and _is_text(schema.field(name).type) and _is_dictionary(self.file.metadata, name)
        ]
        self.raw.seek(0)
        reader = pq.ParquetFile(self.raw, read_dictionary=texts, pre_buffer=False)
        offset = 0
        for group in range(reader.num_row_groups):
            n_rows = reader.metadata.row_group(group).num_rows
            try:
                digest = self._digest(group)
                digests = [_part_digest(digest, part) for part in range(-(-n_rows // ROWS_MAX))]
                if all(known(each) for each in digests):
                    batches: Iterator[Any] = iter(())
                else:
                    batches = reader.iter_batches(
                        ROWS_MAX, row_groups=[group], columns=list(columns), use_threads=False
                    )
                for part, each in enumerate(digests):
                    rows = min(ROWS_MAX, n_rows - part * ROWS_MAX)
                    batch = next(batches, None)
                    table = None if batch is None or known(each) else _flat(pa.Table.from_batches([batch]))
                    yield Part(each, offset, rows, table)
                    offset += rows
            except (pa.ArrowException, OSError) as error:
                raise _damaged(self.name, error) from error


@dataclass(frozen=True, slots=True)
class ArrowLog:
    """An open Arrow file (Feather version 2)."""

    name: str
    file: ipc.RecordBatchFileReader

    def sample(self) -> dict[str, list[str | None]]:
        """Give the first rows as text."""
        try:
            if not self.file.num_record_batches:
                return {}
            table = _flat(pa.Table.from_batches([self.file.get_batch(0)])).slice(0, SAMPLE_ROWS)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.name, error) from error
        return _texts(table)

    def parts(self, columns: Sequence[str], known: Known) -> Iterator[Part]:
        """Give the rows, those that were counted before without a table."""
        offset = 0
        for i in range(self.file.num_record_batches):
            try:
                batch = self.file.get_batch(i)
                table = _flat(pa.Table.from_batches([batch]))
                digest = _batch_digest(batch)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(self.name, error) from error
            for part in range(-(-batch.num_rows // ROWS_MAX)):
                rows = table.slice(part * ROWS_MAX, ROWS_MAX)
                each = _part_digest(digest, part)
                yield Part(each, offset, rows.num_rows, None if known(each) else rows.select(list(columns)))
                offset += rows.num_rows


def _part_digest(digest: bytes, part: int) -> bytes:
    return hashlib.sha256(digest + part.to_bytes(8, "big")).digest()[:DIGEST_BYTES]


def _hash_array(state: Any, array: pa.Array) -> None:
    for buffer in array.buffers():
        state.update(b"\0" if buffer is None else buffer)
    if pa.types.is_dictionary(array.type):
        _hash_array(state, array.dictionary)


def _batch_digest(batch: pa.RecordBatch) -> bytes:
    state = hashlib.sha256(str(batch.num_rows).encode())
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        state.update(name.encode())
        _hash_array(state, array)
    return bytes(state.digest())


def open_columnar(name: str, raw: BinaryIO, head: bytes) -> ParquetLog | ArrowLog:
    """Open a Parquet or Arrow file.

    Raises
    ------
    InputError
        When it is damaged.
    """
    try:
        if head.startswith(PARQUET_MAGIC):
            return ParquetLog(name, raw, pq.ParquetFile(raw, pre_buffer=False))
        return ArrowLog(name, ipc.open_file(raw))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, error) from error
