"""Who is restrained, the strongest first?"""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.console.declared import AFTER, tells
from riparian.console.page import Question
from riparian.flows.listed import restrained

ROWS: Final = 50


@tells("accounts", after=AFTER)
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List the restraints in force, by a page; kind ``accounts``."""
    mode = assembly.read_policy(given).mode
    with assembly.opened(given) as world:
        listed = restrained(world, after=question.of("after"), limit=ROWS)
    return {
        "kind": "accounts",
        "mode": mode.value,
        "accounts": list(listed.rows),
        "after": listed.after,
        "is_first": not question.of("after"),
        "recompute": shlex.join(["riparian", "hold", "list", "--workspace", str(given.workspace)]),
    }


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the accounts that it shows."""
    return [str(row["pseudonym"]) for row in facts["accounts"]]
