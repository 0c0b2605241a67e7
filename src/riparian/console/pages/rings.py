"""Which accounts share one list of work, the surest first?"""

import shlex
from typing import Any, Final

from riparian import assembly
from riparian.console.declared import AFTER, tells
from riparian.console.page import Question
from riparian.flows.listed import rings_listed

ROWS: Final = 50


@tells("rings", after=AFTER)
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List the rings of the last scan, by a page; kind ``rings``."""
    with assembly.opened(given) as world:
        listed = rings_listed(world, after=question.of("after"), limit=ROWS)
        summaries = world.scans.summaries()
    return {
        "kind": "rings",
        "rings": list(listed.rows),
        "after": listed.after,
        "is_first": not question.of("after"),
        "abstained": summaries[-1]["abstained"].get("kinship") if summaries else None,
        "recompute": shlex.join(["riparian", "rings", "--workspace", str(given.workspace)]),
    }
