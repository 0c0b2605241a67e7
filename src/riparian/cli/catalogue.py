"""``riparian catalogue``: all that is known of what we hold, found, kept whole, and handed on."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.assembly import StoppedClock, WallClock
from riparian.catalogue.holdings import Document
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.feeds.catalogue_table import read_catalogue
from riparian.flows import cataloguing
from riparian.ports.catalogue import Entry, Looked, Question, Scrub, Sort, State, Taken

_SHOWN: Final = 20
_ROWS_MAX: Final = 10_000
_COUNTED: Final = {
    "recordings": "recordings held",
    "not_held": "recordings that are not held any more",
    "identifiers": "identifiers",
    "titles": "titles in other languages or scripts",
    "releases": "releases",
    "artworks": "pictures",
    "played": "plays, counted on a day",
    "terms": "terms",
    "files": "files, with their digests",
    "documents": "documents",
    "refused": "rows that were refused",
}
_STATES: Final = {State.ROT: "is not what it was", State.LOST: "is lost", State.UNREADABLE: "cannot be read"}

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Keep, search and export all that is known of what you hold, and see that its files stay what they are.",
)

AsOf = Annotated[
    str,
    typer.Option("--as-of", metavar="DATE", help="Of when it is said, where nothing else tells.", show_default="now"),
]
Query = Annotated[
    list[str] | None, typer.Argument(metavar="[QUERY]...", help="Words of title, artist, album; or one identifier.")
]
Artist = Annotated[str, typer.Option(help="Words of the artist.")]
Owner = Annotated[str, typer.Option(help="Words of the owner or label.")]
Isrc = Annotated[str, typer.Option(help="With this ISRC.")]
ReleasedFrom = Annotated[str, typer.Option(metavar="DATE", help="Released on this day or later.")]
ReleasedTo = Annotated[str, typer.Option(metavar="DATE", help="Released on this day or before.")]
Territory = Annotated[str, typer.Option(metavar="COUNTRY", help="May be heard there, as in DE.")]
Term = Annotated[
    str, typer.Option(metavar="USE[:SAYS]", help="Of which the ledger says something, as in train or train:reserved.")
]
Sorted = Annotated[Sort, typer.Option("--sort", help="Numbers and dates from the greatest down, names from A on.")]
Reverse = Annotated[bool, typer.Option("--reverse", help="The other way round.")]


@app.command()
def add(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Delivery messages, dumps, tables, databases, sound files, folders."),
    ],
    as_of: AsOf = "",
    again: Annotated[bool, typer.Option("--again", help="Take documents once more that were taken.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Add what documents say; what was taken before is not taken again; exit code 1 when they say nothing."""
    from riparian.feeds.holdings import read_holdings  # noqa: PLC0415  it takes its time to load

    at_us = StoppedClock.at(as_of).now_us() if as_of else None
    with assembly.holdings(assembly.Given(workspace)) as holdings:
        if again:
            holdings.forget(list(dict.fromkeys(_names(holdings.documents(), paths))))
        with terminal.bars() as progress:
            taken = cataloguing.add(holdings, read_holdings(paths, progress), at_us=at_us, progress=progress)
        refused = list(holdings.refusals(last=min(taken.refused, _SHOWN))) if taken.refused else []
        totals = holdings.totals()
    if json:
        told = [{"kind": "refused", **each} for each in refused]
        lines.write([*told, {"kind": "taken", **_taken(taken)}, {"kind": "catalogue", **totals}])
    else:
        for each in refused:
            where = f"{each['document']}, {each['place']}"
            terminal.say(f"Refused: {words.visible(where)}: {words.visible(each['why'])}")
        terminal.page.print(_came(taken))
        _show_totals(totals)
    if not taken.batches + taken.again:
        raise typer.Exit(1)


