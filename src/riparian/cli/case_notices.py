"""Verbs of ``riparian case`` for notices: from a found file to a draft, past the rails, to people, and out."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cases.case import Case
from riparian.cases.forms import FORMS
from riparian.cases.notice import Kind, Rendered
from riparian.cli import lines, options, signing, terminal
from riparian.cli.cased import tell_case
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.letterhead import NAME as LETTERHEAD
from riparian.feeds.letterhead import read_letterhead
from riparian.flows import casework, founding, pursuing
from riparian.flows.case_told import review_of, whole_of
from riparian.flows.founding import FoundFile, Sender
from riparian.flows.matching import match_files
from riparian.flows.pursuing import Reviewed, Wish

_SHOWN: Final = 40
_LINE: Final = 4000

Key = Annotated[str, typer.Argument(metavar="CASE", help="As in C1.")]
Number = Annotated[str, typer.Argument(metavar="NOTICE", help="As in N1.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]
To = Annotated[str, typer.Option("--to", metavar="KEY", help="Whom to write to: an addressee of the case.")]
Places = Annotated[
    list[str] | None,
    typer.Option("--location", metavar="L1", help="About which locations; repeatable; all of theirs, where none is."),
]
Head = Annotated[
    Path | None,
    typer.Option(
        "--letterhead", metavar="FILE.toml", help="Who you are.", show_default=f"{LETTERHEAD} in the workspace"
    ),
]
AsMaybe = Annotated[str, typer.Option("--as", metavar="NAME", help="Who signs the note: you.")]


def found(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file that was found.")],
    url: Annotated[str, typer.Option("--at", metavar="URL", help="Where it was.")],
    to: Annotated[str, typer.Option("--to", metavar="KEY", help="Whom to write to, as the letterhead calls them.")],
    live: Annotated[bool | None, typer.Option("--live/--gone", help="Whether it is there now, as you saw.")] = None,
    note: Annotated[str, typer.Option(help="Why the use is not lawful, in your own words.")] = "",
    name: AsMaybe = "",
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    source: Annotated[str, typer.Option(help="Who or what came upon it.")] = "",
    territories: Annotated[str, typer.Option("--in", metavar="COUNTRIES", help='As in "US DE".')] = "",
    into: Annotated[
        str, typer.Option("--case", metavar="CASE", help="Put it into this case.", show_default="a new one")
    ] = "",
    letterhead: Head = None,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Open a case from a file: match it, keep it, look everything up, and draft a notice in every form that can say it.

    Exit code 1 when no form can say it yet; what is missing is told.
    """
    if not file.is_file():
        raise InputError(f"there is no file at `{file}`, wanted the file that was found")
    given = assembly.Given(existing(workspace), policy)
    head = read_letterhead(letterhead or workspace / LETTERHEAD)
    sender = Sender(
        head.owner, head.complainant, head.addressee(to), head.authority, head.public_domain, tuple(territories.split())
    )
    signer = signing.signer(name, key, passphrase) if note else None
    terms = assembly.read_policy(given)
    with ExitStack() as stack:
        library = stack.enter_context(assembly.library(given))
        progress = stack.enter_context(terminal.bars())
        (looked,) = match_files(library, library.find([str(file)]), terms, 1.0, progress).looked
    with assembly.holdings(given) as holdings, assembly.docket(given) as docket:
        it = FoundFile(file, looked, looked.copies(terms), url, live, source, into)
        case = founding.open_found(docket, holdings, it, sender, (signer, note) if signer else None)
        signed_by = signer.name if signer else ""
        about = (case.facts.locations[-1].key,)
        case, told = pursuing.draft_all(docket, case.key, Wish(to, about, signed_by=signed_by), "case found")
    _tell_drafts(case, told, json=json)


