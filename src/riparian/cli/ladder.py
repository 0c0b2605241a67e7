"""The table of restrained accounts, and what a scan says of itself, for people."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from riparian.cli import options, terminal
from riparian.codes import label
from riparian.console import words
from riparian.flows.extraction import REVIEW_MINUTES, Found
from riparian.flows.lines import account_lines
from riparian.flows.restraints import in_force
from riparian.gate.decide import Decision
from riparian.ports import World

SHOWN = 50


def show(world: World, found: Found, workspace: Path) -> None:
    """Print who is restrained now, then the summary, with commands that name the workspace where they have to."""
    there = "" if workspace == options.WORKSPACE else f" -w {shlex.quote(str(workspace))}"
    running = in_force(world)
    now = {label(decision.account) for decision in running}
    restrained = [row for row in account_lines(world, found) if row["pseudonym"] in now]
    if restrained:
        table = terminal.table("account", "action", "bits", "because", right=("bits",))
        for row in restrained[:SHOWN]:
            action = row["action"].replace("_", " ")
            because = words.visible(row["because"][0], longest=200)
            table.add_row(
                escape(words.visible(row["account"])), terminal.styled(action), f"{row['bits']:.1f}", escape(because)
            )
        terminal.page.print(table)
        if len(restrained) > SHOWN:
            terminal.page.print(f"and {len(restrained) - SHOWN:,} more: riparian accounts{there}")
    else:
        terminal.page.print("No account is restrained.")
    terminal.page.print()
    for line in sentences(_as_of_now(found.summary, running), there):
        terminal.page.print(line, markup=False)


def _as_of_now(summary: Mapping[str, Any], running: Sequence[Decision]) -> dict[str, Any]:
    """Count what is in force: since the scan, a person may have let somebody go, and restraints end."""
    counts = dict.fromkeys(summary["restraints"], 0)
    for decision in running:
        rung = decision.restraint.name.lower()
        # The scan knew no rung that only people use.
        counts[rung] = counts.get(rung, 0) + 1
    minutes = REVIEW_MINUTES * len(running) / max(1, summary["days"])
    return {**summary, "restraints": counts, "review_minutes_a_day": minutes}


def sentences(summary: Mapping[str, Any], there: str = "") -> list[str]:
    """Say what a scan saw, decided and cannot know; ``there`` is how a command names the workspace."""
    rungs, reach = summary["restraints"], summary["reach"]
    seen = f"{summary['accesses']:,} accesses of {summary['accounts']:,} accounts over {summary['days']:,} days"
    shadow = " (shadow: nothing is applied)" if summary["mode"] == "shadow" else ""
    lines = [
        f"{seen}; {summary['rejected']:,} lines rejected",
        f"{rungs['hold']:,} to hold, {rungs['step_up']:,} to step up, {rungs['slow']:,} to slow{shadow}",
    ]
    hold = summary["ladder"]["hold"]
    certified = "no accounts are believed honest" if hold["certified"] is None else f"{hold['certified']:.1e} certified"
    lines.append(
        f"an honest account reaches a hold ({hold['bits']:.1f} bits) with a chance of at most"
        f" {hold['declared']:.1e} declared; {certified}"
    )
    taken = reach["restrained"]
    if taken["catalogue"] is not None:
        lines.append(
            f"restrained accounts took {taken['catalogue']:.1%} of the catalogue ({taken['plays']:.1%} by plays);"
            f" everybody together {reach['everybody']['catalogue']:.1%}"
        )
    else:
        lines.append(
            f"restrained accounts took {taken['recordings']:,} of {reach['everybody']['recordings']:,} recordings"
        )
    if summary["rings"]:
        n = summary["rings"]
        lines.append(f"{words.counted(n, 'ring')} of accounts that share a list of work: riparian rings{there}")
    lines.append(f"{terminal.minutes(summary['review_minutes_a_day'])} of review a day")
    lines += [f"no bet on {name}: {reason}" for name, reason in summary["abstained"].items()]
    return lines
