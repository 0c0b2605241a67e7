"""``riparian demo``: the whole story in a simulated town, or its scan alone."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Final

import pyarrow.parquet as pq
import typer

from riparian import assembly, cli
from riparian.cli import ladder, lines, options, paper, terminal
from riparian.cli.simulate import write_town
from riparian.cli.story.office import EVERY, HOST_HOURS
from riparian.cli.story.telling import Teller
from riparian.cli.story.whole import DAYS, DUMPED, Story
from riparian.errors import InputError
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import scan
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.town import TownSpec

app = typer.Typer(pretty_exceptions_enable=False)

NAME: Final = "demo.json"
"""What came of it; a folder that has it is a demo's, and is made anew."""
RINGS: Final = ("1x500:queue", "1x200:artists", "1x5000:metadata", "12x80:random:mimic=0.3:bursty:irregular")
"""Three copiers of different kinds, and a dozen that share one shuffled list and each imitate a listener."""
SCANNED_LISTENERS, SCANNED_DAYS = 2000, 21
_HOURS: Final = (
    f"hours from publication to a letter, and to removal (simulated: looked at every {EVERY.seconds // 3600} h, people"
    f" by day, hosts in {HOST_HOURS:.0f} h)"
)
_WEEK_US: Final = 7 * DAY_US
_MONDAY_US: Final = 4 * DAY_US
"""The first Monday after the beginning of 1970."""


@app.command("demo")
def demo(
    out: Annotated[Path, typer.Argument(help="A folder for the town, the workspace and the report.")] = Path(
        "riparian-demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same town.")] = 1,
    fast: Annotated[bool, typer.Option("--fast", help="Simulate a town and scan its logs, and no more.")] = False,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the console when it is told.")] = False,
    json: options.Json = False,
) -> None:
    """Tell the whole story in a simulated town: a ring copies, its library is found, traced, taken down."""
    if fast:
        _scan(out, seed)
    else:
        _tell(out, seed, json=json)
    if opened:
        _open(out / "workspace")


def _tell(out: Path, seed: int, *, json: bool) -> None:
    if (out / NAME).is_file():
        shutil.rmtree(out)
    if out.exists() and any(out.iterdir()):
        raise InputError(
            f"`{out}` holds something else, wanted a folder that is new, empty, or of an earlier demo",
            hint="Name another: riparian demo FOLDER",
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / NAME).touch()
    # The town begins on a Monday, so that a seed tells the same story on any day, and is over now.
    now_us = assembly.WallClock().now_us() - DAYS * DAY_US
    begins_us = (now_us - _MONDAY_US) // _WEEK_US * _WEEK_US + _MONDAY_US
    began_s = time.monotonic()
    told = Story(out, seed, begins_us, Teller(cli.app, aloud=not json)).tell()
    row = {"kind": "story", "seed": seed, **told}
    (out / NAME).write_text(f"{dumps(row)}\n", encoding="utf-8")
    if json:
        lines.write([row])
        return
    terminal.page.print()
    terminal.page.print(_table(told))
    terminal.say(f"Told in {time.monotonic() - began_s:.0f} s. To look around: riparian console -w {out / 'workspace'}")


def _table(told: Mapping[str, Any]) -> Any:
    table = terminal.table("what a buyer asks", "")
    for asked, answer in (
        ("recordings lost, and with no gate", f"{told['lost']:,} of {told['lost_without']:,}"),
        ("of the ring restrained, and held", f"{told['ring_restrained']} and {told['ring_held']} of {told['ring']}"),
        ("listeners held, and slowed", f"{told['honest_held']} and {told['honest_slowed']} of {told['listeners']}"),
        ("published files recognised", f"{told['recognised']} of {told['published']}"),
        ("rows of its index recognised", f"{told['rows_recognised']:,} of {DUMPED:,}"),
        ("of the ring named by what it published", f"{told['ring_named']} of {told['ring_published']}"),
        ("innocents named", str(told["innocents_named"])),
        ("whose list the index was", "named" if told["tenant_named"] else "not named"),
        ("signals a peer heard, and took back", f"{told['signals_heard']} and {told['signals_revoked']}"),
        (_HOURS, f"{told['hours_left']:.0f} and {told['hours_gone']:.0f}"),
    ):
        table.add_row(asked, answer)
    return table


def _scan(out: Path, seed: int) -> None:
    spec = TownSpec(
        SCANNED_LISTENERS, SCANNED_DAYS, seed, copiers=tuple(parse_ring(text) for text in RINGS), recordings=60_000
    )
    with terminal.bars() as progress:
        n = write_town(spec, out, progress)
    copying = sum(copier.accounts for copier in spec.copiers)
    terminal.say(
        f"A town of {SCANNED_LISTENERS:,} listeners and {copying} copiers: {n:,} accesses in {SCANNED_DAYS} days."
    )
    given = assembly.Given(
        out / "workspace", catalogue=str(out / "catalogue.parquet"), accounts=str(out / "accounts.parquet")
    )
    clock = assembly.StoppedClock(spec.start_us + SCANNED_DAYS * DAY_US)
    with assembly.house(given, clock=clock) as house:
        with terminal.bars() as progress:
            logs = assembly.chunks(house, [str(out / "accesses.parquet")], ReadOptions())
            found = scan(house.world, logs, house.terms, progress=progress)
        ladder.show(house.world, found, given.workspace)
        paper.write(house, found, out / "report.html")
    truth = pq.read_table(out / "truth.parquet", columns=["account", "role"])
    copiers = truth.filter([role == "copier" for role in truth["role"].to_pylist()])["account"].to_pylist()
    terminal.say(f"The copiers were {', '.join(copiers)}; nothing above knew it.")


def _open(workspace: Path) -> None:
    """Serve the console on it, until it is asked to end."""
    command = [sys.executable, "-m", "riparian.cli", "console", "-w", str(workspace)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 -- ours