@app.command()
def popularity(
    table: Annotated[str, typer.Argument(metavar="FILE", help="A table of recordings and plays.")],
    as_of: AsOf = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Keep how much recordings were played, as counted on a day; exit code 1 when none of them is known."""
    at_us = StoppedClock.at(as_of).now_us() if as_of else WallClock().now_us()
    on = datetime.fromtimestamp(at_us / 1e6, UTC).date()
    rows = read_catalogue(table)
    counted = cataloguing.snapshot(rows, on, Document(f"{table}, {on.isoformat()}", "played"))
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings:
        taken = cataloguing.add(holdings, [counted], at_us=at_us)
    known = len(counted.played) - taken.unknown
    if json:
        lines.write([{"kind": "played", "on": on.isoformat(), "recordings": known, "unknown": taken.unknown}])
    else:
        others = f"; {taken.unknown:,} that the catalogue does not know" if taken.unknown else ""
        terminal.page.print(f"Plays of {words.counted(known, 'recording')} on {on.isoformat()}{others}.")
    if not known:
        raise typer.Exit(1)


@app.command()
def search(
    query: Query = None,
    artist: Artist = "",
    owner: Owner = "",
    isrc: Isrc = "",
    released_from: ReleasedFrom = "",
    released_to: ReleasedTo = "",
    territory: Territory = "",
    term: Term = "",
    sort: Sorted = Sort.RELEVANCE,
    reverse: Reverse = False,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    rows: Annotated[int, typer.Option(min=1, max=_ROWS_MAX, help="Of a page.")] = _SHOWN,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Find recordings; without a query, all of them; exit code 1 when there are none."""
    filters = (artist, owner, isrc, cataloguing.day_of(released_from), cataloguing.day_of(released_to), territory, term)
    question = Question(" ".join(query or ()), *filters, sort, reverse)
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings, holdings.open():
        begun = time.perf_counter()
        found = holdings.search(question, first=(page - 1) * rows, rows=rows)
        took_ms = (time.perf_counter() - begun) * 1e3
    if json:
        told = ({"kind": "recording", **cataloguing.plain_row(row)} for row in found.recordings.to_pylist())
        lines.write([*told, {"kind": "page", "total": found.total, "page": page, "rows": rows}])
    elif found.total:
        _show_found(found.recordings.to_pylist())
        pages = -(-found.total // rows)
        at = f", page {page:,} of {pages:,}" if pages > 1 else ""
        terminal.say(f"{words.counted(found.total, 'recording')}{at}, in {took_ms:,.0f} ms.")
    else:
        terminal.say("Nothing is found.")
    if not found.total:
        raise typer.Exit(1)


@app.command("list")
def list_(
    sort: Sorted = Sort.RECORDING,
    reverse: Reverse = False,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    rows: Annotated[int, typer.Option(min=1, max=_ROWS_MAX, help="Of a page.")] = _SHOWN,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """List recordings; exit code 1 when there are none."""
    search(None, sort=sort, reverse=reverse, page=page, rows=rows, workspace=workspace, json=json)


@app.command()
def show(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORDING]...", help="By name, or by any identifier.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Tell all that is known of recordings, or how much is known at all; exit code 1 when nothing is."""
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings, holdings.open():
        found = [entry for name in names or () for entry in holdings.entries(name)]
        totals = holdings.totals()
        documents = [] if names else holdings.documents()
    if json:
        told = [cataloguing.plain_entry(each) for each in found]
        listed = [{"kind": "document", **cataloguing.plain_row(each)} for each in documents]
        lines.write(told if names else [*listed, {"kind": "catalogue", **totals}])
    elif names:
        for entry in found:
            _show_entry(entry)
        if not found:
            terminal.say(f"Nothing is called `{words.visible(names[0])}`; look for it with `catalogue search`.")
    else:
        _show_totals(totals)
    if not (found if names else totals["recordings"]):
        raise typer.Exit(1)


@app.command()
def remove(
    names: Annotated[list[str], typer.Argument(metavar="RECORDING...", help="By their names.")],
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Forget recordings; the ledger of terms stays; exit code 1 when there are none."""
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings:
        n = holdings.remove(names)
    if json:
        lines.write([{"kind": "removed", "recordings": n}])
    else:
        terminal.page.print(f"{words.counted(n, 'recording')} removed.")
    if not n:
        raise typer.Exit(1)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="To end in .csv, .parquet or .jsonld.")],
    query: Query = None,
    artist: Artist = "",
    owner: Owner = "",
    isrc: Isrc = "",
    released_from: ReleasedFrom = "",
    released_to: ReleasedTo = "",
    territory: Territory = "",
    term: Term = "",
    sort: Sorted = Sort.RELEVANCE,
    reverse: Reverse = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write what is found, or all that is held, to a file; exit code 1 when there is nothing."""
    from riparian.stores.catalogue.exports import export as written  # noqa: PLC0415  as in `add`

    filters = (artist, owner, isrc, cataloguing.day_of(released_from), cataloguing.day_of(released_to), territory, term)
    question = Question(" ".join(query or ()), *filters, sort, reverse)
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings:
        n = written(path, holdings.found(question))
    if json:
        lines.write([{"kind": "exported", "recordings": n, "path": str(path)}])
    else:
        terminal.page.print(f"{words.counted(n, 'recording')} written to {escape(words.visible(str(path)))}.")
    if not n:
        raise typer.Exit(1)


@app.command()
def verify(
    root: Annotated[
        Path | None, typer.Option(help="What paths are relative to.", show_default="the current folder")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with a scrub that was interrupted.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Read every file, and compare it with its digest; exit code 1 when something is lost, or not what it was."""
    from riparian.feeds.masters import look  # noqa: PLC0415  as in `add`

    with assembly.holdings(assembly.Given(existing(workspace))) as holdings:
        wrong = holdings.check()
        with terminal.bars() as progress:
            looks = partial(look, root=root)
            scrub = cataloguing.verify(
                holdings, lambda one, read: looks(one, read=read), WallClock().now_us, anew=anew, progress=progress
            )
        amiss = list(holdings.amiss())
    if json:
        told = ({"kind": "amiss", **_amiss(each, copies)} for each, copies in amiss)
        lines.write([*({"kind": "wrong", "what": what} for what in wrong), *told, _scrubbed(scrub, len(amiss))])
    else:
        _show_scrub(wrong, amiss, scrub)
    if wrong or amiss:
        raise typer.Exit(1)


def _names(documents: list[Any], paths: list[str]) -> list[str]:
    wanted = tuple(str(Path(path)) for path in paths)
    return [each["name"] for each in documents if each["name"].startswith(wanted)]


def _taken(taken: Taken) -> dict[str, int]:
    names = ("batches", "recordings", "new", "changed", "unknown", "refused", "again")
    return {name: getattr(taken, name) for name in names}


def _came(taken: Taken) -> str:
    told = [f"{words.counted(taken.new, 'recording')} new", f"{taken.changed:,} changed"]
    others = {
        "rows about recordings that nobody described": taken.unknown,
        "rows refused": taken.refused,
        "parts taken before": taken.again,
    }
    return f"{', '.join([*told, *(f'{n:,} {what}' for what, n in others.items() if n)])}."


def _show_totals(totals: dict[str, Any]) -> None:
    table = terminal.table("of the catalogue", "", right=("",))
    for name, what in _COUNTED.items():
        if totals[name] or name == "recordings":
            table.add_row(what, f"{totals[name]:,}")
    table.add_row("bytes on disk", f"{totals['bytes']:,}")
    terminal.page.print(table)


def _show_found(rows: list[dict[str, Any]]) -> None:
    table = terminal.table("recording", "title", "artist", "album", "released", "ISRC")
    for row in rows:
        cells = [row[name] or "" for name in ("recording", "title", "artist", "album", "released", "isrc")]
        table.add_row(*(escape(words.visible(str(cell))) for cell in cells))
    terminal.page.print(table)


def _show_entry(entry: Entry) -> None:
    table = terminal.table("of the recording", "")
    for name, value in cataloguing.plain_row(entry.recording).items():
        table.add_row(name.replace("_", " "), escape(words.visible(str(value))))
    for part, rows in entry.parts.items():
        for place, row in enumerate(map(cataloguing.plain_row, rows)):
            told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items() if value != "")
            table.add_row("" if place else part, escape(words.visible(told)))
    if not entry.is_held:
        table.add_row("held", "no: a later list of all that is held leaves it out")
    terminal.page.print(table)


