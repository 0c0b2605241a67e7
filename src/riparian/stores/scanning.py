"""How does a scan become visible all at once, in a folder?

The order is always: files first, whole and on disk; then the transaction that refers to them; then the removal of
what it no longer refers to.  See :mod:`riparian.stores.workspace` for what is left when that is cut short.
"""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.errors import LifecycleError
from riparian.gate.holds import DECIDING, steps
from riparian.ports import SHARED, Arrays, Chunk, Clock, Offsets, Reached, Reject
from riparian.stores.arrange import arranged, plain
from riparian.stores.drawers import read_table, write_drawer
from riparian.stores.files import reaching, synchronise
from riparian.stores.folder import Folder
from riparian.stores.kept import joined
from riparian.stores.offsets import goes_on, moved_on
from riparian.stores.staged import Staged, read_bucket, write_staged

_REJECTED = "rejects"
_LOG = "reached "
_DRAFTED = "INSERT INTO draft VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET file = excluded.file"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class FolderStaging:
    """``ports.Staging`` in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._records = folder.records

    def known(self, digest: bytes) -> bool:
        """See ``ports.Staging``."""
        with reaching("looking a chunk up"):
            return bool(self._records.rows("SELECT 1 FROM chunk WHERE digest = ?", digest))

    def add(self, chunk: Chunk) -> bool:
        """See ``ports.Staging``."""
        self._folder.require_lock()
        offsets: Offsets | None = getattr(chunk, "offsets", None)
        if self.known(chunk.digest) or (offsets is not None and not goes_on(self.reached(offsets.log), offsets)):
            return False
        with reaching("staging a chunk"):
            name = self._folder.new("staged", chunk.digest[:8].hex(), "arrow")
            staged = write_staged(self._folder.path / name, arranged(plain(chunk.accesses)))
            rejected = self._append_rejects(chunk)
            with self._records.transaction():
                self._records.run(
                    "INSERT INTO chunk (digest, source, lines, rows, rejected, file, begins, offsets)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    chunk.digest,
                    chunk.source.encode("utf-8", "backslashreplace").decode(),
                    chunk.n_lines,
                    chunk.accesses.num_rows,
                    len(chunk.rejects),
                    name,
                    json.dumps(staged.begins),
                    staged.offsets.tobytes(),
                )
                self._folder.names.keep(*chunk.ids)
                if rejected is not None:
                    self._records.keep_note(_REJECTED, str(rejected).encode())
                if offsets is not None:
                    reached = moved_on(self.reached(offsets.log), offsets)
                    self._records.keep_note(_LOG + offsets.log, json.dumps(asdict(reached)).encode())
        return True

    def reached(self, log: str) -> Reached | None:
        """See ``ports.Staging``."""
        with reaching("looking up how far a log was read"):
            said = self._records.note(_LOG + log)
        return None if said is None else Reached(**json.loads(said))

    def waiting(self) -> int:
        """See ``ports.Staging``."""
        with reaching("counting rows"):
            return self._records.number("SELECT sum(rows) FROM chunk WHERE file IS NOT NULL")

    def rejected(self) -> int:
        """See ``ports.Staging``."""
        with reaching("counting rejects"):
            return self._records.number("SELECT sum(rejected) FROM chunk")

    def _append_rejects(self, chunk: Chunk) -> int | None:
        if not chunk.rejects:
            return None
        handle = os.open(self._folder.path / "rejects" / "rejects.tsv", os.O_CREAT | os.O_RDWR, 0o600)
        with os.fdopen(handle, "r+b") as file:
            # What a killed scan wrote beyond the length last noted is not there.
            file.truncate(min(int(self._records.note(_REJECTED) or b"0"), file.seek(0, os.SEEK_END)))
            end = file.seek(0, os.SEEK_END)
            head = "source\tline\treason\ttext\n" if end == 0 else ""
            file.write((head + "".join(map(_reject_line, chunk.rejects))).encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(handle)
            return file.tell()


def _reject_line(reject: Reject) -> str:
    source, reason, text = (value.translate(_ESCAPES) for value in (reject.source, reject.reason, reject.text))
    return f"{source}\t{reject.line}\t{reason}\t{text}\n"


class FolderScans:
    """``ports.Scans`` in a folder."""

    def __init__(self, folder: Folder, clock: Clock) -> None:
        self._folder = folder
        self._records = folder.records
        self._clock = clock

    def alone(self) -> AbstractContextManager[None]:
        """See ``ports.Scans``."""
        return self._folder.alone()

    def begin(self, context: bytes) -> "FolderScan":
        """See ``ports.Scans``."""
        self._folder.require_lock()
        with reaching("beginning a scan"):
            resumed = self._unfinished(context)
            generation = resumed if resumed is not None else self._new(context)
            return FolderScan(self._folder, generation, resumed=resumed is not None)

    def _unfinished(self, context: bytes) -> int | None:
        # A draft holds for the chunks it was made of, and for no more than those.
        found = self._records.rows("SELECT generation FROM scan WHERE summary IS NULL AND context = ?", context)
        fresh = self._records.number("SELECT count(*) FROM chunk WHERE file IS NOT NULL AND generation IS NULL")
        return int(found[0][0]) if found and not fresh else None

    def _new(self, context: bytes) -> int:
        with self._records.transaction():
            generation = 1 + self._records.number("SELECT max(generation) FROM scan")
            self._records.forget_drafts()
            self._records.run(
                "INSERT INTO scan (generation, context, begun_us, last_event)"
                " VALUES (?, ?, ?, (SELECT coalesce(max(id), 0) FROM event))",
                generation,
                context,
                self._clock.now_us(),
            )
            self._records.run("UPDATE chunk SET generation = ? WHERE file IS NOT NULL", generation)
        self._folder.sweep()
        return generation

    def summaries(self) -> list[dict[str, Any]]:
        """See ``ports.Scans``."""
        with reaching("reading summaries"):
            rows = self._records.rows(
                "SELECT generation, begun_us, summary FROM scan WHERE summary IS NOT NULL ORDER BY generation"
            )
        return [{**json.loads(summary), "generation": g, "begun_us": us} for g, us, summary in rows]


class FolderScan:
    """``ports.Scan`` in a folder."""

    def __init__(self, folder: Folder, generation: int, *, resumed: bool) -> None:
        self._folder = folder
        self._records = folder.records
        self.generation = generation
        self.resumed = resumed
        self.begun_us = self._records.number("SELECT begun_us FROM scan WHERE generation = ?", generation)
        self._chunks = [
            Staged(folder.path / file, json.loads(begins), np.frombuffer(offsets, np.int64))
            for file, begins, offsets in self._records.rows(
                "SELECT file, begins, offsets FROM chunk WHERE file IS NOT NULL AND generation = ? ORDER BY seq",
                generation,
            )
        ]
        self._saved = {bucket for (bucket,) in self._records.rows("SELECT bucket FROM draft")}

    def columns(self, bucket: int, *names: str) -> Arrays:
        """See ``ports.Scan``."""
        with reaching("reading staged rows"):
            return read_bucket(self._chunks, bucket, *names)

    def saved(self, bucket: int) -> bool:
        """See ``ports.Scan``."""
        return bucket in self._saved

    def save(self, bucket: int, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> None:
        """See ``ports.Scan``."""
        self._require_open()
        with reaching("saving a bucket"):
            file = self._folder.new("drawers", f"{bucket:02d}-{self.generation}", "drawer")
            write_drawer(self._folder.path / file, arrays, tables)
            with self._records.transaction():
                self._records.run(_DRAFTED, bucket, file)
        self._saved.add(bucket)

    def adopt(self, bucket: int, drawer: Path) -> None:
        """Save a bucket that somebody else has written as a drawer, by moving it here."""
        self._require_open()
        with reaching("saving a bucket"):
            file = self._folder.new("drawers", f"{bucket:02d}-{self.generation}", "drawer")
            drawer.rename(self._folder.path / file)
            synchronise(self._folder.path / "drawers")
            with self._records.transaction():
                self._records.run(_DRAFTED, bucket, file)
        self._saved.add(bucket)

    def table(self, name: str) -> pa.Table | None:
        """See ``ports.Scan``."""
        return joined([self._in_bucket(name, bucket) for bucket in (*range(BUCKETS), SHARED)])

    def _in_bucket(self, name: str, bucket: int) -> pa.Table | None:
        place = self._folder.drafted if bucket in self._saved else self._folder.visible
        return place(bucket, lambda path: read_table(path, name))

    def commit(self, decisions: pa.Table, summary: Mapping[str, Any]) -> None:
        """See ``ports.Scan``."""
        told = json.dumps(dict(summary), allow_nan=False)
        self._require_open()
        self._require_saved()
        with reaching("committing a scan"):
            with self._records.transaction():
                self._flip()
                self._decide(decisions)
                self._records.run("UPDATE scan SET summary = ? WHERE generation = ?", told, self.generation)
            self._folder.sweep()

    def _flip(self) -> None:
        run = self._records.run
        # A bucket saved anew replaces all that was kept of it: a table no longer made does not linger.
        run("DELETE FROM kept WHERE bucket IN (SELECT bucket FROM draft)")
        run("INSERT INTO kept SELECT bucket, file FROM draft")
        run("DELETE FROM draft")
        run(
            "UPDATE chunk SET file = NULL, begins = NULL, offsets = NULL WHERE generation = ? AND file IS NOT NULL",
            self.generation,
        )

    def _decide(self, decisions: pa.Table) -> None:
        before = self._records.decisions()
        after = unless_changed(before, decisions, self._changed_by_people())
        self._records.run("DELETE FROM decision")
        self._records.put_decisions(after)
        self._records.put_events(steps(before, after, self.begun_us))

    def _changed_by_people(self) -> set[int]:
        begun = "WHERE id > (SELECT last_event FROM scan WHERE generation = ?)"
        return {e.account for e in self._records.events(begun, self.generation) if e.step in DECIDING}

    def _require_open(self) -> None:
        self._folder.require_lock()
        open_ = "SELECT count(*) FROM scan WHERE generation = ? AND summary IS NULL"
        if not self._records.number(open_, self.generation):
            raise LifecycleError("the scan is over, wanted one in the making", hint="Begin another scan.")

    def _require_saved(self) -> None:
        for bucket in set(range(BUCKETS)) - self._saved:
            rows = sum(int(chunk.offsets[bucket + 1] - chunk.offsets[bucket]) for chunk in self._chunks)
            if rows:
                raise LifecycleError(
                    f"bucket {bucket} has {rows} rows and was not saved, wanted every such bucket saved"
                )


def unless_changed(before: pa.Table, after: pa.Table, accounts: set[int]) -> pa.Table:
    """Take new decisions, but for accounts whose decision a person has changed since."""
    theirs = pa.array(sorted(accounts), pa.uint64())
    old = before.filter(pc.is_in(before["account"], theirs))
    new = after.filter(pc.invert(pc.is_in(after["account"], theirs)))
    return pa.concat_tables([new, old]).sort_by("account")
