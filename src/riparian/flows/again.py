"""How are known locations looked at again?

One after the other, a pause between two questions to one host; each answer is kept as evidence, with the case.  Where
nobody answers, nothing is written: that is no proof that something is gone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from riparian.cases.again import Standing, due, standings
from riparian.cases.facts import Location
from riparian.errors import InputError, OutsideError
from riparian.flows import casework, keeping
from riparian.flows.keeping import Page
from riparian.ports.cases import Docket

Show = Callable[[str, datetime], Page]


@dataclass(frozen=True, slots=True)
class Looked:
    """One location that was looked at.

    Parameters
    ----------
    was, live
        Whether it was there before, and is now; None where nobody knows.
    failed
        Why nobody knows; empty when somebody answered.
    """

    case: str
    location: str
    address: str
    was: bool | None
    live: bool | None
    failed: str = ""

    @property
    def news(self) -> str:
        """What is new: ``gone``, ``back``, or nothing."""
        if self.failed or self.live is None or self.live == self.was:
            return ""
        return "gone" if not self.live else "back" if self.was is False else ""


@dataclass(slots=True)
class Round:
    """How a round of looking goes.

    Parameters
    ----------
    show
        Asks an address, and gives what it shows.
    every
        How long a location rests before it is looked at again.
    pause
        Waits before the next question to a host that was asked already.
    told
        Is told how many of how many were looked at.
    """

    show: Show
    every: timedelta
    pause: Callable[[], object]
    told: Callable[[int, int], object] = field(default=lambda *_: None)


def look(docket: Docket, keys: Iterable[str], going: Round, by: str) -> tuple[Looked, ...]:
    """Look again at every location that is due.

    Raises
    ------
    InputError
        When there is no such case.
    """
    now = casework.now(docket.clock)
    cases = [casework.read(docket, key) for key in keys]
    wanted = [(case.key, one) for case in cases for one in due(case, now, going.every)]
    asked: set[str] = set()
    looked = []
    for n, (key, location) in enumerate(wanted):
        host = urlsplit(location.url).netloc.lower()
        if host in asked:
            going.pause()
        asked.add(host)
        looked.append(_look(docket, key, location, going.show, by))
        going.told(n + 1, len(wanted))
    return tuple(looked)


def removals(docket: Docket, keys: Iterable[str] = ()) -> tuple[Standing, ...]:
    """Tell of every location how it went since somebody was asked to take it down; of all cases where none is named.

    Raises
    ------
    InputError
        When there is no such case.
    """
    wanted = [*keys] or [*docket.cases.keys()]
    return tuple(one for key in wanted for one in standings(casework.read(docket, key), docket.cases.read(key)))


def _look(docket: Docket, key: str, location: Location, show: Show, by: str) -> Looked:
    said = (key, location.key, location.url, location.live)
    try:
        page = show(location.url, casework.now(docket.clock))
    except (OutsideError, InputError) as error:
        return Looked(*said, None, error.message)
    keeping.keep_page(docket, key, page, by)
    return Looked(*said, page.live)
