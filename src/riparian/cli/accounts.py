"""``riparian accounts``: who is restrained, how sure that is, and why; or whom to look at first."""

from typing import Annotated

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import ladder, lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.flows import queue as queue_
from riparian.flows.extraction import read
from riparian.flows.lines import account_lines
from riparian.ports import World

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def accounts(
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Rank whom people should look at first; a list, and nothing acts on it.")
    ] = False,
    rate: Annotated[
        float, typer.Option(help="With --queue: the share of the list that may be wrong, in the mean.")
    ] = queue_.RATE,
    json: options.Json = False,
) -> None:
    """List the accounts that the last scan would slow, step up or hold."""
    with assembly.house(assembly.Given(existing(workspace), policy, people)) as house:
        if queue:
            _queue(house.world, rate, json=json)
            return
        found = read(house.world, house.terms)
        if json:
            lines.write(account_lines(house.world, found))
        else:
            ladder.show(house.world, found, workspace)


def _queue(world: World, rate: float, *, json: bool) -> None:
    told = queue_.queue_lines(world, queue_.queue(world, rate=rate))
    if json:
        lines.write(told)
        return
    table = terminal.table("account", "bits", "listed at", "because", "ring", right=("bits", "listed at"))
    for row in told:
        table.add_row(
            escape(words.visible(row["account"])),
            words.bits(row["bits"]),
            words.percent(row["listed_at"]),
            row["because"][0],
            row["ring"] or "",
        )
    terminal.page.print(table if told else "Nobody is on the list.")
    terminal.page.print(queue_.NOTE.format(rate=rate), markup=False)
