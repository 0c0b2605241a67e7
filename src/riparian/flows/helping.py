"""How do several workers count the buckets of one scan?

Whoever scans lays the scan out; the others count the buckets of the partitions that they read, and lay them down.
Whoever scans begins with its own buckets and goes on from the other end, so that nothing is waited for: what nobody
has counted by then it counts itself, and a worker that was killed costs its share of the time and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from riparian.codes import BUCKETS
from riparian.errors import OutsideError
from riparian.flows import bucket as bucket_
from riparian.flows.extraction import GROWING
from riparian.flows.terms import Terms
from riparian.ports import Arrays, Scan, World
from riparian.ports.partitioned import Offer, Shares


def buckets_of(held: Sequence[int], partitions: int) -> list[int]:
    """List the buckets whose accounts stand in these partitions.

    Examples
    --------
    >>> buckets_of([0, 3], 32)
    [0, 1, 6, 7]
    """
    return [number for number in range(BUCKETS) if number * partitions // BUCKETS in set(held)]


@dataclass(slots=True)
class SharedHands:
    """``ports.partitioned.Hands`` of the worker who scans.

    Parameters
    ----------
    shares
        Where scans are laid out.
    own
        Buckets that nobody else begins with.
    """

    shares: Shares
    own: Sequence[int]
    name: str = field(default="", init=False)

    def order(self) -> Sequence[int]:
        """See ``ports.partitioned.Hands``."""
        return [*self.own, *(number for number in reversed(range(BUCKETS)) if number not in set(self.own))]

    def offer(self, made: Scan, context: bytes, moment: Arrays) -> None:
        """See ``ports.partitioned.Hands``."""
        self.name = self.shares.offer(made.generation, context, moment)

    def take(self, made: Scan, bucket: int) -> bool:
        """See ``ports.partitioned.Hands``."""
        return self.shares.take(self.name, bucket, made)


def help_out(
    world: World, shares: Shares, terms: Terms, own: Sequence[int], still: Callable[[], bool] = lambda: True
) -> int:
    """Count what is on offer of one's own buckets, and say how many were.

    Parameters
    ----------
    world
        As of the last commit.
    shares
        Where scans are laid out.
    terms
        Must be those of the scan: by others nothing is counted.
    own
        Whose buckets are counted.
    still
        Asked before each bucket; when false, the rest is left to others.
    """
    offer = shares.offered()
    if offer is None or offer.context != terms.digest():
        return 0
    moment = bucket_.Moment.from_arrays(offer.moment)
    n = 0
    for number in own:
        if not still():
            break
        if shares.is_given(offer.name, number):
            continue
        try:
            counted = _counted(world, shares, terms, (offer, moment, number))
        except OutsideError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                # The scan is over, and what it was made of is gone.
                break
            raise
        if counted is None:
            continue
        if not shares.give(offer.name, number, counted.arrays, counted.tables):
            break
        n += 1
    return n


def _counted(
    world: World, shares: Shares, terms: Terms, what: tuple[Offer, bucket_.Moment, int]
) -> bucket_.Counted | None:
    offer, moment, number = what
    columns = shares.columns(offer, number)
    before = bucket_.Before(
        world.tallies.load(number), {name: world.findings.in_bucket(name, number) for name in GROWING}
    )
    if before.arrays is None and not len(columns["at_us"]):
        return None
    return bucket_.count(before, columns, terms, moment)
