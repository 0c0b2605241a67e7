"""Where is a list kept that was found, between being read and being told?

::

    dumps/NAME/part-00000.parquet       rows as they were read
    dumps/NAME/rejects.tsv              what could not be read
    dumps/NAME/read.json                written last: what was read, of which files
    dumps/NAME/STATE/found-00000.parquet   which row is which recording, in one state of the catalogue
    dumps/NAME/STATE/told.json          what was learnt, and what was told
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from riparian.errors import InputError
from riparian.ports.catalogue import Holdings
from riparian.ports.world import Reject
from riparian.stores.files import reaching, read_table, write_table, write_whole

_PRIVATE: Final = 0o700
_REJECTS_BYTES_MAX: Final = 64 << 20


def open_shelf(workspace: Path, name: str) -> "FolderShelf":
    """Give the shelf of a list."""
    return FolderShelf(workspace / "dumps" / name)


def need_recordings(workspace: Path, held: Holdings) -> None:
    """Refuse to compare with nothing.

    Raises
    ------
    InputError
        When there is no catalogue.
    """
    if not any(batch.num_rows for batch in held.whole(["recording"])):
        raise InputError(
            f"`{workspace}` has no catalogue, wanted the recordings that you hold",
            hint="Add them with `riparian catalogue add FILE`.",
        )


class FolderShelf:
    """``ports.dumps.Shelf`` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def rejects(self) -> Path:
        """The file of what could not be read; there once there is any."""
        return self._folder / "rejects.tsv"

    def read(self) -> Mapping[str, Any] | None:
        """See ``ports.dumps.Shelf``."""
        return _json(self._folder / "read.json")

    def clear(self) -> None:
        """See ``ports.dumps.Shelf``."""
        with reaching("clearing what was kept of a list"):
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._folder.mkdir(mode=_PRIVATE, parents=True)

    def keep_part(self, number: int, rows: pa.Table) -> None:
        """See ``ports.dumps.Shelf``."""
        with reaching("keeping rows of a list"):
            write_table(self._folder / f"part-{number:05d}.parquet", rows)

    def keep_rejects(self, rejects: Sequence[Reject]) -> None:
        """See ``ports.dumps.Shelf``; what is more than 64 MiB is not kept."""
        if not rejects or (self.rejects.exists() and self.rejects.stat().st_size > _REJECTS_BYTES_MAX):
            return
        lines = "".join(f"{_cell(r.source)}\t{r.line}\t{_cell(r.reason)}\t{_cell(r.text)}\n" for r in rejects)
        with reaching("keeping what could not be read"), self.rejects.open("a", encoding="utf-8") as file:
            file.write(lines)

    def keep_read(self, said: Mapping[str, Any]) -> None:
        """See ``ports.dumps.Shelf``."""
        _keep(self._folder / "read.json", said)

    def part(self, number: int) -> pa.Table:
        """See ``ports.dumps.Shelf``."""
        with reaching("reading rows of a list"):
            return read_table(self._folder / f"part-{number:05d}.parquet")

    def matched(self, number: int, state: str) -> pa.Table | None:
        """See ``ports.dumps.Shelf``."""
        path = self._folder / state / f"found-{number:05d}.parquet"
        with reaching("reading what was found of a list"):
            return read_table(path) if path.exists() else None

    def keep_matched(self, number: int, state: str, found: pa.Table) -> None:
        """See ``ports.dumps.Shelf``."""
        with reaching("keeping what was found of a list"):
            (self._folder / state).mkdir(mode=_PRIVATE, exist_ok=True)
            write_table(self._folder / state / f"found-{number:05d}.parquet", found)

    def keep_told(self, state: str, told: Mapping[str, Any]) -> None:
        """See ``ports.dumps.Shelf``."""
        with reaching("keeping what was told of a list"):
            (self._folder / state).mkdir(mode=_PRIVATE, exist_ok=True)
        _keep(self._folder / state / "told.json", told)

    def told(self, state: str) -> Mapping[str, Any] | None:
        """See ``ports.dumps.Shelf``."""
        return _json(self._folder / state / "told.json")


def write_rows(path: Path, tables: Iterator[pa.Table]) -> int:
    """Write tables, one behind the other, as Parquet, CSV or JSON lines, as the name of the file ends; gives the rows.

    Raises
    ------
    InputError
        When the name ends otherwise.
    OutsideError
        When the disk refuses.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise InputError(
            f"`--rows {path}` ends in none of {', '.join(_WRITERS)}, wanted a table of rows",
            hint="Name a file, as in rows.parquet.",
        )
    with reaching(f"writing `{path}`"):
        path.parent.mkdir(parents=True, exist_ok=True)
        counted = [0]
        write_whole(path, lambda file: write(file, _counting(tables, counted)))
    return counted[0]


def _counting(tables: Iterator[pa.Table], counted: list[int]) -> Iterator[pa.Table]:
    for table in tables:
        counted[0] += table.num_rows
        yield table


def _parquet(file: BinaryIO, tables: Iterator[pa.Table]) -> None:
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


def _csv(file: BinaryIO, tables: Iterator[pa.Table]) -> None:
    for place, table in enumerate(tables):
        pl.DataFrame(table).write_csv(file, include_header=not place)


def _ndjson(file: BinaryIO, tables: Iterator[pa.Table]) -> None:
    for table in tables:
        pl.DataFrame(table).write_ndjson(file)


_WRITERS: Final[Mapping[str, Callable[[BinaryIO, Iterator[pa.Table]], None]]] = MappingProxyType(
    {".parquet": _parquet, ".csv": _csv, ".jsonl": _ndjson}
)


def _cell(text: str) -> str:
    return " ".join(text.split())


def _keep(path: Path, said: Mapping[str, Any]) -> None:
    octets = json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    with reaching("keeping what is known of a list"):
        write_whole(path, lambda file: file.write(octets))


def _json(path: Path) -> Mapping[str, Any] | None:
    with reaching("reading what is known of a list"):
        if not path.exists():
            return None
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
