"""By when must something have happened, and before when may it not?

A day is counted from the day after the one on which something was received, where it was received: late in the evening
in New York is the next day in Brussels.  The hour does not count.  With each deadline stand its calendar, its zone,
what was left out of the count, and whether a law says it.

Symbols
-------
D_0      the day of receipt, in the zone of whoever received it
D_n      the n-th (business) day after D_0; the window of a clock is [D_least, D_most], both whole days

Source
------
17 U.S.C. 512(g)(2)(C): not less than 10, nor more than 14, business days following receipt.  Regulation (EEC, Euratom)
No 1182/71, Article 3: the day of the event is not counted; a period of months ends with the day that has the number of
the day of the event, or the last of the month when it has none; an end that is no working day waits for the next.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from riparian.cases.calendars import Calendar, calendar_of, known
from riparian.cases.case import Case, Noted, Taken
from riparian.cases.plain import when
from riparian.cases.regimes import REGIMES, Clock, Regime, Unit, policies_of, regime_of
from riparian.errors import InputError

_WEEK: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNITS: Final[Mapping[Unit, str]] = {Unit.BUSINESS_DAYS: "business day", Unit.DAYS: "day", Unit.MONTHS: "month"}
_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class Deadline:
    """Between which days something has to happen, or may.

    Parameters
    ----------
    earliest
        The first day on which it may; the day of receipt where nobody says.
    latest
        The last day on which it is in time; None where nobody says.
    calendar, zone
        With which business days, and whose midnight.
    explanation
        The count, in sentences.
    legal
        Whether a law says so.
    """

    earliest: date
    latest: date | None
    calendar: str
    zone: str
    explanation: str
    legal: bool

    @property
    def opens(self) -> datetime:
        """The first moment of the first day; UTC.

        Examples
        --------
        >>> at = datetime(2026, 11, 23, 17, tzinfo=UTC)
        >>> due("dmca", "restore", at, "US", "America/New_York").opens.isoformat()
        '2026-12-08T05:00:00+00:00'
        """
        return _midnight(self.earliest, self.zone)

    @property
    def closes(self) -> datetime | None:
        """The first moment after the last day; UTC."""
        return None if self.latest is None else _midnight(self.latest + timedelta(days=1), self.zone)

    def is_over(self, now: datetime) -> bool:
        """Tell whether the last day has passed."""
        return self.closes is not None and now >= self.closes


def due(regime: str, clock: str, received: datetime, calendar: str, zone: str) -> Deadline:
    """Count from a receipt.

    Parameters
    ----------
    received
        When; with its zone, which need not be the one in which days are counted.
    calendar
        Whose business days, as in ``US`` (:func:`riparian.cases.calendars.calendar_of`).
    zone
        Whose days, as in ``America/New_York``: the zone of whoever received it.

    Raises
    ------
    InputError
        When one of these is not known, when the time says no zone, and when the law says no number.

    Examples
    --------
    >>> at = datetime(2026, 11, 23, 17, tzinfo=UTC)
    >>> deadline = due("dmca", "restore", at, "US", "America/New_York")
    >>> str(deadline.earliest), str(deadline.latest), deadline.legal
    ('2026-12-08', '2026-12-14', True)
    """
    said = regime_of(regime).named(clock)
    if received.tzinfo is None:
        raise InputError(f"the time `{received}` has no zone, wanted one, such as `Z`")
    known(received.date())
    days, day = calendar_of(calendar), received.astimezone(_zone(zone)).date()
    earliest = _counted(said, said.least or 0, day, days)
    bare = None if said.most is None else _counted(said, said.most, day, days)
    latest = days.on_or_after(bare) if bare is not None and said.rolls else bare
    told = " ".join(_told(said, (day, earliest, bare, latest), days, zone))
    return Deadline(earliest, latest, calendar, zone, told, said.legal)


def deadlines(
    case: Case, now: datetime, regimes: Mapping[str, Regime] = REGIMES
) -> tuple[tuple[str, str, Deadline], ...]:
    """Give the clocks that run in a case: of the law of each notice, of its addressee's policy, and our own.

    A clock runs from the last step that begins it, counted from when that was received, until a step ends it.  One that
    is over stays, unless nothing is left to be done by then.  Calendar and zone are those of the regime, or of the
    addressee's country where the regime says that it decides.

    Returns
    -------
    tuple
        Key of the notice, ``regime.clock``, and the deadline; what ends first comes first.
    """
    found = [
        (key, f"{regime.key}.{clock.name}", deadline)
        for key, noted in case.notices.items()
        for regime in _regimes(noted, regimes)
        for clock in regime.clock
        for deadline in _running(noted, regime, clock, now)
    ]
    return tuple(sorted(found, key=lambda one: (one[2].closes or one[2].opens, one[0], one[1])))


def _regimes(noted: Noted, regimes: Mapping[str, Regime]) -> tuple[Regime, ...]:
    law = regimes.get(noted.notice.regime)
    policies = policies_of(noted.notice.addressee, regimes)
    return policies if law is None or law in policies else (law, *policies)


def _running(noted: Noted, regime: Regime, clock: Clock, now: datetime) -> Iterator[Deadline]:
    began = noted.last(*clock.begins)
    if noted.notice.kind not in clock.kinds or began is None:
        return
    later = noted.taken[noted.taken.index(began) + 1 :]
    if any(one.step in clock.ends for one in later):
        return
    received = _received(began)
    calendar, zone = _place(noted, regime)
    deadline = due(regime.key, clock.name, received, calendar, zone)
    if received <= now and not (clock.lapses and deadline.is_over(now)):
        yield deadline


def _received(taken: Taken) -> datetime:
    return when(taken.what["received"]) if taken.what.get("received") else taken.at


def _place(noted: Noted, regime: Regime) -> tuple[str, str]:
    country = noted.notice.addressee.country.upper() if noted.notice.addressee else ""
    if country in regime.zones:
        return country, regime.zones[country]
    return regime.calendar, regime.zone


def _counted(clock: Clock, count: int, day: date, days: Calendar) -> date:
    if clock.unit is Unit.BUSINESS_DAYS:
        return days.after(day, count)
    if clock.unit is Unit.DAYS:
        return day + timedelta(days=count)
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _told(
    clock: Clock, counted: tuple[date, date, date | None, date | None], days: Calendar, zone: str
) -> Iterator[str]:
    day, earliest, bare, latest = counted
    yield f"Received on {_shown(day)} in {zone}; the day itself is not counted."
    unit = _UNITS[clock.unit]
    if clock.least is not None and clock.least != clock.most:
        yield f"{unit.capitalize()} {clock.least} is {_shown(earliest)}."
    if bare is not None:
        yield f"{unit.capitalize()} {clock.most} is {_shown(bare)}."
    if bare != latest and latest is not None:
        yield f"That is no business day, and the next is {_shown(latest)}."
    if clock.unit is Unit.BUSINESS_DAYS:
        skipped = list(islice(_holidays(day, latest or earliest, days), _NAMED))
        yield f"Calendar: {days.title}; left out: weekends{''.join(f', {one}' for one in skipped)}."
    elif clock.rolls:
        yield f"Calendar: {days.title}."
    yield f"{clock.source}."
    if not clock.legal:
        yield "No law says this number."
    if clock.checked:
        yield clock.checked


def _holidays(day: date, last: date, days: Calendar) -> Iterator[str]:
    while (day := day + timedelta(days=1)) <= last:
        if day.weekday() < 5 and (name := days.holiday(day)):
            yield f"{day} ({name})"


def _shown(day: date) -> str:
    return f"{_WEEK[day.weekday()]} {day}"


def _midnight(day: date, zone: str) -> datetime:
    """Give the first moment of a day, which where clocks go forward at midnight is one o'clock; UTC."""
    return datetime.combine(day, time(), _zone(zone)).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"`{name[:60]}` is no zone, wanted one as in America/New_York or UTC") from None
