"""When is a copy gone, where machines take seconds, people work by day, and a host answers when it does?

Declared, not measured: these numbers are to be replaced by one's own (``riparian case removals`` has them).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from riparian.sim.streams import stream

EVERY: Final = timedelta(hours=6)
"""A mirror is looked at so often."""
SIGNING: Final = timedelta(hours=1)
"""Each of two people signs so long after the letter reached them, in their hours."""
OPENS, CLOSES = 9, 17
"""Hours of work, Monday to Friday, UTC."""
HOST_HOURS: Final = 24.0
"""Half of the answers of hosts take longer, and a tenth more than three times as long."""
HOST_SPREAD: Final = 0.857
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours from publication until the copy was found, the letter left, and the copy was gone."""

    found: float
    left: float
    gone: float


def hours(after: datetime, *, signatures: int, seed: int) -> Hours:
    """Draw how long it takes, of something that is published at some hour of the week after a time.

    Parameters
    ----------
    after
        The time, with its zone.
    signatures
        How many people have to sign.
    seed
        Of the town.

    Examples
    --------
    >>> told = hours(datetime(2026, 11, 20, tzinfo=UTC), signatures=2, seed=1)
    >>> told.found <= 6, told.found < told.left < told.gone
    (True, True)
    """
    rng = stream(seed, "story/office")
    at = after.astimezone(UTC) + rng.random() * timedelta(days=7)
    found = at + rng.random() * EVERY
    left = found
    for _ in range(signatures):
        left = worked(left, SIGNING)
    gone = left + timedelta(hours=HOST_HOURS * float(rng.lognormal(0.0, HOST_SPREAD)))
    return Hours(*(round((each - at) / timedelta(hours=1), 1) for each in (found, left, gone)))


def worked(begun: datetime, needed: timedelta) -> datetime:
    """Tell when so much has been done, by people who begin at nine and go home at five.

    Examples
    --------
    >>> friday = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    >>> worked(friday, timedelta(hours=1)).isoformat()
    '2026-11-23T09:30:00+00:00'
    """
    at = begun
    while True:
        opens, closes = (at.replace(hour=hour, minute=0, second=0, microsecond=0) for hour in (OPENS, CLOSES))
        at = max(at, opens)
        if at.weekday() < _SATURDAY and at + needed <= closes:
            return at + needed
        if at.weekday() < _SATURDAY and at < closes:
            needed -= closes - at
        at = opens + timedelta(days=1)
