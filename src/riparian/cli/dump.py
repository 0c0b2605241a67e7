"""``riparian dump``: how much of our catalogue is in a list that was found?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.console.days_of_lists import when_taken
from riparian.errors import InputError
from riparian.feeds.dumps.read import read_dump, state_of
from riparian.feeds.dumps.vocabulary import KINDS, vocabulary_of
from riparian.flows import dumping, told
from riparian.flows.dump_slices import Interval, Slice
from riparian.flows.dumping import Dumped

_SHOWN: Final = 8

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Say how much of your catalogue is in lists that were found: tables, databases, listings, archives.",
)


@app.callback()
def dump() -> None:
    """Say how much of your catalogue is in lists that were found: tables, databases, listings, archives."""


@app.command()
def match(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Found files, folders, globs or addresses in storage.")
    ],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Which column is which, where it is told wrong; repeatable."
        ),
    ] = None,
    sample: Annotated[
        float, typer.Option(metavar="SHARE", help="Look at this share of the rows, drawn by lot: 0.001 to 1.")
    ] = 1.0,
    rows: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every row with what it is: .parquet, .csv or .jsonl."),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write one self-contained page.")] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say how many rows are recordings of yours, how much of your catalogue that is, and when the list was taken.

    Exit code 1 when nothing of yours is in it.
    """
    if not 0 < sample <= 1:
        raise InputError(f"`--sample` is {sample}, wanted a share above 0, at most 1", hint="Take 0.01 to 0.1.")
    if report is not None and report.is_dir():
        raise InputError(f"`--report {report}` is a folder, wanted a file", hint="Name a file, as in report.html.")
    given = assembly.Given(existing(workspace))
    said = _mapping(mapping or [])
    with assembly.desk(given) as desk, terminal.bars() as progress:
        progress("opening", 0, None)
        known = desk.catalogue.whole(list(KINDS))
        dumped, pairs = dumping.dump(
            desk, state_of(paths, said), lambda: read_dump(paths, vocabulary_of(known), said), sample, progress
        )
        if rows is not None:
            n = desk.write_rows(rows, dumping.named_rows(desk, pairs))
            terminal.say(f"{words.counted(n, 'row')} written to {rows}")
    if report is not None:
        from riparian.console.dumped import dumped_page  # noqa: PLC0415 -- templates take their time

        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(dumped_page(dumped), encoding="utf-8")
        terminal.say(f"The report is {report}")
    if json:
        lines.write(told.dumped(dumped))
    else:
        _show(dumped)
    if not dumped.is_found:
        raise typer.Exit(1)


def _mapping(said: list[str]) -> dict[str, str]:
    found = {}
    for one in said:
        name, equals, column = one.partition("=")
        if not equals or not column:
            raise InputError(f"`--map {one}` has no column, wanted FIELD=COLUMN", hint="Write --map title=COLUMN.")
        found[name.strip()] = column.strip()
    return found


def _show(dumped: Dumped) -> None:
    for one in dumped.read["sheets"][:_SHOWN]:
        terminal.say(_read(one))
    if len(dumped.read["sheets"]) > _SHOWN:
        terminal.say(f"and {len(dumped.read['sheets']) - _SHOWN:,} more tables; --json lists them")
    rows = dumped.read["rows"]
    ours = dumped.rows_ours.times(1 / rows)
    of = words.counted(rows, "row")
    drawn = "" if dumped.share >= 1 else f" ({dumped.looked:,} of them drawn by lot and looked at)"
    terminal.page.print(f"Rows that are recordings of yours: {_said(dumped.rows_ours)} of {of}{drawn}, {_share(ours)}.")
    plays = f"; {_share(dumped.of_plays)} of its plays" if dumped.of_plays else ""
    held = f"{_share(dumped.of_catalogue)} of the {dumped.held:,} you hold{plays}"
    if dumped.is_found and not dumped.levels["recording"]:
        terminal.page.print("No single row is surer than 1 in 100: the figures add up chances.")
    terminal.page.print(f"Recordings of yours in it: {_said(dumped.recordings_ours)}, {held}.")
    if dumped.taken is not None or dumped.latest is not None:
        terminal.page.print(when_taken(dumped.taken, dumped.latest))
    for name, slices in dumped.slices.items():
        if name in {"label", "territory"} and len(slices) > 1:
            _show_slices(name, slices)
    if dumped.review:
        terminal.say(
            f"{words.counted(len(dumped.review), 'row')} to look at, of every class of error: --json, --report."
        )


def _read(one: Mapping[str, Any]) -> str:
    columns = ", ".join(f"{field} = {column}" for field, (column, _) in one["columns"].items())
    name = words.visible(Path(one["source"]).name)
    rejected = f", {one['rejected']:,} passed over ({one['why']})" if one["rejected"] else ""
    read = f"{name}: {words.counted(one['rows'], 'row')}{rejected}"
    return f"{read}; {words.visible(columns)}" if columns else read


def _show_slices(name: str, slices: Sequence[Slice]) -> None:
    table = terminal.table(name, "you hold", "in the list", "share", right=("you hold", "in the list", "share"))
    for one in slices[:_SHOWN]:
        table.add_row(escape(words.visible(one.name)), f"{one.held:,}", _said(one.ours), _share(one.share))
    terminal.page.print(table)


def _said(of: Interval) -> str:
    estimate, low, high = (f"{value:,.0f}" for value in (of.estimate, of.low, of.high))
    return estimate if low == high else f"{estimate} ({low} to {high})"


def _share(of: Interval) -> str:
    estimate, low, high = (words.percent(value) for value in (of.estimate, of.low, of.high))
    return estimate if low == high else f"{estimate} ({low} to {high})"
