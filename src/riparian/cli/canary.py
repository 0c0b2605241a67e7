"""``riparian canary``: a list of one's own for every tenant, and whose a list is that was found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.console import Group
from rich.markup import escape

from riparian import assembly
from riparian.assembly import Given
from riparian.cli import lines, options, render, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.flows import canarying
from riparian.flows.canarying import Leak
from riparian.flows.lines import written
from riparian.metadata.canaries.issue import EXACT, Channel, Plan, Purpose
from riparian.metadata.canaries.seconds import REACH_MS
from riparian.metadata.canaries.trace import Named

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Make every tenant a catalogue of its own, and say to whom a list that was found was issued.",
)

_TABLES: Final = (".parquet", ".csv", ".jsonl")
_ROWS: Final = 300


def _purposes() -> str:
    return ", ".join(one for one in Purpose if one not in EXACT)


@app.command()
def plant(
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="OWNER", help="An owner that agreed to it, as the catalogue names it; repeatable."),
    ] = None,
    every_label: Annotated[bool, typer.Option("--every-label", help="Every owner agreed to it.")] = False,
    channel: Annotated[
        list[Channel] | None, typer.Option(help="What to plant; repeatable.", show_default="all of them")
    ] = None,
    reach_ms: Annotated[
        int, typer.Option(metavar="MS", help="How far a duration is moved at most: 1 to 200.")
    ] = REACH_MS,
    rows: Annotated[int, typer.Option(min=0, help="How many rows stand for nothing.")] = _ROWS,
    registrant: Annotated[
        str, typer.Option(metavar="CCXXX", help="A registrant's code of yours that no recording's ISRC has.")
    ] = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Draw up what lists are made from: the catalogue of today, and rows that stand for nothing.

    Again after the catalogue has changed; lists that were issued before are traced as before.
    """
    if every_label == bool(label):
        raise InputError(
            "`--label` and `--every-label` are both given, or neither, wanted to know who agreed to it",
            hint="Name each owner that agreed with --label, or say --every-label.",
        )
    plan = Plan(frozenset(channel or Channel), None if every_label else frozenset(label or ()), reach_ms)
    if Channel.ROWS in plan.channels and rows and not registrant:
        raise InputError(
            "rows that stand for nothing have no `--registrant`, wanted the beginning of their ISRCs, as in QZ9ZZ",
            hint="Give a registrant's code of yours, or --rows 0 for none; without such rows a list whose texts and"
            " durations were cleaned cannot be traced.",
        )
    with assembly.aviary(Given(existing(workspace))) as aviary:
        said = canarying.plant(aviary, plan, rows, registrant.upper())
    if json:
        lines.write([said | {"at": written(said.pop("at_us"))}])
        return
    terminal.page.print(
        f"Planted in epoch {said['epoch']}: {words.counted(said['recordings'], 'recording')},"
        f" {words.counted(said['rows'], 'row')} that stand for nothing."
    )
    terminal.say("Keep those out of search, reports, charts and royalties: `riparian canary rows FILE` lists them.")


@app.command("rows")
def rows_(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A table: .csv, .parquet or .jsonl.")],
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Write every row that stands for nothing, for whoever has to leave them out; keep the file secret."""
    _require_table(out)
    with assembly.aviary(Given(existing(workspace))) as aviary:
        table = canarying.standing_for_nothing(aviary)
        aviary.write(out, table)
    terminal.say(f"{words.counted(table.num_rows, 'row')} in {out}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The list: .csv, .parquet or .jsonl.")],
    to: Annotated[str, typer.Option("--to", metavar="TENANT", help="To whom it is issued.")],
    purpose: Annotated[
        Purpose, typer.Option(help="What for; canaries are refused in lists that pay, report or register.")
    ],
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Write the list of one tenant, and in the ledger that it is theirs."""
    _require_table(out)
    with assembly.aviary(Given(existing(workspace))) as aviary:
        said = canarying.export(aviary, to, purpose, out)
    if json:
        lines.write([said | {"at": written(said.pop("at_us"))}])
        return
    issued = words.counted(said["recordings"], "row")
    terminal.page.print(f"{issued} issued to {escape(words.visible(to))} in epoch {said['epoch']}: {out}")
    terminal.say("Hand it over in a way that shows who received it: a list that others had too proves less.")


@app.command()
def trace(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="The list that was found: files, or folders.")],
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    json: options.Json = False,
) -> None:
    """Say to whom a list that was found was issued; exit code 1 when nobody can be named."""
    from riparian.feeds.dumps.read import read_dump  # noqa: PLC0415 -- readers take their time to load

    given = Given(existing(workspace), policy)
    with assembly.aviary(given) as aviary:
        batches = [part.rows for part in read_dump(paths) if part.rows.num_rows]
        if not batches:
            raise InputError(f"there is no row in `{paths[0]}`, wanted a list of recordings", hint="Check the path.")
        rng = np.random.default_rng(0)
        with terminal.bars() as progress:
            leaks = canarying.trace_list(
                aviary, lambda table: canarying.matched(table, batches, rng), assembly.read_policy(given), progress
            )
    if json:
        lines.write(told(leaks))
    else:
        _show(leaks)
    if not any(leak.traced.named for leak in leaks):
        raise typer.Exit(1)


