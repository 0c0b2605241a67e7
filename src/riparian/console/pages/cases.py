"""Which cases are there, and what is due next in them?"""

import shlex
from datetime import datetime
from typing import Any, Final

from riparian import assembly
from riparian.cases.case import Case
from riparian.cases.clocks import deadlines
from riparian.cases.plain import moment
from riparian.console.declared import AFTER, tells
from riparian.console.page import Question
from riparian.errors import InputError
from riparian.flows import casework
from riparian.flows.case_told import row_of, running_of
from riparian.ports.cases import Docket
from riparian.ports.staff import Person, Role

ROWS: Final = 50
_NEVER: Final = "9999"


@tells("cases", after=AFTER)
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List cases by a page, what is due first first; kind ``cases``.

    Raises
    ------
    InputError
        When the page begins nowhere.
    """
    with assembly.kept_docket(given) as docket:
        now = casework.now(docket.clock)
        known = [case for case in casework.every(docket) if may_see(question.person, case)]
    placed = sorted((_placed(case, now) for case in known), key=lambda one: one[0])
    after = _place(question.of("after"))
    following = [one for one in placed if after is None or one[0] > after]
    shown = following[:ROWS]
    return {
        "kind": "cases",
        "cases": [row for _, row in shown],
        "after": "~".join(map(str, shown[-1][0])) if len(following) > ROWS else "",
        "is_first": after is None,
        "recompute": shlex.join(["riparian", "case", "list", "--workspace", str(given.workspace)]),
    }


def may_see(person: Person, case: Case) -> bool:
    """Say whether somebody may see a case: one under seal is for approvers and admins."""
    return not case.sealed or person.role >= Role.APPROVER


def read_case(docket: Docket, key: str, person: Person) -> Case:
    """Give a case as it stands to somebody who may see it.

    Raises
    ------
    InputError
        When there is none, or none that they may see.
    """
    if key not in docket.cases.keys():  # noqa: SIM118 -- a port, and no mapping
        raise _unknown(key)
    case = casework.read(docket, key)
    if not may_see(person, case):
        raise _unknown(key)
    return case


def _unknown(key: str) -> InputError:
    return InputError(f"there is no case `{key[:40]}`, wanted one as in C1", hint="See the page Cases.")


def _placed(case: Case, now: datetime) -> tuple[tuple[str, int, str], dict[str, Any]]:
    running = deadlines(case, now)
    due = running_of(running)[0] if running else None
    first = _NEVER if due is None else str(due["closes"] or due["opens"])
    row = {
        **row_of(case),
        "due": None if due is None else {**due, "over": running[0][2].is_over(now)},
        "last_seen": _last(case),
    }
    return (first, int(not case.is_open), case.key), row


def _last(case: Case) -> str | None:
    seen = [one.seen for one in case.facts.locations if one.seen]
    return moment(max(seen)) if seen else None


def _place(after: str) -> tuple[str, int, str] | None:
    if not after:
        return None
    first, is_ended, key = (*after.split("~"), "", "")[:3]
    if is_ended not in {"0", "1"} or not key:
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    return first, int(is_ended), key
