"""``riparian hold``: restraints in force, and the way back."""

from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import appealing, ending, lines, options, recording, terminal
from riparian.cli.explain import code_of, existing
from riparian.console import words
from riparian.flows.lines import account_line, names_of
from riparian.flows.restraints import Said, current_decision, extend_restraint, in_force, place_hold, release_restraint
from riparian.gate.policy import Mode

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List restraints in force; place, extend or release one; end an account, and hear it.",
)


@app.command("list")
def list_(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the restraints in force, each with its reason and its end."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        decisions = in_force(house.world)
        names = names_of(house.world, [decision.account for decision in decisions])
        told = [account_line(n, d, d.since_us) for n, d in zip(names, decisions, strict=True)]
    if json:
        lines.write(told)
        return
    table = terminal.table("account", "action", "until", "because")
    for row in told:
        table.add_row(
            words.visible(row["account"]),
            terminal.styled(row["action"].replace("_", " ")),
            row["until"][:16] if row["until"] else "no end by itself",
            words.visible(row["because"][0], longest=400),
        )
    terminal.page.print(table if told else "No restraint is in force.")


@app.command()
def place(
    account: options.Account,
    until: Annotated[str, typer.Option(metavar="DATE", help="When it ends, as in 2026-04-01; UTC.")],
    person: options.Person,
    reason: options.Reason,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Hold an account until a date, on a person's word."""
    ends = assembly.StoppedClock.at(until).at_us
    with assembly.house(assembly.Given(existing(workspace))) as house:
        policy, said = house.terms.policy, Said(person, reason)
        after = place_hold(house.world, policy, code_of(house.world, account), until_us=ends, said=said)
    terminal.say(f"{account} is on hold until {words.moment(after.until_us)}.")
    if policy.mode is Mode.SHADOW:
        terminal.say("The policy is in shadow: no edge acts on it until its mode is `enforce` and a scan has run.")
    terminal.say("Tell the listener: riparian hold letter ACCOUNT")


@app.command()
def extend(
    account: options.Account,
    person: options.Person,
    reason: options.Reason,
    days: Annotated[int, typer.Option(help="Days added to its end.")] = 7,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Let a restraint last longer."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        decision = current_decision(house.world, code_of(house.world, account))
        after = extend_restraint(house.world, house.terms.policy, decision, days=days, said=Said(person, reason))
    terminal.say(f"{account} is restrained until {words.moment(after.until_us)}.")


@app.command()
def release(
    account: options.Account,
    person: options.Person,
    reason: options.Reason,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Let an account go; the same bits never bring the restraint back."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        decision = current_decision(house.world, code_of(house.world, account))
        release_restraint(house.world, decision, said=Said(person, reason))
    terminal.say(f"{account} is released.")


app.command("end")(ending.propose)
app.command("proposals")(ending.proposals)
app.command("approve")(ending.approve)
app.command("withdraw")(ending.withdraw)
app.command("letter")(appealing.letter)
app.command("appeal")(appealing.appeal)
app.command("appeals")(appealing.appeals)
app.command("review")(appealing.review)
app.command("record")(recording.record)
