"""May one person hold this account, and until when?

What an operator knows need not stand in a log: a card that was stolen, a partner's key that leaked.  One person may
hold an account for as long as evidence may at most, ``longest_hold_days``, with a reason; it is a hold like any other:
every edge is told, it ends by itself, and the account can be released or appeal.

Rules
-----
* Whoever has held an account for that long does not go on with it: to extend it, or to place the next hold before as
  long a time has passed, it takes somebody else.
* It answers no evidence.  Bits count on from where they stood, and when it is over the account stands on those alone.
* What ran before goes on until its own end where that is later; its reasons stay with the decision.
* Neither a scan nor an exemption lifts it.
* In shadow mode it is recorded and not applied, like everything else.
"""

from typing import Final

from riparian.errors import LifecycleError
from riparian.gate.decide import PLACED, Decision
from riparian.gate.exempt import day
from riparian.gate.eyes import folded, require_said
from riparian.gate.holds import Change, Event, History, State, Step, extend
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.schema import DAY_US

_HOLDS: Final = frozenset({Step.PLACED, Step.EXTENDED})


def place(
    history: History,
    policy: Policy,
    now_us: int,
    *,
    until_us: int,
    person: str,
    reason: str,
    hold_bits: float = 1.0,
) -> Change:
    """Hold an account until a time, because a person says so and why.

    Parameters
    ----------
    history
        Of the account.
    policy
        Says how long at most, and whether anything is applied.
    now_us, until_us
        UTC; the end is later than now, and at most ``longest_hold_days``.
    person, reason
        Who, and why; neither may be empty.
    hold_bits
        What a hold on evidence wants, for the record.

    Raises
    ------
    LifecycleError
        When it is ended, an appeal waits, the time is out of range, the person had their turn, or person or reason are
        missing.

    Examples
    --------
    >>> held = place(History(7, None), Policy(), 0, until_us=DAY_US, person="Ada", reason="a stolen card").after
    >>> held.restraint, held.because
    (<Restraint.HOLD: 3>, ('placed on hold on 1970-01-01 by Ada: a stolen card',))
    """
    history.require(Step.PLACED, now_us)
    require_said(Step.PLACED, person, reason)
    if not 0 < until_us - now_us <= policy.longest_hold_days * DAY_US:
        raise LifecycleError(
            f"the hold was to end on {day(until_us)}, wanted a time within {policy.longest_hold_days} days from now",
            hint="Let somebody else extend it when that time is over, or propose to end the account.",
        )
    _require_turn(history, policy, now_us, person)
    after = _held(history, policy, now_us, hold_bits, until_us, f"{PLACED}{day(now_us)} by {person.strip()}: {reason}")
    event = Event(history.account, now_us, Step.PLACED, Restraint.HOLD, after.until_us, person.strip(), reason.strip())
    return Change(history.decision, after, event, len(history.events))


def prolong(history: History, policy: Policy, now_us: int, *, days: int, person: str, reason: str) -> Change:
    """Let a restraint last longer; a person's hold only by somebody who had no hand in it yet.

    Raises
    ------
    LifecycleError
        As :func:`riparian.gate.holds.extend`; when nothing was ever decided; when the person had their turn.
    """
    if history.decision is None:
        raise LifecycleError("the account is `allowed`, wanted one that is restrained")
    change = extend(history.decision, policy, now_us, days=days, person=person, reason=reason)
    if history.decision.is_placed:
        _require_turn(history, policy, now_us, person)
    return change


def _require_turn(history: History, policy: Policy, now_us: int, person: str) -> None:
    forgotten_us = now_us - policy.longest_hold_days * DAY_US
    held: set[str] = set()
    for event in history.events:
        if event.step in (Step.RELEASED, Step.REINSTATED):
            held.clear()
        elif event.step in _HOLDS and event.until_us > forgotten_us:
            held.add(folded(event.person))
    if folded(person) in held:
        raise LifecycleError(
            "`person` held this account before, wanted somebody else to go on with it",
            hint="Let another person look at it.",
        )


def _held(history: History, policy: Policy, now_us: int, hold_bits: float, until_us: int, said: str) -> Decision:
    before, runs = history.decision, history.state(now_us) is State.RUNNING
    is_held = before is not None and runs and before.restraint is Restraint.HOLD
    bits = before.bits if before is not None and runs else 0.0
    # Whoever is not restrained any more counts from where that was answered.
    opened = None if before is None else before.bits_before if runs else before.bits_then
    return Decision(
        account=history.account,
        restraint=Restraint.HOLD,
        because=(said.strip(), *(before.because if before is not None and runs else ())),
        bits=bits,
        threshold_bits=before.threshold_bits if before is not None and is_held else hold_bits,
        declared=2.0 ** -max(bits, 0.0),
        certified=before.certified if before is not None and runs else None,
        since_us=now_us,
        until_us=max(until_us, before.until_us) if before is not None and is_held else until_us,
        applied=policy.mode is Mode.ENFORCE,
        bits_before=opened,
        bits_then=None if before is None else before.bits_then,
    )
