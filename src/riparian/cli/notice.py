"""``riparian notice``: what a letter that came in says and lacks, and the reasons that a platform gives."""

from pathlib import Path
from typing import Annotated, Any

import typer

from riparian.cases.notice import Kind
from riparian.cases.plain import moment, plain
from riparian.cases.reading import Read, Seen, Standing
from riparian.cases.reading import read as read_letter
from riparian.cli import lines, options, terminal
from riparian.cli.notice_reasons import reasons
from riparian.errors import InputError

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Read notices that came in and say what they lack; give reasons for decisions of your own.",
)

_SHOWN = 10


@app.callback()
def notice() -> None:
    """Read notices that came in and say what they lack; give reasons for decisions of your own."""


@app.command()
def read(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Letters: texts, mails, XML or JSON; or folders of them.")
    ],
    json: options.Json = False,
) -> None:
    """Say what letters are, of whom, about what, which elements are there, and which are missing.

    An element is missing only where there is no trace of it; where a person has to look, it is unknown.
    """
    paths = [path for given in files for path in _within(given)]
    notices = unread = 0
    with terminal.bars() as told:
        for n, path in enumerate(paths, 1):
            told("letters", n, len(paths))
            try:
                found = read_letter(path.read_bytes())
            except InputError as error:
                unread += 1
                terminal.say(f"{path}: {error.message}")
                if json:
                    lines.write([{"kind": "unread", "file": str(path), "because": error.message}])
                continue
            notices += found.kind is not Kind.OTHER
            if json:
                lines.write([{"kind": "notice", "file": str(path), **said(found)}])
            else:
                _show(path, found)
    if unread or not notices:
        raise typer.Exit(2 if unread else 1)


app.command()(reasons)


def said(found: Read) -> dict[str, Any]:
    """Write what was read of a letter for programs."""
    letter = found.notice
    return {
        "type": letter.kind.value,
        "form": found.form.value,
        "version": found.version,
        "regime": letter.regime,
        "answers_to": found.answers_to.value if found.answers_to else None,
        "dated": moment(letter.dated) if letter.dated else None,
        "reference": letter.reference,
        "references": list(found.references),
        "elements": [_element(one) for one in found.elements],
        "missing": [one.value for one in found.missing],
        "parties": [plain(one) for one in (letter.sender, letter.owner) if one is not None],
        "works": [plain(one) for one in letter.works],
        "locations": [plain(one) for one in letter.locations],
        "pairs": {key: list(works) for key, works in letter.pairs.items()},
        "originals": list(found.originals),
        "answers": [{"field": one.field, "question": one.question, "answer": one.answer} for one in found.answers],
        "remarks": list(found.remarks),
    }


def _element(one: Seen) -> dict[str, Any]:
    return {
        "element": one.element.value,
        "standing": one.standing.value,
        "span": list(one.span) if one.span else None,
        "quote": one.quote,
        "note": one.note,
    }


def _within(given: Path) -> list[Path]:
    if given.is_dir():
        found = sorted(path for path in given.rglob("*") if path.is_file() and not path.name.startswith("."))
        if found:
            return found
    elif given.is_file():
        return [given]
    raise InputError(f"there is no letter at `{given}`, wanted a file, or a folder with files")


def _show(path: Path, found: Read) -> None:
    letter = found.notice
    terminal.page.print(
        f"{path}: {_words(letter.kind.value)}, {found.form.value} {found.version}".rstrip(), markup=False
    )
    for party in (letter.sender, letter.owner):
        if party is not None:
            known = ", ".join(one for one in (party.name, party.organisation, party.email) if one)
            terminal.page.print(f"  {party.role}: {known}", markup=False)
    for title, values in (
        ("works", [one.title for one in letter.works]),
        ("locations", [one.url for one in letter.locations]),
        ("refers to", list(found.references)),
    ):
        for value in values[:_SHOWN]:
            terminal.page.print(f"  {title}: {value}", markup=False, soft_wrap=True)
        if len(values) > _SHOWN:
            terminal.page.print(f"  {title}: and {len(values) - _SHOWN} more", markup=False)
    if found.elements:
        shown = terminal.table("element", "", "where, or why not")
        for one in found.elements:
            why = one.quote if one.standing is Standing.PRESENT else one.note
            shown.add_row(_words(one.element.value), one.standing.value, why[:160])
        terminal.page.print(shown)
    for remark in found.remarks:
        terminal.page.print(f"  {remark}", markup=False)


def _words(name: str) -> str:
    return name.replace("_", " ")
