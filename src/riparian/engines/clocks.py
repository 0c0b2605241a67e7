"""What time is it: that of this machine, or one at which the clock is stopped?"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from riparian.errors import InputError


class WallClock:
    """The time of this machine."""

    def now_us(self) -> int:
        """See ``ports.Clock``."""
        return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """A clock that stands: an old log is judged, and its decisions dated, as of then.

    Examples
    --------
    >>> StoppedClock.at("2026-03-25").now_us(), StoppedClock.at("2026-03-25T06:00:00+02:00").now_us()
    (1774396800000000, 1774411200000000)
    """

    at_us: int

    @classmethod
    def at(cls, text: str) -> "StoppedClock":
        """Read a day or a time as ISO 8601; UTC where it says no zone.

        Raises
        ------
        InputError
            When it is none.
        """
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise InputError(
                f"`{text}` is no time, wanted one as in 2026-03-25 or 2026-03-25T23:00:00Z",
                hint="Write the day after the last one of the log.",
            ) from error
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return cls(round(moment.timestamp() * 1_000_000))

    def now_us(self) -> int:
        """See ``ports.Clock``."""
        return self.at_us
