"""``riparian accounts``: who is restrained, how sure that is, and why."""

import typer

from riparian import assembly
from riparian.cli import ladder, lines, options
from riparian.flows.extraction import read
from riparian.flows.lines import account_lines

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def accounts(
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    json: options.Json = False,
) -> None:
    """List the accounts that the last scan would slow, step up or hold."""
    with assembly.house(assembly.Given(workspace, policy, people)) as house:
        found = read(house.world, house.terms)
        if json:
            lines.write(account_lines(house.world, found))
        else:
            ladder.show(house.world, found)
