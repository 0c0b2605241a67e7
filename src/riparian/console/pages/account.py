"""Why is this account where it is: how its bits add up, what was decided, what was done?"""

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from riparian import assembly
from riparian.console import waterfall
from riparian.console.declared import takes, tells
from riparian.console.named import code_of
from riparian.console.page import Done, Form, Question, address
from riparian.errors import InputError
from riparian.flows.ending import propose_end, take_up_appeal
from riparian.flows.explained import account_told
from riparian.flows.extraction import about
from riparian.flows.lines import names_of, written
from riparian.flows.restraints import (
    Said,
    current_decision,
    extend_restraint,
    longest_days,
    possible,
    release_restraint,
)
from riparian.gate.appeals import TEXT_MAX
from riparian.gate.ending import PROPOSAL_DAYS
from riparian.gate.policy import Restraint
from riparian.ports import World
from riparian.schema import DAY_US

_DIGITS: Final = 4


@tells("explanation", id="An account, by its identifier or its pseudonym.")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Explain one account; kind ``explanation``, and beside it how its bars are drawn."""
    wanted = question.of("id").strip()
    if not wanted:
        raise InputError("no account is named, wanted an identifier or a pseudonym", hint="Enter one.")
    with assembly.kept_house(given) as house:
        code = code_of(house.world, wanted)
        found = about(house.world, house.terms, code)
        (name,) = names_of(house.world, [code])
        steps = possible(house.world, code)
        policy = house.terms.policy
    again = shlex.join(["riparian", "explain", "account", name, "--workspace", str(given.workspace)])
    told = account_told(name, found, recompute=again)
    wants = found.decision.threshold_bits if found.decision is not None else None
    restraint = found.decision.restraint if found.decision is not None else Restraint.ALLOW
    return {
        **told,
        **drawn(found.evidence.waterfall, wants),
        "mode": policy.mode.value,
        "possible": [step.value for step in steps],
        "longest_days": longest_days(policy, restraint),
        "longest_text": TEXT_MAX,
        "proposal_days": PROPOSAL_DAYS,
        "timeline": [
            {
                "day": written(row["day"] * DAY_US)[:10],
                "bits": row["bits"],
                "plays": row["plays"],
                "novel": row["novel"],
            }
            for row in found.timeline.select(["day", "bits", "plays", "novel"]).to_pylist()
        ],
    }


@takes(id="An account, by its identifier or its pseudonym.", reason="Why, in words; kept.")
def release(given: assembly.Given, question: Question, form: Form) -> Done:
    """Let it go, as `riparian hold release` does."""
    with assembly.kept_house(given) as house:
        code, said = _meant(house.world, question, form)
        release_restraint(house.world, current_decision(house.world, code), said=said)
    return _back(form)


@takes(
    id="An account, by its identifier or its pseudonym.",
    days="How many days its end moves.",
    reason="Why, in words; kept.",
)
def extend(given: assembly.Given, question: Question, form: Form) -> Done:
    """Let its restraint last longer, as `riparian hold extend` does."""
    days = form.get("days", "")
    if not days.isdecimal() or len(days) > _DIGITS:
        raise InputError("the days are no number, wanted how many it is extended by", hint="Enter a number of days.")
    with assembly.kept_house(given) as house:
        code, said = _meant(house.world, question, form)
        decision = current_decision(house.world, code)
        extend_restraint(house.world, house.terms.policy, decision, days=int(days), said=said)
    return _back(form)


@takes(id="An account, by its identifier or its pseudonym.", text="What the listener says.")
def appeal(given: assembly.Given, question: Question, form: Form) -> Done:
    """Take up what its listener says, as `riparian hold appeal` does."""
    with assembly.kept_house(given) as house:
        code, _ = _meant(house.world, question, form)
        # A browser ends lines as letters do.
        take_up_appeal(house.world, code, form.get("text", "").replace("\r\n", "\n"))
    return _back(form)


@takes(id="An account, by its identifier or its pseudonym.", reason="Why, in words; kept.")
def propose(given: assembly.Given, question: Question, form: Form) -> Done:
    """Propose to end it, as `riparian hold end` does."""
    with assembly.kept_house(given) as house:
        code, said = _meant(house.world, question, form)
        propose_end(house.world, [code], said)
    return _back(form)


def _meant(world: World, question: Question, form: Form) -> tuple[int, Said]:
    return code_of(world, form.get("id", "")), Said(question.person.name, form.get("reason", ""))


def _back(form: Form) -> Done:
    return Done(address("/account", id=form.get("id", "")))


def drawn(rows: Any, wanted: float | None) -> dict[str, Any]:
    """Tell how bars are drawn: where each begins and ends, and on which scale."""
    steps = waterfall.steps(rows)
    within = waterfall.scale(steps, () if wanted is None else (wanted,))
    return {
        "steps": [{**asdict(step), "shown": step.shown} for step in steps],
        "scale": {"low": within.low, "high": within.high},
        "wanted": wanted,
    }


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the account that it shows."""
    return [str(facts["pseudonym"])]
