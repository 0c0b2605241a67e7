"""``riparian scan --spike``: copiers put into a copy of the log, and how much they get."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from riparian import assembly
from riparian.cli import lines, terminal
from riparian.cli.copiers import Spike
from riparian.console import words
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import scan
from riparian.flows.lines import names_of
from riparian.flows.spike import Contained, contained
from riparian.ports import World


def spiked(given: assembly.Given, logs: Sequence[str], read: ReadOptions, *, spec: str, json: bool) -> None:
    """Scan the logs and the copiers together in a workspace that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="riparian-spike-") as folder:
        aside = assembly.aside(given, Path(folder))
        with assembly.house(aside) as house, terminal.bars() as progress:
            spike = Spike(house, spec, read)
            found = scan(house.world, spike.among(assembly.chunks(house, logs, read)), house.terms, progress=progress)
            result = contained(house.world, found, spike.accounts)
            told = {"kind": "spike", "spec": spec} | result.summary()
            told["real_accounts"] = _named(house.world, result)
    if json:
        lines.write([told])
    else:
        _show(result, told)


def _named(world: World, result: Contained) -> dict[str, list[str]]:
    return {name: names_of(world, accounts) for name, accounts in result.real.items()}


def _show(result: Contained, told: dict[str, object]) -> None:
    table = terminal.table("copiers", "", right=("",))
    for name in (
        "accounts",
        "held",
        "slowed",
        "days_to_slow",
        "days_to_hold",
        "leaked",
        "leaked_per_account",
        "leaked_most",
        "unrestrained",
    ):
        value = told[name]
        table.add_row(name.replace("_", " "), "never" if value is None else f"{value:,.0f}")
    terminal.page.print(table)
    for name, accounts in result.real.items():
        names = ", ".join(words.visible(n) for n in told["real_accounts"][name][:5])  # type: ignore[index]
        terminal.page.print(
            f"real accounts to {name.replace('_', ' ')}: {len(accounts):,}{': ' + names if names else ''}", markup=False
        )
    terminal.page.print(f"{terminal.minutes(result.review_minutes_a_day)} of review a day, copiers included")
