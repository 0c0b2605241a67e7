"""``riparian creator``: what an artist or a label is told, and what they may ask."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.assembly import StoppedClock
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.creators.deliverers import Dossier
from riparian.creators.kit import Sender, kit
from riparian.creators.statement import Statement
from riparian.creators.strangers import Page
from riparian.errors import InputError
from riparian.feeds.findings import read_findings
from riparian.flows import informing
from riparian.flows.informing import Seen

_SHOWN: Final = 40
_NAMES_MAX: Final = 1000

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Tell artists, signed, what of theirs was found; look at their pages, and at who delivers.",
)

Artist = Annotated[str, typer.Option("--artist", metavar="NAME", help="An artist, as the catalogue writes the name.")]
Label = Annotated[str, typer.Option("--label", metavar="NAME", help="A label or an owner.")]
Findings = Annotated[
    list[Path] | None,
    typer.Option(
        "--found",
        metavar="FILE",
        help="What match --json, dump match --rows or dataset audit --rows wrote; repeatable.",
    ),
]
SeenAt = Annotated[
    str, typer.Option("--seen", metavar="DATE", help="When these were published or found: terms are told as of then.")
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so: your name, as artists know it.")]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are written.")]


@app.command()
def statement(
    by: By,
    to: Folder,
    artist: Artist = "",
    label: Label = "",
    found: Findings = None,
    seen: SeenAt = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write what of theirs was found, where, how surely, and what had been said of it: a page, a PDF, a signed file.

    What the cases of the workspace found is in it, those under seal excepted, and what the files say. Exit code 1 when
    nothing of theirs was found.
    """
    what, name = _whom(artist, label)
    with assembly.bureau(assembly.Given(existing(workspace))) as bureau:
        said, token = informing.state(bureau, what, name, by, _seen(workspace, found or [], seen))
        key = bureau.key
    files = _write(to, said, token, key)
    if json:
        lines.write([{**said.said, "key": key, "files": [str(path) for path in files]}])
    else:
        _tell(said, key, files)
    if not said.said["totals"]["findings"]:
        raise typer.Exit(1)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A statement: the page, the PDF or the signed file.")],
    key: Annotated[str, typer.Option("--key", help="The public key of whoever signed it, as they publish it.")],
    json: options.Json = False,
) -> None:
    """Check a statement, and that the page or the PDF says what was signed; needs no workspace."""
    from riparian.console.stated_read import stated_in  # noqa: PLC0415 -- templates take their time

    said = stated_in(_read(file), key, str(file))
    if json:
        lines.write([{**said.said, "verified": True, "key": key}])
        return
    terminal.page.print(escape(words.visible(f"Genuine: signed by the holder of {key[:16]}.", longest=200)))
    _tell(said, key, [])


@app.command("kit")
def kits(
    by: By,
    to: Folder,
    contact: Annotated[str, typer.Option(help="Where artists reach you.")],
    key_at: Annotated[str, typer.Option("--key-at", metavar="ADDRESS", help="Where you publish your key.")],
    artist: Annotated[
        list[str] | None, typer.Option("--artist", metavar="NAME", help="An artist; repeatable; all, where none is.")
    ] = None,
    domain: Annotated[list[str] | None, typer.Option(help="A domain that you write from; repeatable.")] = None,
    found: Findings = None,
    seen: SeenAt = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write, for every artist of whom something was found, the statement and what to have ready for it."""
    sender = Sender(by, contact, key_at, tuple(domain or ()))
    told = []
    with ExitStack() as stack:
        bureau = stack.enter_context(assembly.bureau(assembly.Given(existing(workspace))))
        progress = stack.enter_context(terminal.bars())
        some = _seen(workspace, found or [], seen)
        names = artist or informing.names_in(bureau.holdings, (each.recording for one in some for each in one.found))
        for n, name in enumerate(names[:_NAMES_MAX]):
            progress("writing kits", n, min(len(names), _NAMES_MAX))
            said, token = informing.state(bureau, "artist", name, by, some)
            folder = to / _plain(name)
            _write(folder, said, token, bureau.key)
            for file, text in kit(said, sender, bureau.key).items():
                (folder / file).write_text(text, encoding="utf-8")
            told.append(
                {"kind": "kit", "artist": name, "folder": str(folder), "findings": said.said["totals"]["findings"]}
            )
    if json:
        lines.write(told)
    elif told:
        table = terminal.table("artist", "findings", "folder")
        for one in told[:_SHOWN]:
            table.add_row(*(escape(words.visible(str(one[part]))) for part in ("artist", "findings", "folder")))
        terminal.page.print(table)
    if len(names) > _NAMES_MAX:
        terminal.say(f"{len(names) - _NAMES_MAX:,} more artists; name them with --artist")
    if not told:
        raise typer.Exit(1)


@app.command()
def strangers(
    name: Annotated[str, typer.Argument(metavar="ARTIST", help="As the catalogue writes the name.")],
    own: Annotated[
        list[str] | None, typer.Option("--own", metavar="OWNER", help="Who is known to deliver theirs; repeatable.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """List recordings on an artist's page from deliverers that have nothing else in common with the artist.

    Exit code 1 when there is none.
    """
    with assembly.holdings(assembly.Given(existing(workspace))) as holdings:
        page = informing.look_at_page(holdings, name, own or ())
    if json:
        lines.write(_strangers(page))
    else:
        _show_page(page)
    if not page.strangers:
        raise typer.Exit(1)


@app.command()
def dossier(
    deliverer: Annotated[
        str, typer.Argument(metavar="OWNER", help="One deliverer; the most unusual, where none is.")
    ] = "",
    most: Annotated[
        float, typer.Option(help="Tell ways in which at most this share of deliverers is as unusual: above 0 to 1.")
    ] = 0.05,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say which deliverers are unlike all others in the ways of fake compilations; for a person to look at.

    Exit code 1 when none is.
    """
    if not 0 < most <= 1:
        raise InputError(f"`--most` is {most}, wanted a share above 0, at most 1", hint="Take 0.05.")
    given = assembly.Given(existing(workspace))
    with ExitStack() as stack:
        holdings = stack.enter_context(assembly.holdings(given))
        prints = None
        if assembly.has_prints(given):
            library = stack.enter_context(assembly.library(given))
            prints = library.prints.held()
            stack.callback(prints.close)
        found = informing.compare_deliverers(holdings, prints, most=1.0 if deliverer else most)
    if deliverer:
        found = [one for one in found if informing.is_called(one, deliverer)]
    if json:
        lines.write({"kind": "dossier", **asdict(one)} for one in found)
    else:
        _show_dossiers(found, heard=prints is not None)
    if not found:
        raise typer.Exit(1)


def _whom(artist: str, label: str) -> tuple[str, str]:
    if bool(artist) == bool(label):
        raise InputError("wanted one of --artist and --label, found both or neither", hint="Name one of the two.")
    return ("artist", artist) if artist else ("label", label)


def _seen(workspace: Path, files: Sequence[Path], at: str) -> list[Seen]:
    at_us = StoppedClock.at(at).now_us() if at else None
    some = [Seen(path.name, *read_findings(path, at_us=at_us)) for path in files]
    return some + assembly.seen_in_cases(assembly.Given(workspace))


def _write(folder: Path, said: Statement, token: str, key: str) -> list[Path]:
    from riparian.console.stated import stated_page  # noqa: PLC0415 -- templates take their time
    from riparian.console.stated_paper import stated_paper  # noqa: PLC0415 -- as above

    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "statement.html": stated_page(said, token, key).encode(),
        "statement.pdf": stated_paper(said, token, key),
        "statement.jws": token.encode() + b"\n",
    }
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
    return [folder / name for name in files]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}, wanted a statement") from error


