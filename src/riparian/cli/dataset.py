"""``riparian dataset``: what of ours is in a data set, and under which terms?"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import pyarrow as pa
import typer
from pyarrow import ipc
from rich.markup import escape

from riparian import assembly
from riparian.assembly import StoppedClock
from riparian.assembly.datasets import about_of, digests_of, parts_of, published_us
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.datasets.about import About
from riparian.feeds.tables import read_table
from riparian.flows import auditing, told
from riparian.flows.audited import NEAR_ROWS, Audited, Wanted
from riparian.flows.extraction import Progress
from riparian.metadata.datasets import Bounds

if TYPE_CHECKING:
    from riparian.flows.matching import Matches

_SHOWN: Final = 12
_MEANS: Final = {
    "hash": "the same file",
    "identifier": "a code of yours",
    "names": "title, artist and version of yours",
}

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Say which items of a data set are yours, and what you had said of that.",
)


@app.callback()
def dataset() -> None:
    """Say which items of a data set are yours, and what you had said of that."""


@app.command()
def audit(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="The data set: Parquet, WebDataset tars, manifests, folders of sound."),
    ],
    mapping: options.Map = None,
    published: Annotated[
        str,
        typer.Option(metavar="DATE", help="When it was published: what was reserved by then is told, too."),
    ] = "",
    control: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Recordings that were never released: title and artist; made up otherwise."),
    ] = None,
    weigh: Annotated[
        int, typer.Option(metavar="N", help="Weigh this many of the items that are not surely yours, drawn by lot.")
    ] = NEAR_ROWS,
    hear: Annotated[
        bool, typer.Option("--hash/--no-hash", help="Read sound for its digest; this takes as long as reading it.")
    ] = True,
    listen: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Compare this share of its sound files with your prints, too: 0.01 to 1."),
    ] = 0.0,
    rows: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every item that is yours: .parquet, .csv or .jsonl."),
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say how many items are yours, how that is known, and whether training with them was permitted.

    Exit code 1 when nothing of yours is in it.
    """
    if weigh < 0:
        raise InputError(f"`--weigh` is {weigh}, wanted 0 or more items")
    if not 0 <= listen <= 1:
        raise InputError(f"`--listen` is {listen}, wanted a share of the files, from 0 to 1", hint="Take 0.01 to 0.1.")
    given = assembly.Given(existing(workspace))
    said = _mapping(mapping or [])
    of_it = about_of(paths)
    since_us = StoppedClock.at(published).now_us() if published else published_us(of_it)
    with ExitStack() as stack:
        desk = stack.enter_context(assembly.desk(given))
        progress = stack.enter_context(terminal.bars())
        keep, kept = stack.enter_context(_spooled()) if rows is not None else (None, None)
        wanted = Wanted(digests_of(given), since_us, weigh, _control(control), keep)
        parts = parts_of(desk, paths, of_it, said, with_digests=hear)
        audited = auditing.audit(desk, parts, wanted, progress)
        heard = _heard(given, paths, listen, progress) if listen else None
        if rows is not None and kept is not None:
            n = desk.write_rows(rows, kept())
            terminal.say(f"{words.counted(n, 'item')} written to {rows}")
    if not audited.items:
        why = audited.unread[0][1] if audited.unread else "no file has any"
        raise InputError(f"there is no item in it ({why}), wanted a data set", hint="Check the path.")
    if json:
        lines.write(told.audited(audited, of_it, heard))
    else:
        _show(audited, of_it, heard)
    if not audited.ours.estimate and not (heard is not None and heard.estimated.files_ours.estimate):
        raise typer.Exit(1)


def _mapping(said: list[str]) -> dict[str, str]:
    found = {}
    for one in said:
        name, equals, column = one.partition("=")
        if not equals or not column:
            raise InputError(f"`--map {one}` has no column, wanted FIELD=COLUMN", hint="Write --map title=COLUMN.")
        found[name.strip()] = column.strip()
    return found


def _control(source: str | None) -> pa.Table | None:
    if source is None:
        return None
    table = read_table(source)
    if not {"title", "artist"} <= set(table.column_names):
        raise InputError(
            f"`{source}` lacks a title or an artist, wanted recordings that were never released",
            hint="Give it columns title and artist.",
        )
    return table.select(["title", "artist"]).cast(pa.schema([("title", pa.string()), ("artist", pa.string())]))


