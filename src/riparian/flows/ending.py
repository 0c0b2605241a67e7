"""What do people decide together: to end an account, or a whole ring, and to look again?

::

    propose --(somebody else, within a week)--> approve --> ENDED --> appeal --(a third person)--> upheld | reinstated
                                           `--> withdraw           (the same for a restraint that runs)

Every step is one transaction, also for a whole ring: all of its members or none.  What the edges do follows
from the decisions, as always.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import label
from riparian.errors import InputError, LifecycleError
from riparian.flows.joined import evidence_of_all
from riparian.flows.lines import names_of, written
from riparian.flows.restraints import Said, bits_open_of
from riparian.flows.rings import ring_label, ring_row
from riparian.gate.appeals import appeal, reinstate, uphold
from riparian.gate.decide import Decision
from riparian.gate.ending import end, propose, withdraw
from riparian.gate.holds import Change, Event, History, State, Step, Waits
from riparian.gate.policy import Policy, Restraint
from riparian.ports import World

_ALREADY: Final = {
    (State.ENDED, Waits.NOTHING): "it is ended already",
    (State.ENDED, Waits.REVIEW): "it is ended already",
    (State.RUNNING, Waits.REVIEW): "its appeal is to be reviewed first",
}
_PROPOSED: Final = "it is proposed already"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member of a ring that is to be ended, and why it is left out, if it is.

    Parameters
    ----------
    history
        What was decided about it.
    bits
        Its own, of all questions together.
    left_out
        Why it cannot be ended, or should not be; empty where it can.
    able
        Whether a person may insist.
    """

    history: History
    bits: float
    left_out: str
    able: bool


def history_of(world: World, account: int) -> History:
    """Read all that people act on."""
    return History(account, world.decisions.of(account), tuple(world.decisions.events(account)))


def candidates(world: World, ring: int) -> list[Candidate]:
    """List the members of a ring, each with what there is against itself, the strongest first.

    To be in a ring is no evidence against a member.  Only who is held now, on bits of its own, stands for itself.

    Raises
    ------
    InputError
        When the last scan found no such ring.
    """
    members = ring_row(world, ring)["accounts"]
    evidence = evidence_of_all(world.findings.table)
    own = evidence.filter(pc.is_in(evidence["account"], pa.array(members, pa.uint64())))
    bits = dict(zip(own["account"].to_pylist(), own["bits"].to_pylist(), strict=True))
    now_us = world.clock.now_us()
    listed = [_candidate(history_of(world, account), bits.get(account, 0.0), now_us) for account in members]
    return sorted(listed, key=lambda one: (bool(one.left_out), -one.bits, one.history.account))


def _candidate(history: History, bits: float, now_us: int) -> Candidate:
    place = history.place(now_us)
    already = _PROPOSED if place[1] is Waits.APPROVAL else _ALREADY.get(place, "")
    return Candidate(history, bits, already or _lacking(history.decision, place[0]), able=not already)


def _lacking(decision: Decision | None, state: State) -> str:
    if decision is None or state is not State.RUNNING:
        return "nothing restrains it now"
    if decision.restraint is Restraint.HOLD and decision.bits >= decision.threshold_bits:
        return ""
    return f"it is not held on evidence of its own, but {_IS[decision.restraint]}"


_IS: Final = {Restraint.SLOW: "slowed", Restraint.STEP_UP: "asked to step up", Restraint.HOLD: "held by a person"}


def propose_end(world: World, accounts: Iterable[int], said: Said, *, ring: int = 0) -> list[Event]:
    """Propose to end accounts; all of them or none.

    Raises
    ------
    InputError
        When the vault does not know one of them: no edge could be told of it.
    LifecycleError
        When one is ended, or waits for approval or review, or there is none.
    """
    chosen = list(accounts)
    unknown = world.vault.ids_of(np.array(chosen, np.uint64)).count(None)
    if unknown:
        raise InputError(f"{unknown:,} of the accounts are not in the vault, wanted accounts that a scan has seen")
    if not chosen:
        raise LifecycleError(
            "the ring has no member that is held on evidence of its own, wanted one",
            hint="Look at its members with --dry-run; insist with --all, and say why.",
        )
    now_us = world.clock.now_us()
    slow_bits = float(world.scans.summaries()[-1]["thresholds"]["slow"])
    changes = [
        propose(
            history_of(world, account), now_us, person=said.person, reason=said.reason, ring=ring, slow_bits=slow_bits
        )
        for account in chosen
    ]
    return _recorded(world, changes)


