"""Is this message, this notice or this statement genuine?

For everybody: whoever got one need not be known here.  Nothing that is sent is kept, no link of it is followed, and
nothing is told of listeners, or of people who work here.
"""

from collections.abc import Mapping
from typing import Any, Final

from riparian import assembly
from riparian.console.declared import takes, tells
from riparian.console.open_forms import FILE, octets_in
from riparian.console.page import Done, Form, Question
from riparian.console.remembered import Remembered
from riparian.console.stated import consent, headline, mistakes
from riparian.console.stated_read import stated_in, statement_in
from riparian.creators.answering import answered
from riparian.creators.lures import Answer
from riparian.creators.signed import code_in
from riparian.creators.statement import SORTS
from riparian.edges.messages import looked_up, told_of
from riparian.errors import CustodyError, InputError
from riparian.flows import genuine
from riparian.flows.genuine import Left

OCTETS_MAX: Final = 2 << 20
ROWS: Final = 500
_CODE_MAX: Final = 64
_PATH: Final = "/verify"
_LEFT: Final[Remembered[Mapping[str, Left]]] = Remembered()


@tells("verify")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """Say whose key signs here, and how much may be sent; kind ``verify``."""
    del question
    key = assembly.public_key(given.workspace)
    return {"kind": "verify", "key": key or None, "octets_max": OCTETS_MAX, "answer": None, "found": None}


@takes(text="A message with its header, a code, a notice or a signed statement.", to="The address that it came to.")
def check(given: assembly.Given, question: Question, form: Form) -> Done:
    """Say whether a text is genuine, as `riparian message check` and `riparian creator verify` do."""
    del question
    return Done(_PATH, _told(given, octets_in(form, "text"), form.get("to", "").strip()))


@takes(
    file="A message (.eml), a notice, or a statement (a page, a PDF or a signed file).",
    to="The address that it came to.",
)
def check_file(given: assembly.Given, question: Question, form: Form) -> Done:
    """Say whether a file is genuine, as `riparian message check` and `riparian creator verify` do."""
    del question
    return Done(_PATH, _told(given, octets_in(form, FILE), form.get("to", "").strip()))


def _told(given: assembly.Given, octets: bytes, to: str) -> dict[str, Any]:
    if not octets.strip():
        raise InputError("nothing was sent, wanted a message, a notice or a statement", hint="Paste or choose one.")
    with assembly.message_desk(given.workspace) as (desk, _):
        if statement_in(octets):
            return _of_statement(octets, desk.key)
        sent = genuine.left_among(octets, _notices(given))
        if sent is not None:
            return {"answer": _answer("notice", Answer.VERIFIED, sent.sentence)}
        code = code_in(octets.decode(errors="replace")) if len(octets.strip()) <= _CODE_MAX else ""
        if code:
            return {"answer": {"what": "code", **looked_up(code, desk, to)}}
        return {"answer": {"what": "message", **told_of(answered(octets, desk, (to,) if to else ()))}}


def _of_statement(octets: bytes, key: str) -> dict[str, Any]:
    try:
        said = stated_in(octets, key, "what was sent").said
    except (CustodyError, InputError) as error:
        return {"answer": _answer("statement", Answer.SUSPICIOUS, "Do not rely on it.", error.message, error.hint)}
    lines = [headline(said), mistakes(said), *map(consent, said["consent"])]
    told = _answer("statement", Answer.VERIFIED, f"Genuine: signed by the holder of {key[:16]}.", *lines)
    rows = [{**row, "how": SORTS[row["by"]].sentence} for row in said["found"][:ROWS]]
    return {"answer": told, "found": {"of": said["of"], "by": said["by"], "at": said["at"], "rows": rows}}


def _answer(what: str, answer: Answer, told: str, *reasons: str) -> dict[str, Any]:
    return {"what": what, "answer": str(answer), "told": told, "reasons": [one for one in reasons if one]}


def _notices(given: assembly.Given) -> Mapping[str, Left]:
    def listed() -> Mapping[str, Left]:
        with assembly.kept_docket(given) as docket:
            return genuine.left(docket)

    if not assembly.has_cases(given):
        return {}
    return _LEFT.of(given.workspace, assembly.version_of_cases(given), listed, patience_s=10.0)[0] or {}
