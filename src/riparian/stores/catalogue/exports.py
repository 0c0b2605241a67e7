"""How does the catalogue leave the house?

As a table, CSV or Parquet, that ``catalogue add`` reads again; or as JSON-LD for programs that read schema.org.  A file
is there whole, or not at all.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from riparian.catalogue.holdings import HELD
from riparian.catalogue.linked import CONTEXT, linked
from riparian.errors import InputError
from riparian.stores.files import reaching, write_whole

Batches = Iterable[pa.RecordBatch]


def export(path: Path, batches: Batches) -> int:
    """Write recordings (schema ``HELD``) to a file, in the form that its name says; give how many.

    Raises
    ------
    InputError
        When its name says none.
    OutsideError
        When the disk refuses.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise InputError(
            f"`{path.name}` says no form, wanted a name that ends in {', '.join(WRITERS)}",
            hint="Call it catalogue.csv, catalogue.parquet or catalogue.jsonld.",
        )
    counted = _Counted(batches)
    with reaching(f"writing `{path}`"):
        write_whole(path, lambda file: write(file, counted))
    return counted.rows


class _Counted:
    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def _csv(file: BinaryIO, batches: Batches) -> None:
    with pc.CSVWriter(file, HELD) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _parquet(file: BinaryIO, batches: Batches) -> None:
    with pq.ParquetWriter(file, HELD, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _jsonld(file: BinaryIO, batches: Batches) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
    text.write(f'{{"@context": "{CONTEXT}", "@graph": [')
    lead = "\n"
    for batch in batches:
        for row in batch.to_pylist():
            text.write(lead + json.dumps(linked(row), ensure_ascii=False))
            lead = ",\n"
    text.write("\n]}\n")
    # Whoever opened the file closes it.
    text.detach()


WRITERS: Final[dict[str, Callable[[BinaryIO, Batches], None]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonld": _jsonld,
    ".json": _jsonld,
}
"""What writes each form, by the ending of a name."""
