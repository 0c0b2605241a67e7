"""``riparian erase``: a person is removed from the workspace."""

from typing import Annotated

import pyarrow as pa
import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import code_of, existing
from riparian.codes import codes_of, label
from riparian.console import words
from riparian.errors import InputError
from riparian.flows import erasing
from riparian.gate.decide import Restraint
from riparian.ports import World

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@app.command()
def erase(
    account: options.Account,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this nothing is erased.")] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Remove an account from everything that is kept, and tell what stays and why.  End `riparian serve` before."""
    given = assembly.Given(existing(workspace))
    with assembly.gates_at_rest(given), assembly.house(given) as house:
        code = _code(given, house.world, account)
        decision = house.world.decisions.of(code)
        if not yes:
            raise InputError(
                f"`{words.visible(account)}` is still there, wanted --yes to erase it for good",
                hint="Add --yes; what is erased cannot be brought back but by scanning its logs again.",
            )
        found = assembly.erase_account(given, house.world, code, account)
    if json:
        lines.write([{"kind": "erased", "pseudonym": label(code), "found": found, "kept": list(erasing.KEPT)}])
    else:
        _say(account, found=found)
    if decision is not None and decision.restraint is Restraint.END:
        terminal.say("It was ended, and that is forgotten, too: keep it closed where it signs in.")
    if not found:
        raise typer.Exit(1)


def _code(given: assembly.Given, world: World, account: str) -> int:
    """Find an account, which may be known from nothing but the copies that were issued to it."""
    if assembly.is_in_grants(given, account):
        return int(codes_of(pa.array([account], pa.string()), world.vault.key)[0])
    return code_of(world, account)


def _say(account: str, *, found: bool) -> None:
    typer.echo(f"{words.visible(account)} is erased." if found else f"Nothing was kept of {words.visible(account)}.")
    typer.echo("What stays:")
    for sentence in erasing.KEPT:
        typer.echo(f"- {sentence}")
