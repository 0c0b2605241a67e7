"""``riparian match``: what of ours is in these files?"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.cli.prints import Workers, at_once
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.listening import STDIN, standard_input
from riparian.flows import told
from riparian.flows.matching import Looked, Matches, in_folders, match_files
from riparian.gate.policy import Policy, copy_error
from riparian.prints.libraries import Interval

app = typer.Typer(pretty_exceptions_enable=False)

_SHOWN: Final = 40


@app.command()
def match(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Found files, folders, addresses in storage, or - for the standard input."
        ),
    ],
    sample: Annotated[
        float, typer.Option(metavar="SHARE", help="Hear only this share of the files, chosen by lot: 0.01 to 1.")
    ] = 1.0,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write one self-contained page.")] = None,
    workers: Workers = 0,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Say which recordings of ours are in files, where, and how likely that is a mistake.

    Exit code 1 when none is sure enough under the policy.
    """
    if not 0 < sample <= 1:
        raise InputError(f"`--sample` is {sample}, wanted a share above 0, at most 1", hint="Take 0.01 to 0.05.")
    if report is not None and report.is_dir():
        raise InputError(f"`--report {report}` is a folder, wanted a file", hint="Name a file, as in report.html.")
    given = assembly.Given(existing(workspace), policy)
    terms = assembly.read_policy(given)
    with ExitStack() as stack:
        library = stack.enter_context(assembly.library(given, workers=at_once(workers)))
        files = library.find([path for path in paths if path != STDIN])
        files += [stack.enter_context(standard_input()) for path in paths if path == STDIN][:1]
        if not files:
            raise InputError(f"there is no file in `{paths[0]}`, wanted sound", hint="Check the path.")
        progress = stack.enter_context(terminal.bars())
        matches = match_files(library, files, terms, sample, progress)
        if report is not None:
            from riparian.console.matched import matched_page  # noqa: PLC0415 -- templates take their time

            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(matched_page(library, matches, terms, progress), encoding="utf-8")
            terminal.say(f"The report is {report}")
    found = sum(bool(one.copies(terms)) for one in matches.looked)
    if json:
        lines.write(told.matched(matches, terms, is_library=in_folders(files)))
    else:
        _show(matches, terms, is_library=in_folders(files))
    if not found:
        raise typer.Exit(1)


def _show(matches: Matches, policy: Policy, *, is_library: bool) -> None:
    for one in matches.looked:
        if one.failed and one.is_sound:
            terminal.say(f"Not heard: {words.visible(one.failed)}.")
    shown = [one for one in matches.looked if one.answers or (not is_library and not one.failed)]
    table = terminal.table("file", "recording", "in the file", "in ours", "changed", "chance wrong")
    for one in shown[:_SHOWN]:
        for row in _rows(one, policy):
            table.add_row(*(escape(words.visible(text)) for text in row))
    if table.row_count:
        terminal.page.print(table)
    if len(shown) > _SHOWN:
        terminal.page.print(f"and {len(shown) - _SHOWN:,} more files; --json lists them")
    if is_library:
        _show_library(matches, policy)


def _rows(one: Looked, policy: Policy) -> Iterator[tuple[str, ...]]:
    name = Path(one.file.name).name
    if not one.answers:
        yield name, _NOTHING[one.why_nothing], *("",) * 4
    for answer in one.answers:
        said = answer.recording
        if answer.claim != "copy":
            said = f"shares material with {said}"
        if answer.error > copy_error(policy):
            said = f"perhaps {said}"
        wrong = "the same packets" if answer.is_exact else words.chance(answer.error)
        for span in answer.spans:
            heard = f"{words.clock(span['from_s'])}–{words.clock(span['to_s'])}"
            yield (
                name,
                said,
                heard,
                f"from {words.clock(span['ours_from_s'])}",
                words.changed(span["speed"], span["semitones"]),
                wrong,
            )
            name = said = wrong = ""


_NOTHING: Final = {
    "not ours": "none of ours",
    "too short": "nothing to tell: too short",
    "silence": "nothing to tell: silence, or one steady sound",
    "noise or speech": "nothing to tell: noise or speech",
}


def _show_library(matches: Matches, policy: Policy) -> None:
    counts, of = told.counts(matches, policy), matches.estimated
    heard = f"{counts['heard']:,} of {words.counted(matches.files, 'file')} heard"
    terminal.page.print(f"{heard}, {counts['failed']:,} of them damaged; {counts['found']:,} hold something of ours.")
    if counts["sampled"] < matches.files:
        terminal.page.print(f"Of all files, {_said(of.files_ours)} hold something of ours.")
    terminal.page.print(f"Recordings of ours in them: {_said(of.recordings_ours)}.")


def _said(of: Interval) -> str:
    return f"{of.estimate:,.0f}" if of.low == of.high else f"{of.estimate:,.0f} ({of.low:,.0f} to {of.high:,.0f})"
