"""``riparian lookalike``: which domains of a list look as if they were yours."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from riparian.cli import lines, options, terminal
from riparian.console import words
from riparian.creators.lookalikes import Index, Lookalike, Name, Suffixes
from riparian.feeds.domains import public_suffixes, read_domains
from riparian.stores.lookalike_names import Names, keep_names, read_names

_SHOWN: Final = 60
_TOLD_EVERY: Final = 20_000
_SENTENCES: Final = {
    "same": "the name under another ending",
    "host": "the name as a part of somebody else's domain",
    "words": "the name and words",
    "letters": "in letters that look alike",
    "typo": "one letter off",
    "joined": "the name and something else",
}

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Keep the names that people trust, and find domains that look like them in lists of domains.",
)

NamesOption = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="A name, as it stands in domains without an ending; repeatable."),
]
OwnOption = Annotated[
    list[str] | None,
    typer.Option("--own", metavar="DOMAIN", help="A domain of these names' owner, never told; repeatable."),
]
PassOption = Annotated[
    list[str] | None, typer.Option("--pass", metavar="DOMAIN", help="A domain that you know; passed over; repeatable.")
]
OrdinaryOption = Annotated[
    bool, typer.Option("--ordinary", help="The names are words that many use: alone, or beside words, they are told.")
]


@app.command()
def index(
    name: NamesOption = None,
    own: OwnOption = None,
    passed: PassOption = None,
    ordinary: OrdinaryOption = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Keep names, and domains that are known, in the workspace; without options, list what is kept.

    Exit code 1 when nothing is kept.
    """
    held = _with(read_names(workspace), name, own, passed, ordinary=ordinary)
    if held.names:
        _index(held)
    if name or passed:
        keep_names(workspace, held)
    if json:
        lines.write({"kind": "name", **asdict(one)} for one in held.names)
    elif held.names:
        table = terminal.table("name", "said", "own domains")
        for one in held.names:
            said = "alone, or beside words" if one.is_ordinary else "wherever it begins or ends a word"
            table.add_row(*(escape(words.visible(cell)) for cell in (one.name, said, ", ".join(one.domains))))
        terminal.page.print(table)
        if held.passed:
            terminal.page.print(escape(f"Passed over: {', '.join(held.passed)}"))
    if not held.names:
        raise typer.Exit(1)


@app.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="LIST...", help="Lists of domains, in any form, packed or not; - reads them."),
    ],
    name: NamesOption = None,
    own: OwnOption = None,
    passed: PassOption = None,
    ordinary: OrdinaryOption = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Find domains that look like names of yours; the names that are kept, and those that are given.

    No domain is opened or asked for. Exit code 1 when none is found.
    """
    within = _index(_with(read_names(workspace), name, own, passed, ordinary=ordinary))
    count = 0
    found: list[Lookalike] = []
    with terminal.bars() as progress:
        for file in files:
            for domain in read_domains(file):
                if count % _TOLD_EVERY == 0:
                    progress("domains", count, None)
                count += 1
                one = within.look(domain)
                if one is not None:
                    found.append(one)
    if json:
        lines.write(_told(found, count))
    else:
        _show(found, count)
    if not found:
        raise typer.Exit(1)


def _with(
    held: Names, name: list[str] | None, own: list[str] | None, passed: list[str] | None, *, ordinary: bool
) -> Names:
    own_domains = tuple(domain.lower() for domain in own or ())
    more = [Name(one.lower(), own_domains, True if ordinary else None) for one in name or ()]
    return held.with_more(more, [domain.lower() for domain in passed or ()])


def _index(held: Names) -> Index:
    return Index(held.names, Suffixes.of(public_suffixes()), held.passed)


def _told(found: list[Lookalike], count: int) -> Iterator[dict[str, object]]:
    for one in found:
        yield {"kind": "lookalike", **asdict(one)}
    yield {"kind": "summary", "domains": count, "lookalikes": len(found)}


def _show(found: list[Lookalike], count: int) -> None:
    by = Counter(one.name for one in found)
    most = ", ".join(f"{n:,} of {name}" for name, n in by.most_common(5))
    told = f"{len(found):,} of {words.counted(count, 'domain')} look like yours"
    terminal.page.print(escape(words.visible(f"{told}: {most}." if most else f"{told}.", longest=500)))
    if not found:
        return
    table = terminal.table("domain", "name", "how")
    for one in found[:_SHOWN]:
        how = ", ".join(_SENTENCES[way] for way in one.ways)
        how = f"{how}: {' '.join(one.words)}" if one.words else how
        table.add_row(*(escape(words.visible(cell)) for cell in (one.domain, one.name, how)))
    terminal.page.print(table)
    if len(found) > _SHOWN:
        terminal.page.print(f"and {len(found) - _SHOWN:,} more; --json lists them")
    terminal.page.print("To look alike is no wrong; look at who has it before you say anything of it.")
