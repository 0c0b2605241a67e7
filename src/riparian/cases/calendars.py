"""Is a day a business day, and where?

No law that we count by says what a business day is, so every count names its calendar: the federal holidays of the
United States, those of a state, of a country of Europe or a part of it, or the closing days of the European Central
Bank for the Union as a whole.  A holiday that falls on a weekend is kept on the day on which it is observed.

Source
------
5 U.S.C. 6103 (federal holidays, and those that fall on a Saturday or Sunday); Regulation (EEC, Euratom) No 1182/71,
Article 2 (public holidays are those of the state where the act is to be done; working days are all others but
Saturdays and Sundays).  The days themselves are those of the library `holidays`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

import holidays
from holidays import HolidayBase

from riparian.errors import InputError

BANK: Final = "EU"
"""The calendar of the Union: the closing days of the European Central Bank."""
FIRST: Final = 1999
LAST: Final = 2100
"""The years of which holidays are known."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The business days of one place.

    Parameters
    ----------
    key
        As in ``US``, ``US-CA``, ``DE``, ``DE-BY``, ``EU``.
    title
        What people call it.
    """

    key: str
    title: str

    def is_business_day(self, day: date) -> bool:
        """Tell whether it is one.

        Raises
        ------
        InputError
            When the year is beyond those of which holidays are known.

        Examples
        --------
        >>> calendar_of("US").is_business_day(date(2026, 11, 26))
        False
        """
        known(day)
        return bool(_days(self.key).is_working_day(day))

    def holiday(self, day: date) -> str:
        """Name the holiday of a day; empty when it is none.

        Examples
        --------
        >>> calendar_of("US").holiday(date(2026, 7, 3))
        'Independence Day (observed)'
        """
        known(day)
        return str(_days(self.key).get(day, ""))

    def after(self, day: date, count: int) -> date:
        """Give the business day that is so many after a day, itself not counted; 0 is the day, whatever it is.

        Examples
        --------
        >>> calendar_of("US").after(date(2026, 11, 23), 10)
        datetime.date(2026, 12, 8)
        """
        while count:
            day += timedelta(days=1)
            count -= self.is_business_day(day)
        return day

    def on_or_after(self, day: date) -> date:
        """Give the day, or the next business day when it is none.

        Examples
        --------
        >>> calendar_of("EU").on_or_after(date(2027, 2, 28))
        datetime.date(2027, 3, 1)
        """
        return day if self.is_business_day(day) else self.after(day, 1)


def calendar_of(key: str) -> Calendar:
    """Find a calendar.

    Raises
    ------
    InputError
        When holidays there are not known.

    Examples
    --------
    >>> calendar_of("US-CA").title
    'US, CA'
    >>> calendar_of("XX")
    Traceback (most recent call last):
    riparian.errors.InputError: `XX` is no calendar that is known, wanted `US`, `US-CA`, `EU`, a country or its part
    """
    _days(key)
    if key == BANK:
        return Calendar(key, "European Union (closing days of the European Central Bank)")
    if key == "US":
        return Calendar(key, "United States (federal)")
    country, _, part = key.partition("-")
    return Calendar(key, f"{country}, {part}" if part else country)


def known(day: date) -> date:
    """Give the day.

    Raises
    ------
    InputError
        When its year is beyond those of which holidays are known.
    """
    if not FIRST <= day.year <= LAST:
        raise InputError(f"the day is {day}, wanted one from {FIRST} to {LAST}, of which holidays are known")
    return day


@cache
def _days(key: str) -> HolidayBase:
    if key == BANK:
        return holidays.financial_holidays("XECB")
    country, dash, part = key.partition("-")
    if country in _COUNTRIES and (not dash or part in getattr(holidays, country).subdivisions):
        language = "en_US" if "en_US" in getattr(holidays, country).supported_languages else None
        return holidays.country_holidays(country, subdiv=part or None, language=language)
    raise InputError(f"`{key[:40]}` is no calendar that is known, wanted `US`, `US-CA`, `EU`, a country or its part")


_COUNTRIES: Final = frozenset(holidays.list_supported_countries(include_aliases=False))
