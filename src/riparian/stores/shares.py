"""What do several workers lay down for one another in the folder of their workspace?

::

    partitions/<log>/<begin>-<end>.chunk    what was read of one partition between two offsets
    partitions/<topic>.sample               lines from which the layout of a topic is learnt; the first one stays
    shares/<offer>/offer.drawer             a scan in the making, and when it is
    shares/<offer>/<bucket>.drawer          what a bucket of it came to

Each file is there whole or not at all, and says the same whoever wrote it; none of them decides anything.  What counts
is what the scan takes from here into the workspace, in transactions of its own.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.errors import OutsideError
from riparian.ports import Arrays, Chunk, Offsets, Scan
from riparian.ports.partitioned import Offer
from riparian.stores.drawers import read_arrays, read_table, write_drawer
from riparian.stores.files import UNFINISHED, reaching, write_whole
from riparian.stores.folder import Folder
from riparian.stores.scanning import FolderScan

_PRIVATE: Final = 0o700
_OLD_S: Final = 600.0
_OFFER: Final = "offer.drawer"
_REJECTS: Final = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("reason", pa.string()),
        ("text", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Line:
    source: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A chunk, read back."""

    digest: bytes
    source: str
    n_lines: int
    accesses: pa.Table
    ids: tuple[NDArray[np.uint64], list[str]]
    rejects: list[_Line]
    offsets: Offsets
    n_rejected: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class FolderShares:
    """``ports.partitioned.Shares`` in a folder that all workers reach.

    Parameters
    ----------
    folder
        The workspace, opened.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._given: set[tuple[str, int]] = set()
        self._partitions, self._shares = folder.path / "partitions", folder.path / "shares"
        with reaching("making room for what workers share"):
            for each in (self._partitions, self._shares):
                each.mkdir(mode=_PRIVATE, exist_ok=True)

    def learnt(self, topic: str, sample: bytes = b"") -> bytes:
        """Give the sample of a topic; the one that is offered, where there was none."""
        file = self._partitions / f"{_safe(topic)}.sample"
        with reaching("keeping the sample of a topic"):
            if sample and not file.exists():
                mine = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
                write_whole(mine, lambda out: out.write(sample))
                # A link, unlike a rename, does not replace what somebody else was first with.
                with contextlib.suppress(FileExistsError):
                    os.link(mine, file)
                mine.unlink()
            return file.read_bytes() if file.exists() else b""

    def keep(self, chunk: Chunk) -> None:
        """See ``ports.partitioned.Shares``."""
        offsets: Offsets = chunk.offsets  # type: ignore[attr-defined]
        rejects = [[getattr(each, name) for each in chunk.rejects] for name in _REJECTS.names]
        dropped = getattr(chunk, "dropped", {})
        numbers = [offsets.begin, offsets.end, offsets.latest_us, chunk.n_lines, getattr(chunk, "n_rejected", 0)]
        arrays: Arrays = {
            "digest": np.frombuffer(chunk.digest, np.uint8),
            "numbers": np.array(numbers, np.int64),
            "codes": chunk.ids[0],
        }
        texts = [
            [_clean(text) for text in column] if isinstance(column[0], str) else column for column in rejects if column
        ]
        tables = {
            "accesses": chunk.accesses,
            "names": pa.table({"name": pa.array(chunk.ids[1], pa.large_string())}),
            "rejects": pa.table(texts, schema=_REJECTS) if texts else _REJECTS.empty_table(),
            "dropped": pa.table(
                {"why": pa.array([*dropped], pa.string()), "n": pa.array([*dropped.values()], pa.int64())}
            ),
        }
        with reaching("keeping a chunk"):
            folder = self._of(offsets.log)
            folder.mkdir(mode=_PRIVATE, exist_ok=True)
            write_drawer(folder / f"{offsets.begin:020d}-{offsets.end:020d}.chunk", arrays, tables)

    def goes_on(self, log: str, offset: int | None) -> Iterator[Chunk]:
        """See ``ports.partitioned.Shares``."""
        for file in self._chain(log, offset):
            with reaching("reading a chunk"):
                yield _read(file, log)

    def reached(self, log: str, offset: int | None) -> int | None:
        """See ``ports.partitioned.Shares``."""
        chain = self._chain(log, offset)
        return _span(chain[-1])[1] if chain else offset

    def waiting(self, log: str) -> int:
        """See ``ports.partitioned.Shares``."""
        return len(self._files(log))

    def drop(self, log: str, offset: int) -> None:
        """See ``ports.partitioned.Shares``."""
        with reaching("throwing chunks away"):
            for file in self._files(log):
                if _span(file)[0] < offset:
                    file.unlink(missing_ok=True)
            for file in self._of(log).glob(f"*{UNFINISHED}"):
                # Of a worker that was killed; one that is being written is younger.
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - file.stat().st_mtime > _OLD_S:
                        file.unlink()

    def offer(self, generation: int, context: bytes, moment: Arrays) -> str:
        """See ``ports.partitioned.Shares``."""
        for folder in self._shares.iterdir():
            self.end(folder.name)
        name = f"{generation}-{secrets.token_hex(8)}"
        told = {"context": np.frombuffer(context, np.uint8), "generation": np.array([generation])}
        with reaching("offering buckets"):
            (self._shares / name).mkdir(mode=_PRIVATE)
            write_drawer(self._shares / name / _OFFER, {**told, **moment}, {})
        return name

    def offered(self) -> Offer | None:
        """See ``ports.partitioned.Shares``."""
        for folder in sorted(self._shares.iterdir()):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                arrays = read_arrays(folder / _OFFER)
                generation, context = int(arrays.pop("generation")[0]), arrays.pop("context").tobytes()
                return Offer(folder.name, generation, context, arrays)
        return None

    def columns(self, offer: Offer, bucket: int) -> Arrays:
        """See ``ports.partitioned.Shares``."""
        return FolderScan(self._folder, offer.generation, resumed=True).columns(bucket)

    def is_given(self, offer: str, bucket: int) -> bool:
        """See ``ports.partitioned.Shares``."""
        # Who scans may have taken it.
        return (offer, bucket) in self._given or self._counted(offer, bucket).exists()

    def give(self, offer: str, bucket: int, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> bool:
        """See ``ports.partitioned.Shares``."""
        try:
            with reaching("laying down a bucket"):
                write_drawer(self._counted(offer, bucket), arrays, tables)
        except OutsideError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return False
            raise
        self._given = {(name, number) for name, number in self._given if name == offer} | {(offer, bucket)}
        return True

    def take(self, offer: str, bucket: int, made: Scan) -> bool:
        """See ``ports.partitioned.Shares``."""
        file = self._counted(offer, bucket)
        if not isinstance(made, FolderScan) or not file.exists():
            return False
        made.adopt(bucket, file)
        return True

    def end(self, offer: str) -> None:
        """See ``ports.partitioned.Shares``."""
        # Somebody may be laying down a bucket that nobody wants any more.
        shutil.rmtree(self._shares / offer, ignore_errors=True)

    def _of(self, log: str) -> Path:
        return self._partitions / _safe(log)

    def _counted(self, offer: str, bucket: int) -> Path:
        return self._shares / offer / f"{bucket:02d}.drawer"

    def _files(self, log: str) -> list[Path]:
        with reaching("looking for chunks"):
            folder = self._of(log)
            return sorted(folder.glob("*.chunk")) if folder.exists() else []

    def _chain(self, log: str, offset: int | None) -> list[Path]:
        """Choose files that follow one another: of two that begin alike the longer one."""
        longest = {begin: file for file in self._files(log) for begin, _ in (_span(file),)}
        at = min(longest, default=0) if offset is None else offset
        chain: list[Path] = []
        while at in longest:
            chain.append(longest[at])
            at = _span(longest[at])[1]
        return chain


def _span(file: Path) -> tuple[int, int]:
    begin, _, end = file.stem.partition("-")
    return int(begin), int(end)


def _safe(log: str) -> str:
    # A digest beside it: what is safe in a name may make two of them one.
    plain = "".join(char if char.isalnum() or char in "._-" else "_" for char in log)[:100]
    return f"{plain}-{hashlib.sha256(log.encode()).hexdigest()[:8]}"


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _table(file: Path, name: str) -> pa.Table:
    found = read_table(file, name)
    return found if found is not None else pa.table({})


def _read(file: Path, log: str) -> Kept:
    arrays = read_arrays(file)
    accesses, names, rejects, dropped = (_table(file, name) for name in ("accesses", "names", "rejects", "dropped"))
    begin, end, latest_us, n_lines, n_rejected = arrays["numbers"].tolist()
    return Kept(
        digest=arrays["digest"].tobytes(),
        source=log,
        n_lines=n_lines,
        accesses=accesses,
        ids=(arrays["codes"], names["name"].to_pylist()),
        rejects=[_Line(**row) for row in rejects.to_pylist()],
        offsets=Offsets(log, begin, end, latest_us),
        n_rejected=n_rejected,
        dropped={row["why"]: row["n"] for row in dropped.to_pylist()},
    )
