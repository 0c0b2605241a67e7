"""The report as a file."""

from pathlib import Path
from typing import Final

from riparian.assembly import House
from riparian.cli import terminal
from riparian.console.report import report
from riparian.flows.extraction import Found, about
from riparian.flows.rings import about_ring

EXPLAINED: Final = 20
RINGS: Final = 4


def write(house: House, found: Found, path: Path) -> None:
    """Write one self-contained page, with the explanation of the strongest accounts and rings."""
    strongest = found.exposure["account"].to_pylist()[:EXPLAINED]
    explained = [about(house.world, house.terms, account).evidence for account in strongest]
    strongest_rings = found.rings["ring"].to_pylist()[:RINGS]
    rings = [about_ring(house.world, house.terms, ring) for ring in strongest_rings]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(found, explained=explained, rings=rings), encoding="utf-8")
    terminal.say(f"The report is {path}")
