"""``riparian screen``: what should somebody look at before this delivery is published?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from riparian import assembly
from riparian.catalogue.releases import Releases
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.cli.prints import Workers, at_once
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.deliveries import Told, read_delivery
from riparian.flows.screening import Delivery, Referral, Screened
from riparian.flows.screening import screen as screened

app = typer.Typer(pretty_exceptions_enable=False)

_SHOWN: Final = 60


@app.command()
def screen(
    delivery: Annotated[Path, typer.Argument(help="A folder of sound files, with DDEX messages or without.")],
    owner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Who delivers, as the catalogue names owners; repeatable.",
            show_default="the sender of the message",
        ),
    ] = None,
    catalogue: options.Catalogue = None,
    workers: Workers = 0,
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Compare a delivery with what you hold before it is published, for a person to look at.

    What is found is referred to a person: two owners may both be right. Exit code 1 when nothing is.
    """
    given = assembly.Given(existing(workspace), policy, catalogue=catalogue)
    terms, told = assembly.read_policy(given), read_delivery(delivery)
    releases = Releases.of(assembly.recordings(given))
    with assembly.library(given, workers=at_once(workers)) as library, terminal.bars() as progress:
        files = tuple(library.find([str(delivery)]))
        wanted = Delivery(files, told.said, tuple(owner or told.senders))
        found = screened(library, wanted, releases, terms, progress)
    if not found.files:
        raise InputError(f"there is no sound in `{delivery}`, wanted a delivery", hint="Check the path.")
    if json:
        lines.write(written(told, found))
    else:
        _show(told, found, wanted)
    if all(one.is_note for one in found.referrals):
        raise typer.Exit(1)


def written(told: Told, found: Screened) -> Iterator[dict[str, Any]]:
    """Write referrals and notes for programs, what could not be read, and a summary."""
    for note in told.notes:
        yield {"kind": "failed", "path": "", "why": note}
    for file, why in found.failed:
        yield {"kind": "failed", "path": file.name, "why": why}
    for one in found.referrals:
        yield {
            "kind": "note" if one.is_note else "referral",
            "because": one.because.name.lower(),
            "path": one.file.name,
            "recordings": list(one.recordings),
            "error": one.error,
            "said": {
                "title": one.said.title,
                "artist": one.said.artist,
                "isrc": one.said.isrc,
                "rights": one.said.rights,
            },
            "ours": {"owner": one.owner, "isrc": one.isrc, "artist": one.artist},
            "others": list(one.others),
            "spans": one.facts.get("spans", []),
        }
    yield {
        "kind": "summary",
        "files": found.files,
        "failed": len(found.failed),
        "referrals": sum(not one.is_note for one in found.referrals),
        "notes": sum(one.is_note for one in found.referrals),
        "names_compared": found.names_compared,
    }


def _show(told: Told, found: Screened, delivery: Delivery) -> None:
    for note in told.notes:
        terminal.say(f"Not read: {words.visible(note)}.")
    for _, why in found.failed:
        terminal.say(f"Not heard: {words.visible(why)}.")
    table = terminal.table("file", "because it has", "ours", "wrong", right=("wrong",))
    for one in found.referrals[:_SHOWN]:
        wrong = words.chance(one.error) if one.error is not None else ""
        cells = Path(one.file.name).name, ("(note) " if one.is_note else "") + one.because.value, _ours(one), wrong
        table.add_row(*(escape(words.visible(cell)) for cell in cells))
    if table.row_count:
        terminal.page.print(table)
    if len(found.referrals) > _SHOWN:
        terminal.page.print(f"and {len(found.referrals) - _SHOWN:,} more; --json lists them")
    referred = len({one.file.name for one in found.referrals if not one.is_note})
    terminal.page.print(f"{referred:,} of {words.counted(found.files, 'file')} should be looked at by a person.")
    if not delivery.owners:
        terminal.say("Nobody said who delivers: name them with --owner.")
    if not found.names_compared:
        terminal.say("Names of artists are not compared: no recording of the catalogue has an owner.")


def _ours(one: Referral) -> str:
    """Say what of ours a referral is about."""
    if one.others:
        return "also in " + ", ".join(Path(other).name for other in one.others)
    about = one.artist or ", ".join(one.recordings)
    beside = ", ".join(filter(None, (one.owner, one.isrc)))
    return f"{about} ({beside})" if beside else about