def told(leaks: list[Leak]) -> Iterator[dict[str, Any]]:
    """Write who is named, and what was read, for programs."""
    for leak in leaks:
        for named in leak.traced.named:
            yield {
                "kind": "derived",
                "tenant": leak.tenants[named.tenant],
                "epoch": leak.epoch,
                "bits": named.evidence.bits,
                "error_bound": _error_bound(leak, named),
                "chernoff": _chernoff(leak, named),
                "mixed": named.evidence.facts["mixed"],
                "cells": named.evidence.facts["cells"],
            }
        yield {
            "kind": "read",
            "epoch": leak.epoch,
            "planted": leak.digest,
            "rows": leak.told.rows,
            "recordings": leak.told.recordings,
            "cells": int(leak.told.cells.size),
            "durations": leak.told.form,
            "left_out": list(leak.told.left_out),
            "tenants": len(leak.tenants),
            "needed_bits": leak.traced.needed_bits,
        }


def _error_bound(leak: Leak, named: Named) -> float:
    """Bound the chance that anybody at all is named so by mistake."""
    return float(min(1.0, len(leak.tenants) * 2.0**-named.evidence.bits))


def _chernoff(leak: Leak, named: Named) -> float:
    return float(min(1.0, len(leak.tenants) * 2.0**named.log2_chance))


def _show(leaks: list[Leak]) -> None:
    for leak in leaks:
        told = leak.told
        terminal.page.print(
            f"Epoch {leak.epoch}: {words.counted(told.recordings, 'recording')} of ours,"
            f" {words.counted(int(told.cells.size), 'cell')} read"
            + (f", durations {told.form}" if told.form else ", durations tell nothing")
            + (f"; left out: {', '.join(told.left_out)}" if told.left_out else "")
            + "."
        )
        if not leak.traced.named:
            nearest = max(0.0, leak.traced.runner_up_bits)
            terminal.page.print(
                f"Issued to nobody that can be named: the nearest of {words.counted(len(leak.tenants), 'tenant')} has"
                f" {words.bits(nearest)} bits; {words.bits(leak.traced.needed_bits)} wanted."
            )
        for named in leak.traced.named:
            name = escape(words.visible(leak.tenants[named.tenant]))
            chance = words.chance(_error_bound(leak, named))
            exact = words.chance(_chernoff(leak, named))
            head = f"[bold]{name}[/]: {words.bits(named.evidence.bits)} bits; wrong with a chance of at most {chance}"
            terminal.page.print(Group("", f"{head} (Chernoff's bound: {exact})", render.steps(named.evidence)))
    terminal.page.print("\nIssued is not accused: a list may have been shared, stolen or passed on.", markup=False)


@app.command()
def keys(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List epochs and the commitments to their keys; no secrets.  Publish a commitment before lists are issued."""
    with assembly.aviary(Given(existing(workspace))) as aviary:
        found = aviary.issues.entries(canarying.EPOCH)
        issued = aviary.issues.entries(canarying.ISSUED)
        length, head = aviary.issues.verify()
    rows = [
        {
            "kind": "epoch",
            "epoch": said["epoch"],
            "commitment": said["commitment"],
            "since": written(said["at_us"]),
            "lists": sum(one["epoch"] == said["epoch"] for one in issued),
        }
        for said in found
    ]
    if json:
        lines.write([*rows, {"kind": "ledger", "entries": length, "head": head}])
        return
    table = terminal.table("epoch", "since", "lists", "commitment", right=("epoch", "lists"))
    for row in rows:
        table.add_row(str(row["epoch"]), str(row["since"])[:10], str(row["lists"]), str(row["commitment"]))
    terminal.page.print(table if rows else "Nothing was planted yet: planting makes a key.")
    if rows:
        terminal.page.print(f"The ledger holds; {words.counted(length, 'entry', 'entries')}, the last one {head}.")


@app.command()
def rotate(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """Begin a new epoch; lists of earlier ones are traced with the keys of those, which are kept for ever."""
    with assembly.aviary(Given(existing(workspace))) as aviary:
        canarying.commit(aviary)
        aviary.keys.rotate()
        key = canarying.commit(aviary)
    if json:
        lines.write([{"kind": "epoch", "epoch": key.epoch, "commitment": key.commitment}])
        return
    terminal.page.print(f"Epoch {key.epoch}, committed to by {key.commitment}")
    terminal.say("Plant again before you export: what was planted belongs to the epoch before.")


@app.command()
def reveal(
    epoch: Annotated[int, typer.Argument(help="One that is over.")],
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Write the key of an epoch that is over, for whoever is to check a trace; anybody can then read its lists."""
    with assembly.aviary(Given(existing(workspace))) as aviary:
        lines.write([canarying.reveal(aviary, epoch)])


def _require_table(path: Path) -> None:
    if path.suffix.lower() not in _TABLES or path.is_dir():
        raise InputError(
            f"`{path}` ends in none of {', '.join(_TABLES)}, wanted a table", hint="Name a file, as in list.csv."
        )
