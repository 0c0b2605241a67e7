"""``riparian retain``: nobody is kept for longer than it takes."""

from contextlib import nullcontext
from typing import Annotated, Final

import typer

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.flows import erasing
from riparian.flows.lines import names_of, written
from riparian.flows.retaining import Silent, silent
from riparian.ports import World

app = typer.Typer(pretty_exceptions_enable=False)

AT_ONCE: Final = 500
"""So many are forgotten in one step: whoever is interrupted has forgotten those of the steps before."""
_DAYS_MAX: Final = 36_500


@app.command()
def retain(
    older_than: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS", help="How long an account is kept after its last access.", show_default="forget_after_days"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this nobody is forgotten.")] = False,
    many: Annotated[
        bool, typer.Option("--many", help="Also where that is more than half of all accounts, as with old logs.")
    ] = False,
    policy: options.Policy = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Forget accounts that have been silent for longer than you keep them.

    With --yes, end `riparian serve` before.  Whoever is restrained, was ended, or waits for a person is kept all the
    same; the days are those of the policy, where none are given.
    """
    given = assembly.Given(existing(workspace), policy)
    days = _days(older_than, assembly.read_policy(given).forget_after_days)
    with assembly.gates_at_rest(given) if yes else nullcontext(), assembly.opened(given) as world:
        found = silent(world, days=days)
        if yes:
            _require_few(found, many=many)
            _forget(given, world, found)
    _tell(found, days, done=yes, json=json)


def _days(older_than: int | None, setting: int) -> int:
    days = setting if older_than is None else older_than
    if older_than is None and not setting:
        raise InputError(
            "no days are named, and `forget_after_days` of the policy is 0, wanted how long accounts are kept",
            hint="Say --older-than 400, for one, or set forget_after_days in policy.toml.",
        )
    if not 1 <= days <= _DAYS_MAX:
        raise InputError(f"`--older-than` is {days}, wanted a number of days from 1 to {_DAYS_MAX}")
    return days


def _require_few(found: Silent, *, many: bool) -> None:
    if 2 * len(found.accounts) > found.of and not many:
        raise InputError(
            f"{len(found.accounts):,} of {found.of:,} accounts would be forgotten, wanted no more than half of them",
            hint="Is the clock right, and are the logs of today? Add --many if that is meant.",
        )


def _forget(given: assembly.Given, world: World, found: Silent) -> None:
    recordings = erasing.recordings(world)
    codes = found.accounts.tolist()
    with terminal.bars() as told:
        for begin in range(0, len(codes), AT_ONCE):
            some = codes[begin : begin + AT_ONCE]
            # Last of all the workspace, which knows the accounts: whoever is interrupted begins again.
            assembly.forget_in_grants(given, names_of(world, some))
            assembly.forget_in_gates(given, some, recordings)
            erasing.erase_all(world, some)
            assembly.forget_known(given, some)
            told("forgetting", begin + len(some), len(codes))


def _tell(found: Silent, days: int, *, done: bool, json: bool) -> None:
    n, oldest = len(found.accounts), written(int(found.last_us[0])) if len(found.last_us) else None
    if json:
        said = {"days": days, "done": done, "accounts": n, "of": found.of, "silent_since": oldest}
        lines.write([{"kind": "retained", **said, "kept": dict(found.kept), "stays": list(erasing.KEPT)}])
        return
    did = "are forgotten" if done else "would be forgotten"
    typer.echo(f"{words.counted(n, 'account')} of {found.of:,} silent for more than {days:,} days {did}.")
    for why, kept in found.kept.items():
        typer.echo(f"- {words.counted(kept, 'account')} as old, kept: {why}")
    if done and n:
        typer.echo("What stays:")
        for sentence in erasing.KEPT:
            typer.echo(f"- {sentence}")
    elif n:
        terminal.say("Nothing is done yet: add --yes.")
