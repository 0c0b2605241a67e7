"""How does a partition of a log go on, so that no message counts twice and none is passed over?

Whoever keeps a chunk keeps, in the same step, where its partition goes on; only the chunk that begins there is kept.
"""

from riparian.ports import Offsets, Reached


def goes_on(reached: Reached | None, offsets: Offsets) -> bool:
    """Say whether a chunk begins where its partition goes on; the first one may begin anywhere.

    Examples
    --------
    >>> [goes_on(Reached(7, 0), Offsets("plays/0", begin, 9)) for begin in (6, 7, 8)]
    [False, True, False]
    """
    return offsets.end > offsets.begin and (reached is None or reached.offset == offsets.begin)


def moved_on(before: Reached | None, offsets: Offsets) -> Reached:
    """Tell how far the partition is read once the chunk is kept."""
    return Reached(offsets.end, max(before.latest_us if before is not None else 0, offsets.latest_us))
