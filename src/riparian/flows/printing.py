"""From files that we hold to an index by which copies of them are found: files -> sound -> peaks -> sketches -> shards.

::

    files --listen--> sound --peaks, sketch--> prints that wait --publish--> visible
                                                                    |
              what mistakes look like <--drawn-- duplicates <--twins+

A file that is as it was is not opened, and one that is only elsewhere is not decoded.  Whoever is interrupted begins
again: prints that wait are not made again, nor are twins looked for again, nor draws drawn.  Files are heard under a
ledger (:mod:`riparian.ports.jobs`), and struck out of it as their prints are kept: a file that a decoder dies of is
tried again, given up, and told, and the others go on.

Drawing
-------
Up to ``DRAWN_MOST`` recordings are looked for among the others, so that the chance of a mistake can be told from
mistakes (:mod:`riparian.prints.null`).  That is done anew when the catalogue has grown by a quarter, and not at all
below ``DRAWS_MIN`` recordings, which could tell nothing.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from riparian.errors import OutsideError
from riparian.flows.extraction import Progress, silent
from riparian.ports.jobs import Ended, Task
from riparian.ports.prints import Enough, Held, Known, Library, Printed, Prints, SoundFile, Sounding
from riparian.prints.clusters import twins
from riparian.prints.keys import VERSION, PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.match import drawn
from riparian.prints.null import DRAWS_MIN, LENGTHS_S
from riparian.prints.packing import pack
from riparian.prints.sketch import sketch

T = TypeVar("T")
DRAWN_MOST: Final = 500
JOB: Final = "prints"
"""What hearing files is called in the ledger of jobs."""
_AT_ONCE: Final = 16
_HEAD_BYTES: Final = 4
_GROWN: Final = 1.25


@dataclass(frozen=True, slots=True)
class Naming:
    """What recordings are called.

    Parameters
    ----------
    recording
        What all files are of; empty where each says that itself.
    by_digest
        Of files whose SHA-256 a catalogue names.
    by_name
        Of files whose path, or its end, a catalogue names.
    """

    recording: str = ""
    by_digest: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)

    def of(self, file: SoundFile, digest: str) -> str:
        """Name what a file is of: as was said, by the catalogue, or by the name of the file without its ending.

        Examples
        --------
        >>> file = SoundFile("/masters/a/b.flac", "")
        >>> Naming().of(file, "d"), Naming(by_name={"a/b.flac": "r-2"}).of(file, "d"), Naming("r-1").of(file, "d")
        ('b', 'r-2', 'r-1')
        """
        if self.recording:
            return self.recording
        path = PurePosixPath(file.name)
        ends = ("/".join(path.parts[-n:]) for n in range(1, len(path.parts) + 1)) if self.by_name else ()
        named = next((self.by_name[end] for end in (file.name, *ends) if end in self.by_name), None)
        return self.by_digest.get(digest) or named or path.stem


@dataclass(slots=True)
class Added:
    """What came of files.

    Parameters
    ----------
    new
        Prints that were made.
    same
        Prints of files that we had under another name, or as another recording; nothing was decoded.
    unchanged
        Files that are as they were.
    passed
        Files of folders that are no sound.
    failed
        Files that say they are sound and cannot be heard, with the reason.
    """

    new: int = 0
    same: int = 0
    unchanged: int = 0
    passed: int = 0
    failed: list[tuple[SoundFile, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A file that was heard, and its print where it has one."""

    sounding: Sounding
    seconds: float = 0.0
    packed: bytes = b""
    sketch: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))


