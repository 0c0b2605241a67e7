"""``riparian case``: from a copy that was found to its removal, and back when it was wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

from riparian import assembly
from riparian.cases.case import Case
from riparian.cases.clocks import deadlines
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Checked, Finding, Location, Party, Work
from riparian.cases.joining import suggested
from riparian.cases.plain import happened, made, moment, plain
from riparian.cases.steps import Step
from riparian.cli import case_again, case_clock, case_custody, case_letters, case_notices, lines, options, signing
from riparian.cli.cased import (
    tell_case,
    tell_cases,
    tell_deadlines,
    tell_history,
    tell_people,
)
from riparian.cli.exchanged import settled
from riparian.cli.explain import existing
from riparian.errors import InputError
from riparian.flows import casework
from riparian.flows.case_told import row_of, running_of, whole_of
from riparian.stores.cases.people_keys import PersonKey, new_key

_MADE: Final[Mapping[str, type]] = {
    "owner": Party,
    "complainant": Party,
    "work": Work,
    "addressee": Addressee,
    "location": Location,
    "finding": Finding,
    "check": Checked,
}
_BY_PERSON: Final = (Step.APPROVE, Step.SEND, Step.REDRAFT, Step.LOCK, Step.REVIEW)

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Follow a found copy to its removal, and back when it was wrong; people sign, the machine keeps.",
)
person = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help="Say who may sign, each with a key.")
app.add_typer(person, name="person")
_OF_OTHERS: Final[Sequence[Any]] = (
    *case_notices.VERBS,
    case_letters.letter,
    case_custody.keep,
    case_custody.stamp,
    case_custody.verify,
    case_custody.export,
    case_again.again,
    case_again.removals,
    case_clock.clock,
)
for _verb in _OF_OTHERS:
    app.command()(_verb)

Key = Annotated[str, typer.Argument(metavar="CASE", help="As in C1.")]
Because = Annotated[str, typer.Option("--because", help="Why.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="When it happened, with its zone.", show_default="now")]
Given = Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE...", help="What is known of it.")]


@app.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What people call it.")],
    by: By = "",
    territories: Annotated[
        str, typer.Option("--in", metavar="COUNTRIES", help='Where it is pursued, as in "US DE".')
    ] = "",
    sealed: Annotated[bool, typer.Option("--sealed", help="Nothing leaves until counsel releases it.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Open a case by hand; `case found` opens one from a file."""
    with assembly.docket(assembly.Given(workspace)) as docket:
        at = casework.now(docket.clock)
        first = [Proposed("opened", {"title": title, "territories": territories.split()}, at, by or "cli")]
        first += [Proposed("sealed", {"because": "opened under seal"}, at, by or "cli")] if sealed else []
        case = casework.open_case(docket, first)
    tell_case(case, json=json)


