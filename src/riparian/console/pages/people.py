"""Who works here, and as what?"""

from typing import Any, Final

from riparian import assembly
from riparian.console.declared import OneOf, takes, tells
from riparian.console.page import Done, Form, Question
from riparian.errors import InputError
from riparian.flows.lines import written
from riparian.ports.staff import Invitation, Role

_PATH = "/people"
_ROLES: Final = OneOf("As what.", tuple(role.title for role in Role))


@tells("people")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List everybody; kind ``people``."""
    with assembly.staff(given) as staff:
        members = staff.members()
    return {
        "kind": "people",
        "people": [
            {
                "name": one.person.name,
                "role": one.person.role.title,
                "since": written(one.since_us),
                "seen": written(one.seen_us) if one.seen_us else None,
                "passkeys": one.passkeys,
                "subject": one.subject,
                "is_you": one.person.name == question.person.name,
            }
            for one in members
        ],
        "roles": [role.title for role in Role],
        "link": None,
        "invited": None,
    }


@takes(name="What they are called here.", role=_ROLES)
def invite(given: assembly.Given, question: Question, form: Form) -> Done:
    """Make a link that lets somebody in, or somebody who works here make another passkey."""
    name, role = form.get("name", "").strip(), _role(form)
    if not name:
        raise InputError("nobody is named, wanted what they are called here", hint="Enter a name.")
    with assembly.staff(given) as staff:
        token = staff.invite(Invitation(name, role), assembly.WallClock().now_us())
    return Done(_PATH, {"link": f"{question.at}/setup?link={token}", "invited": name})


@takes(name="Who.", role=_ROLES)
def change(given: assembly.Given, question: Question, form: Form) -> Done:
    """Give somebody another role."""
    del question
    with assembly.staff(given) as staff:
        staff.change(form.get("name", ""), _role(form))
    return Done(_PATH)


@takes(name="Who.")
def remove(given: assembly.Given, question: Question, form: Form) -> Done:
    """Let somebody in no more."""
    del question
    with assembly.staff(given) as staff:
        staff.remove(form.get("name", ""))
    return Done(_PATH)


@takes(name="Who.")
def sign_out(given: assembly.Given, question: Question, form: Form) -> Done:
    """Sign somebody out, wherever they are signed in; their passkeys and tokens stay good."""
    del question
    with assembly.staff(given) as staff:
        staff.leave(form.get("name", ""))
    return Done(_PATH)


def _role(form: Form) -> Role:
    named = {role.title: role for role in Role}
    if form.get("role") not in named:
        raise InputError("no role is named, wanted viewer, analyst, approver or admin", hint="Choose one.")
    return named[form["role"]]
