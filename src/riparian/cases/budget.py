"""How often was somebody wrong before, and how much may they send until more is known?

A notice was a mistake when it was retracted, when what it removed was put back, when a counter-notice was not answered
in court, or when it was rejected as wrong.  The share of mistakes among the notices that were decided is not known but
estimated: what counts is the upper end of its interval.  Whoever has decided little has a high end, and so sends little
until there is a record; whoever has made mistakes stops being quick, then stops sending in bulk.

Source
------
Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), equation 3; one-sided,
95 %.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from riparian.cases.case import Case, Noted
from riparian.cases.notice import Kind
from riparian.cases.steps import AFTER_SENT, State, Step

SLOW: Final = 0.01
"""Above this upper bound, a sender is slow."""
NO_BULK: Final = 0.02
"""Above this one, nothing is sent in bulk."""
_Z: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Past:
    """A notice that was sent.

    Parameters
    ----------
    kept_apart
        What is counted: ``sender:``, ``source:`` and ``rule:`` with their names.
    pairs
        Which recording it named at which address.
    mistaken
        Whether it was a mistake; None while that is not decided.
    """

    case: str
    notice: str
    addressee: str
    at: datetime
    state: State
    kept_apart: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    mistaken: bool | None


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of the mistakes of a sender, a source or a rule.

    Parameters
    ----------
    upper
        The upper end of the interval of its share of mistakes, 0 to 1.
    """

    name: str
    decided: int
    mistakes: int

    @property
    def upper(self) -> float:
        """The upper end of the interval of its share of mistakes, 0 to 1."""
        return wilson_upper(self.mistakes, self.decided)

    @property
    def is_slow(self) -> bool:
        """Whether it may send a few a day only: it has made mistakes, or has no record yet."""
        return self.upper > SLOW

    @property
    def is_spent(self) -> bool:
        """Whether mistakes, and not the lack of a record, make it so."""
        return self.mistakes > 0 and self.is_slow

    @property
    def bulk(self) -> bool:
        """Whether it may send in bulk."""
        return self.upper <= NO_BULK


def wilson_upper(mistakes: int, decided: int) -> float:
    """Give the upper end of the interval of a share, 95 %, one-sided; 1 where nothing was decided.

    Examples
    --------
    >>> wilson_upper(0, 0), round(wilson_upper(0, 268), 4), round(wilson_upper(3, 268), 4)
    (1.0, 0.01, 0.0277)
    """
    if not decided:
        return 1.0
    share, z2 = mistakes / decided, _Z * _Z
    middle = share + z2 / (2 * decided)
    half = _Z * math.sqrt(share * (1 - share) / decided + z2 / (4 * decided * decided))
    return min(1.0, (middle + half) / (1 + z2 / decided))


def sent_in(cases: Iterable[Case]) -> tuple[Past, ...]:
    """List the takedown notices that were sent, in the order in which they were."""
    every = [
        _past(case, key, one)
        for case in cases
        for key, one in case.notices.items()
        if one.state in AFTER_SENT and one.notice.kind is Kind.TAKEDOWN
    ]
    return tuple(sorted(every, key=lambda one: (one.at, one.case, one.notice)))


def accounts_of(past: Iterable[Past]) -> Mapping[str, Account]:
    """Count what was decided, by sender, source and rule."""
    decided, mistakes = dict[str, int](), dict[str, int]()
    for one in past:
        for name in one.kept_apart if one.mistaken is not None else ():
            decided[name] = decided.get(name, 0) + 1
            mistakes[name] = mistakes.get(name, 0) + bool(one.mistaken)
    return MappingProxyType({name: Account(name, n, mistakes[name]) for name, n in decided.items()})


def apart(noted: Noted) -> tuple[str, ...]:
    """Name what a notice is counted under."""
    notice = noted.notice
    sender = notice.sender.name if notice.sender else ""
    sources = {one.source or "a person" for one in notice.findings}
    rules = {str(one.how) for one in notice.findings}
    return (
        f"sender:{sender}",
        *(f"source:{one}" for one in sorted(sources)),
        *(f"rule:{one}" for one in sorted(rules)),
    )


def is_mistaken(noted: Noted) -> bool | None:
    """Tell whether a notice that was sent was a mistake; None while that is not decided."""
    steps = [one.step for one in noted.taken]
    rejected = noted.last(Step.REJECT)
    if Step.RETRACT in steps or noted.state is State.RESTORED:
        return True
    if noted.state is State.REJECTED and rejected is not None:
        return "wrong" in str(rejected.what.get("because", "")).lower()
    if noted.state in (State.REMOVED, State.CLOSED, State.ACTION_FILED):
        return Step.RESTORE in steps and Step.FILE_ACTION not in steps
    return None


def _past(case: Case, key: str, noted: Noted) -> Past:
    sent, notice = noted.last(Step.SEND), noted.notice
    urls = {place.key: place.url for place in notice.locations}
    pairs = frozenset((urls[place], recording) for place, some in notice.pairs.items() for recording in some)
    to = notice.addressee.key if notice.addressee else ""
    at = sent.at if sent is not None else case.opened
    return Past(case.key, key, to, at, noted.state, apart(noted), pairs, is_mistaken(noted))