def _plain(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in " -_" else "_" for c in name).strip()
    return kept[:80] or "artist"


def _tell(said: Statement, key: str, files: Sequence[Path]) -> None:
    from riparian.console.stated import consent, headline, mistakes  # noqa: PLC0415 -- templates take their time

    body = said.said
    for line in (headline(body), mistakes(body), *map(consent, body["consent"])):
        if line:
            terminal.page.print(escape(words.visible(line, longest=500)))
    if files:
        terminal.say(f"Written: {', '.join(map(str, files))}")
        terminal.say(f"Your key, to be published where artists look: {key}")


def _strangers(page: Page) -> Iterator[dict[str, Any]]:
    for one in page.strangers:
        yield {"kind": "stranger", **asdict(one), "added": one.added.isoformat() if one.added else None}
    yield {"kind": "summary", "artist": page.name, "recordings": page.recordings, "own": list(page.own)}


def _show_page(page: Page) -> None:
    by = words.listed(list(page.own)) if page.own else "nobody who is named"
    told = f"{words.counted(page.recordings, 'recording')} under {page.name}, the artist's own delivered by {by}."
    terminal.page.print(escape(words.visible(told, longest=500)))
    if not page.strangers:
        terminal.page.print("Nothing of a stranger's is among them.")
        return
    table = terminal.table("recording", "title", "artist", "delivered by", "added", "the name")
    for one in page.strangers[:_SHOWN]:
        kind = "is the artist's" if one.is_same_name else "only looks like it"
        cells = (one.recording, one.title, one.artist, one.owner, str(one.added or ""), kind)
        table.add_row(*(escape(words.visible(cell)) for cell in cells))
    terminal.page.print(table)
    if len(page.strangers) > _SHOWN:
        terminal.page.print(f"and {len(page.strangers) - _SHOWN:,} more; --json lists them")
    terminal.page.print("The artist knows which of these are theirs.")


def _show_dossiers(found: Sequence[Dossier], *, heard: bool) -> None:
    if not found:
        terminal.page.print("No deliverer is unlike the others, or there are too few to compare.")
    for one in found[:_SHOWN]:
        told = f"{one.deliverer}, {words.counted(one.recordings, 'recording')}"
        terminal.page.print(escape(words.visible(told, longest=200)))
        for way in one.unusual:
            rank = f"as unusual as {words.chance(way.rank)}" if way.rank < 1 else "as usual as anybody"
            usual = f"{words.percent(way.count / way.of)}; the deliverer in the middle has {words.percent(way.usual)}"
            told = f"  {way.count:,} {way.way.sentence} ({usual}; {rank}): {', '.join(way.examples[:3])}"
            terminal.page.print(escape(words.visible(told, longest=400)))
    if len(found) > _SHOWN:
        terminal.page.print(f"and {len(found) - _SHOWN:,} more; --json lists them")
    if found:
        terminal.page.print("To be unlike others is no wrong: somebody looks at the examples first.")
    if not heard:
        terminal.say("Sound was not compared: there are no prints (riparian prints add).")
