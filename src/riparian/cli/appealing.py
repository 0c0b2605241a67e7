"""``riparian hold letter``, ``appeal``, ``appeals`` and ``review``: what the listener is told, and who listens."""

from pathlib import Path
from typing import Annotated, Any

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import code_of, existing
from riparian.codes import label
from riparian.console import words
from riparian.flows.ending import (
    appealed,
    history_of,
    reinstate_appealed,
    take_up_appeal,
    uphold_appealed,
    waiting_lines,
)
from riparian.flows.lines import names_of, written
from riparian.flows.restraints import Said
from riparian.gate.letter import Letter
from riparian.gate.letter import letter as letter_on

Text = Annotated[str, typer.Option(help="What the listener says, in their words.")]
Url = Annotated[
    str,
    typer.Option(
        "--appeal-url",
        help="Where one appeals; without it, by answering the letter.",
        show_default="appeal_url in edge.toml",
    ),
]


def letter(
    account: options.Account,
    appeal_url: Url = "",
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Print what the listener is told: what was decided, on what facts, by whom, and how to appeal."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        history = history_of(house.world, code_of(house.world, account))
        told = letter_on(history, house.world.clock.now_us(), appeal_url=appeal_url or _appeal_url(workspace))
        (name,) = names_of(house.world, [history.account])
    applied = history.decision is not None and history.decision.applied
    if not applied:
        terminal.say("In shadow nothing is done to the account: there is nothing to tell anybody yet.")
    if json:
        lines.write([_line(name, history.account, told, applied=applied)])
    else:
        typer.echo(told.text(words.visible(name)))


def _appeal_url(workspace: Path) -> str:
    known = (workspace / "edge.toml").exists()
    return assembly.read_edge(assembly.Given(workspace)).appeal_url if known else ""


def _line(name: str, account: int, told: Letter, *, applied: bool) -> dict[str, Any]:
    return {
        "kind": "letter",
        "account": name,
        "pseudonym": label(account),
        "action": told.restraint.name.lower(),
        "applied": applied,
        "since": written(told.since_us),
        "until": None if told.until_us is None else written(told.until_us),
        "facts": list(told.facts),
        "decided_by": list(told.decided_by),
        "review": list(told.review),
        "appealed_at": None if told.appealed_us is None else written(told.appealed_us),
        "due": None if told.due_us is None else written(told.due_us),
        "text": told.text(words.visible(name)),
    }


def appeal(account: options.Account, text: Text, workspace: options.Workspace = options.WORKSPACE) -> None:
    """Take up what a listener says against a restraint, or an end."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        event = take_up_appeal(house.world, code_of(house.world, account), text)
    terminal.say(f"{account} has appealed; somebody who had no hand in it looks again by {words.day(event.until_us)}.")


def appeals(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the appeals that wait for a review, the oldest first, each with the day by which it is due."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        told = waiting_lines(house.world, appealed(house.world))
    if json:
        lines.write(told)
        return
    table = terminal.table("account", "action", "appealed", "due", "says")
    for row in told:
        table.add_row(
            words.visible(row["account"]),
            terminal.styled(row["action"].replace("_", " ")),
            row["at"][:10],
            f"{row['due'][:10]}{', late' if row['late'] else ''}",
            words.visible(row["reason"], longest=400),
        )
    terminal.page.print(table if told else "No appeal waits.")


def review(
    account: options.Account,
    person: options.Person,
    reason: options.Reason,
    reinstate: Annotated[
        bool, typer.Option("--reinstate/--uphold", help="Take the restraint back, or leave it as it is.")
    ],
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Look again at what was appealed against, as somebody who neither placed, proposed, approved nor extended it."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        take = reinstate_appealed if reinstate else uphold_appealed
        take(house.world, code_of(house.world, account), Said(person, reason))
    terminal.say(f"{account} is {'reinstated' if reinstate else 'left as it is'}; tell the listener.")
