"""How long does it take until something is gone, and how often does it come back?

A location is looked at now and then: between two looks nobody knows.  So the time to removal is told as two numbers,
at least (until it was last seen there) and at most (until it was first seen gone); and what is still there is not left
out, since leaving it out would make every addressee look fast: it counts for as long as it was seen to stand.

What came back because a notice was taken back, or a counter-notice was upheld, came back rightly, and counts as that.

Source
------
Kaplan and Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958), section 2 (product limit).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from riparian.cases.case import Case, Noted
from riparian.cases.events import Event
from riparian.cases.facts import Location
from riparian.cases.notice import Kind
from riparian.cases.plain import when
from riparian.cases.steps import Step

_DAY_S: Final = 86_400.0
_REST: Final = 4
_LONGEST: Final = timedelta(days=30)
_SCHEMES: Final = ("http://", "https://")
_RETURNED: Final = (Step.RESTORE, Step.RETRACT)


@dataclass(frozen=True, slots=True)
class Standing:
    """One location that somebody was asked to take down.

    Parameters
    ----------
    asked
        When the first notice about it was sent.
    least, most
        Days from then until it was last seen there, and until it was first seen gone; ``most`` is None when it was not.
    gone_days
        How long it was watched since then, in days, or until it came back.
    back
        Whether it came back.
    rightly
        Whether it came back, or stands, because the notice was taken back or a counter-notice upheld.
    """

    case: str
    location: str
    addressee: str
    asked: datetime
    least: float
    most: float | None
    gone_days: float = 0.0
    back: bool = False
    rightly: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One addressee.

    Parameters
    ----------
    asked, gone, back, rightly
        Locations: asked for, gone since, back again, back or standing rightly.
    median_least, median_most
        Days after which half of them are gone, at least and at most; None when half are not.
    within_week
        Share that is gone within seven days, as first seen.
    back_in_30
        Share of what was gone that was back within thirty days; None when nothing was gone.
    curve
        Days, and the share that was still there then, as first seen gone.
    """

    addressee: str
    asked: int
    gone: int
    back: int
    rightly: int
    median_least: float | None
    median_most: float | None
    within_week: float
    back_in_30: float | None
    curve: tuple[tuple[float, float], ...]


def due(case: Case, now: datetime, every: timedelta) -> tuple[Location, ...]:
    """Give the locations of a case that should be looked at again.

    What is there is looked at whenever ``every`` has passed; what is gone, after a quarter of the time that it has been
    gone as well, and once in thirty days at least.

    Examples
    --------
    >>> from datetime import UTC
    >>> from riparian.cases.case import folded
    >>> from riparian.cases.events import Proposed
    >>> at = datetime(2026, 11, 1, tzinfo=UTC)
    >>> case = folded("C1", [Proposed("opened", {"title": "A mirror"}, at, "ann"),
    ...     Proposed("location", {"key": "L1", "url": "https://mirror.example/a"}, at, "ann"),
    ...     Proposed("looked", {"location": "L1", "live": False}, at + timedelta(days=8), "ann")])
    >>> [len(due(case, at + timedelta(days=day), timedelta(days=1))) for day in (8, 9, 10)]
    [0, 1, 1]
    """
    return tuple(one for one in case.facts.locations if _is_due(one, now, every))


def _is_due(location: Location, now: datetime, every: timedelta) -> bool:
    if not location.url.lower().startswith(_SCHEMES):
        return False
    if location.seen is None:
        return True
    rest = every
    if location.live is False and location.gone is not None:
        rest = max(every, min((location.seen - location.gone) / _REST, _LONGEST))
    return now - location.seen >= rest


def standings(case: Case, events: Iterable[Event]) -> tuple[Standing, ...]:
    """Tell how it went with every location of a case that somebody was asked to take down.

    Parameters
    ----------
    events
        Of the case, from the first on.
    """
    looks: dict[str, list[tuple[datetime, bool]]] = {}
    for event in events:
        if event.kind == "looked" and isinstance(event.what.get("live"), bool):
            at = when(event.what["at"]) if "at" in event.what else event.at
            looks.setdefault(str(event.what["location"]), []).append((at, event.what["live"]))
    asked: dict[str, tuple[datetime, Noted]] = {}
    for noted in case.notices.values():
        sent = next((one for one in noted.taken if one.step is Step.SEND), None)
        if sent is not None and noted.notice.kind is Kind.TAKEDOWN:
            for location in noted.notice.locations:
                known = asked.get(location.key)
                if known is None or sent.at < known[0]:
                    asked[location.key] = (sent.at, noted)
    return tuple(
        _standing(case, key, at, noted, sorted(looks.get(key, ()))) for key, (at, noted) in sorted(asked.items())
    )


