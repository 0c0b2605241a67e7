"""Which way does a restraint go: extended, released, ended, appealed, by whom and why?

House rules: every step that a person may take is in ``STEPS``, in this file; a step that is not there raises
``LifecycleError`` and changes nothing.  A function of this room returns a :class:`Change`, and the store puts it
in place only if what it starts from is still so.

::

    ALLOWED | RUNNING | OVER --placed--> RUNNING   by one person, for a while
    (decided) --> RUNNING --extended--> RUNNING
                     |-----released--> ALLOWED      by a person, with a reason
                     `--(time)--> OVER              the next scan takes note: expired

    ALLOWED | RUNNING | OVER --proposed--> (waits for approval) --ended--> ENDED      two people, or it lapses
    RUNNING | ENDED --appealed--> (waits for review) --upheld--> as before
                                                     `-reinstated--> ALLOWED          a third person

After a release, a reinstatement or an expiry the same bits do not bring the restraint back; see
:mod:`riparian.gate.decide`.  What people do together is in :mod:`riparian.gate.ending` and
:mod:`riparian.gate.appeals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from riparian.errors import LifecycleError
from riparian.gate.decide import Decision, from_table
from riparian.gate.exempt import day
from riparian.gate.eyes import folded, require_said
from riparian.gate.policy import Policy, Restraint
from riparian.schema import DAY_US


class State(StrEnum):
    """Where a decision stands at a given time."""

    ALLOWED = "allowed"
    RUNNING = "running"
    OVER = "over"
    ENDED = "ended"


class Waits(StrEnum):
    """What of a person's an account waits for."""

    NOTHING = "nothing"
    APPROVAL = "approval"
    REVIEW = "review"


class Step(StrEnum):
    """What can happen to a decision."""

    DECIDED = "decided"
    PLACED = "placed"
    EXTENDED = "extended"
    RELEASED = "released"
    EXPIRED = "expired"
    EXEMPTED = "exempted"
    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    APPEALED = "appealed"
    UPHELD = "upheld"
    REINSTATED = "reinstated"


DECIDING: Final = frozenset({Step.PLACED, Step.EXTENDED, Step.RELEASED, Step.ENDED, Step.REINSTATED})
"""The steps by which a person changes what is decided; the others say something about it."""

Place = tuple[State, Waits]
"""Where an account stands, and what it waits for."""

