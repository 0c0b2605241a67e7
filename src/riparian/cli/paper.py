"""The report as a file."""

from pathlib import Path
from typing import Final

from riparian.assembly import House
from riparian.cli import screen
from riparian.console.report import report
from riparian.flows.extraction import Found, about

EXPLAINED: Final = 20


def write(house: House, found: Found, path: Path) -> None:
    """Write one self-contained page, with the explanation of the strongest accounts."""
    strongest = found.exposure["account"].to_pylist()[:EXPLAINED]
    explained = [about(house.world, house.terms, account).evidence for account in strongest]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(found, explained=explained), encoding="utf-8")
    screen.say(f"The report is {path}")
