"""By when, and before when not: every deadline counted by hand, and all of three years counted by somebody else."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from riparian.cases.calendars import calendar_of
from riparian.cases.clocks import due
from riparian.cases.regimes import REGIMES
from riparian.errors import InputError

NEW_YORK = "America/New_York"


class Told(NamedTuple):
    """A situation: what was received when, and the days that a person counted on a calendar on the wall."""

    name: str
    clock: str
    received: str
    earliest: str
    latest: str
    calendar: str
    zone: str


with (Path(__file__).parent / "clocks.csv").open(encoding="utf-8", newline="") as _file:
    EVERY = [Told(**row) for row in csv.DictReader(_file)]


@pytest.mark.parametrize("told", EVERY, ids=lambda one: one.name)
def test_a_deadline_is_on_the_day_that_a_person_counts(told: Told) -> None:
    regime, _, clock = told.clock.partition(".")
    deadline = due(regime, clock, datetime.fromisoformat(told.received), told.calendar, told.zone)
    assert (str(deadline.earliest), str(deadline.latest)) == (told.earliest, told.latest)
    assert (deadline.calendar, deadline.zone) == (told.calendar, told.zone)
    assert told.zone in deadline.explanation
    assert deadline.legal == (regime in ("dmca", "dsa") and clock != "action")


def test_there_are_situations_enough_and_none_twice() -> None:
    assert len({one.name for one in EVERY}) == len(EVERY) >= 60


# As published by the Office of Personnel Management, the days on which they are kept; month and day.
FEDERAL = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
    2028: "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25",
}


def test_every_day_of_three_years_is_counted_as_numpy_counts_it() -> None:
    kept = [f"{year}-{day}" for year, days in FEDERAL.items() for day in days.split()]
    calendar = np.busdaycalendar(holidays=np.array(kept, dtype="datetime64[D]"))
    for days in range(3 * 365 - 30):
        day = date(2026, 1, 1) + timedelta(days=days)
        deadline = due("dmca", "restore", datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "US", "UTC")
        counted = [np.busday_offset(day, n, roll="backward", busdaycal=calendar).item() for n in (10, 14)]
        assert [deadline.earliest, deadline.latest] == counted, day


def test_no_policy_is_ever_called_legal() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    for regime in REGIMES.values():
        for clock in regime.clock:
            deadline = due(regime.key, clock.name, at, regime.calendar, regime.zone)
            assert deadline.legal <= regime.law
            assert deadline.legal != ("No law says this number." in deadline.explanation)


def test_the_explanation_says_what_was_counted_and_left_out() -> None:
    deadline = due("dmca", "restore", datetime(2026, 11, 23, 17, tzinfo=UTC), "US", NEW_YORK)
    assert deadline.explanation == (
        "Received on Monday 2026-11-23 in America/New_York; the day itself is not counted. "
        "Business day 10 is Tuesday 2026-12-08. Business day 14 is Monday 2026-12-14. "
        "Calendar: United States (federal); left out: weekends, 2026-11-26 (Thanksgiving Day). 17 U.S.C. 512(g)(2)(C)."
    )


@pytest.mark.parametrize(
    ("name", "received", "zone", "opens", "closes"),
    [
        ("winter", "2026-11-23T12:00-05:00", NEW_YORK, "2026-11-30T05:00", "2026-12-01T05:00"),
        ("the day with 25 hours", "2026-10-25T12:00-04:00", NEW_YORK, "2026-11-01T04:00", "2026-11-02T05:00"),
        ("the day with 23 hours", "2027-03-07T12:00-05:00", NEW_YORK, "2027-03-14T05:00", "2027-03-15T04:00"),
        ("a day without a midnight", "2027-03-21T12:00+02:00", "Asia/Beirut", "2027-03-27T22:00", "2027-03-28T21:00"),
        ("a quarter of an hour", "2026-11-23T12:00+05:45", "Asia/Kathmandu", "2026-11-29T18:15", "2026-11-30T18:15"),
    ],
)
def test_days_begin_and_end_at_midnight_where_they_are_counted(
    name: str, received: str, zone: str, opens: str, closes: str
) -> None:
    deadline = due("youtube", "scheduled", datetime.fromisoformat(received), "US", zone)
    assert deadline.opens == datetime.fromisoformat(opens + "Z"), name
    assert deadline.closes == datetime.fromisoformat(closes + "Z"), name
    assert not deadline.is_over(deadline.closes - timedelta(microseconds=1))
    assert deadline.is_over(deadline.closes.astimezone(ZoneInfo("Asia/Tokyo")))


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        ("dmca.remove 2026-11-23T12:00Z US UTC", "says no number of days for `remove`"),
        ("dsa.acknowledge 2026-11-23T12:00Z EU UTC", "says no number of days"),
        ("dmca.answer 2026-11-23T12:00Z US UTC", "has no clock `answer`"),
        ("take_it_down.remove 2026-11-23T12:00Z US UTC", "is no regime"),
        ("dmca.restore 2026-11-23T12:00 US UTC", "has no zone"),
        ("dmca.restore 2026-11-23T12:00Z XX UTC", "is no calendar"),
        ("dmca.restore 2026-11-23T12:00Z US-ZZ UTC", "is no calendar"),
        ("dmca.restore 2026-11-23T12:00Z US- UTC", "is no calendar"),
        ("dmca.restore 2026-11-23T12:00Z  UTC", "is no calendar"),
        ("dmca.restore 2026-11-23T12:00Z US America/Nowhere", "is no zone"),
        ("dmca.restore 2026-11-23T12:00Z US ../etc/passwd", "is no zone"),
        ("dmca.restore 2026-11-23T12:00Z US America", "is no zone"),
        ("dmca.restore 2100-12-30T12:00Z US UTC", "wanted one from 1999 to 2100"),
        ("dmca.restore 1998-12-01T12:00Z US UTC", "wanted one from 1999 to 2100"),
        ("dsa.complaint 9999-12-01T12:00Z EU UTC", "wanted one from 1999 to 2100"),
        ("youtube.scheduled 9999-12-31T23:00Z US Asia/Tokyo", "wanted one from 1999 to 2100"),
    ],
)
def test_what_is_not_known_is_said(asked: str, because: str) -> None:
    named, received, calendar, zone = asked.split(" ")
    regime, _, clock = named.partition(".")
    with pytest.raises(InputError, match=because):
        due(regime, clock, datetime.fromisoformat(received), calendar, zone)


def test_a_law_that_says_no_number_is_quoted() -> None:
    with pytest.raises(InputError) as raised:
        due("dmca", "remove", datetime(2026, 11, 23, tzinfo=UTC), "US", "UTC")
    assert raised.value.hint == (
        "17 U.S.C. 512(c)(1)(C): the host removes what a notice is about, or disables access to it, expeditiously."
    )


@pytest.mark.parametrize(("key", "title"), [("US", "United States (federal)"), ("US-CA", "US, CA"), ("DE", "DE")])
def test_calendars_are_named(key: str, title: str) -> None:
    assert calendar_of(key).title == title