def _standing(case: Case, key: str, asked: datetime, noted: Noted, looks: Sequence[tuple[datetime, bool]]) -> Standing:
    addressee = noted.notice.addressee.key if noted.notice.addressee else ""
    returned = next((one.at for one in noted.taken if one.step in _RETURNED), None)
    since = [(at, live) for at, live in looks if at >= asked]
    gone = next((at for at, live in since if not live), None)
    if gone is None:
        last = since[-1][0] if since else asked
        return Standing(case.key, key, addressee, asked, _days(asked, last), None, rightly=returned is not None)
    seen = max((at for at, live in since if live and at < gone), default=asked)
    after = [(at, live) for at, live in since if at > gone]
    back = next((at for at, live in after if live), None)
    last = back or (after[-1][0] if after else gone)
    rightly = back is not None and returned is not None and returned <= back
    return Standing(
        case.key,
        key,
        addressee,
        asked,
        _days(asked, seen),
        _days(asked, gone),
        _days(gone, last),
        back is not None and not rightly,
        rightly,
    )


def by_addressee(standings: Iterable[Standing]) -> tuple[Row, ...]:
    """Sum up, an addressee a row; the one that was asked most first.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 1, tzinfo=UTC)
    >>> rows = by_addressee([
    ...     Standing("C1", "L1", "host", at, 0.0, 1.0, 20.0),
    ...     Standing("C1", "L2", "host", at, 1.0, 3.0, 2.0, back=True),
    ...     Standing("C1", "L3", "host", at, 9.0, None)])
    >>> rows[0].gone, rows[0].median_least, rows[0].median_most, round(rows[0].within_week, 3), rows[0].back_in_30
    (2, 1.0, 3.0, 0.667, 0.5)
    """
    every: dict[str, list[Standing]] = {}
    for one in standings:
        every.setdefault(one.addressee, []).append(one)
    rows = [_row(addressee, ones) for addressee, ones in every.items()]
    return tuple(sorted(rows, key=lambda row: (-row.asked, row.addressee)))


def _row(addressee: str, ones: Sequence[Standing]) -> Row:
    counted = [one for one in ones if not (one.rightly and one.most is None)]
    ended = [one.most is not None for one in counted]
    least = still([one.least for one in counted], ended)
    ended = [one.most is not None for one in counted]
    least = still([one.least for one in counted], ended)
    most = still([one.least if one.most is None else one.most for one in counted], ended)
    gone = [one for one in counted if one.most is not None]
    lasting = still([one.gone_days for one in gone], [one.back for one in gone])
    return Row(
        addressee,
        len(ones),
        len(gone),
        sum(one.back for one in gone),
        sum(one.rightly for one in ones),
        _half(least),
        _half(most),
        1.0 - _at(most, 7.0),
        1.0 - _at(lasting, 30.0) if gone else None,
        most,
    )


def still(days: Sequence[float], ended: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """Estimate which share still stands after so many days, from some that ended and some that were seen to stand.

    Parameters
    ----------
    days
        [shape=(n,)], how long each was watched.
    ended
        [shape=(n,)], whether it ended then.

    Returns
    -------
    curve
        Days and share, from (0, 1) on; a step at every end.

    Source
    ------
    Kaplan and Meier (1958), equation 2b.

    Examples
    --------
    >>> [(day, round(share, 3)) for day, share in still([1.0, 2.0, 2.0, 3.0], [True, False, True, True])]
    [(0.0, 1.0), (1.0, 0.75), (2.0, 0.5), (3.0, 0.0)]
    """
    ends = Counter(day for day, one in zip(days, ended, strict=True) if one)
    watched = sorted(days)
    share, curve = 1.0, [(0.0, 1.0)]
    for day in sorted(ends):
        share *= 1.0 - ends[day] / (len(watched) - bisect_left(watched, day))
        curve.append((day, share))
    return tuple(curve)


def _half(curve: Sequence[tuple[float, float]]) -> float | None:
    return next((day for day, share in curve if share <= 0.5), None)


def _at(curve: Sequence[tuple[float, float]], day: float) -> float:
    return next((share for at, share in reversed(curve) if at <= day), 1.0)


def _days(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds() / _DAY_S)
