"""A verb of ``riparian case`` for letters that come in: read one, and write it into the case that it answers."""

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from riparian import assembly
from riparian.cases.plain import happened
from riparian.cli import lines, options, terminal
from riparian.cli.cased import tell_case
from riparian.cli.exchanged import settled
from riparian.cli.explain import existing
from riparian.cli.notice import said
from riparian.errors import InputError
from riparian.flows import casework
from riparian.flows.hearing import Heard, Letter, hear


def letter(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The letter as it came: a text, a mail, XML or JSON.")],
    case: Annotated[str, typer.Option("--case", metavar="C1", help="The case, where the letter does not tell.")] = "",
    notice: Annotated[str, typer.Option("--notice", metavar="N1", help="The notice that it answers.")] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When it was received, with its zone.", show_default="now")
    ] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who received it.")] = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Read a letter, keep it, and write down what it makes of the notice that it answers; 1 when it answers none."""
    if not file.is_file():
        raise InputError(f"there is no letter at `{file}`, wanted a file")
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        received = happened(at, casework.now(docket.clock))
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        sent = Letter(file.read_bytes(), file.name, media_type, received)
        heard = hear(docket, sent, by, case=case, notice=notice)
    if heard.case is not None:
        settled(workspace, heard.case.key)
    _tell(file, heard, json=json)
    if heard.case is None:
        raise typer.Exit(1)


def _tell(file: Path, heard: Heard, *, json: bool) -> None:
    if json:
        answers = [
            {"case": one.case, "notice": one.notice, "told": one.told.value, "step": one.step and one.step.value}
            for one in heard.answers
        ]
        lines.write([{"kind": "letter", "file": str(file), **said(heard.read), "notices": answers}])
        return
    kind = heard.read.kind.value.replace("_", " ")
    missing = ", ".join(one.value.replace("_", " ") for one in heard.read.missing)
    terminal.say(f"{file} is read as {kind}" + (f"; there is no trace of: {missing}" if missing else ""))
    for one in heard.answers:
        step = one.step.value if one.step else "it makes no step, and is noted"
        terminal.say(f"It answers {one.case}/{one.notice}, told by {one.told.value}: {step}")
    if heard.case is None:
        terminal.say("It answers no notice of ours that we can tell; say which with --case and --notice")
    else:
        tell_case(heard.case, json=False)
