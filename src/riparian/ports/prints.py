"""What knowing our own sound asks of the outside: see :mod:`riparian.ports`.

What is added becomes visible at once, not one by one
-----------------------------------------------------
::

    with library.prints.alone():                       # somebody else adds: LifecycleError
        for one in ...:
            library.prints.keep(one)                   # on disk, and nobody finds it yet
        library.prints.publish()                       # now everybody does

Whoever is killed leaves what was visible before, and prints that are kept and need not be made again.  Those who
search hold what was visible when they began (:meth:`Prints.held`), whatever is added or deleted meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.ports.jobs import Jobs
from riparian.ports.world import Clock
from riparian.prints.keys import PrintKey
from riparian.prints.null import Draws, Null
from riparian.prints.ours import Ours
from riparian.prints.peaks import Peaks


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file somewhere.

    Parameters
    ----------
    name
        Its path or address, as people see it, and by which it is known again.
    stamp
        Another one when the file is another: of its size, its time and the like.
    is_named
        Whether the operator named it, and not a folder that it lies in.
    at
        Where it is, where its name does not say that.
    """

    name: str
    stamp: str
    is_named: bool = True
    at: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sounding:
    """What listening to a file gave.

    Parameters
    ----------
    file
        Which.
    digest
        SHA-256 of the file, in hex; empty where it cannot be read.
    packets
        Digest of what it holds, encoded (:mod:`riparian.feeds.packets`); empty where none is known.
    samples : np.ndarray [shape=(n,), float32]
        Mono, at ``RATE``; None where nobody asked for them, or there are none.
    tags
        Titles, names, codes and the like.
    failed
        Why there is no sound; empty where there is some, or nobody asked.
    is_sound
        False for a file of a folder that is of another kind and does not say otherwise.
    """

    file: SoundFile
    digest: str = ""
    packets: bytes = b""
    samples: NDArray[np.float32] | None = field(default=None, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""
    is_sound: bool = True


Enough = Callable[[str, bytes], bool]
"""Says from the digests of a file and of its packets that its sound need not be heard."""


@dataclass(frozen=True, slots=True)
class Known:
    """One print that is kept.

    Parameters
    ----------
    number
        In the index.
    recording
        What it is a print of; several prints may be of one recording.
    file
        Where the sound was, and as what it was known.
    digest, packets
        Of the file; see :class:`Sounding`.
    seconds
        How long it is.
    """

    number: int
    recording: str
    file: SoundFile
    digest: str
    packets: bytes
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Printed:
    """A print to be kept.

    Parameters
    ----------
    recording, file, digest, packets, seconds
        As of :class:`Known`.
    packed
        Its peaks (:mod:`riparian.prints.packing`).
    sketch : np.ndarray [shape=(<=k,), uint64]
        For the index.
    """

    recording: str
    file: SoundFile
    digest: str
    packets: bytes
    seconds: float
    packed: bytes = field(repr=False)
    sketch: NDArray[np.uint64] = field(repr=False)


class Held(Ours, Protocol):
    """What is visible, as of one moment."""

    @property
    def key(self) -> PrintKey:
        """The index's."""
        ...

    @property
    def k(self) -> int:
        """How many values a sketch of ordinary length has."""
        ...

    @property
    def state(self) -> str:
        """Another one when anything has changed that a search may depend on."""
        ...

    @property
    def null(self) -> Null:
        """What mistakes of this catalogue look like."""
        ...

    def known(self, number: int) -> Known:
        """Say what a print is of."""
        ...

    def named(self, recording: str) -> list[int]:
        """List the prints of a recording."""
        ...

    def alike(self, number: int) -> list[int]:
        """List the prints of the same sound as one, itself among them."""
        ...

    def exactly(self, packets: bytes) -> list[int]:
        """List the prints whose file holds the same, encoded."""
        ...

    def has(self, digest: str) -> bool:
        """Say whether a file with this digest is here."""
        ...

    def numbers(self) -> NDArray[np.int64]:
        """List every print that is visible, ascending."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class Prints(Protocol):
    """Prints of our recordings, and the index by which they are found."""

    @property
    def key(self) -> PrintKey:
        """The secret of the index."""
        ...

    @property
    def k(self) -> int:
        """How many values a sketch of ordinary length has."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Lock out everybody else who changes anything; ``LifecycleError`` when somebody does."""
        ...

    def at(self, name: str) -> Known | None:
        """Find the print of a file, waiting or visible, by its path or address."""
        ...

    def refused(self, name: str) -> tuple[str, str] | None:
        """Find a file that could not be heard: its stamp then, and why."""
        ...

    def same(self, digest: str) -> list[Known]:
        """List prints of files with this digest, waiting or visible."""
        ...

    def keep(self, *prints: Printed) -> None:
        """Keep prints, all or none; they wait, and replace those of the same file once they are visible."""
        ...

    def moved(self, known: Known, file: SoundFile) -> None:
        """Note that the file of a print is known by another name or stamp."""
        ...

    def again(self, known: Known, file: SoundFile, recording: str) -> None:
        """Keep a print once more, of a file that is the same, as another recording."""
        ...

    def refuse(self, file: SoundFile, why: str) -> None:
        """Note that a file cannot be heard."""
        ...

    def publish(self) -> int:
        """Make what waits visible; give how many prints that are."""
        ...

    def held(self) -> Held:
        """Give what is visible now."""
        ...

    def unrelated(self) -> NDArray[np.int64]:
        """List visible prints whose duplicates were not looked for yet."""
        ...

    def relate(self, done: Sequence[int], pairs: Iterable[tuple[int, int]]) -> None:
        """Note which prints were compared with all others, and which are of the same sound."""
        ...

    def draws(self) -> Draws:
        """Give what was drawn to learn what mistakes look like."""
        ...

    def forget_draws(self) -> None:
        """Forget what was drawn: the catalogue is another."""
        ...

    def keep_draws(self, rows: Iterable[tuple[int, float, float, int, float, float]]) -> None:
        """Add to what was drawn."""
        ...

    def delete(self, recordings: Iterable[str]) -> int:
        """Delete all prints of recordings; give how many prints that were."""
        ...

    def merge(self, other: "Prints") -> int:
        """Take over whatever is visible in another index with the same key; give how many prints are new."""
        ...

    def resize(self, k: int) -> None:
        """Make all sketches anew, of another size."""
        ...

    def verify(self) -> Iterator[str]:
        """Read everything, and give a sentence for each thing that is not what was written; none when all is well."""
        ...

    def totals(self) -> dict[str, Any]:
        """Count: prints, recordings, clusters, seconds, waiting, refused, drawn, and bytes of each kind."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What was said of a file that was found, to be said again after an interruption."""

    file: SoundFile
    digest: str
    said: Mapping[str, Any]


class Answers(Protocol):
    """What was said of found files; forgotten when the index changes."""

    def open(self, state: str) -> None:
        """Begin, or go on, with an index in this state; answers of another are forgotten."""
        ...

    def of(self, file: SoundFile) -> Answered | None:
        """Find what was said of a file with this name and stamp."""
        ...

    def keep(self, *answered: Answered) -> None:
        """Keep answers."""
        ...


@dataclass(frozen=True, slots=True)
class Library:
    """Everything outside that prints may reach.

    Parameters
    ----------
    clock, prints, answers, jobs
        Ports.
    find
        List the files behind paths and addresses, in order.
    listen
        Hear one, unless its digests are enough; it never fails, and says why there is no sound.
    hold
        Open what is visible, wherever the work is done; it can be pickled where jobs run in other processes.
    pseudonyms
        The key of the codes of files, 16 bytes.
    """

    clock: Clock
    prints: Prints
    answers: Answers
    jobs: Jobs
    find: Callable[[Sequence[str]], list[SoundFile]]
    listen: Callable[[SoundFile, Enough], Sounding]
    hold: Callable[[], Held]
    pseudonyms: bytes = field(repr=False)


__all__ = [
    "Answered",
    "Answers",
    "Enough",
    "Held",
    "Known",
    "Library",
    "Peaks",
    "Printed",
    "Prints",
    "SoundFile",
    "Sounding",
]
