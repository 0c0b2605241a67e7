"""What several workers of one workspace ask of the outside, when they read a log in partitions together.

::

    Partitions.poll --> Shares.keep             any worker: read, coded, kept under its offsets
    Shares.goes_on --> Staging.add              one worker at a time, as a scan: in the order of offsets
    Shares.offer ... Shares.give                the others count buckets of that scan beside it

Whatever a worker shares is a function of the log and of what was offered, and of nothing else: a chunk of its offsets,
a bucket of the offer.  So it does not matter who made it, how often, or who was killed on the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from riparian.ports.world import Arrays, Chunk, Scan


class Partitions(Protocol):
    """A log in partitions while it is followed."""

    def log(self, partition: int) -> str:
        """Name a partition for ever."""
        ...

    def all(self) -> Sequence[int]:
        """List every partition of the log."""
        ...

    def held(self) -> Sequence[int]:
        """List those that this worker reads now."""
        ...

    def ends(self) -> Mapping[int, tuple[int, int]]:
        """Tell between which offsets each partition holds messages: the first, and the one after the last."""
        ...

    def poll(self, seconds: float, *, rests: bool = False) -> Sequence[Chunk]:
        """Wait at most so long, and give what came, each chunk with its offsets; nothing is fetched while it rests."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A scan in the making whose buckets anybody may count.

    Parameters
    ----------
    name
        No two offers have the same one.
    generation
        The scan's.
    context
        On what, besides the accesses, its results depend.
    moment
        When it is, as the scan sees it.
    """

    name: str
    generation: int
    context: bytes
    moment: Arrays


class Shares(Protocol):
    """What workers lay down for one another."""

    def keep(self, chunk: Chunk) -> None:
        """Keep a chunk with offsets, whole or not at all."""
        ...

    def goes_on(self, log: str, offset: int | None) -> Iterator[Chunk]:
        """Give the chunks of a partition that follow one another from an offset on; None for the first that is kept."""
        ...

    def reached(self, log: str, offset: int | None) -> int | None:
        """Tell where the chunks that follow one another from an offset end; None where there is none."""
        ...

    def waiting(self, log: str) -> int:
        """Count the chunks of a partition that are kept."""
        ...

    def drop(self, log: str, offset: int) -> None:
        """Throw the chunks before an offset away."""
        ...

    def offer(self, generation: int, context: bytes, moment: Arrays) -> str:
        """Lay a scan out for others; gives the name of the offer."""
        ...

    def offered(self) -> Offer | None:
        """Look what is on offer."""
        ...

    def columns(self, offer: Offer, bucket: int) -> Arrays:
        """Read a bucket's accesses, as the scan reads them."""
        ...

    def is_given(self, offer: str, bucket: int) -> bool:
        """Say whether somebody has counted a bucket of an offer."""
        ...

    def give(self, offer: str, bucket: int, arrays: Mapping[str, NDArray[Any]], tables: Mapping[str, pa.Table]) -> bool:
        """Lay down what a bucket came to; False when the offer is over."""
        ...

    def take(self, offer: str, bucket: int, made: Scan) -> bool:
        """Save for the scan what somebody has counted; False when nobody has."""
        ...

    def end(self, offer: str) -> None:
        """Take an offer back."""
        ...


class Hands(Protocol):
    """Who else counts while a scan does."""

    def order(self) -> Sequence[int]:
        """List all buckets, in the order in which the scan counts them."""
        ...

    def offer(self, made: Scan, context: bytes, moment: Arrays) -> None:
        """Lay the scan out for others."""
        ...

    def take(self, made: Scan, bucket: int) -> bool:
        """Save what somebody else has counted; False when nobody has."""
        ...
