"""Why is this a ring: what do its accounts never do together, and who is in it?"""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.codes import label
from riparian.console.declared import AFTER, tells
from riparian.console.named import ring_code
from riparian.console.page import Question
from riparian.console.pages.account import drawn
from riparian.errors import InputError
from riparian.flows.explained import ring_told
from riparian.flows.lines import names_of
from riparian.flows.rings import about_ring

ROWS: Final = 50


@tells("explanation", id="A ring, by its name.", after=AFTER)
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Explain one ring; kind ``explanation``, its accounts by a page.

    Raises
    ------
    InputError
        When the last scan found no such ring, or the page begins nowhere.
    """
    ring = question.of("id").strip()
    with assembly.kept_house(given) as house:
        found = about_ring(house.world, house.terms, ring_code(ring))
        members = [label(member.account) for member in found.members]
        after = question.of("after")
        if after and after not in members:
            raise InputError("the page begins nowhere, wanted a place that a page before it named")
        first = members.index(after) + 1 if after else 0
        names = names_of(house.world, [member.account for member in found.members])
    again = shlex.join(["riparian", "explain", "ring", ring, "--workspace", str(given.workspace)])
    told = ring_told(found, names, recompute=again)
    shown = told["accounts"][first : first + ROWS]
    return {
        **told,
        **drawn(found.evidence.waterfall, None),
        "accounts": shown,
        "members": len(members),
        "after": shown[-1]["pseudonym"] if len(members) > first + ROWS else "",
        "is_first": not after,
        "pairs": {
            "accounts": [label(account) for account in found.overlap.accounts],
            "between": found.overlap.between.tolist(),
        },
    }


def seen(facts: Mapping[str, Any]) -> list[str]:
    """Name the accounts that it shows."""
    return [str(row["pseudonym"]) for row in facts["accounts"]]
