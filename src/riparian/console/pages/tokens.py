"""Which programs may ask in whose name, what may they do, until when; and where is somebody signed in themselves?"""

from typing import Any, Final

from riparian import assembly
from riparian.console.declared import OneOf, takes, tells
from riparian.console.page import Done, Form, Question
from riparian.errors import InputError, LifecycleError
from riparian.flows.lines import written
from riparian.ports.staff import TOKEN_DAYS_MAX, Person, Role, Token
from riparian.schema import DAY_US

USUAL_DAYS: Final = 90
_PATH: Final = "/tokens"
_DIGITS: Final = 4


@tells("tokens")
def facts(given: assembly.Given, question: Question) -> dict[str, Any]:
    """List the tokens of whoever asks, and to an admin everybody's, and where they are signed in; kind ``tokens``."""
    person, now_us = question.person, assembly.WallClock().now_us()
    with assembly.staff(given) as staff:
        found = staff.tokens(now_us, _whose(person))
        seats = staff.seats(person.name, now_us)
    return {
        "kind": "tokens",
        "tokens": [
            {
                "ident": one.ident,
                "name": one.name,
                "person": one.person.name,
                "role": one.person.role.title,
                "acts": one.acts,
                "since": written(one.since_us),
                "until": written(one.until_us),
                "seen": written(one.seen_us) if one.seen_us else None,
                "is_yours": one.person.name == person.name,
            }
            for one in found
        ],
        "seats": [
            {
                "ident": one.ident,
                "since": written(one.since_us),
                "seen": written(one.seen_us),
                "is_here": one.ident == question.seat,
            }
            for one in seats
        ],
        "roles": [role.title for role in Role if role <= person.role],
        "usual_days": USUAL_DAYS,
        "longest_days": TOKEN_DAYS_MAX,
        "secret": None,
        "made": None,
    }


@takes(
    name="What it is for.",
    role=OneOf("As which role, at most one's own.", tuple(role.title for role in Role)),
    acts=OneOf("Whether it acts, or only reads.", ("", "yes")),
    days=f"After how many days it ends, at most {TOKEN_DAYS_MAX}.",
)
def make(given: assembly.Given, question: Question, form: Form) -> Done:
    """Make a token for whoever asks, told once."""
    name, days, role = form.get("name", "").strip(), form.get("days", ""), _role(form)
    if not name:
        raise InputError("the token has no name, wanted what it is for", hint="Enter a few words.")
    if not (days.isascii() and days.isdecimal()) or len(days) > _DIGITS:
        raise InputError("the days are no number, wanted after how many it ends", hint="Enter a number of days.")
    if role > question.person.role:
        raise LifecycleError(
            f"you are {question.person.role.title}, wanted a token that may no more than you",
            hint="Choose a lower role.",
        )
    now_us = assembly.WallClock().now_us()
    acts = form.get("acts", "") == "yes"
    wanted = Token("", name, Person(question.person.name, role), acts, now_us, now_us + int(days) * DAY_US)
    with assembly.staff(given) as staff:
        secret = staff.make_token(wanted)
    return Done(_PATH, {"secret": secret, "made": name})


@takes(ident="Which, as it is listed.")
def revoke(given: assembly.Given, question: Question, form: Form) -> Done:
    """End a token at once: one's own, and for an admin anybody's."""
    with assembly.staff(given) as staff:
        staff.revoke(form.get("ident", ""), _whose(question.person))
    return Done(_PATH)


@takes(ident="Which, as it is listed; every one but this where none is named.")
def leave(given: assembly.Given, question: Question, form: Form) -> Done:
    """Sign out elsewhere: at one place, or at all but this one."""
    with assembly.staff(given) as staff:
        staff.leave(question.person.name, seat=form.get("ident", ""), but=question.seat)
    return Done(_PATH)


def _whose(person: Person) -> str:
    return "" if person.role >= Role.ADMIN else person.name


def _role(form: Form) -> Role:
    named = {role.title: role for role in Role}
    if form.get("role") not in named:
        raise InputError("no role is named, wanted viewer, analyst, approver or admin", hint="Choose one.")
    return named[form["role"]]
