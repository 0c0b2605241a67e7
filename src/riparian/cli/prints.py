"""``riparian prints``: the index by which copies of our recordings are found."""

import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.fixity import read_fixity
from riparian.flows import printing
from riparian.ports.prints import Known, SoundFile

_WORKERS_MAX: Final = 8
_SHOWN: Final = 20
_BYTES_A_VALUE: Final = 4

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Keep prints of your recordings, by which copies are found: add, delete, merge, check.",
)

Workers = Annotated[int, typer.Option(min=0, help="Processes at once; 0 for one a core.")]


@app.command()
def add(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Masters: sound files, folders, or addresses in storage.")
    ],
    recording: Annotated[
        str, typer.Option(help="What one file is a recording of.", show_default="the name of the file")
    ] = "",
    catalogue: Annotated[
        str,
        typer.Option(metavar="FILE", help="A table of recordings with columns sha256 or path: names files by these."),
    ] = "",
    bytes_per_recording: Annotated[
        int | None,
        typer.Option(metavar="256|1024|4096", help="Of the index, in memory: the more, the shorter clips are found."),
    ] = None,
    workers: Workers = 0,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Add recordings; files that are as they were are not opened again; exit code 1 when none of them is sound."""
    given = assembly.Given(workspace)
    digests, names = read_fixity(catalogue) if catalogue else ({}, {})
    k = bytes_per_recording // _BYTES_A_VALUE if bytes_per_recording is not None else None
    with assembly.library(given, workers=at_once(workers), k=k, add=True) as library:
        files = library.find(paths)
        if recording and len(files) != 1:
            raise InputError(
                f"`--recording` beside {len(files)} files, wanted one file",
                hint="Leave it out: a file is called by its name, or as --catalogue says.",
            )
        with terminal.bars() as progress:
            added = printing.add(library, files, printing.Naming(recording, digests, names), progress)
        totals = library.prints.totals()
    if json:
        lines.write([*map(_failed, added.failed), _summary(added, totals)])
    else:
        _show_failed(added)
        terminal.page.print(_came(added))
        if not files or added.passed == len(files):
            terminal.say(f"There is no sound in `{words.visible(paths[0])}`; links inside a folder are not followed.")
        _show(totals)
    if not added.new + added.same + added.unchanged:
        raise typer.Exit(1)


@app.command()
def show(
    recordings: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORDING]...", help="List the prints of these.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say what is in the index; exit code 1 when nothing is."""
    with assembly.library(assembly.Given(existing(workspace))) as library:
        held = library.prints.held()
        numbers = [number for name in recordings or () for number in held.named(name)]
        totals = library.prints.totals()
        known = [(held.known(number), held.known(held.cluster(number)).recording) for number in numbers]
    if json:
        told = (
            {"kind": "print", "recording": k.recording, "path": k.file.name, "seconds": k.seconds} for k, _ in known
        )
        lines.write(told if recordings else [{"kind": "prints", **totals}])
    elif recordings:
        table = terminal.table("recording", "seconds", "the same as", "file", right=("seconds",))
        for each, same in known:
            table.add_row(*(escape(words.visible(text)) for text in _row(each, same)))
        terminal.page.print(table)
    else:
        _show(totals)
    if not (known if recordings else totals["prints"]):
        raise typer.Exit(1)