def add(library: Library, files: Sequence[SoundFile], naming: Naming, progress: Progress = silent) -> Added:
    """Make prints of files, and make them visible.

    Parameters
    ----------
    library
        Prints, and whatever reads sound.
    files
        As :attr:`Library.find` lists them.
    naming
        What they are called.
    progress
        Told the stages ``listening``, ``looking for duplicates`` and ``drawing mistakes``.

    Raises
    ------
    LifecycleError
        When somebody else changes the prints.
    """
    with library.prints.alone():
        added = Added()
        todo = [file for file in files if not _is_known(library.prints, file, naming, added)]
        progress("listening", 0, len(todo))
        for n, some in enumerate(batches(_heard(library, todo), _AT_ONCE)):
            _keep(library.prints, [made_of(one.task.item, one.result) for one in some if one.result], naming, added)
            added.failed += [(one.task.item, one.error.message) for one in some if one.error is not None]
            library.jobs.forget(JOB, [one.task.name for one in some])
            progress("listening", min(len(todo), (n + 1) * _AT_ONCE), len(todo))
        library.prints.publish()
        relate(library, progress)
        draw(library, progress)
    return added


def make(
    listen: Callable[[SoundFile, Enough], Sounding], hold: Callable[[], Held], key: PrintKey, k: int, file: SoundFile
) -> Made:
    """Hear a file, unless we have the same, and make its print."""
    held = hold()
    sounding = listen(file, lambda digest, _: held.has(digest))
    if sounding.samples is None:
        return Made(sounding)
    found = peaks(sounding.samples, key)
    return Made(replace(sounding, samples=None), found.seconds, pack(found), sketch(found, key, k))


def _heard(library: Library, files: Sequence[SoundFile]) -> Iterator[Ended[SoundFile]]:
    """Hear files under the ledger; what a machine may do better another time is told, and anything else raised."""
    key, k = library.prints.key, library.prints.k
    of_index = f"{VERSION} {k} {key.word('fingerprint'):016x}"
    tasks = [Task(file.name, f"{of_index} {file.stamp}", file) for file in dict.fromkeys(files)]

    def is_there(file: SoundFile, result: bytes) -> bool:
        made = made_of(file, result)
        sounding = made.sounding
        if made.packed or not sounding.is_sound:
            return True
        # What could not be read may be readable now, and what we had may have been deleted.
        return bool(sounding.digest) if sounding.failed else bool(library.prints.same(sounding.digest))

    do = partial(_make_bytes, library.listen, library.hold, key, k)
    for ended in library.jobs.finish(JOB, do, tasks, is_there):
        if ended.error is not None and not isinstance(ended.error, OutsideError):
            library.jobs.forget(JOB, [ended.task.name])
            raise ended.error
        yield ended


def _make_bytes(
    listen: Callable[[SoundFile, Enough], Sounding], hold: Callable[[], Held], key: PrintKey, k: int, file: SoundFile
) -> bytes:
    return bytes_of(make(listen, hold, key, k, file))


def bytes_of(made: Made) -> bytes:
    """Write down what a print is made of: a head, peaks, a sketch; the same bytes wherever it was made."""
    sounding = made.sounding
    head = json.dumps(
        {
            "digest": sounding.digest,
            "packets": sounding.packets.hex(),
            "failed": sounding.failed,
            "is_sound": sounding.is_sound,
            "seconds": made.seconds,
            "packed": len(made.packed),
        }
    ).encode()
    return len(head).to_bytes(_HEAD_BYTES) + head + made.packed + made.sketch.astype("<u8").tobytes()


def made_of(file: SoundFile, result: bytes) -> Made:
    """Read what :func:`bytes_of` wrote."""
    end = _HEAD_BYTES + int.from_bytes(result[:_HEAD_BYTES])
    said = json.loads(result[_HEAD_BYTES:end])
    middle = end + said["packed"]
    sounding = Sounding(
        file,
        said["digest"],
        bytes.fromhex(said["packets"]),
        failed=said["failed"],
        is_sound=said["is_sound"],
    )
    return Made(sounding, said["seconds"], result[end:middle], np.frombuffer(result[middle:], "<u8").astype(np.uint64))


