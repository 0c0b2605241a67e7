"""``riparian trace``: to whom was this copy issued?"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, render, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.accounts_table import read_accounts
from riparian.flows import told
from riparian.flows.leak import Leak, Read, Sighting, Together, trace_leak
from riparian.flows.recognising import recognise
from riparian.marks.grants import Version
from riparian.marks.variants import NAME, Variants

app = typer.Typer(pretty_exceptions_enable=False)

_SHOWN: Final = 20


@app.command()
def trace(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Copies that were found: files, or folders.")],
    recording: Annotated[
        str | None,
        typer.Option(
            help="What they are copies of.",
            show_default="as prints say, or any",
        ),
    ] = None,
    master: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE|FOLDER", help="Masters, where they are not any more where they were; repeatable."),
    ] = None,
    streamed: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Renditions for edges that may have leaked, too; repeatable."),
    ] = None,
    listeners: Annotated[
        str | None, typer.Option(metavar="FILE", help="Accounts that may have streamed them: CSV, NDJSON or Parquet.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write one self-contained page.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes at once.")] = 1,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Say to whom copies that were found were issued, and how surely.

    A copy that was issued to an account may have reached others: this names a delivery, not a deed.
    """
    if report is not None and report.is_dir():
        raise InputError(f"`--report {report}` is a folder, wanted a file", hint="Name a file, as in report.html.")
    given = assembly.Given(existing(workspace), policy)
    with assembly.studio(given, workers=workers) as studio:
        copies = studio.find(paths)
        if not copies:
            raise InputError(f"there is no sound in `{paths[0]}`, wanted copies to trace")
        masters, sides = tuple(studio.find(master or ())), _streamed(streamed or [])
        sighting = Sighting(tuple(copies), recording, masters, sides, _listeners(listeners, streamed))
        terms = assembly.read_policy(given)
        with ExitStack() as stack:
            progress = stack.enter_context(terminal.bars())
            if recording is None and assembly.has_prints(given):
                library = stack.enter_context(assembly.library(given, workers=workers))
                known = partial(recognise, library, terms, progress=progress)
                leak = trace_leak(studio, sighting, terms, progress, known)
            else:
                leak = trace_leak(studio, sighting, terms, progress)
    if report is not None:
        from riparian.console.traced import traced_page  # noqa: PLC0415 -- templates take their time

        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(traced_page(leak), encoding="utf-8")
        terminal.say(f"The report is {report}")
    if json:
        lines.write(told.issued(leak))
    else:
        _show(leak)
    if not leak.named:
        raise typer.Exit(1)


def _streamed(folders: Sequence[Path]) -> tuple[Version, ...]:
    """Find in which ways the masters of renditions were marked; each once, however many renditions it has."""
    files = [file for folder in folders for file in sorted(folder.rglob(NAME))]
    if folders and not files:
        raise InputError(
            f"there are no renditions in `{folders[0]}`, wanted those of `riparian mark variants`",
            hint="Name the folder that was its --out, or one in it.",
        )
    return tuple(dict.fromkeys(Variants.read(file.read_bytes()).version for file in files))


def _listeners(source: str | None, streamed: Sequence[Path] | None) -> tuple[str, ...]:
    if (source is None) != (not streamed):
        raise InputError(
            "`--streamed` and `--listeners` go together, wanted both or neither",
            hint="Renditions are everybody's: say which accounts may have streamed them.",
        )
    return () if source is None else tuple(dict.fromkeys(read_accounts(source)["account"].to_pylist()))


def _show(leak: Leak) -> None:
    for missing in leak.missing:
        terminal.say(f"Not compared: {missing}.")
    for read in leak.reads:
        if read.failed:
            terminal.say(f"Not read: {read.failed}.")
    terminal.page.print(_copies(leak.reads))
    for one in leak.together:
        _show_together(one)
    if not leak.together:
        terminal.page.print("None of these lies in any master: to whom they were issued cannot be said.")


def _copies(reads: tuple[Read, ...]) -> Any:
    table = terminal.table("copy", "recording", "of it", "pilot", right=("of it", "pilot"))
    for read in reads[:_SHOWN]:
        found = read.reading
        table.add_row(
            escape(words.visible(read.path.name)),
            escape(words.visible(found.recording))
            if found is not None
            else "no sound"
            if read.failed
            else "none of ours",
            words.percent(found.facts.cover) if found is not None else "",
            f"{found.pilot_z:.1f}" if found is not None else "",
        )
    return table


def _show_together(one: Together) -> None:
    if one.traced is None or not one.traced.named:
        n = len(one.candidates)
        bits = max(0.0, one.traced.runner_up_bits) if one.traced is not None else 0.0
        wanted = f"; {words.bits(one.traced.needed_bits)} wanted" if one.traced is not None else ""
        terminal.page.print(
            f"Issued to nobody that can be named: the nearest of {words.counted(n, 'candidate')} has"
            f" {words.bits(bits)} bits{wanted}."
        )
        return
    for named in one.traced.named:
        name = words.visible(one.candidates[named.candidate])
        said = f"{words.bits(named.evidence.bits)} bits, {words.bits(one.traced.needed_bits)} wanted"
        head = f"[bold]{escape(name)}[/]: {said}; wrong with a chance of at most {words.chance(one.error_bound(named))}"
        terminal.page.print(Group("", head, render.steps(named.evidence)))
    terminal.page.print("\nIssued is not accused: a copy may have been shared, stolen or passed on.", markup=False)