@app.command()
def delete(
    recordings: Annotated[list[str], typer.Argument(metavar="RECORDING...", help="By their names.")],
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Delete the prints of recordings; exit code 1 when there are none."""
    with assembly.library(assembly.Given(existing(workspace))) as library, library.prints.alone():
        n = library.prints.delete(recordings)
    if json:
        lines.write([{"kind": "deleted", "prints": n}])
    else:
        terminal.page.print(f"{words.counted(n, 'print')} deleted.")
    if not n:
        raise typer.Exit(1)


@app.command()
def merge(
    other: Annotated[Path, typer.Argument(metavar="WORKSPACE", help="Whose prints to take over; they have one key.")],
    workers: Workers = 0,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Take over the prints of another workspace, as when several machines add parts of one catalogue."""
    given = assembly.Given(existing(workspace))
    with (
        assembly.library(given, workers=at_once(workers)) as ours,
        assembly.library(assembly.Given(existing(other))) as theirs,
        ours.prints.alone(),
    ):
        n = ours.prints.merge(theirs.prints)
        with terminal.bars() as progress:
            printing.relate(ours, progress)
            printing.draw(ours, progress)
        totals = ours.prints.totals()
    if json:
        lines.write([{"kind": "merged", "prints": n}, {"kind": "prints", **totals}])
    else:
        terminal.page.print(f"{words.counted(n, 'print')} taken over.")
        _show(totals)


@app.command()
def resize(
    bytes_per_recording: Annotated[int, typer.Argument(metavar="256|1024|4096", help="Of the index, in memory.")],
    workers: Workers = 0,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Make the index anew in another size, from peaks; no file is opened."""
    given = assembly.Given(existing(workspace))
    with assembly.library(given, workers=at_once(workers)) as library, library.prints.alone():
        library.prints.resize(bytes_per_recording // _BYTES_A_VALUE)
        with terminal.bars() as progress:
            printing.draw(library, progress)
        _show(library.prints.totals())


@app.command()
def verify(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """Read all that is kept, and look for prints by their own sketches; exit code 1 when something is wrong."""
    with assembly.library(assembly.Given(existing(workspace))) as library, library.prints.alone():
        wrong = list(library.prints.verify())
        totals = library.prints.totals()
    if json:
        lines.write([*({"kind": "wrong", "what": what} for what in wrong), {"kind": "prints", **totals}])
    else:
        for what in wrong[:_SHOWN]:
            terminal.page.print(escape(words.visible(what)))
        if not wrong:
            terminal.page.print(f"All is well: {words.counted(totals['prints'], 'print')} as they were written.")
    if wrong:
        raise typer.Exit(1)


def at_once(workers: int) -> int:
    """Say how many processes are meant."""
    return workers or min(_WORKERS_MAX, os.cpu_count() or 1)


def _came(added: printing.Added) -> str:
    others = {
        "had before": added.same,
        "unchanged": added.unchanged,
        "not heard": len(added.failed),
        "no sound": added.passed,
    }
    told = [f"{words.counted(added.new, 'print')} made", *(f"{n:,} {what}" for what, n in others.items() if n)]
    return f"{', '.join(told)}."


def _failed(failed: tuple[SoundFile, str]) -> dict[str, Any]:
    file, why = failed
    return {"kind": "failed", "path": file.name, "why": why}


def _summary(added: printing.Added, totals: dict[str, Any]) -> dict[str, Any]:
    counts = {"new": added.new, "same": added.same, "unchanged": added.unchanged, "passed": added.passed}
    return {"kind": "summary", **counts, "failed": len(added.failed), **totals}


def _show_failed(added: printing.Added) -> None:
    for _, why in added.failed[:_SHOWN]:
        terminal.say(f"Not heard: {words.visible(why)}.")
    if len(added.failed) > _SHOWN:
        terminal.say(f"and {len(added.failed) - _SHOWN:,} more; --json lists them.")


def _show(totals: dict[str, Any]) -> None:
    table = terminal.table("of the index", "", right=("",))
    table.add_row("recordings", f"{totals['recordings']:,}")
    table.add_row("prints, of as many files", f"{totals['prints']:,}")
    table.add_row("that are not one another's duplicates", f"{totals['clusters']:,}")
    table.add_row("hours of sound", f"{totals['seconds'] / 3600:,.1f}")
    table.add_row("bytes a recording, in memory", f"{totals['index_bytes'] / max(1, totals['prints']):,.0f}")
    table.add_row("bytes a recording, on disk", f"{totals['peaks_bytes'] / max(1, totals['prints']):,.0f}")
    table.add_row("drawn, to know what mistakes look like", f"{totals['drawn']:,}")
    if totals["waiting"]:
        table.add_row("not visible yet: run `prints add` again", f"{totals['waiting']:,}")
    if totals["refused"]:
        table.add_row("files that could not be heard", f"{totals['refused']:,}")
    terminal.page.print(table)


def _told(known: Known, same: str) -> dict[str, Any]:
    about = {"recording": known.recording, "path": known.file.name, "seconds": known.seconds}
    return {"kind": "print", **about, "same_as": same, "sha256": known.digest}


def _row(known: Known, same: str) -> tuple[str, str, str, str]:
    return known.recording, f"{known.seconds:.1f}", "" if same == known.recording else same, known.file.name
