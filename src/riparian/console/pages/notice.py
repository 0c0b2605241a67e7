"""What does a notice say, word for word, what does each sentence rest on, and what do the rails say of it?"""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.cases.case import Case
from riparian.cases.steps import State
from riparian.console import words
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.pages.case import next_command
from riparian.console.pages.cases import read_case
from riparian.errors import CustodyError, InputError
from riparian.flows import pursuing
from riparian.flows.case_told import review_of
from riparian.ports.cases import Docket

_LINE: Final = 4000
_SAID: Final = 400
_BEFORE: Final = frozenset({State.DRAFT, State.LOCKED, State.REVIEWED, State.APPROVED})


@tells("notice", case="A case, by its key.", id="A notice of it, by its number.")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Tell one notice, its text beside what it rests on; kind ``notice``.

    Raises
    ------
    InputError
        When there is none, or none that whoever asks may see.
    """
    key, number = question.of("case").strip(), question.of("id").strip()
    with assembly.kept_docket(given) as docket:
        case = read_case(docket, key, question.person)
        if number not in case.notices:
            raise InputError(
                f"`{key}` has no notice `{number[:20]}`, wanted one of {', '.join(case.notices) or 'none yet'}"
            )
        noted = case.notices[number]
        events = {event.number: event for event in docket.cases.read(key)}
        waits = noted.state in _BEFORE
        rails = review_of(pursuing.asked_rails(docket, key, number)) if waits else None
        text, trouble = _text(docket, case, number)
    rests = sorted({one for said in noted.notice.statements for one in said.proven_by if one in events})
    return {
        "kind": "notice",
        "case": key,
        "notice": number,
        "what": str(noted.notice.kind),
        "to": noted.notice.addressee.name if noted.notice.addressee else "",
        "form": noted.notice.form,
        "regime": noted.notice.regime,
        "signed_by": noted.notice.signed_by,
        "state": str(noted.state),
        "sha256": noted.digest,
        "event": noted.event,
        "text": text,
        "trouble": trouble,
        "sentences": [
            {"element": str(one.element), "text": one.text, "proven_by": list(one.proven_by)}
            for one in noted.notice.statements
        ],
        "facts": [
            {
                "event": n,
                "kind": events[n].kind,
                "by": events[n].by,
                "said": words.visible(_said(events[n].what), longest=_SAID),
            }
            for n in rests
        ],
        "review": rails,
        "command": next_command(key, number, noted.state, given),
        "recompute": shlex.join(["riparian", "case", "show", key, "--history", "--workspace", str(given.workspace)]),
    }


def _text(docket: Docket, case: Case, number: str) -> tuple[str | None, str]:
    try:
        content = pursuing.text_of(docket, case, number).content
    except CustodyError as error:
        return None, error.message
    lines = content.decode(errors="replace").splitlines()
    return "\n".join(words.visible(line, longest=_LINE) for line in lines), ""


def _said(what: Mapping[str, Any]) -> str:
    shown = {name: one for name, one in what.items() if name != "signed"}
    return json.dumps(shown, ensure_ascii=False)
