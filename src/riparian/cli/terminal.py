"""What people see: tables on stdout, talk and progress bars on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from riparian.flows.extraction import Progress as Told
from riparian.gate.decide import Restraint

PATIENCE_S: Final = 2.0
"""A bar appears when something takes longer than this."""

NAMES: Final = {restraint: restraint.name.lower().replace("_", " ") for restraint in Restraint}
_STYLES: Final = {"end": "bold red", "hold": "bold red", "step up": "magenta", "slow": "yellow"}

talk = Console(stderr=True, highlight=False)
page = Console(highlight=False)


def say(text: str) -> None:
    """Talk to a person, on stderr."""
    talk.print(text, markup=False)


@contextmanager
def bars() -> Iterator[Told]:
    """Show how far something is; a bar a stage, none before two seconds have passed."""
    begun = time.monotonic()
    stages: dict[str, TaskID] = {}
    shown = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=talk, transient=True,
    )  # fmt: skip
    try:

        def told(stage: str, done: int, total: int | None) -> None:
            if not shown.live.is_started:
                if time.monotonic() - begun < PATIENCE_S:
                    return
                shown.start()
            if stage not in stages:
                stages[stage] = shown.add_task(stage, total=total)
            shown.update(stages[stage], completed=done, total=total)

        yield told
    finally:
        if shown.live.is_started:
            shown.stop()


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """Make an empty table; columns named in ``right`` hold numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def styled(action: str) -> str:
    """Colour an action."""
    return f"[{_STYLES[action]}]{action}[/]" if action in _STYLES else action


def minutes(n: float) -> str:
    """Say a number of minutes.

    Examples
    --------
    >>> minutes(0.8), minutes(12.3)
    ('1 minute', '12 minutes')
    """
    return f"{n:.0f} minute{'' if f'{n:.0f}' == '1' else 's'}"
