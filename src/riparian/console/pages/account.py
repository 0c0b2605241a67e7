"""Why is this account where it is: how its bits add up, what was decided, what was done?"""

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from riparian import assembly
from riparian.console import waterfall
from riparian.console.named import code_of
from riparian.console.page import Question
from riparian.errors import InputError
from riparian.flows.explained import account_told
from riparian.flows.extraction import about
from riparian.flows.lines import names_of


def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Explain one account; kind ``explanation``, and beside it how its bars are drawn."""
    wanted = question.of("id").strip()
    if not wanted:
        raise InputError("no account is named, wanted an identifier or a pseudonym", hint="Enter one.")
    with assembly.house(given) as house:
        code = code_of(house.world, wanted)
        found = about(house.world, house.terms, code)
        (name,) = names_of(house.world, [code])
    again = shlex.join(["riparian", "explain", "account", name, "--workspace", str(given.workspace)])
    told = account_told(name, found, recompute=again)
    wants = found.decision.threshold_bits if found.decision is not None else None
    return {**told, **drawn(found.evidence.waterfall, wants)}


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
