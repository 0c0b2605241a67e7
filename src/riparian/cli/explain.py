"""``riparian explain``: the waterfall of one account or ring, and the command that recomputes it."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import lines, options, render, ringed, terminal
from riparian.console.named import code_of, ring_code
from riparian.errors import InputError
from riparian.flows.explained import account_told, ring_told
from riparian.flows.extraction import about
from riparian.flows.lines import names_of
from riparian.flows.rings import about_ring

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def explain() -> None:
    """Say why, in rows that add up."""


@app.command()
def account(
    account: Annotated[str, typer.Argument(help="The account's identifier, or its pseudonym.")],
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    json: options.Json = False,
) -> None:
    """Explain one account: how its bits add up, what was decided, and what it did."""
    given = assembly.Given(existing(workspace), policy, people)
    with assembly.house(given) as house:
        code = code_of(house.world, account)
        found = about(house.world, house.terms, code)
        (name,) = names_of(house.world, [code])
    again = shlex.join(["riparian", "explain", "account", name, "--workspace", str(workspace)])
    if json:
        lines.write([account_told(name, found, recompute=again)])
    else:
        terminal.page.print(render.explanation(name, found, recompute=again))


@app.command()
def ring(
    ring: Annotated[str, typer.Argument(help="The ring's name, as riparian rings lists it.")],
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    json: options.Json = False,
) -> None:
    """Explain one ring: what its accounts never do together, how its bits add up, and who is in it."""
    given = assembly.Given(existing(workspace), policy, people)
    with assembly.house(given) as house:
        found = about_ring(house.world, house.terms, ring_code(ring))
        names = names_of(house.world, [member.account for member in found.members])
    again = shlex.join(["riparian", "explain", "ring", ring, "--workspace", str(workspace)])
    if json:
        lines.write([ring_told(found, names, recompute=again)])
    else:
        terminal.page.print(ringed.explanation(found, names, recompute=again))


def existing(workspace: Path) -> Path:
    """Refuse a workspace that is not there: looking must not make one."""
    if not workspace.is_dir():
        raise InputError(
            f"there is no workspace at `{workspace}`, wanted one that a scan has filled",
            hint="Name it with --workspace, or run riparian scan LOGS first.",
        )
    return workspace


__all__ = ["app", "code_of", "existing", "ring_code"]
