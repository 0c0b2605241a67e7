"""How long does it take, by addressee, until something is gone, and how often does it come back?"""

import shlex
from typing import Any

from riparian import assembly
from riparian.cases.again import by_addressee
from riparian.cases.plain import plain
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.pages.cases import may_see
from riparian.flows import again, casework


@tells("removals")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Tell removals by addressee, the one that was asked most first; kind ``removals``."""
    with assembly.kept_docket(given) as docket:
        keys = [case.key for case in casework.every(docket) if may_see(question.person, case)]
        rows = by_addressee(again.removals(docket, keys)) if keys else ()
    return {
        "kind": "removals",
        "removals": [{"kind": "removals", **plain(row)} for row in rows],
        "recompute": shlex.join(["riparian", "case", "removals", "--workspace", str(given.workspace)]),
    }
