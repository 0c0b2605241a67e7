"""``riparian account``: what is kept of one account."""

import json as notation
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import code_of, existing
from riparian.errors import InputError
from riparian.flows.exported import exported

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Export what is kept of one account, for whom it is about.",
)


@app.callback()
def account() -> None:
    """Export what is kept of one account, for whom it is about."""


@app.command()
def export(
    account: options.Account,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.json", help="Write it there: a new file, for the owner's eyes.")
    ] = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Give all that is kept of an account as JSON, and say what is kept elsewhere.  Nothing is changed."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        code = code_of(house.world, account)
        again = ["riparian", "account", "export", account, "--workspace", str(workspace)]
        told = exported(house.world, house.terms, code, recompute=shlex.join(again))
    if to is None:
        lines.write([told])
        return
    try:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            notation.dump(told, file, ensure_ascii=False, indent=1)
    except FileExistsError as error:
        raise InputError(f"`{to}` is there already, wanted a new file") from error
    except OSError as error:
        raise InputError(
            f"`{to}` cannot be written: {error.strerror}, wanted a file in a folder that is there"
        ) from error
    terminal.say(f"Written: {to}")
