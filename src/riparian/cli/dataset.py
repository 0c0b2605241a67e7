"""``riparian dataset``: what of ours is in a data set, and under which terms?"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import typer
from pyarrow import ipc
from rich.markup import escape

from riparian import assembly
from riparian.assembly import StoppedClock
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.datasets.about import About, about
from riparian.feeds.datasets.read import read_items
from riparian.feeds.dumps.vocabulary import KINDS, vocabulary_of
from riparian.feeds.tables import read_table
from riparian.flows import auditing
from riparian.flows.audited import NEAR_ROWS, Audited, Part, Wanted
from riparian.flows.extraction import Progress
from riparian.metadata.datasets import Bounds
from riparian.ports.dumps import Desk

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
    of_it = _about(paths)
    published_us = StoppedClock.at(published).now_us() if published else _midnight_us(of_it)
    with ExitStack() as stack:
        desk = stack.enter_context(assembly.desk(given))
        progress = stack.enter_context(terminal.bars())
        keep, kept = stack.enter_context(_spooled()) if rows is not None else (None, None)
        wanted = Wanted(_digests(given), published_us, weigh, _control(control), keep)
        parts = _parts(desk, paths, of_it, said, with_digests=hear)
        audited = auditing.audit(desk, parts, wanted, progress)
        heard = _heard(given, paths, listen, progress) if listen else None
        if rows is not None and kept is not None:
            n = desk.write_rows(rows, kept())
            terminal.say(f"{words.counted(n, 'item')} written to {rows}")
    if not audited.items:
        why = audited.unread[0][1] if audited.unread else "no file has any"
        raise InputError(f"there is no item in it ({why}), wanted a data set", hint="Check the path.")
    if json:
        lines.write(told(audited, of_it, heard))
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


def _about(paths: list[str]) -> About:
    found = About()
    for path in paths:
        if Path(path).exists():
            found = found.plus(about(Path(path)))
    return found


def _midnight_us(of_it: About) -> int | None:
    if of_it.published is None:
        return None
    day = of_it.published
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


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


def _digests(given: assembly.Given) -> dict[str, str]:
    """Give the digests of files of which there are prints."""
    if not assembly.has_prints(given):
        return {}
    with assembly.library(given) as library:
        held = library.hold()
        known = (held.known(int(number)) for number in held.numbers())
        return {one.digest: one.recording for one in known if one.digest}


def _heard(given: assembly.Given, paths: list[str], share: float, progress: Progress) -> "Matches":
    """Compare the sound of files, a share of them drawn by lot, with prints of ours."""
    from riparian.flows.matching import match_files  # noqa: PLC0415 -- kernels, which nothing else here needs

    with assembly.library(given) as library:
        return match_files(library, library.find(paths), assembly.read_policy(given), share, progress)


def _parts(desk: Desk, paths: list[str], of_it: About, said: dict[str, str], *, with_digests: bool) -> Iterator[Part]:
    vocabulary = vocabulary_of(desk.catalogue.whole(list(KINDS)))
    licence = pa.scalar("; ".join(of_it.licences) or None, pa.string())
    for read in read_items(paths, vocabulary, said, with_digests=with_digests):
        at = read.items.schema.get_field_index("licence")
        # An item that says nothing of its licence is under that of the whole.
        filled = pc.fill_null(read.items["licence"], licence) if licence.is_valid else read.items["licence"]
        items = read.items.set_column(at, read.items.schema.field(at), filled)
        yield Part(read.source, items, tuple((each.source, each.reason) for each in read.rejects))


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


def told(audited: Audited, of_it: About, heard: "Matches | None" = None) -> Iterator[dict[str, Any]]:
    """Write what it says of itself, what could not be read, licences, terms, what was heard, and the summary."""
    yield {
        "kind": "dataset",
        "name": of_it.name,
        "licences": list(of_it.licences),
        "published": str(of_it.published) if of_it.published else None,
        "said_in": list(of_it.sources),
        "files": dict(audited.sources),
    }
    for where, why in audited.unread:
        yield {"kind": "unread", "where": where, "why": why}
    for licence, (items, ours, stances) in audited.licences.items():
        train = {str(stance): n for stance, n in stances.items()}
        yield {"kind": "licence", "licence": licence, "items": items, "ours": ours, "train": train}
    for said in audited.said:
        yield {
            "kind": "terms",
            "use": str(said.use),
            "as_of_us": said.as_of_us,
            "items": {str(stance): _bounds(counted) for stance, counted in said.items.items()},
            "recordings": {str(stance): n for stance, n in said.recordings.items()},
            "reserved_by_a_document": said.said,
        }
    if heard is not None:
        yield {
            "kind": "sound",
            "files": heard.files,
            "heard": sum(not one.failed for one in heard.looked),
            "files_ours": _interval(heard.estimated.files_ours),
            "recordings_ours": _interval(heard.estimated.recordings_ours),
        }
    near = audited.near
    yield {
        "kind": "summary",
        "items": audited.items,
        "ours": _bounds(audited.ours),
        "recordings": _bounds(audited.recordings),
        "held": audited.held,
        "levels": {name: {"items": items, "recordings": n} for name, (items, n) in audited.levels.items()},
        "weighed": None
        if near is None
        else {"left": near.left, "asked": near.asked, "ours": _bounds(near.items), "recordings": near.recordings},
        "control": {"recordings": audited.control[0], "found": audited.control[1]},
        "mistaken": _bounds(audited.mistaken),
    }


def _bounds(of: Bounds) -> dict[str, float]:
    return {"estimate": of.estimate, "low": of.low, "high": of.high}


def _interval(of: Any) -> dict[str, float]:
    return _bounds(Bounds(of.estimate, of.low, of.high))


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
