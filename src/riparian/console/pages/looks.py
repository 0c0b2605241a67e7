"""Who looked at which accounts, and is any of it missing?"""

from typing import Any, Final

from riparian import assembly
from riparian.console.page import Question
from riparian.errors import InputError
from riparian.flows.lines import written

ROWS: Final = 100


def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List looks, the latest first; kind ``looks``.

    Raises
    ------
    InputError
        When the page begins nowhere.
    """
    before = question.of("before")
    if before and not before.isdecimal():
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    with assembly.staff(given) as staff:
        found = staff.looks(before=int(before or 0), limit=ROWS + 1)
        broken = staff.broken_look()
    shown = found[:ROWS]
    return {
        "kind": "looks",
        "looks": [
            {
                "number": one.number,
                "at": written(one.at_us),
                "person": one.person,
                "page": one.page,
                "accounts": list(one.accounts),
            }
            for one in shown
        ],
        "before": shown[-1].number if len(found) > ROWS else None,
        "is_first": not before,
        "broken": broken or None,
    }
