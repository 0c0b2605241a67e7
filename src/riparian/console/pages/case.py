"""What stands in a case, what runs in it, and which command acts on it?"""

import shlex
from typing import Any, Final

from riparian import assembly
from riparian.cases.clocks import deadlines
from riparian.cases.joining import suggested
from riparian.cases.plain import moment
from riparian.cases.regimes import regime_of
from riparian.cases.steps import State
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.pages.cases import may_see, read_case
from riparian.flows import casework
from riparian.flows.case_told import running_of, whole_of

SHOWN: Final = 200
_NEXT: Final = {
    State.DRAFT: "review",
    State.LOCKED: "review",
    State.REVIEWED: "approve",
    State.APPROVED: "send",
}


@tells("case", id="A case, by its key.")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Tell one case; kind ``case``.

    Raises
    ------
    InputError
        When there is none, or none that whoever asks may see.
    """
    with assembly.kept_docket(given) as docket:
        case = read_case(docket, question.of("id").strip(), question.person)
        others = [one for one in casework.every(docket) if may_see(question.person, one)]
        now = casework.now(docket.clock)
    running = deadlines(case, now)
    told = whole_of(case, suggested(case, others))
    clocks = zip(running_of(running), running, strict=True)
    visible = {one.key for one in others}
    return {
        **told,
        "joined": {key: why for key, why in told["joined"].items() if key in visible},
        "deadlines": [{**row, **_whose(named), "over": one.is_over(now)} for row, (_, named, one) in clocks],
        "letters": [
            {
                "notice": key,
                "what": str(noted.notice.kind),
                "to": noted.notice.addressee.name if noted.notice.addressee else "",
                "locations": len(noted.notice.locations),
                "state": str(noted.state),
                "since": moment(noted.taken[-1].at) if noted.taken else None,
                "sha256": noted.digest,
                "event": noted.event,
                "command": next_command(case.key, key, noted.state, given),
            }
            for key, noted in case.notices.items()
        ],
        "shown": SHOWN,
        "recompute": shlex.join(["riparian", "case", "show", case.key, "--history", *_in(given)]),
        "verify": shlex.join(["riparian", "case", "verify", case.key, *_in(given)]),
    }


def next_command(case: str, notice: str, state: State, given: assembly.Given) -> str | None:
    """Write the command that takes the next step with a notice; None when none of ours does."""
    verb = _NEXT.get(state)
    if verb is None:
        return None
    name = " --as NAME" if verb == "approve" else ""
    return f"{shlex.join(['riparian', 'case', verb, case, notice])}{name} {shlex.join(_in(given))}"


def _whose(named: str) -> dict[str, str]:
    regime, _, name = named.partition(".")
    clock = regime_of(regime).named(name)
    return {"whose": clock.whose, "what": clock.what}


def _in(given: assembly.Given) -> list[str]:
    return ["--workspace", str(given.workspace)]
