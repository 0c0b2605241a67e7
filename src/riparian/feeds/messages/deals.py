"""Which uses does a message permit, where and when?

A deal permits its recipient what it names, and nobody else anything.  What is of no use here (previews, orders before
the release, claims on what users upload) permits nothing: what nobody permits is reserved.  A deal that takes a release
down reserves what was permitted.

Source
------
DDEX, Electronic Release Notification Message Suite Standard, versions 3.8.2 and 4.3: ``ReleaseDeal``, ``DealTerms``;
DDEX data dictionary, ``avs:UseType``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from string import ascii_uppercase
from typing import Any, Final

from riparian.catalogue.terms import Says, Use
from riparian.feeds.messages.parts import Part, all_of, said, text_of
from riparian.feeds.messages.resources import date_of

INSIDE: Final = frozenset(
    (
        *("DealReleaseReference", "Deal", "DealTerms", "CommercialModelType", "Usage", "UseType", "TerritoryCode"),
        *("ExcludedTerritoryCode", "ValidityPeriod", "StartDate", "StartDateTime", "EndDate", "EndDateTime"),
        *("IsPreOrderDeal", "TakeDown", "AllDealsCancelled"),
    )
)
"""Names of whatever is wanted of the deals of a release."""
_USES: Final = {
    "Download": Use.DOWNLOAD,
    "PermanentDownload": Use.DOWNLOAD,
    "ConditionalDownload": Use.DOWNLOAD,
    "TetheredDownload": Use.DOWNLOAD,
    "KioskDownload": Use.DOWNLOAD,
    "Podcast": Use.DOWNLOAD,
    "Stream": Use.STREAM,
    "OnDemandStream": Use.STREAM,
    "NonInteractiveStream": Use.STREAM,
    "ContentInfluencedStream": Use.STREAM,
    "TimeInfluencedStream": Use.STREAM,
    "ProgrammedContentStream": Use.STREAM,
    "Webcast": Use.STREAM,
    "Simulcast": Use.STREAM,
    "UseForIdentification": Use.SEARCH,
    "UseForGenerativeAI": Use.TRAIN,
}
_COUNTRIES: Final = frozenset(first + second for first in ascii_uppercase for second in ascii_uppercase)
_EVERYWHERE: Final = "Worldwide"


@dataclass(frozen=True, slots=True)
class Deal:
    """What one deal says of one use; see :class:`riparian.catalogue.terms.Term`.

    Parameters
    ----------
    territories
        None are everywhere.
    """

    use: Use
    says: Says
    territories: frozenset[str]
    except_in: frozenset[str]
    begins_us: int | None
    ends_us: int | None
    conditions: str


def deals_of(one: Part) -> tuple[list[str], list[Deal], list[str]]:
    """Take from the deals of releases what they permit.

    Returns
    -------
    releases : list of str
        The message's references of the releases that it is about.
    deals : list of Deal
        Countries of deals that say the same are together.
    refused : list of str
        What cannot be told of a deal, and so permits nothing.
    """
    releases = [text_of(each) for each in one.get("DealReleaseReference", ())]
    together: dict[tuple[Any, ...], set[str]] = {}
    refused: list[str] = []
    if said(one, "AllDealsCancelled") == "true":
        return releases, list(_taken_down(frozenset(), frozenset(), None)), refused
    for terms in all_of(one, "Deal", "DealTerms"):
        if isinstance(terms, dict) and said(terms, "IsPreOrderDeal") != "true":
            for deal, why in _deals(terms):
                if why:
                    refused.append(why)
                    continue
                if not deal.territories:
                    together[deal.use, deal.says, deal.except_in, deal.begins_us, deal.ends_us, deal.conditions] = set()
                    continue
                key = (deal.use, deal.says, deal.except_in, deal.begins_us, deal.ends_us, deal.conditions, "in")
                together.setdefault(key, set()).update(deal.territories)
    deals = [Deal(key[0], key[1], frozenset(where), *key[2:6]) for key, where in together.items()]
    return releases, deals, refused


def _deals(terms: Part) -> Iterator[tuple[Deal, str]]:
    named = [text_of(each) for each in terms.get("TerritoryCode", ())]
    territories = _COUNTRIES.intersection(named)
    except_in = _COUNTRIES.intersection(map(text_of, terms.get("ExcludedTerritoryCode", ())))
    period = next((each for each in terms.get("ValidityPeriod", ()) if isinstance(each, dict)), {})
    begins_us, ends_us = _begins(period), _ends(period)
    nowhere = Deal(Use.STREAM, Says.PERMITTED, territories, except_in, begins_us, ends_us, "")
    if _EVERYWHERE in named:
        territories = frozenset()
    elif named and not territories:
        # A code that is not understood must not become everywhere.
        yield nowhere, f"a deal is for `{named[0]}`, wanted Worldwide or countries of ISO 3166"
        return
    if said(terms, "TakeDown") == "true":
        for deal in _taken_down(territories, except_in, begins_us):
            yield deal, ""
        return
    models = " ".join(dict.fromkeys(map(_model, terms.get("CommercialModelType", ()))))
    names = map(_model, [*terms.get("UseType", ()), *all_of(terms, "Usage", "UseType")])
    for use in dict.fromkeys(_USES[name] for name in names if name in _USES):
        yield Deal(use, Says.PERMITTED, territories, except_in, begins_us, ends_us, models), ""


def _taken_down(where: frozenset[str], except_in: frozenset[str], begins_us: int | None) -> Iterator[Deal]:
    for use in (Use.STREAM, Use.DOWNLOAD):
        yield Deal(use, Says.RESERVED, where, except_in, begins_us, None, "")


def _model(value: Part | str) -> str:
    # Words that DDEX added later are said as a sender's own.
    return (said(value, "@UserDefinedValue") if isinstance(value, dict) else "") or text_of(value)


def _begins(period: Part) -> int | None:
    if "StartDateTime" in period:
        return us_of(said(period, "StartDateTime"))
    day = date_of(said(period, "StartDate")) if "StartDate" in period else None
    return None if day is None else _midnight_us(day)


def _ends(period: Part) -> int | None:
    if "EndDateTime" in period:
        return us_of(said(period, "EndDateTime"))
    day = date_of(said(period, "EndDate")) if "EndDate" in period else None
    # The last day is one of the days.
    return None if day is None or day == date.max else _midnight_us(day + timedelta(days=1))


@lru_cache(maxsize=4096)
def _midnight_us(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def us_of(text: str) -> int | None:
    """Read a moment of ISO 8601, UTC where it names no zone: microseconds since 1970.

    Examples
    --------
    >>> us_of("2020-07-21T17:04:20.185Z"), us_of("2010-07-23T00:00:00"), us_of("yesterday")
    (1595351060185000, 1279843200000000, None)
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    except OverflowError:
        return None
