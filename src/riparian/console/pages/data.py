"""What is kept of this account, and what stays when it is erased?"""

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from riparian import assembly
from riparian.codes import label
from riparian.console.declared import takes, tells
from riparian.console.named import code_of
from riparian.console.page import Done, Form, Question, address
from riparian.errors import InputError, LifecycleError
from riparian.flows.erasing import KEPT
from riparian.flows.exported import exported
from riparian.flows.lines import names_of
from riparian.gate.policy import Restraint
from riparian.ports import World

_PATH = "/data"
STAYS = (
    *KEPT,
    "looks at it on pages, and who erased it, under its pseudonym: they are about who works here",
    "whatever was exported of it before: it is whoever's who has it",
)
"""What stays, and why."""


@tells("account_data", id="An account, by its identifier or its pseudonym.")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Give all that is kept of an account; kind ``account_data``, as `riparian account export` gives it.

    Raises
    ------
    InputError
        When no account is named, or the name is nobody's.
    """
    wanted = question.of("id").strip()
    if not wanted:
        raise InputError("no account is named, wanted an identifier or a pseudonym", hint="Enter one.")
    around = {"stays": list(STAYS), "erased": None}
    with assembly.kept_house(given) as house:
        code = code_of(house.world, wanted)
        if house.world.vault.ids_of(np.array([code], np.uint64)) == [None]:
            return {
                "kind": "account_data",
                "is_kept": False,
                "account": label(code),
                "pseudonym": label(code),
                **around,
            }
        (name,) = names_of(house.world, [code])
        again = shlex.join(["riparian", "account", "export", name, "--workspace", str(given.workspace)])
        return {**exported(house.world, house.terms, code, recompute=again), "is_kept": True, **around}


@takes(
    id="An account, by its identifier or its pseudonym.", confirm="Its pseudonym, once more: nothing brings it back."
)
def erase(given: assembly.Given, question: Question, form: Form) -> Done:
    """Remove it from everything that is kept, as `riparian erase` does; by somebody who decided nothing about it."""
    wanted, person = form.get("id", "").strip(), question.person.name
    with assembly.gates_at_rest(given), assembly.house(given) as house:
        code = code_of(house.world, wanted)
        pseudonym = label(code)
        if form.get("confirm", "").strip() != pseudonym:
            raise InputError(
                "the pseudonym is not that of the account, wanted it once more",
                hint="Enter it as it stands on the page: nothing brings the account back.",
            )
        _require_other(house.world, code, person)
        decision = house.world.decisions.of(code)
        found = assembly.erase_account(given, house.world, code, wanted)
    with assembly.staff(given) as staff:
        staff.looked(person, f"{_PATH}/erase", [pseudonym], assembly.WallClock().now_us())
    was_ended = decision is not None and decision.restraint is Restraint.END
    return Done(address(_PATH, id=pseudonym), {"erased": {"found": found, "was_ended": was_ended}})


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the account that it shows."""
    return [str(facts["pseudonym"])] if facts["is_kept"] else []


def _require_other(world: World, code: int, person: str) -> None:
    """Refuse whoever decided about it: with the account goes what was decided, and by whom."""
    if any(event.person == person for event in world.decisions.events(code)):
        raise LifecycleError(
            "you decided about this account, wanted somebody who had no hand in it",
            hint="Ask another approver: what is erased cannot be looked into any more.",
        )