def proposed(world: World, *, ring: int | None = None) -> list[tuple[History, Event]]:
    """List the proposals that wait for approval, the oldest first; of one ring, where one is named."""
    now_us = world.clock.now_us()
    waiting = []
    for history in _touched(world, Step.PROPOSED):
        proposal = history.proposal(now_us)
        waits = history.place(now_us)[1] is Waits.APPROVAL
        if proposal is not None and waits and ring in (None, proposal.ring):
            waiting.append((history, proposal))
    return sorted(waiting, key=lambda one: (one[1].at_us, one[0].account))


def approve_end(world: World, policy: Policy, histories: Iterable[History], said: Said) -> list[Event]:
    """Approve proposals, which ends the accounts; all of them or none, LifecycleError as :func:`gate.ending.end`."""
    now_us = world.clock.now_us()
    return _recorded(world, [end(h, policy, now_us, person=said.person, reason=said.reason) for h in histories])


def withdraw_end(world: World, histories: Iterable[History], said: Said) -> list[Event]:
    """Take proposals back; all of them or none."""
    now_us = world.clock.now_us()
    return _recorded(world, [withdraw(h, now_us, person=said.person, reason=said.reason) for h in histories])


def take_up_appeal(world: World, account: int, text: str) -> Event:
    """Take up what the listener says."""
    return _recorded(world, [appeal(history_of(world, account), world.clock.now_us(), text=text)])[0]


def appealed(world: World) -> list[tuple[History, Event]]:
    """List the appeals that wait for a review, the oldest first."""
    now_us = world.clock.now_us()
    found = [(history, history.appeal(now_us)) for history in _touched(world, Step.APPEALED)]
    waiting = [(history, event) for history, event in found if event is not None]
    return sorted(waiting, key=lambda one: (one[1].at_us, one[0].account))


def uphold_appealed(world: World, account: int, said: Said) -> Event:
    """Look again and leave it as it is."""
    change = uphold(history_of(world, account), world.clock.now_us(), person=said.person, reason=said.reason)
    return _recorded(world, [change])[0]


def reinstate_appealed(world: World, account: int, said: Said) -> Event:
    """Look again and take it back; all that the account did until the last scan is answered for."""
    history = history_of(world, account)
    change = reinstate(
        history,
        world.clock.now_us(),
        bits_open=bits_open_of(world, account, history.decision),
        person=said.person,
        reason=said.reason,
    )
    return _recorded(world, [change])[0]


def _recorded(world: World, changes: list[Change]) -> list[Event]:
    world.decisions.record(*changes)
    return [change.event for change in changes]


def _touched(world: World, step: Step) -> list[History]:
    return [history_of(world, account) for account in {event.account for event in world.decisions.log(step)}]


def candidate_lines(world: World, ring: int, listed: list[Candidate], chosen: Iterable[int]) -> list[dict[str, Any]]:
    """Tell of each member of a ring whether it is proposed, and if not, why; kind ``candidate``."""
    names = names_of(world, [one.history.account for one in listed])
    taken = set(chosen)
    return [
        {
            "kind": "candidate",
            "account": name,
            "pseudonym": label(one.history.account),
            "ring": ring_label(ring),
            "action": _action(one.history.decision),
            "bits": round(one.bits, 3),
            "because": [] if one.history.decision is None else list(one.history.decision.because),
            "proposed": one.history.account in taken,
            "left_out": one.left_out if one.history.account not in taken else "",
        }
        for name, one in zip(names, listed, strict=True)
    ]


def waiting_lines(world: World, waiting: list[tuple[History, Event]]) -> list[dict[str, Any]]:
    """Tell what waits for a person; kinds ``proposal`` and ``appeal``."""
    names = names_of(world, [history.account for history, _ in waiting])
    now_us = world.clock.now_us()
    return [
        {
            "kind": "proposal" if event.step is Step.PROPOSED else "appeal",
            "account": name,
            "pseudonym": label(history.account),
            "ring": ring_label(event.ring) if event.ring else None,
            "action": _action(history.decision),
            "at": written(event.at_us),
            "due": written(event.until_us),
            "late": event.until_us <= now_us,
            "person": event.person,
            "reason": event.reason,
        }
        for name, (history, event) in zip(names, waiting, strict=True)
    ]


def _action(decision: Decision | None) -> str:
    return "allow" if decision is None else decision.restraint.name.lower()
