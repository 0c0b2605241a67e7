"""``riparian hold record``: every decision of the machine about an account, and what people did about it."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.flows.recorded import COLUMNS, recorded

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def record(
    since: Annotated[str, typer.Option(metavar="DATE", help="Decisions from then, as in 2026-01-01; UTC.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Decisions before then.")] = "",
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE.csv", help="Write it there: a new file, for the owner's eyes.")
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Name accounts as you do, and not by their pseudonyms.")
    ] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """List every decision that the machine made about an account: its logic, its evidence, and what people did then."""
    since_us = assembly.StoppedClock.at(since).at_us if since else 0
    until_us = assembly.StoppedClock.at(until).at_us if until else None
    with assembly.opened(assembly.Given(existing(workspace))) as world:
        rows = list(recorded(world, since_us=since_us, until_us=until_us, named=names))
    if table is not None:
        write_table(table, rows)
        terminal.say(f"{words.counted(len(rows), 'decision')} written to {table}")
    if json:
        lines.write(rows)
    elif table is None:
        _show(rows)


def write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write decisions as CSV, which no spreadsheet takes for formulas.

    Raises
    ------
    InputError
        When the file is there already, or its folder is not.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    except FileExistsError as error:
        raise InputError(f"`{path}` is there already, wanted a new file", hint="Name another one.") from error
    except OSError as error:
        raise InputError(f"`{path}` cannot be written ({error}), wanted a file in a folder that is there") from error


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = "; ".join(f"{one['at'][:16]} {one['step']} by {one['by']}: {one['reason']}" for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _show(rows: list[dict[str, Any]]) -> None:
    shown = terminal.table("account", "decided", "action", "because", "outcome", "people")
    for row in rows:
        shown.add_row(
            words.visible(row["account"]),
            row["decided_at"][:16],
            terminal.styled(row["action"].replace("_", " ")) + ("" if row["applied"] else " (shadow)"),
            words.visible(row["because"], longest=400),
            row["outcome"],
            words.visible("; ".join(f"{one['step']} by {one['by']}" for one in row["review"]) or "nobody", longest=400),
        )
    terminal.page.print(shown if rows else "The machine has decided nothing about any account.")
