"""Who objects, what is proposed, and who else looks?"""

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from riparian import assembly
from riparian.console.declared import AFTER, takes, tells
from riparian.console.named import code_of, ring_code
from riparian.console.page import Done, Form, Question
from riparian.errors import InputError
from riparian.flows.ending import (
    appealed,
    approve_end,
    history_of,
    proposed,
    reinstate_appealed,
    uphold_appealed,
    withdraw_end,
)
from riparian.flows.lines import written
from riparian.flows.listed import waiting_listed
from riparian.flows.restraints import Said
from riparian.gate.appeals import APPEAL_DAYS
from riparian.gate.ending import PROPOSAL_DAYS
from riparian.gate.holds import Event, History
from riparian.ports import World

ROWS: Final = 25
_PATH: Final = "/appeals"
_RING: Final = "All that are proposed of a ring, by its name, in place of one account."


@tells("appeals", after=AFTER, proposed_after="The same of the proposals, as their `proposed_after` says.")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List the appeals and the proposals that wait, the oldest first, each by a page; kind ``appeals``."""
    mode = assembly.read_policy(given).mode
    after, further = question.of("after"), question.of("proposed_after")
    with assembly.opened(given) as world:
        now_us = world.clock.now_us()
        objected, wanted = appealed(world), proposed(world)
        appeals = waiting_listed(world, objected, question.person.name, after=after, limit=ROWS)
        proposals = waiting_listed(world, wanted, question.person.name, after=further, limit=ROWS)
    return {
        "kind": "appeals",
        "mode": mode.value,
        "at": written(now_us),
        "waiting": len(objected),
        "late": sum(event.until_us <= now_us for _, event in objected),
        "appeals": list(appeals.rows),
        "after": appeals.after,
        "is_first": not after,
        "proposed": len(wanted),
        "proposals": list(proposals.rows),
        "proposed_after": proposals.after,
        "is_first_proposed": not further,
        "appeal_days": APPEAL_DAYS,
        "proposal_days": PROPOSAL_DAYS,
        "recompute": shlex.join(["riparian", "hold", "appeals", "--workspace", str(given.workspace)]),
        "recompute_proposals": shlex.join(["riparian", "hold", "proposals", "--workspace", str(given.workspace)]),
    }


@takes(id="An account, by its identifier or its pseudonym.", reason="Why, in words; kept.")
def uphold(given: assembly.Given, question: Question, form: Form) -> Done:
    """Leave it as it is, as `riparian hold review --uphold` does."""
    return _reviewed(given, question, form, uphold_appealed)


@takes(id="An account, by its identifier or its pseudonym.", reason="Why, in words; kept.")
def reinstate(given: assembly.Given, question: Question, form: Form) -> Done:
    """Take it back, as `riparian hold review --reinstate` does."""
    return _reviewed(given, question, form, reinstate_appealed)


@takes(id="An account, by its identifier or its pseudonym.", ring=_RING, reason="Why, in words; kept.")
def approve(given: assembly.Given, question: Question, form: Form) -> Done:
    """End what somebody else proposed to end, as `riparian hold approve` does."""
    with assembly.kept_house(given) as house:
        approve_end(house.world, house.terms.policy, _meant(house.world, form), _said(question, form))
    return Done(_PATH)


@takes(id="An account, by its identifier or its pseudonym.", ring=_RING, reason="Why, in words; kept.")
def withdraw(given: assembly.Given, question: Question, form: Form) -> Done:
    """Take a proposal back, as `riparian hold withdraw` does."""
    with assembly.kept_house(given) as house:
        withdraw_end(house.world, _meant(house.world, form), _said(question, form))
    return Done(_PATH)


def _reviewed(
    given: assembly.Given, question: Question, form: Form, decide: Callable[[World, int, Said], Event]
) -> Done:
    with assembly.kept_house(given) as house:
        decide(house.world, _named(house.world, form), _said(question, form))
    return Done(_PATH)


def _named(world: World, form: Form) -> int:
    return code_of(world, form.get("id", ""))


def _meant(world: World, form: Form) -> Iterable[History]:
    ring = form.get("ring", "")
    if not ring:
        return [history_of(world, _named(world, form))]
    waiting = [history for history, _ in proposed(world, ring=ring_code(ring))]
    if not waiting:
        raise InputError("no proposal on this ring waits, wanted one that does", hint="Load the page Appeals again.")
    return waiting


def _said(question: Question, form: Form) -> Said:
    return Said(question.person.name, form.get("reason", ""))


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the accounts that it shows."""
    return list(dict.fromkeys(str(row["pseudonym"]) for row in (*facts["appeals"], *facts["proposals"])))