def _amiss(looked: Looked, copies: Any) -> dict[str, Any]:
    one = looked.master
    told = {"recording": one.recording, "path": one.path, "state": looked.state.value, "found": looked.found}
    return {**told, "algorithm": one.algorithm, "digest": one.digest, "copies": list(copies)}


def _scrubbed(scrub: Scrub, amiss: int) -> dict[str, Any]:
    return {"kind": "scrub", "files": scrub.done, "amiss": amiss, "nowhere": scrub.nowhere}


def _show_scrub(wrong: list[str], amiss: list[Any], scrub: Scrub) -> None:
    for what in wrong[:_SHOWN]:
        terminal.page.print(f"In the catalogue: {escape(words.visible(what))}.")
    for looked, copies in amiss[:_SHOWN]:
        one = looked.master
        saved = f"; the same is at {words.visible(copies[0])}" if copies else ""
        told = f"{words.visible(one.path)} ({words.visible(one.recording)}) {_STATES[looked.state]}"
        terminal.page.print(f"{escape(told)}: {escape(words.visible(looked.found))}{escape(saved)}.")
    if len(amiss) > _SHOWN:
        terminal.page.print(f"and {len(amiss) - _SHOWN:,} more; --json lists them.")
    if scrub.nowhere:
        terminal.say(f"Of {words.counted(scrub.nowhere, 'digest')} no document says where the file lies.")
    if not amiss:
        terminal.page.print(f"All is well: {words.counted(scrub.done, 'file')} as they were.")
    else:
        terminal.page.print(f"{len(amiss):,} of {words.counted(scrub.done, 'file')} amiss.")
