"""``riparian rings``: which accounts share one list of work, and how sure that is."""

import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.flows.extraction import read
from riparian.flows.lines import ring_lines

app = typer.Typer(pretty_exceptions_enable=False)

NAMED = 3


@app.command()
def rings(
    workspace: options.Workspace = options.WORKSPACE,
    policy: options.Policy = None,
    people: options.People = None,
    json: options.Json = False,
) -> None:
    """List the rings that the last scan found: accounts that keep clear of one another's fetches."""
    with assembly.house(assembly.Given(existing(workspace), policy, people)) as house:
        found = read(house.world, house.terms)
        told = list(ring_lines(house.world, found.rings))
    if json:
        lines.write(told)
        return
    if not told:
        why = found.abstained.get("kinship")
        terminal.page.print(f"No ring was found{': ' + escape(why) if why else ''}.")
        return
    right = ("accounts", "bits", "overlap by lot", "seen")
    table = terminal.table("ring", *right, "among them", right=right)
    for row in told:
        names = [escape(words.visible(name)) for name in row["accounts"][:NAMED]]
        more = len(row["accounts"]) - len(names)
        table.add_row(
            row["ring"],
            words.count(len(row["accounts"])),
            words.bits(row["bits"]),
            words.count(row["expected"]),
            words.count(row["seen"]),
            ", ".join(names) + (f" and {more:,} more" if more else ""),
        )
    terminal.page.print(table)
    terminal.page.print("A ring restrains nobody; each account is restrained by its own bits alone.", markup=False)
