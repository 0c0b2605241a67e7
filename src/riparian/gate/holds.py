"""Which way does a restraint go: extended, released, expired, by whom and why?

House rules: every step of a restraint is in ``STEPS``, in this file; a step that is not there raises
``LifecycleError`` and changes nothing.  A function here returns a :class:`Change`, and the store puts it
in place only if the decision it starts from is still the current one.

::

    (decided) --> RUNNING --extended--> RUNNING
                     |-----released--> ALLOWED      by a person, with a reason
                     `--(time)--> ENDED             the next scan takes note: expired

After a release or an expiry the same bits do not bring the restraint back; see :mod:`riparian.gate.decide`.
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
from riparian.gate.policy import Policy, Restraint
from riparian.schema import DAY_US


class State(StrEnum):
    """Where a decision stands at a given time."""

    ALLOWED = "allowed"
    RUNNING = "running"
    ENDED = "ended"


class Step(StrEnum):
    """What can happen to a decision."""

    DECIDED = "decided"
    EXTENDED = "extended"
    RELEASED = "released"
    EXPIRED = "expired"
    EXEMPTED = "exempted"


STEPS: Final[Mapping[tuple[State, Step], State]] = MappingProxyType(
    {
        (State.RUNNING, Step.EXTENDED): State.RUNNING,
        (State.RUNNING, Step.RELEASED): State.ALLOWED,
    }
)
"""Every step that a person may take; scans decide, exempt, and take note of what has ended."""


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a restraint, for the log that is only ever added to.

    ``person`` is empty where nobody acted but the machine.
    """

    account: int
    at_us: int
    step: Step
    restraint: Restraint
    until_us: int
    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A step taken: from which decision to which, and the event that says so."""

    before: Decision
    after: Decision
    event: Event


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
    return State.RUNNING if decision.until_us > now_us else State.ENDED


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
    _require(decision, Step.EXTENDED, now_us, person=person, reason=reason)
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
    _require(decision, Step.RELEASED, now_us, person=person, reason=reason)
    after = replace(
        decision,
        restraint=Restraint.ALLOW,
        because=(f"released on {day(now_us)} by {person.strip()}: {reason.strip()}",),
        since_us=now_us,
        until_us=now_us,
        applied=False,
        bits_before=bits_open,
        bits_then=bits_open,
    )
    event = Event(after.account, now_us, Step.RELEASED, decision.restraint, now_us, person.strip(), reason.strip())
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


def _require(decision: Decision, step: Step, now_us: int, *, person: str, reason: str) -> None:
    stands = state(decision, now_us)
    if (stands, step) not in STEPS:
        wanted = " or ".join(f"`{s}`" for s, possible in STEPS if possible is step)
        raise LifecycleError(
            f"the account is `{stands}` and was to be `{step}`, wanted {wanted}",
            hint="Look at the current state with `riparian hold list`.",
        )
    if not person.strip() or not reason.strip():
        raise LifecycleError(
            f"the account was to be `{step}` without {'a person' if not person.strip() else 'a reason'}, wanted both",
            hint="Name yourself with --person and say why with --reason.",
        )