def draft(
    case: Key,
    to: To,
    location: Places = None,
    form: Annotated[str, typer.Option(help=f"{', '.join(FORMS)}; all that can say it.", show_default="theirs")] = "",
    kind: Annotated[Kind, typer.Option(help="What letter.")] = Kind.TAKEDOWN,
    again: Annotated[str, typer.Option("--again", metavar="N1", help="Redraft this one.")] = "",
    about: Annotated[str, typer.Option("--about", metavar="N1", help="Take this one back.")] = "",
    because: Annotated[str, typer.Option("--because", help="Why it is taken back.")] = "",
    signed_by: Annotated[
        str,
        typer.Option("--signed-by", metavar="NAME", help="Whose name stands under it.", show_default="the sender's"),
    ] = "",
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Draft a letter from what is known; exit code 1, and nothing written, when something is missing."""
    wish = Wish(to, tuple(location or ()), kind, "" if form == "all" else form, again, about, because, signed_by)
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        if form == "all":
            _tell_drafts(*pursuing.draft_all(docket, case, wish, by), json=json)
            return
        stands, number, made = pursuing.draft(docket, case, wish, by)
        text = pursuing.text_of(docket, stands, number) if number else None
    missing = [{"element": one.element.value, "why": one.why, "needs": one.needs} for one in made.blocks]
    if json:
        digest = stands.notices[number].digest if number else ""
        lines.write([{"kind": "draft", "case": case, "notice": number, "sha256": digest, "missing": missing}])
    elif text is not None:
        terminal.page.print(f"{number} of {case}:", markup=False)
        terminal.page.print(_shown(text), markup=False)
    else:
        for one in made.blocks:
            terminal.page.print(escape(words.visible(f"{one.element.value}: {one.why}. {one.needs}", longest=300)))
    if not number:
        raise typer.Exit(1)


def check(
    case: Key,
    to: To,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Look up every work of a case in the catalogue and the ledger of terms, and write down what they say."""
    given = assembly.Given(existing(workspace))
    with assembly.holdings(given) as holdings, assembly.docket(given) as docket:
        after = pursuing.look_up(docket, holdings, case, to, by)
    if json:
        tell_case(after, json=True)
        return
    table = terminal.table("recording", "looked up", "", "by")
    clear = {True: "clear", False: "in the way", None: "not known"}
    for one in after.facts.checks[-_SHOWN:]:
        table.add_row(
            *(escape(words.visible(part)) for part in (one.recording, one.check, clear[one.clear], one.source))
        )
    terminal.page.print(table)


def consider(
    case: Key,
    note: Annotated[str, typer.Argument(help="What the use is, and why it is not lawful, in your own words.")],
    name: signing.As,
    location: Places = None,
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say that you considered whether a use is lawful, with your signature."""
    who = signing.signer(name, key, passphrase)
    what = {"note": note, "locations": list(location or ())}
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        after = casework.record(docket, case, casework.act(docket, case, "considered", what, who))
    tell_case(after, json=json)


def review(
    case: Key,
    notice: Number,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Ask every rail whether a notice may leave, and how many people have to approve; exit code 1 when one stops it."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        reviewed = pursuing.review(docket, case, notice, by)
    _tell_review(reviewed, json=json)
    if not reviewed.passed:
        raise typer.Exit(1)


def approve(
    case: Key,
    notice: Number,
    name: signing.As,
    key: signing.Key = None,
    passphrase: signing.Passphrase = None,
    read: Annotated[bool, typer.Option("--read", help="You have read it: it is not shown again.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Put your signature under exactly what a notice says, and to whom."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        if not read:
            text = pursuing.text_of(docket, casework.read(docket, case), notice)
            terminal.talk.print(_shown(text), markup=False)
            typer.confirm("Is that what leaves, in your name?", abort=True, err=True)
        reviewed = pursuing.approve(docket, case, notice, signing.signer(name, key, passphrase))
    _tell_review(reviewed, json=json)


def send(
    case: Key,
    notice: Number,
    really: Annotated[bool, typer.Option("--really", help="Let it leave; without it, say what would.")] = False,
    by: By = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say how a notice that people approved would leave, and with --really let it leave."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        went = pursuing.send(docket, case, notice, by, really=really)
    digest = hashlib.sha256(went.rendered.content).hexdigest()
    if json:
        lines.write(
            [{"kind": "sent", "case": case, "notice": notice, "to": went.to, "dry": went.is_dry, "sha256": digest}]
        )
        return
    if went.is_dry:
        size = len(went.rendered.content)
        terminal.page.print(
            f"{notice} would leave by {went.to}: {went.rendered.name}, {size:,} bytes. Nothing has left."
        )
        terminal.page.print("Say --really to let it leave.")
    else:
        terminal.page.print(escape(words.visible(f"{notice} left: {went.to}", longest=300)))


def sample(
    share: Annotated[float, typer.Option(metavar="SHARE", help="How much of what was sent: 0 to 1.")] = (
        pursuing.REVIEW_SHARE
    ),
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Choose some of what was sent, by lot, for somebody to look at again; exit code 1 when nothing is chosen."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        key = docket.cases.key
        chosen = pursuing.to_review(docket, lambda case, notice: _lot(key, case, notice), share)
    if json:
        lines.write({"kind": "sample", "case": case, "notice": notice} for case, notice in chosen)
    else:
        for case, notice in chosen:
            terminal.page.print(f"{notice} of {case}")
    if not chosen:
        raise typer.Exit(1)


def report(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """Count what was sent, what came of it and what was taken back, for everybody to read."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        told = pursuing.told_in_public(docket)
    if json:
        lines.write([{"kind": "transparency", **told}])
        return
    for name, value in told.items():
        if isinstance(value, dict):
            said = ", ".join(f"{key} {_number(one)}" for key, one in value.items())
        else:
            said = ", ".join(map(str, value)) if isinstance(value, list) else _number(value)
        terminal.page.print(escape(words.visible(f"{name.replace('_', ' ')}: {said or 'none'}", longest=300)))


def _shown(text: Rendered) -> str:
    every = text.content.decode(errors="replace").splitlines()
    return "\n".join(words.visible(line, longest=_LINE) for line in every)


def _number(value: Any) -> str:
    return f"{value:.1%}" if isinstance(value, float) else f"{value:,}"


def _lot(key: str, case: str, notice: str) -> float:
    digest = hashlib.sha256(f"{key}/{case}/{notice}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _tell_drafts(case: Case, told: Any, *, json: bool) -> None:
    drafts = {form: key for form, key in told.items() if key in case.notices}
    if json:
        digests = {form: case.notices[key].digest for form, key in drafts.items()}
        lines.write(
            [
                *(
                    {"kind": "draft", "case": case.key, "form": form, "notice": key, "sha256": digests[form]}
                    for form, key in drafts.items()
                ),
                {"kind": "drafts", "refused": {form: why for form, why in told.items() if form not in drafts}},
                whole_of(case),
            ]
        )
    else:
        tell_case(case)
        table = terminal.table("form", "notice", "or why not")
        for form, said in told.items():
            key, why = (said, "") if form in drafts else ("", said)
            table.add_row(form, key, escape(words.visible(why, longest=160)))
        terminal.page.print(table)
    if not drafts:
        raise typer.Exit(1)


def _tell_review(reviewed: Reviewed, *, json: bool) -> None:
    if json:
        lines.write([review_of(reviewed)])
        return
    table = terminal.table("rail", "", "why, and what to do")
    for one in reviewed.rails:
        why = f"{one.why}. {one.needs}" if one.why else ""
        table.add_row(one.name, "passes" if one.passed else "stops it", escape(words.visible(why, longest=400)))
    terminal.page.print(table)
    people = "one person" if reviewed.needs == 1 else f"{reviewed.needs} people"
    since = f", since {'; '.join(reviewed.because)}" if reviewed.because else ""
    approvals = reviewed.case.notices[reviewed.notice].approvals()
    by = ", ".join(one.by for one in approvals) or "nobody yet"
    terminal.page.print(escape(words.visible(f"Approved by {by}; {people} have to{since}.", longest=400)))


VERBS: Final[Sequence[Any]] = (found, draft, check, consider, review, approve, send, sample, report)
"""In the order in which they are needed."""
