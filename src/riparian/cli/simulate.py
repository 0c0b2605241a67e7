"""``riparian simulate``: a town of listeners and copiers, as logs, catalogue, accounts and the truth."""

from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from riparian.cli import terminal
from riparian.flows.extraction import Progress as Told
from riparian.sim.copiers import SPEC_FORM, parse_ring
from riparian.sim.events import each_day, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.register import account_table, truth_table
from riparian.sim.town import TownSpec

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("simulate")
def simulate(
    out: Annotated[Path, typer.Argument(help="A folder; made when it is not there.")],
    listeners: Annotated[int, typer.Option(help="Accounts of listeners.")] = 2000,
    days: Annotated[int, typer.Option(help="Length of the period.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed, the same town.")] = 1,
    world: Annotated[str, typer.Option(help="ordinary, or a town outside the null.")] = "ordinary",
    recordings: Annotated[int, typer.Option(help="Size of the catalogue.")] = 120_000,
    ring: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help=f"Copiers: {SPEC_FORM}; repeatable.",
        ),
    ] = None,
) -> None:
    """Write a simulated town: accesses, catalogue, accounts and truth, as Parquet.  It makes events, never requests."""
    rings = tuple(parse_ring(text) for text in ring or ())
    spec = TownSpec(listeners, days, seed, world, rings, recordings)
    with terminal.bars() as progress:
        n = write_town(spec, out, progress)
    terminal.say(f"{n:,} accesses in {out}")


def write_town(spec: TownSpec, out: Path, progress: Told) -> int:
    """Write a town's four tables into a folder; returns how many accesses."""
    out.mkdir(parents=True, exist_ok=True)
    progress("drawing people", 0, None)
    stage = set_stage(spec)
    pq.write_table(recording_table(stage.shelf, spec.start_us), out / "catalogue.parquet")
    pq.write_table(account_table(spec, stage.days, stage.account_ids), out / "accounts.parquet")
    pq.write_table(truth_table(stage.days, stage.account_ids), out / "truth.parquet")
    writer = None
    n = 0
    try:
        for day, accesses in enumerate(each_day(stage)):
            progress("living days", day, spec.days)
            if writer is None:
                writer = pq.ParquetWriter(out / "accesses.parquet", accesses.schema, compression="zstd")
            writer.write_table(accesses)
            n += len(accesses)
    finally:
        if writer is not None:
            writer.close()
    return n