def _heard(given: assembly.Given, paths: list[str], share: float, progress: Progress) -> "Matches":
    """Compare the sound of files, a share of them drawn by lot, with prints of ours."""
    from riparian.flows.matching import match_files  # noqa: PLC0415 -- kernels, which nothing else here needs

    with assembly.library(given) as library:
        return match_files(library, library.find(paths), assembly.read_policy(given), share, progress)


@contextmanager
def _spooled() -> Iterator[tuple[Callable[[pa.Table], None], Callable[[], Iterator[pa.Table]]]]:
    """Keep tables aside on the disk, as many as there come: a way to add one, and one to read them."""
    with tempfile.TemporaryFile(prefix="riparian-") as file:
        writers: list[Any] = []

        def keep(table: pa.Table) -> None:
            if not writers:
                writers.append(ipc.new_file(file, table.schema))
            writers[0].write_table(table)

        def kept() -> Iterator[pa.Table]:
            if writers:
                writers[0].close()
                file.seek(0)
                reader = ipc.open_file(file)
                for number in range(reader.num_record_batches):
                    yield pa.Table.from_batches([reader.get_batch(number)])

        yield keep, kept


def _show(audited: Audited, of_it: About, heard: "Matches | None") -> None:
    licences = words.listed(list(of_it.licences)) if of_it.licences else "no licence"
    terminal.page.print(escape(words.visible(f"{of_it.name or 'The data set'} names {licences}.", longest=200)))
    terminal.page.print(
        f"{words.counted(audited.items, 'item')}, of which {_said(audited.ours)} are yours:"
        f" {_said(audited.recordings)} of {audited.held:,} recordings surely."
    )
    table = terminal.table("how it is known", "items", "recordings", right=("items", "recordings"))
    for name, (items, recordings) in audited.levels.items():
        table.add_row(_MEANS[name], f"{items:,}", f"{recordings:,}")
    if audited.near is not None:
        left = f"nearly so: {audited.near.asked:,} of {audited.near.left:,} weighed"
        table.add_row(left, _said(audited.near.items), f"{audited.near.recordings:,}")
    terminal.page.print(table)
    n, found = audited.control
    terminal.page.print(
        f"Of {words.counted(n, 'recording')} that never were, {found:,} were found:"
        f" by names alone at most {audited.mistaken.high:,.0f} of yours are mistaken."
    )
    if heard is not None:
        counted = heard.estimated.files_ours
        ours = _said(Bounds(counted.estimate, counted.low, counted.high))
        terminal.page.print(f"By their sound, {ours} of {words.counted(heard.files, 'file')} hold something of yours.")
    _show_terms(audited)
    for where, why in audited.unread[:_SHOWN]:
        terminal.say(f"Not read: {words.visible(where)} {words.visible(why)}.")
    if len(audited.unread) > _SHOWN:
        terminal.say(f"and {len(audited.unread) - _SHOWN:,} more; --json lists them")


def _show_terms(audited: Audited) -> None:
    table = terminal.table("what for", "as of", "permitted", "on conditions", "reserved", "said so of")
    for said in audited.said:
        when = "now" if said.as_of_us is None else words.day(said.as_of_us)
        counted = [_said(each) for each in said.items.values()]
        table.add_row(str(said.use), when, *counted, f"{said.said:,}")
    terminal.page.print(table)
    shown = [(name, counts) for name, counts in audited.licences.items() if counts[1]][:_SHOWN]
    if shown:
        licences = terminal.table("licence that it names", "items", "yours", "training permitted", "reserved")
        for name, (items, ours, stances) in shown:
            permitted, _, reserved = stances.values()
            cells = (f"{n:,}" for n in (items, ours, permitted, reserved))
            licences.add_row(escape(words.visible(name)) or "none", *cells)
        terminal.page.print(licences)


def _said(of: Bounds) -> str:
    low, high = round(of.low), round(of.high)
    return f"{of.estimate:,.0f}" if low == high else f"{of.estimate:,.0f} ({low:,} to {high:,})"
