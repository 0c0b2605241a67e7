"""Who looked at which accounts, and is any of it missing?"""

from typing import Any, Final

from riparian import assembly
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.remembered import Remembered
from riparian.errors import InputError
from riparian.flows.lines import written

ROWS: Final = 100
PATIENCE_S: Final = 0.1
"""Every look at an account is one more to check: nobody waits for long for it."""
_BROKEN: Final[Remembered[int]] = Remembered()


@tells("looks", before="The number of the last look of the page before it.")
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
        version = staff.version()
    broken, is_checked = _BROKEN.of(given.workspace, version, lambda: _broken(given), patience_s=PATIENCE_S)
    shown = found[:ROWS]
    return {
        "kind": "looks",
        "looks": [
            {
                "number": one.number,
                "at": written(one.at_us),
                "person": one.person,
                "token": one.token or None,
                "page": one.page,
                "accounts": list(one.accounts),
            }
            for one in shown
        ],
        "before": shown[-1].number if len(found) > ROWS else None,
        "is_first": not before,
        "broken": broken or None,
        "is_checked": is_checked,
    }


def _broken(given: assembly.Given) -> int:
    with assembly.staff(given) as staff:
        return staff.broken_look()