@app.command("list")
def list_(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the cases; exit code 1 when there are none."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        cases = casework.every(docket)
    if json:
        lines.write(row_of(case) for case in cases)
    else:
        tell_cases(cases)
    if not cases:
        raise typer.Exit(1)


@app.command()
def show(
    case: Key,
    history: Annotated[bool, typer.Option("--history", help="Every event, in order.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Show what stands in a case, which clocks run, and which others may be the same matter."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        stands = casework.read(docket, case)
        alike = suggested(stands, casework.every(docket))
        events = docket.cases.read(case) if history else ()
        now = casework.now(docket.clock)
    running = deadlines(stands, now)
    if json:
        lines.write(
            [
                *({**event.said(), "event": event.kind, "kind": "event"} for event in events),
                {**whole_of(stands, alike), "deadlines": running_of(running)},
            ]
        )
        return
    tell_case(stands, alike)
    tell_deadlines(running, now)
    tell_history(events)


@app.command()
def add(
    case: Key,
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"{', '.join(_MADE)}, authority or issued.")],
    given: Given = None,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write down a fact: who owns, who is asked, which recording, where it is, what was found or looked up."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        at = casework.now(docket.clock)
        stands = casework.read(docket, case)
        said = _fact(stands, what, _fields(given or []), {"at": moment(at), "by": by})
        after = casework.record(docket, case, Proposed(*said, at, by))
    tell_case(after, json=json)


@app.command()
def looked(
    case: Key,
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="As in L1.")],
    live: Annotated[bool, typer.Option("--live/--gone", help="Whether it was there.")],
    at: At = "",
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write down that somebody looked at a location."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        now = casework.now(docket.clock)
        what = {"location": location, "live": live, "at": moment(happened(at, now))}
        after = casework.record(docket, case, Proposed("looked", what, now, by))
    tell_case(after, json=json)


@app.command()
def event(
    case: Key,
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="As in N1.")],
    step: Annotated[Step, typer.Argument(help="What happened to it.")],
    because: Because = "",
    reference: Annotated[str, typer.Option(help="What the other side calls it.")] = "",
    at: At = "",
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write down what happened to a notice: acknowledged, removed, countered, restored, retracted.

    What is drafted, approved and sent has verbs of its own.
    """
    if step in _BY_PERSON:
        raise InputError(
            f"`{step}` is not written down, wanted what happened after a notice was sent",
            hint="Use `riparian case draft`, `approve` or `send`.",
        )
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        now = casework.now(docket.clock)
        what = {"notice": notice, "because": because, "reference": reference}
        what["received"] = moment(happened(at, now))
        after = casework.record(docket, case, Proposed(step, what, now, by))
    settled(workspace, case)
    tell_case(after, json=json)


@app.command()
def note(
    case: Key,
    text: Annotated[str, typer.Argument(help="What to remember.")],
    by: By,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write something down that changes nothing."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        now = casework.now(docket.clock)
        after = casework.record(docket, case, Proposed("noted", {"text": text}, now, by))
    tell_case(after, json=json)


@app.command()
def seal(
    case: Key,
    because: Because,
    by: By,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Let nothing of a case be sent, shared or published until counsel releases it."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        now = casework.now(docket.clock)
        after = casework.record(docket, case, Proposed("sealed", {"because": because}, now, by))
    tell_case(after, json=json)


@app.command()
def release(
    case: Key,
    because: Because,
    name: signing.As,
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Take the seal from a case, with your signature."""
    _act(workspace, case, "released", {"because": because}, signing.signer(name, key, passphrase), json=json)


@app.command()
def join(
    case: Key,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other case, as in C2.")],
    because: Because,
    name: signing.As,
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say that two cases are the same matter, with your signature; written in both."""
    who = signing.signer(name, key, passphrase)
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        casework.read(docket, other)
        pairs = ((other, case), (case, other))
        for one, joined in pairs:
            what = {"case": joined, "because": because}
            after = casework.record(docket, one, casework.act(docket, one, "joined", what, who))
    tell_case(after, json=json)


@person.command("add")
def person_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the person.")],
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    public: Annotated[
        str, typer.Option("--public", help="Their public key in hex, when they made it themselves, elsewhere.")
    ] = "",
    voucher: Annotated[str, typer.Option("--as", metavar="NAME", help="Who vouches; nobody for the first.")] = "",
    voucher_key: Annotated[
        Path | None, typer.Option("--voucher-key", metavar="FILE", help="The voucher's key.")
    ] = None,
    voucher_passphrase: Annotated[
        Path | None, typer.Option("--voucher-passphrase-file", metavar="FILE", help="Where its passphrase is.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Add somebody who may sign; their key is made here, under a passphrase, unless they bring it."""
    with assembly.docket(assembly.Given(workspace)) as docket:
        known = docket.cases.people()
        if known and not voucher:
            raise InputError(
                f"nobody vouches for `{name[:80]}`, wanted somebody who may sign already",
                hint=f"Add --as NAME, one of: {', '.join(known)}.",
            )
        if not voucher:
            theirs = _key_of(name, key, passphrase)
            people = casework.add_person(docket.cases, docket.clock, theirs, name, theirs.hand.key)
        else:
            who = signing.signer(voucher, voucher_key, voucher_passphrase)
            public = public or _key_of(name, key, passphrase).hand.key
            people = casework.add_person(docket.cases, docket.clock, who, name, public)
    tell_people(people, json=json)


@person.command("list")
def person_list(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List who may sign, and who vouched for them; exit code 1 when nobody may."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        people = docket.cases.people()
    tell_people(people, json=json)
    if not people:
        raise typer.Exit(1)


@person.command("retire")
def person_retire(
    retired: Annotated[str, typer.Argument(metavar="NAME", help="Whose signature counts no more from now on.")],
    name: signing.As,
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Let what somebody signs from now on count no more; what they signed stays."""
    who = signing.signer(name, key, passphrase)
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        people = casework.retire_person(docket.cases, docket.clock, who, retired)
    tell_people(people, json=json)


def _act(workspace: Path, case: str, kind: str, what: Mapping[str, Any], who: PersonKey, *, json: bool) -> None:
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        after = casework.record(docket, case, casework.act(docket, case, kind, what, who))
    tell_case(after, json=json)


def _key_of(name: str, key: Path | None, passphrase: Path | None) -> PersonKey:
    asked = signing.asked(f"New passphrase of {name}", passphrase, twice=True)
    return new_key(signing.key_path(name, key), name, asked)


def _fields(given: list[str]) -> dict[str, str]:
    said = {}
    for one in given:
        field, is_field, value = one.partition("=")
        if not is_field or field in said:
            raise InputError(f"`{one[:80]}` was given, wanted FIELD=VALUE, each field once")
        said[field] = value
    return said


def _fact(case: Case, what: str, said: Mapping[str, str], known: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Give the kind of event and what it says."""
    if what in ("authority", "issued"):
        wanted = "document" if what == "authority" else "text"
        if set(said) != {wanted}:
            raise InputError(f"{what} was given {', '.join(said) or 'nothing'}, wanted {wanted}=TEXT")
        return what, dict(said)
    cls = _MADE.get(what)
    if cls is None:
        raise InputError(f"`{what[:40]}` was given, wanted one of {', '.join(_MADE)}, authority, issued")
    own = {"key": case.next_location()} if what == "location" else known if what == "check" else {}
    value = plain(made(cls, _typed(cls, {**own, **said})))
    if what in ("owner", "complainant"):
        return "party", {"role": what, "party": value}
    return {"finding": "found", "check": "checked"}.get(what, what), value


def _typed(cls: type, said: Mapping[str, str]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field: _as(hints.get(field), value, field) for field, value in said.items()}


def _as(hint: object, value: str, field: str) -> Any:
    try:
        if hint in (int, float):
            return float(value) if hint is float else int(value)
    except ValueError:
        raise InputError(f"`{field}` is `{value[:80]}`, wanted a number") from None
    if hint == tuple[str, ...]:
        return [one.strip() for one in value.split(",") if one.strip()]
    if hint in (bool, bool | None):
        return {"yes": True, "no": False, "unknown": None}.get(value, value)
    return value
