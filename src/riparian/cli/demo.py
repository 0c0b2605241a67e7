"""``riparian demo``: a simulated town end to end, on the defaults that everybody starts with."""

from pathlib import Path
from typing import Annotated, Final

import pyarrow.parquet as pq
import typer

from riparian import assembly
from riparian.cli import ladder, paper, terminal
from riparian.cli.simulate import write_town
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import scan
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.town import TownSpec

app = typer.Typer(pretty_exceptions_enable=False)

RINGS: Final = ("1x500:queue", "1x200:artists", "1x5000:metadata", "12x80:random:mimic=0.3:bursty:irregular")
"""Three copiers of different kinds, and a dozen that share one shuffled list and each imitate a listener."""


@app.command("demo")
def demo(
    out: Annotated[Path, typer.Argument(help="A folder for the town, the workspace and the report.")] = Path(
        "riparian-demo"
    ),
    listeners: Annotated[int, typer.Option(help="Accounts of listeners.")] = 2000,
    days: Annotated[int, typer.Option(help="Length of the period.")] = 21,
    seed: Annotated[int, typer.Option(help="The same seed, the same town.")] = 1,
) -> None:
    """Simulate a town, scan its logs, and say who copied the catalogue."""
    spec = TownSpec(listeners, days, seed, copiers=tuple(parse_ring(text) for text in RINGS), recordings=60_000)
    with terminal.bars() as progress:
        n = write_town(spec, out, progress)
    copying = sum(copier.accounts for copier in spec.copiers)
    terminal.say(f"A town of {listeners:,} listeners and {copying} copiers: {n:,} accesses in {days} days.")
    given = assembly.Given(
        out / "workspace", catalogue=str(out / "catalogue.parquet"), accounts=str(out / "accounts.parquet")
    )
    clock = assembly.StoppedClock(spec.start_us + days * DAY_US)
    with assembly.house(given, clock=clock) as house:
        with terminal.bars() as progress:
            logs = assembly.chunks(house, [str(out / "accesses.parquet")], ReadOptions())
            found = scan(house.world, logs, house.terms, progress=progress)
        ladder.show(house.world, found, given.workspace)
        paper.write(house, found, out / "report.html")
    truth = pq.read_table(out / "truth.parquet", columns=["account", "role"])
    copiers = truth.filter([role == "copier" for role in truth["role"].to_pylist()])["account"].to_pylist()
    terminal.say(f"The copiers were {', '.join(copiers)}; nothing above knew it.")
