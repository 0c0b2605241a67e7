"""Verbs of ``riparian case`` for what was asked for: look again, and tell how long it took."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from riparian import assembly
from riparian.cases.again import by_addressee
from riparian.cases.plain import plain
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.console.removals import days, removals_page
from riparian.errors import InputError
from riparian.feeds.capture import capture
from riparian.flows import again as looking
from riparian.flows import casework
from riparian.flows.again import Looked, Round
from riparian.flows.keeping import Page
from riparian.stores.files import reaching

_PAUSE_S: Final = 2.0
_SHOWN: Final = 40

Cases = Annotated[list[str] | None, typer.Argument(metavar="CASE...", help="Which; all when none is named.")]


def again(
    permitted_by: Annotated[
        str, typer.Option("--permitted-by", metavar="WHO", help="Who says that we may ask for these pages.")
    ],
    cases: Cases = None,
    every: Annotated[float, typer.Option("--every", metavar="HOURS", help="How long a location rests.")] = 24.0,
    private: Annotated[bool, typer.Option("--private", help="Addresses of private networks may be asked.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")] = "cli",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Look again at locations that are due, and keep what they show; exit code 1 when none is due."""
    if not permitted_by.strip():
        raise InputError("nobody permits it, wanted the name of who does", hint="Add --permitted-by WHO.")
    if not 0 <= every < 24 * 365:
        raise InputError(f"--every is {every:g} hours, wanted 0 or more, and less than a year")

    def show(address: str, at: datetime) -> Page:
        shown = capture(address, permitted_by, at, private=private)
        return Page(address, shown.warc, live=shown.live, permitted_by=permitted_by)

    with assembly.docket(assembly.Given(existing(workspace))) as docket, terminal.bars() as bars:
        going = Round(
            show,
            timedelta(hours=every),
            lambda: time.sleep(_PAUSE_S),
            lambda done, total: bars("looking again", done, total),
        )
        looked = looking.look(docket, cases or docket.cases.keys(), going, by)
    if json:
        lines.write({"kind": "looked", **plain(one), "news": one.news} for one in looked)
    else:
        _tell(looked)
    if not looked:
        raise typer.Exit(1)


def removals(
    cases: Cases = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE.html", help="Write a page, with a picture.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Tell, by addressee, how long removals took and what came back; exit code 1 when nobody was asked."""
    with assembly.docket(assembly.Given(existing(workspace))) as docket:
        rows = by_addressee(looking.removals(docket, cases or ()))
        on = f"{casework.now(docket.clock):%Y-%m-%d}"
    if page is not None:
        with reaching(f"writing `{page}`"):
            page.write_text(removals_page(rows, on), encoding="utf-8")
    if json:
        lines.write({"kind": "removals", **plain(row)} for row in rows)
    elif rows:
        right = ("for", "gone", "half after, at least", "at most", "in a week", "back", "in 30 days", "rightly there")
        table = terminal.table("who was asked", *right, right=right)
        for row in rows[:_SHOWN]:
            back = words.percent(row.back_in_30) if row.back_in_30 is not None else ""
            spans = (days(row.median_least), days(row.median_most), words.percent(row.within_week))
            name = words.visible(row.addressee or "not named", longest=40)
            table.add_row(name, str(row.asked), str(row.gone), *spans, str(row.back), back, str(row.rightly))
        terminal.page.print(table)
    if not rows:
        terminal.say("Nobody was asked to take anything down yet.")
        raise typer.Exit(1)


def _tell(looked: Sequence[Looked]) -> None:
    table = terminal.table("case", "", "where", "", "news")
    stands = {True: "there", False: "gone", None: "not known"}
    for one in looked[:_SHOWN]:
        table.add_row(
            one.case,
            one.location,
            words.visible(one.address, longest=80),
            stands[one.live],
            one.news or one.failed[:80],
        )
    if looked:
        terminal.page.print(table)
    terminal.say(f"{len(looked):,} looked at, {sum(bool(one.news) for one in looked):,} with news.")