def relate(library: Library, progress: Progress = silent) -> None:
    """Find the duplicates of prints that were not compared yet."""
    numbers = library.prints.unrelated().tolist()
    progress("looking for duplicates", 0, len(numbers))
    done = 0
    compared = library.jobs.run(partial(_twins, library.hold), numbers)
    for some in batches(zip(numbers, compared, strict=True), _AT_ONCE):
        pairs = [(number, twin) for number, found in some for twin in found]
        library.prints.relate([number for number, _ in some], pairs)
        done += len(some)
        progress("looking for duplicates", done, len(numbers))


def draw(library: Library, progress: Progress = silent) -> None:
    """Look for recordings among the others, to learn what mistakes look like."""
    totals = library.prints.totals()
    if totals["prints"] < DRAWS_MIN:
        return
    if totals["prints"] > _GROWN * totals["drawn_among"]:
        library.prints.forget_draws()
    had = set(library.prints.draws().recording.tolist())
    numbers = library.hold().numbers()
    # Evenly among all, the same ones each time.
    chosen = numbers[:: max(1, numbers.size // DRAWN_MOST)][:DRAWN_MOST].tolist()
    todo = [number for number in chosen if number not in had]
    if len(had) >= min(DRAWN_MOST, len(chosen)):
        return
    progress("drawing mistakes", 0, len(todo))
    done = 0
    for some in batches(library.jobs.run(partial(_drawn, library.hold), todo), _AT_ONCE):
        library.prints.keep_draws(row for rows in some for row in rows)
        done += len(some)
        progress("drawing mistakes", done, len(todo))


def _twins(hold: Callable[[], Held], number: int) -> tuple[int, ...]:
    return twins(number, hold())


def _drawn(hold: Callable[[], Held], number: int) -> list[tuple[int, float, float, int, float, float]]:
    held = hold()
    lasts_s = held.peaks(number).seconds
    return [drawn(number, length, held) for length in LENGTHS_S if math.isinf(length) or lasts_s > length]


def _is_known(prints: Prints, file: SoundFile, naming: Naming, added: Added) -> bool:
    """Say whether nothing is to be done for a file, and count it."""
    known = prints.at(file.name)
    if known is not None and known.file.stamp == file.stamp and naming.of(file, known.digest) == known.recording:
        added.unchanged += 1
        return True
    refused = prints.refused(file.name)
    if refused is not None and refused[0] == file.stamp:
        added.failed.append((file, refused[1]))
        return True
    return False


def _keep(prints: Prints, some: Sequence[Made], naming: Naming, added: Added) -> None:
    fresh: dict[str, Printed] = {}
    for made in some:
        sounding = made.sounding
        if sounding.failed:
            _refuse(prints, sounding, added)
            continue
        recording = naming.of(sounding.file, sounding.digest)
        if sounding.digest in fresh:
            prints.keep(*fresh.values())
            fresh = {}
        if same := prints.same(sounding.digest):
            _again(prints, same, sounding.file, recording)
            added.same += 1
            continue
        about = sounding.digest, sounding.packets, made.seconds, made.packed, made.sketch
        fresh[sounding.digest] = Printed(recording, sounding.file, *about)
        added.new += 1
    prints.keep(*fresh.values())


def _again(prints: Prints, same: Sequence[Known], file: SoundFile, recording: str) -> None:
    ours = next((known for known in same if known.recording == recording), None)
    if ours is not None:
        prints.moved(ours, file)
    else:
        prints.again(same[0], file, recording)


def _refuse(prints: Prints, sounding: Sounding, added: Added) -> None:
    if not sounding.is_sound:
        added.passed += 1
        return
    # What could not be read at all may be readable tomorrow.
    if sounding.digest:
        prints.refuse(sounding.file, sounding.failed)
    added.failed.append((sounding.file, sounding.failed))


def batches(items: Iterable[T], n: int) -> Iterator[list[T]]:
    """Give things so many at a time."""
    each = iter(items)
    while some := list(islice(each, n)):
        yield some