STEPS: Final[Mapping[tuple[State, Waits, Step], Place]] = MappingProxyType(
    {
        (State.ALLOWED, Waits.NOTHING, Step.PLACED): (State.RUNNING, Waits.NOTHING),
        (State.ALLOWED, Waits.APPROVAL, Step.PLACED): (State.RUNNING, Waits.APPROVAL),
        (State.RUNNING, Waits.NOTHING, Step.PLACED): (State.RUNNING, Waits.NOTHING),
        (State.RUNNING, Waits.APPROVAL, Step.PLACED): (State.RUNNING, Waits.APPROVAL),
        (State.OVER, Waits.NOTHING, Step.PLACED): (State.RUNNING, Waits.NOTHING),
        (State.OVER, Waits.APPROVAL, Step.PLACED): (State.RUNNING, Waits.APPROVAL),
        (State.RUNNING, Waits.NOTHING, Step.EXTENDED): (State.RUNNING, Waits.NOTHING),
        (State.RUNNING, Waits.APPROVAL, Step.EXTENDED): (State.RUNNING, Waits.APPROVAL),
        (State.RUNNING, Waits.REVIEW, Step.EXTENDED): (State.RUNNING, Waits.REVIEW),
        (State.RUNNING, Waits.NOTHING, Step.RELEASED): (State.ALLOWED, Waits.NOTHING),
        (State.RUNNING, Waits.APPROVAL, Step.RELEASED): (State.ALLOWED, Waits.NOTHING),
        (State.RUNNING, Waits.REVIEW, Step.RELEASED): (State.ALLOWED, Waits.NOTHING),
        (State.ALLOWED, Waits.NOTHING, Step.PROPOSED): (State.ALLOWED, Waits.APPROVAL),
        (State.RUNNING, Waits.NOTHING, Step.PROPOSED): (State.RUNNING, Waits.APPROVAL),
        (State.OVER, Waits.NOTHING, Step.PROPOSED): (State.OVER, Waits.APPROVAL),
        (State.ALLOWED, Waits.APPROVAL, Step.WITHDRAWN): (State.ALLOWED, Waits.NOTHING),
        (State.RUNNING, Waits.APPROVAL, Step.WITHDRAWN): (State.RUNNING, Waits.NOTHING),
        (State.OVER, Waits.APPROVAL, Step.WITHDRAWN): (State.OVER, Waits.NOTHING),
        (State.ALLOWED, Waits.APPROVAL, Step.ENDED): (State.ENDED, Waits.NOTHING),
        (State.RUNNING, Waits.APPROVAL, Step.ENDED): (State.ENDED, Waits.NOTHING),
        (State.OVER, Waits.APPROVAL, Step.ENDED): (State.ENDED, Waits.NOTHING),
        # Who is heard is not ended meanwhile: an appeal takes the place of a proposal, which can be made again.
        (State.RUNNING, Waits.NOTHING, Step.APPEALED): (State.RUNNING, Waits.REVIEW),
        (State.RUNNING, Waits.APPROVAL, Step.APPEALED): (State.RUNNING, Waits.REVIEW),
        (State.ENDED, Waits.NOTHING, Step.APPEALED): (State.ENDED, Waits.REVIEW),
        (State.RUNNING, Waits.REVIEW, Step.UPHELD): (State.RUNNING, Waits.NOTHING),
        (State.ENDED, Waits.REVIEW, Step.UPHELD): (State.ENDED, Waits.NOTHING),
        (State.RUNNING, Waits.REVIEW, Step.REINSTATED): (State.ALLOWED, Waits.NOTHING),
        (State.ENDED, Waits.REVIEW, Step.REINSTATED): (State.ALLOWED, Waits.NOTHING),
    }
)
"""Every step that people may take; scans decide, exempt, and take note of what is over."""


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a restraint, for the log that is only ever added to.

    ``person`` is empty where nobody acted but the machine, or the listener, who appealed.  ``until_us`` is the end
    of the restraint; of a proposal when it lapses, of an appeal when it is due.  ``ring`` is the code of the ring
    with which an account was proposed and ended, 0 for none.
    """

    account: int
    at_us: int
    step: Step
    restraint: Restraint
    until_us: int
    person: str
    reason: str
    ring: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A step taken: from which decision to which, and the event that says so.

    ``before`` is None where nothing was ever decided.  ``logged`` is how many events of the account
    the step was taken in the light of; None where only the decision matters.
    """

    before: Decision | None
    after: Decision
    event: Event
    logged: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All that people act on: the current decision on an account, and what led there.

    Parameters
    ----------
    account
        Its pseudonym.
    decision
        The current one; None where nothing was ever decided.
    events
        Of the account, in the order in which they were logged.
    """

    account: int
    decision: Decision | None
    events: tuple[Event, ...] = ()

    def state(self, now_us: int) -> State:
        """Say where the decision stands."""
        return State.ALLOWED if self.decision is None else state(self.decision, now_us)

    def proposal(self, now_us: int) -> Event | None:
        """Find the proposal to end the account that waits for approval; None where it lapsed, fell or was never."""
        found: Event | None = None
        for event in self.events:
            if event.step is Step.PROPOSED:
                found = event
            elif event.step in _SETTLES_PROPOSAL:
                found = None
        return found if found is not None and found.until_us > now_us else None

    def appeal(self, now_us: int) -> Event | None:
        """Find the appeal that waits for a review; None where nothing is left to appeal against."""
        found: Event | None = None
        for event in self.events:
            if event.step is Step.APPEALED:
                found = event
            elif event.step in _SETTLES_APPEAL:
                found = None
        return found if self.state(now_us) in (State.RUNNING, State.ENDED) else None

    def place(self, now_us: int) -> Place:
        """Say where the account stands, and what it waits for."""
        if self.appeal(now_us) is not None:
            return self.state(now_us), Waits.REVIEW
        return self.state(now_us), Waits.NOTHING if self.proposal(now_us) is None else Waits.APPROVAL

    def by_hand(self) -> tuple[Event, ...]:
        """List the steps by which people restrained it since a person last let it go."""
        found: list[Event] = []
        for event in self.events:
            if event.step in (Step.RELEASED, Step.REINSTATED):
                found.clear()
            elif event.step in (Step.PLACED, Step.PROPOSED, Step.ENDED, Step.EXTENDED):
                found.append(event)
        return tuple(found)

    def hands(self) -> frozenset[str]:
        """Name, folded, everybody who had a hand in restraining it since a person last let it go."""
        return frozenset(folded(event.person) for event in self.by_hand())

    def require(self, step: Step, now_us: int) -> None:
        """Refuse a step that is not in the table from where the account stands; LifecycleError."""
        require(self.place(now_us), step)


_SETTLES_PROPOSAL: Final = frozenset({Step.WITHDRAWN, Step.ENDED, Step.APPEALED, Step.RELEASED, Step.REINSTATED})
# What was appealed against may be over though no scan has taken note: a hold that is placed then is another one.
_SETTLES_APPEAL: Final = frozenset(
    {Step.UPHELD, Step.REINSTATED, Step.RELEASED, Step.EXPIRED, Step.EXEMPTED, Step.PLACED}
)


def state(decision: Decision, now_us: int) -> State:
    """Say where a decision stands.

    Examples
    --------
    >>> from riparian.gate.decide import decide
    >>> state(decide(None, Policy(), 0, n_accounts=1), 0)
    <State.ALLOWED: 'allowed'>
    """
    if decision.restraint is Restraint.ALLOW:
        return State.ALLOWED
    if decision.restraint is Restraint.END:
        return State.ENDED
    return State.RUNNING if decision.until_us > now_us else State.OVER


def extend(decision: Decision, policy: Policy, now_us: int, *, days: int, person: str, reason: str) -> Change:
    """Let a running restraint last longer, because a person says so and why.

    Parameters
    ----------
    decision
        The current one.
    policy
        Says how long a restraint may be extended at once.
    now_us
        UTC.
    days
        Added to its end, from 1 to the policy's longest for this restraint.
    person, reason
        Who, and why; neither may be empty.

    Raises
    ------
    LifecycleError
        When the restraint is not running, the days are out of range, or person or reason are missing.
    """
    require((state(decision, now_us), Waits.NOTHING), Step.EXTENDED)
    require_said(Step.EXTENDED, person, reason)
    longest = policy.longest_slow_days if decision.restraint is Restraint.SLOW else policy.longest_hold_days
    if not 1 <= days <= longest:
        raise LifecycleError(
            f"`days` is {days}, wanted 1 to {longest}",
            hint="Extend it again when that time is over, after another look.",
        )
    after = replace(decision, until_us=decision.until_us + days * DAY_US)
    return Change(decision, after, _event(after, Step.EXTENDED, now_us, person, reason))


def release(decision: Decision, now_us: int, *, bits_open: float | None, person: str, reason: str) -> Change:
    """Let an account go, because a person says so and why.

    Parameters
    ----------
    decision
        The current one.
    now_us
        UTC.
    bits_open
        The account's ``bits_open`` in the evidence of the last scan: all that is answered for; None where it has none.
    person, reason
        Who, and why; neither may be empty.

    Raises
    ------
    LifecycleError
        When the restraint is not running, or person or reason are missing.
    """
    require((state(decision, now_us), Waits.NOTHING), Step.RELEASED)
    return let_go(decision, Step.RELEASED, now_us, bits_open=bits_open, person=person, reason=reason)


def let_go(decision: Decision, step: Step, now_us: int, *, bits_open: float | None, person: str, reason: str) -> Change:
    """Allow an account again and answer for all that it did, whichever step says so; not checked against the table."""
    require_said(step, person, reason)
    after = replace(
        decision,
        restraint=Restraint.ALLOW,
        because=(f"{step} on {day(now_us)} by {person.strip()}: {reason.strip()}",),
        since_us=now_us,
        until_us=now_us,
        applied=False,
        bits_before=bits_open,
        bits_then=bits_open,
    )
    event = Event(after.account, now_us, step, decision.restraint, now_us, person.strip(), reason.strip())
    return Change(decision, after, event)


def steps(before: pa.Table, after: pa.Table, now_us: int) -> list[Event]:
    """Tell, from the decisions before and after a scan, what became of each account.

    Parameters
    ----------
    before, after
        ``DECISION``.
    now_us
        When the scan decided; UTC.

    Returns
    -------
    list of Event
        In the order of accounts; nothing for what simply goes on.
    """
    old = {d.account: d for d in from_table(before)}
    events = []
    for new in from_table(after):
        was = old.pop(new.account, None)
        events += _steps_of(was, new, now_us)
    for gone in old.values():
        if gone.restraint:
            events.append(_ended(gone, now_us))
    return sorted(events, key=lambda event: event.account)


def _steps_of(was: Decision | None, new: Decision, now_us: int) -> list[Event]:
    events = []
    if was is not None and was.restraint and was.until_us <= now_us:
        events.append(_ended(was, now_us))
        was = None
    if new.restraint and (was is None or new.restraint is not was.restraint or new.since_us != was.since_us):
        events.append(_event(new, Step.DECIDED, now_us, "", new.because[0]))
    exempt = new.restraint is Restraint.ALLOW and new.until_us > now_us
    if exempt and (was is None or was.until_us != new.until_us):
        events.append(_event(new, Step.EXEMPTED, now_us, "", new.because[0]))
    return events


def _ended(was: Decision, now_us: int) -> Event:
    return Event(was.account, min(was.until_us, now_us), Step.EXPIRED, was.restraint, was.until_us, "", "its time")


def _event(after: Decision, step: Step, now_us: int, person: str, reason: str) -> Event:
    return Event(after.account, now_us, step, after.restraint, after.until_us, person.strip(), reason.strip())


def require(place: Place, step: Step) -> None:
    """Refuse a step that is not in the table.

    Raises
    ------
    LifecycleError
        When it is not.

    Examples
    --------
    >>> require((State.ENDED, Waits.NOTHING), Step.RELEASED)
    Traceback (most recent call last):
    riparian.errors.LifecycleError: the account is `ended` and was to be `released`, wanted `running`
    """
    if (*place, step) not in STEPS:
        raise LifecycleError(
            f"the account is {_told(place)} and was to be `{step}`, wanted {_wanted(step)}", hint=_hint(place)
        )


def _told(place: Place) -> str:
    stands, waits = place
    return f"`{stands}`" if waits is Waits.NOTHING else f"`{stands}` and waits for `{waits}`"


def _wanted(step: Step) -> str:
    places = [(stands, waits) for stands, waits, possible in STEPS if possible is step]
    return " or ".join(
        dict.fromkeys(_told((s, Waits.NOTHING if (s, Waits.NOTHING) in places else w)) for s, w in places)
    )


def _hint(place: Place) -> str:
    if place[1] is Waits.APPROVAL:
        return "Approve or withdraw the proposal with `riparian hold approve` or `riparian hold withdraw`."
    if place[1] is Waits.REVIEW:
        return "Review the appeal with `riparian hold review`."
    if place[0] is State.ENDED:
        return "Take up an appeal with `riparian hold appeal`, and let somebody else review it."
    return "Look at the current state with `riparian hold list` and `riparian hold proposals`."
