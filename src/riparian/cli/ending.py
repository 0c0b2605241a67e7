"""``riparian hold end``, ``proposals``, ``approve`` and ``withdraw``: two people end an account, or a ring."""

from typing import Annotated, Any

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import code_of, existing, ring_code
from riparian.console import words
from riparian.errors import InputError
from riparian.flows.ending import (
    approve_end,
    candidate_lines,
    candidates,
    history_of,
    propose_end,
    proposed,
    waiting_lines,
    withdraw_end,
)
from riparian.flows.restraints import Said
from riparian.gate.ending import PROPOSAL_DAYS
from riparian.gate.holds import History
from riparian.gate.policy import Mode
from riparian.ports import World

Account = Annotated[str | None, typer.Argument(help="The account's identifier, or its pseudonym.")]
Ring = Annotated[str | None, typer.Option(help="All of a ring, by its name as riparian rings lists it.")]


def propose(
    account: Account = None,
    ring: Ring = None,
    person: options.Person = "",
    reason: options.Reason = "",
    all_: Annotated[
        bool, typer.Option("--all", help="Also members of the ring that are not held on evidence of their own.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List whom it would concern, and propose nothing.")
    ] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Propose to end an account, or all of a ring; somebody else has to approve it."""
    require_one(account, ring)
    with assembly.house(assembly.Given(existing(workspace))) as house:
        world, said = house.world, Said(person, reason)
        if ring is None:
            chosen, told = [code_of(world, str(account))], []
            if not dry_run:
                propose_end(world, chosen, said)
        else:
            listed = candidates(world, ring_code(ring))
            chosen = [one.history.account for one in listed if not one.left_out or (all_ and one.able)]
            told = candidate_lines(world, ring_code(ring), listed, chosen)
            if not dry_run:
                propose_end(world, chosen, said, ring=ring_code(ring))
    if json:
        lines.write(told)
    elif told:
        terminal.page.print(_members(told))
    left = len(told) - len(chosen) if told else 0
    _say(len(chosen), left, account or f"--ring {ring}", dry_run=dry_run)


def _say(n: int, left: int, what: str, *, dry_run: bool) -> None:
    out = f"; {words.counted(left, 'member')} left out" if left else ""
    if dry_run:
        terminal.say(f"{words.counted(n, 'account')} would be proposed{out}. Nothing was.")
        return
    terminal.say(f"{words.counted(n, 'account')} proposed to be ended{out}.")
    terminal.say(f"Nothing is done yet: somebody else approves it within {PROPOSAL_DAYS} days.")
    terminal.say(f"  riparian hold approve {what} --person NAME --reason WHY")


def _members(told: list[dict[str, Any]]) -> Any:
    table = terminal.table("account", "action", "bits", "proposed", "because", right=("bits",))
    for row in told:
        why = row["left_out"] or (row["because"] or [""])[0]
        table.add_row(
            words.visible(row["account"]),
            terminal.styled(row["action"].replace("_", " ")),
            words.bits(row["bits"]),
            "yes" if row["proposed"] else "left out",
            words.visible(why, longest=400),
        )
    return table


def proposals(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """List the proposals to end accounts that wait for somebody else, the oldest first."""
    with assembly.house(assembly.Given(existing(workspace))) as house:
        told = waiting_lines(house.world, proposed(house.world))
    if json:
        lines.write(told)
        return
    table = terminal.table("account", "ring", "action", "proposed by", "lapses", "because")
    for row in told:
        table.add_row(
            words.visible(row["account"]),
            row["ring"] or "",
            terminal.styled(row["action"].replace("_", " ")),
            words.visible(row["person"]),
            row["due"][:16],
            words.visible(row["reason"], longest=400),
        )
    terminal.page.print(table if told else "No proposal waits.")


def approve(
    person: options.Person,
    reason: options.Reason,
    account: Account = None,
    ring: Ring = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Approve what somebody else proposed, which ends the account, or all of the ring that was proposed."""
    require_one(account, ring)
    with assembly.house(assembly.Given(existing(workspace))) as house:
        done = approve_end(house.world, house.terms.policy, _meant(house.world, account, ring), Said(person, reason))
        shadow = house.terms.policy.mode is Mode.SHADOW
    terminal.say(f"{words.counted(len(done), 'account')} ended.")
    if shadow:
        terminal.say("The policy is in shadow: no edge acts on it until its mode is `enforce` and a scan has run.")
    terminal.say("Tell the listener: riparian hold letter ACCOUNT")


def withdraw(
    person: options.Person,
    reason: options.Reason,
    account: Account = None,
    ring: Ring = None,
    workspace: options.Workspace = options.WORKSPACE,
) -> None:
    """Take a proposal back."""
    require_one(account, ring)
    with assembly.house(assembly.Given(existing(workspace))) as house:
        done = withdraw_end(house.world, _meant(house.world, account, ring), Said(person, reason))
    terminal.say(f"{words.counted(len(done), 'proposal')} withdrawn.")


def _meant(world: World, account: str | None, ring: str | None) -> list[History]:
    if ring is None:
        return [history_of(world, code_of(world, str(account)))]
    waiting = [history for history, _ in proposed(world, ring=ring_code(ring))]
    if not waiting:
        raise InputError(
            f"no proposal on ring `{words.visible(ring)}` waits, wanted one that does",
            hint="List what waits with riparian hold proposals.",
        )
    return waiting


def require_one(account: str | None, ring: str | None) -> None:
    """Refuse a command that names both an account and a ring, or neither.

    Raises
    ------
    InputError
        When it does.
    """
    if (account is None) == (ring is None):
        raise InputError(
            f"{'neither an account nor a ring' if account is None else 'both an account and a ring'} is named,"
            " wanted one of them",
            hint="Write riparian hold end ACCOUNT, or riparian hold end --ring RING.",
        )
