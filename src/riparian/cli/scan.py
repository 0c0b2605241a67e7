"""``riparian scan``: logs to evidence and decisions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import ladder, lines, options, terminal
from riparian.errors import InputError
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import scan
from riparian.flows.lines import account_lines, ring_lines, summary_line
from riparian.ports import Chunk

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("scan")
def scan_logs(
    logs: options.Logs,
    catalogue: options.Catalogue = None,
    accounts: options.Accounts = None,
    format_: options.Format = "auto",
    map_: options.Map = None,
    mapping: options.Mapping = None,
    sessions: options.Sessions = None,
    patterns: options.Patterns = None,
    places: options.Places = None,
    policy: options.Policy = None,
    people: options.People = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write one self-contained page.")] = None,
    spike: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Put copiers into a copy of the log, as in 20x200:queue:mimic=0.25 or a file of accesses, and tell"
            " what would have left before they were stopped; the workspace stays as it is.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as the logs grow; leave with Ctrl-C.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Judge an old log as of then, and date decisions so; what is later by more than a day is left out.",
            show_default="now",
        ),
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Read access logs; say who extracts the catalogue, how sure that is, and why."""
    for option, value in (("--report", report), ("--as-of", as_of)):
        if value is not None and (spike is not None or follow):
            raise InputError(
                f"`{option}` beside `{'--spike' if spike is not None else '--follow'}`, wanted one of them",
                hint=f"Scan once more with {option} alone.",
            )
    if report is not None and report.is_dir():
        raise InputError(f"`--report {report}` is a folder, wanted a file", hint="Name a file, as in report.html.")
    read = reading(format_, map_, mapping=mapping, sessions=sessions, patterns=patterns, places=places or ())
    given = assembly.Given(workspace, policy, people, catalogue, accounts)
    if spike is not None:
        from riparian.cli.spike import spiked  # noqa: PLC0415 -- the simulator is big, and nobody else needs it

        spiked(given, logs, read, spec=spike, json=json)
        return
    if follow:
        from riparian.cli.follow import followed  # noqa: PLC0415 -- as above

        followed(given, logs, read, json=json)
        return
    with assembly.house(given, clock=assembly.StoppedClock.at(as_of) if as_of is not None else None) as house:
        with terminal.bars() as progress:
            found = scan(house.world, _told(assembly.chunks(house, logs, read)), house.terms, progress=progress)
        if report is not None:
            from riparian.cli import paper  # noqa: PLC0415 -- templates take their time, and few scans need them

            paper.write(house, found, report)
        if json:
            rings = ring_lines(house.world, found.rings)
            lines.write([*account_lines(house.world, found), *rings, summary_line(found)])
        else:
            ladder.show(house.world, found, given.workspace)


def _told(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Pass chunks on, and say which files among the logs could not be read at all."""
    for chunk in chunks:
        for reject in chunk.rejects:
            if reject.line == 0:
                terminal.say(f"{reject.source} is not read: {reject.reason}")
        yield chunk


def reading(
    format_: str,
    map_: Sequence[str] | None,
    *,
    mapping: Path | None = None,
    sessions: str | None = None,
    patterns: Path | None = None,
    places: Sequence[str] = (),
) -> ReadOptions:
    """Gather how to read logs; what stands on the command line goes before the mapping file."""
    fields = assembly.read_mapping(mapping) if mapping is not None else {}
    for pair in map_ or ():
        name, equals, column = pair.partition("=")
        if not equals or not name or not column:
            raise InputError(f"`--map {pair}`, wanted FIELD=COLUMN", hint="Write --map account=uid, for one.")
        fields[name.strip()] = column.strip()
    made = ReadOptions(format=format_, map=fields, sessions=sessions, places=tuple(places))
    return replace(made, patterns=str(patterns)) if patterns is not None else made
