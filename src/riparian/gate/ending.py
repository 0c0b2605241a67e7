"""May this account be ended, and who says so?

No machine ends an account.  One person proposes it with a reason, another approves it with one, within a week; until
then, and if nobody does, everything stays as it was.  What is ended has no end by time.  It has a way back all the
same: an appeal (:mod:`riparian.gate.appeals`).

Rules
-----
* Four eyes: whoever proposed does not approve, under no spelling of the name (:func:`riparian.gate.eyes.folded`).
* A proposal lapses after :data:`PROPOSAL_DAYS`, so that nobody ends an account on what was true a season ago.
* Anybody may withdraw it; a release and an appeal settle it, too.
* The reasons for the restraint that ran stay with the decision: they are what the listener is told.
* In shadow mode an end is recorded and not applied, like everything else.
"""

from dataclasses import replace
from typing import Final

from riparian.errors import LifecycleError
from riparian.gate.decide import NEVER_US, Decision
from riparian.gate.exempt import day
from riparian.gate.eyes import folded, require_said
from riparian.gate.holds import Change, Event, History, State, Step
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.schema import DAY_US

PROPOSAL_DAYS: Final = 7


def propose(
    history: History, now_us: int, *, person: str, reason: str, ring: int = 0, slow_bits: float = 1.0
) -> Change:
    """Propose to end an account.

    Parameters
    ----------
    history
        Of the account.
    now_us
        UTC.
    person, reason
        Who, and why; neither may be empty.
    ring
        Code of the ring that is to be ended with it; 0 for none.
    slow_bits
        What slowing wants, for the record of an account about which nothing was ever decided.

    Raises
    ------
    LifecycleError
        When it is ended, a proposal or an appeal waits, or person or reason are missing.
    """
    history.require(Step.PROPOSED, now_us)
    require_said(Step.PROPOSED, person, reason)
    event = _event(history, Step.PROPOSED, now_us, person, reason)
    event = replace(event, restraint=Restraint.END, until_us=now_us + PROPOSAL_DAYS * DAY_US, ring=ring)
    return Change(history.decision, _decision(history, now_us, slow_bits), event, len(history.events))


def withdraw(history: History, now_us: int, *, person: str, reason: str) -> Change:
    """Take a proposal back; LifecycleError when none waits, or person or reason are missing."""
    history.require(Step.WITHDRAWN, now_us)
    require_said(Step.WITHDRAWN, person, reason)
    event = _event(history, Step.WITHDRAWN, now_us, person, reason)
    return Change(history.decision, _decision(history, now_us), event, len(history.events))


def end(history: History, policy: Policy, now_us: int, *, person: str, reason: str) -> Change:
    """Approve a proposal, which ends the account.

    Parameters
    ----------
    history
        Of the account.
    policy
        Says whether anything is applied.
    now_us
        UTC.
    person, reason
        Who, and why; not whoever proposed it.

    Raises
    ------
    LifecycleError
        When no proposal waits, the same person made it, or person or reason are missing.
    """
    history.require(Step.ENDED, now_us)
    require_said(Step.ENDED, person, reason)
    proposal = history.proposal(now_us)
    if proposal is None or folded(proposal.person) == folded(person):
        raise LifecycleError(
            "`person` is who proposed to end the account, wanted somebody else", hint="Let another person look at it."
        )
    before = _decision(history, now_us)
    facts = before.because if history.state(now_us) is State.RUNNING else ()
    said = f"ended on {day(now_us)} by {person.strip()}, proposed by {proposal.person}: {proposal.reason}"
    after = replace(
        before,
        restraint=Restraint.END,
        because=(said, *facts),
        since_us=now_us,
        until_us=NEVER_US,
        applied=policy.mode is Mode.ENFORCE,
    )
    event = _event(history, Step.ENDED, now_us, person, reason)
    event = replace(event, restraint=Restraint.END, until_us=NEVER_US, ring=proposal.ring)
    return Change(history.decision, after, event, len(history.events))


def _event(history: History, step: Step, now_us: int, person: str, reason: str) -> Event:
    decision = history.decision
    restraint = Restraint.ALLOW if decision is None else decision.restraint
    until_us = now_us if decision is None else decision.until_us
    return Event(history.account, now_us, step, restraint, until_us, person.strip(), reason.strip())


def _decision(history: History, now_us: int, slow_bits: float = 1.0) -> Decision:
    # A scan that did not know of the proposal leaves no row of an account that it allows.
    if history.decision is not None:
        return history.decision
    nothing = ("nothing was decided about it",)
    return Decision(history.account, Restraint.ALLOW, nothing, 0.0, slow_bits, 1.0, None, now_us, 0, applied=False)
