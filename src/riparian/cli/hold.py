"""``riparian hold``: restraints in force, and the way back."""

from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import lines, options, screen
from riparian.console import words
from riparian.errors import InputError
from riparian.flows.lines import account_line, names_of
from riparian.flows.restraints import Said, current_decision, extend_restraint, in_force, release_restraint
from riparian.ports import World

app = typer.Typer(
    pretty_exceptions_enable=False, no_args_is_help=True, help="List restraints in force; extend or release one."
)

Account = Annotated[str, typer.Argument(help="The account's identifier, or its pseudonym.")]
Person = Annotated[str, typer.Option(help="Who decides.")]
Reason = Annotated[str, typer.Option(help="Why.")]


@app.command("list")
def list_(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the restraints in force, each with its reason and its end."""
    with assembly.house(assembly.Given(workspace)) as house:
        decisions = in_force(house.world)
        names = names_of(house.world, [decision.account for decision in decisions])
        told = [account_line(n, d, d.since_us) for n, d in zip(names, decisions, strict=True)]
    if json:
        lines.write(told)
        return
    table = screen.table("account", "action", "until", "because")
    for row in told:
        table.add_row(
            words.visible(row["account"]),
            screen.styled(row["action"].replace("_", " ")),
            row["until"][:16],
            row["because"][0],
        )
    screen.page.print(table if told else "No restraint is in force.")


@app.command()
def extend(
    account: Account,
    person: Person,
    reason: Reason,
    days: Annotated[int, typer.Option(help="Days added to its end.")] = 7,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Let a restraint last longer."""
    with assembly.house(assembly.Given(workspace)) as house:
        decision = current_decision(house.world, code(house.world, account))
        after = extend_restraint(house.world, house.terms.policy, decision, days=days, said=Said(person, reason))
    screen.say(f"{account} is restrained until {words.moment(after.until_us)}.")


@app.command()
def release(account: Account, person: Person, reason: Reason, workspace: options.Workspace = options.WORKSPACE) -> None:
    """Let an account go; the same bits never bring the restraint back."""
    with assembly.house(assembly.Given(workspace)) as house:
        release_restraint(
            house.world, current_decision(house.world, code(house.world, account)), said=Said(person, reason)
        )
    screen.say(f"{account} is released.")


def code(world: World, account: str) -> int:
    """Find an account by its identifier or its pseudonym.

    Raises
    ------
    InputError
        When no scan has seen it.
    """
    found = world.vault.code_of(account)
    if found is None:
        raise InputError(f"`{account}` is not in the vault, wanted an account that a scan has seen")
    return found
