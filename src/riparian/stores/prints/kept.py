"""How do prints come to be kept, found, merged and deleted?

See :mod:`riparian.stores.prints` for what is where, and what an interruption leaves.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError, LifecycleError, RiparianError
from riparian.ports.prints import Known, Printed, Prints, SoundFile
from riparian.prints.clusters import joined
from riparian.prints.keys import PrintKey
from riparian.prints.null import Draws
from riparian.prints.shard import K_MAX, K_MIN
from riparian.prints.sketch import sketch
from riparian.stores.alone import locked_alone
from riparian.stores.files import reaching
from riparian.stores.prints.blobs import SEGMENT_BYTES, Blobs, FolderBlobs, MemoryBlobs
from riparian.stores.prints.held import SqlHeld, drawn, read_peaks
from riparian.stores.prints.keys import print_key
from riparian.stores.prints.ledger import Ledger
from riparian.stores.prints.shards import Shards

LOCK: Final = "prints.lock"
K_USUAL: Final = 256
_ASKED_OF: Final = 200
"""Prints that are looked for by their own sketches when everything is checked."""
_COLUMNS: Final = (
    "number, state, recording, path, stamp, digest, packets, seconds, segment, at, bytes, cluster, related, sketch"
)
_MARKS: Final = ", ".join("?" * 14)


class SqlPrints:
    """``ports.Prints``: in a folder, or in memory.

    Parameters
    ----------
    folder
        ``prints`` in a workspace; None for memory.
    k
        How many values a sketch of ordinary length has; None for whatever the index has.
    random
        Gives as many random bytes as it is asked for.

    Raises
    ------
    InputError
        When the index has sketches of another size, or was made by another version.
    CustodyError
        When its key is missing, or another one.
    """

    def __init__(
        self, folder: Path | None, k: int | None = None, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._folder = folder
        with reaching("opening the prints"):
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.blobs: Blobs = MemoryBlobs() if folder is None else FolderBlobs(folder)
            self.ledger = Ledger(folder)
        try:
            self.key: PrintKey = print_key(folder, self.ledger, random)
            self.k: int = self._size(k)
            self.shards = Shards(self.ledger, self.blobs, self.key)
        except BaseException:
            self.ledger.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        self.ledger.close()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """See ``ports.Prints``."""
        if self._folder is None:
            yield
            return
        busy = LifecycleError(
            "somebody else changes the prints of this workspace, wanted nobody",
            hint="Wait until it is done, then try again.",
        )
        with locked_alone(self._folder / LOCK, "locking the prints", busy):
            yield

    def at(self, name: str) -> Known | None:
        """See ``ports.Prints``."""
        found = self.ledger.known("path = ? AND state < 2", name)
        return found[-1] if found else None

    def refused(self, name: str) -> tuple[str, str] | None:
        """See ``ports.Prints``."""
        found = self.ledger.rows("SELECT stamp, why FROM refused WHERE path = ?", name)
        return found[0] if found else None

    def same(self, digest: str) -> list[Known]:
        """See ``ports.Prints``."""
        return self.ledger.known("digest = ? AND state < 2", digest)

    def keep(self, *prints: Printed) -> None:
        """See ``ports.Prints``."""
        if not prints:
            return
        segment, at = self._end(sum(len(one.packed) for one in prints))
        with reaching("keeping peaks"):
            self.blobs.append(segment, at, [one.packed for one in prints])
        with self.ledger.transaction():
            number = self._next()
            for one in prints:
                known = Known(number, one.recording, one.file, one.digest, one.packets, one.seconds)
                self._insert(known, (segment, at, len(one.packed)), one.sketch)
                self.ledger.run("DELETE FROM refused WHERE path = ?", one.file.name)
                number, at = number + 1, at + len(one.packed)

    def moved(self, known: Known, file: SoundFile) -> None:
        """See ``ports.Prints``."""
        self.ledger.run("UPDATE print SET path = ?, stamp = ? WHERE number = ?", file.name, file.stamp, known.number)

    def again(self, known: Known, file: SoundFile, recording: str) -> None:
        """See ``ports.Prints``."""
        with self.ledger.transaction():
            place = self._place(known.number)
            values = sketch(read_peaks(self.blobs, *place), self.key, self.k)
            self._insert(replace(known, number=self._next(), recording=recording, file=file), place, values)

    def refuse(self, file: SoundFile, why: str) -> None:
        """See ``ports.Prints``."""
        self.ledger.run("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", file.name, file.stamp, why)

    def publish(self) -> int:
        """See ``ports.Prints``."""
        n = self.ledger.one("SELECT count(*) FROM print WHERE state = 0")
        if not n:
            return 0
        waiting = self.ledger.each("SELECT number, sketch FROM print WHERE state = 0 ORDER BY number")
        made = self.shards.write(((n, np.frombuffer(octets, np.uint64)) for n, octets in waiting), self.k)
        with self.ledger.transaction():
            self.ledger.many("INSERT INTO shard VALUES (?, ?)", made)
            # A file that is heard anew is no longer what it was.
            self._forget(
                "state = 1 AND path IN (SELECT path FROM print WHERE state = 0)"
                " OR state = 0 AND number NOT IN (SELECT max(number) FROM print WHERE state = 0 GROUP BY path)"
            )
            self.ledger.run("UPDATE print SET state = 1, sketch = NULL WHERE state = 0")
            self.ledger.changed()
        self.shards.tidy()
        return int(n)

    def held(self) -> SqlHeld:
        """See ``ports.Prints``."""
        return SqlHeld(self.ledger, self.blobs, self.key)

    def unrelated(self) -> NDArray[np.int64]:
        """See ``ports.Prints``."""
        rows = self.ledger.rows("SELECT number FROM print WHERE related = 0 AND state = 1 ORDER BY number")
        return np.array([number for (number,) in rows], np.int64)

    def relate(self, done: Sequence[int], pairs: Iterable[tuple[int, int]]) -> None:
        """See ``ports.Prints``."""
        with self.ledger.transaction():
            labels = np.arange(self._next(), dtype=np.int64)
            for number, cluster in self.ledger.rows("SELECT number, cluster FROM print WHERE cluster <> number"):
                labels[number] = cluster
            fresh = joined(labels, pairs)
            changed = np.flatnonzero(fresh != labels).tolist()
            self.ledger.many("UPDATE print SET cluster = ? WHERE number = ?", ((int(fresh[n]), n) for n in changed))
            self.ledger.many("UPDATE print SET related = 1 WHERE number = ?", ((int(number),) for number in done))
            self.ledger.changed()

    def draws(self) -> Draws:
        """See ``ports.Prints``."""
        return drawn(self.ledger)

    def forget_draws(self) -> None:
        """See ``ports.Prints``."""
        with self.ledger.transaction():
            self.ledger.run("DELETE FROM draw")
            self.ledger.set("drawn", 0)
            self.ledger.changed()

    def keep_draws(self, rows: Iterable[tuple[int, float, float, int, float, float]]) -> None:
        """See ``ports.Prints``."""
        with self.ledger.transaction():
            self.ledger.many("INSERT OR REPLACE INTO draw VALUES (?, ?, ?, ?, ?, ?)", rows)
            if not self.ledger.setting("drawn"):
                self.ledger.set("drawn", self.ledger.one("SELECT count(*) FROM print WHERE state = 1"))
            self.ledger.changed()

    def delete(self, recordings: Iterable[str]) -> int:
        """See ``ports.Prints``."""
        places: list[tuple[int, int, int]] = []
        n = 0
        with self.ledger.transaction():
            for recording in recordings:
                where = "recording = ? AND state < 2"
                places += self.ledger.rows(f"SELECT segment, at, bytes FROM print WHERE {where}", recording)  # noqa: S608
                n += self._forget(where, recording)
            self.ledger.changed()
        with reaching("deleting peaks"):
            for place in dict.fromkeys(places):
                # The same file may be kept as another recording, too.
                if not self.ledger.rows("SELECT 1 FROM print WHERE segment = ? AND at = ? AND bytes = ?", *place):
                    self.blobs.wipe(*place)
        return n

    def merge(self, other: Prints) -> int:
        """See ``ports.Prints``.

        Raises
        ------
        InputError
            When the other index has another key, or sketches of another size.
        """
        assert isinstance(other, SqlPrints)  # noqa: S101 -- there is no other kind
        if other.key.check != self.key.check:
            raise InputError(
                "the other index was made under another key, wanted the same",
                hint="Copy prints/key.json into the other workspace before anything is added there.",
            )
        if other.k != self.k:
            raise InputError(
                f"the other index keeps {4 * other.k} bytes a recording, wanted {4 * self.k}",
                hint=f"Run `riparian prints resize {4 * self.k}` on it.",
            )
        by, moved = self._next(), self._taken_over(other)
        made = self.shards.take(other.shards.open(), by)
        before = {(known.digest, known.recording) for known in self.ledger.known("state < 2")}
        rows = other.ledger.rows(f"SELECT {_COLUMNS} FROM print WHERE state > 0 ORDER BY number")  # noqa: S608
        draws = other.ledger.rows("SELECT * FROM draw")
        with self.ledger.transaction():
            for row in rows:
                self.ledger.run(f"INSERT INTO print VALUES ({_MARKS})", *_renumbered(row, by, moved, before))  # noqa: S608
            self.ledger.many("INSERT INTO shard VALUES (?, ?)", made)
            self.ledger.many("INSERT INTO draw VALUES (?, ?, ?, ?, ?, ?)", ((n + by, *rest) for n, *rest in draws))
            new = self.ledger.one("SELECT count(*) FROM print WHERE number >= ? AND state = 1", by)
            self.ledger.changed()
        self.shards.tidy()
        return int(new)

    def resize(self, k: int) -> None:
        """See ``ports.Prints``."""
        _require_size(k)
        numbers = [n for (n,) in self.ledger.rows("SELECT number FROM print WHERE state < 2 ORDER BY number")]
        waiting = {n for (n,) in self.ledger.rows("SELECT number FROM print WHERE state = 0")}
        again: dict[int, bytes] = {}

        def sketches() -> Iterator[tuple[int, NDArray[np.uint64]]]:
            for number in numbers:
                values = sketch(read_peaks(self.blobs, *self._place(number)), self.key, k)
                if number in waiting:
                    again[number] = values.tobytes()
                else:
                    yield number, values

        made = self.shards.write(sketches(), k)
        with self.ledger.transaction():
            self.ledger.run("DELETE FROM shard")
            self.ledger.many("INSERT INTO shard VALUES (?, ?)", made)
            self.ledger.many("UPDATE print SET sketch = ? WHERE number = ?", ((s, n) for n, s in again.items()))
            # What mistakes look like depends on how candidates are found.
            self.ledger.run("DELETE FROM draw")
            self.ledger.set("drawn", 0)
            self.ledger.set("k", k)
            self.ledger.changed()
        self.k = k
        self.shards.tidy()

    def verify(self) -> Iterator[str]:
        """See ``ports.Prints``."""
        where = "state < 2 ORDER BY number"
        rows = self.ledger.rows(f"SELECT number, recording, segment, at, bytes FROM print WHERE {where}")  # noqa: S608
        wrong: set[int] = set()
        for number, recording, *place in rows:
            try:
                read_peaks(self.blobs, *place)
            except RiparianError as error:
                wrong.add(number)
                yield f"the peaks of `{recording}`: {error.message}"
        try:
            for shard in self.shards.open():
                shard.verify()
            held = self.held()
        except RiparianError as error:
            yield f"the index: {error.message}"
            return
        numbers = held.numbers()
        for number in numbers[:: max(1, numbers.size // _ASKED_OF)].tolist():
            if number not in wrong:
                yield from self._missed(held, number)

    def totals(self) -> dict[str, Any]:
        """See ``ports.Prints``."""
        names = "count(*), count(DISTINCT recording), count(DISTINCT cluster), coalesce(sum(seconds), 0)"
        prints, recordings, clusters, seconds = self.ledger.rows(f"SELECT {names} FROM print WHERE state = 1")[0]  # noqa: S608
        (peaks,) = self.ledger.rows("SELECT coalesce(sum(bytes), 0) FROM print WHERE state < 2")[0]
        return {
            "prints": prints,
            "recordings": recordings,
            "clusters": clusters,
            "seconds": seconds,
            "waiting": self.ledger.one("SELECT count(*) FROM print WHERE state = 0"),
            "refused": self.ledger.one("SELECT count(*) FROM refused"),
            "drawn": self.ledger.one("SELECT count(DISTINCT number) FROM draw"),
            "drawn_among": self.ledger.setting("drawn") or 0,
            "bytes_per_recording": 4 * self.k,
            "peaks_bytes": peaks,
            "index_bytes": sum(shard.octets.size for shard in self.shards.open()),
            "state": self.ledger.setting("state"),
        }

    def _size(self, k: int | None) -> int:
        had = self.ledger.setting("k")
        if had is None:
            had = _require_size(k or K_USUAL)
            self.ledger.set("k", had)
        elif k is not None and k != had:
            raise InputError(
                f"the index keeps {4 * had} bytes a recording, and {4 * k} are asked for, wanted as many",
                hint=f"Leave out --bytes-per-recording, or run `riparian prints resize {4 * k}`.",
            )
        return int(had)

    def _next(self) -> int:
        return int(self.ledger.one("SELECT coalesce(max(number) + 1, 0) FROM print"))

    def _place(self, number: int) -> tuple[int, int, int]:
        found: tuple[int, int, int] = self.ledger.rows("SELECT segment, at, bytes FROM print WHERE number = ?", number)[
            0
        ]
        return found

    def _end(self, wanted: int) -> tuple[int, int]:
        """Say where the next peaks go: behind the last ones, or into a new segment."""
        last = self.ledger.rows(
            "SELECT segment, max(at + bytes) FROM print GROUP BY segment ORDER BY segment DESC LIMIT 1"
        )
        segment, at = last[0] if last else (0, 0)
        return (segment + 1, 0) if at and at + wanted > SEGMENT_BYTES else (segment, at)

    def _insert(self, known: Known, place: tuple[int, int, int], values: NDArray[np.uint64]) -> None:
        about = known.recording, known.file.name, known.file.stamp, known.digest, known.packets, known.seconds
        row = (known.number, 0, *about, *place, known.number, 0, values.tobytes())
        self.ledger.run(f"INSERT INTO print ({_COLUMNS}) VALUES ({_MARKS})", *row)  # noqa: S608

    def _forget(self, where: str, *values: Any) -> int:
        """Leave of prints nothing but their numbers."""
        self.ledger.run(f"DELETE FROM draw WHERE number IN (SELECT number FROM print WHERE {where})", *values)  # noqa: S608
        empty = "state = 2, recording = '', path = '', stamp = '', digest = '', packets = x'', sketch = NULL"
        end = "segment = 0, at = 0, bytes = 0, seconds = 0"
        return self.ledger.run(f"UPDATE print SET {empty}, {end} WHERE {where}", *values)  # noqa: S608

    def _taken_over(self, other: "SqlPrints") -> dict[int, tuple[int, int]]:
        """Copy the peaks of another index behind ours; say where each of its segments went."""
        places: dict[int, tuple[int, int]] = {}
        segment, _ = self._end(SEGMENT_BYTES)
        ends = other.ledger.rows("SELECT segment, max(at + bytes) FROM print WHERE state = 1 GROUP BY segment")
        for theirs, end in ends:
            with reaching("copying peaks"):
                self.blobs.append(segment, 0, [other.blobs.read(theirs, 0, end)])
            places[theirs] = segment, 0
            segment += 1
        return places

    def _missed(self, held: SqlHeld, number: int) -> Iterator[str]:
        peaks = held.peaks(number)
        if not sketch(peaks, self.key, self.k).size:
            return
        found = held.candidates(peaks, 64).recording.tolist()
        if number not in found and not {held.cluster(one) for one in found} & {held.cluster(number)}:
            yield f"the print of `{held.known(number).recording}` is not found by its own sketch"


def _require_size(k: int) -> int:
    if not K_MIN <= k <= K_MAX:
        raise InputError(
            f"{4 * k} bytes are asked for a recording, wanted {4 * K_MIN} to {4 * K_MAX}",
            hint="Take 256, 1024 or 4096: the more, the shorter clips are found.",
        )
    return k


def _renumbered(
    row: tuple[Any, ...], by: int, moved: dict[int, tuple[int, int]], before: set[tuple[str, str]]
) -> tuple[Any, ...]:
    """Give a row of another index its place in ours; one that is here already is gone from the beginning."""
    number, state, recording, path, stamp, digest, packets, seconds, segment, at, n, cluster, related, values = row
    if state == 2 or (digest, recording) in before:
        return (number + by, 2, "", "", "", "", b"", 0.0, 0, 0, 0, number + by, 1, None)
    # It was compared with the others there, and not with ours.
    del related
    return (
        number + by, 1, recording, path, stamp, digest, packets, seconds,
        moved[segment][0], at, n, cluster + by, 0, values,
    )  # fmt: skip
