"""``riparian scan --follow``: a log that grows, or several that are looked at again and again."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from riparian import assembly
from riparian.cli import ladder, lines, screen
from riparian.errors import InputError
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.feeds.follow import follow
from riparian.flows.extraction import Ends, scan
from riparian.flows.lines import account_lines, summary_line

EVERY_S: Final = 10.0


def followed(given: assembly.Given, logs: Sequence[str], read: ReadOptions, *, json: bool) -> None:
    """Scan what is new, wait, and begin again, until somebody presses Ctrl-C."""
    with assembly.house(given) as house:
        teller = _Teller(house, json)
        try:
            if len(logs) == 1 and _is_one_file(logs[0]):
                _grown(house, logs[0], read, teller)
            while True:
                teller.scan(assembly.chunks(house, logs, read))
                time.sleep(EVERY_S)
        except KeyboardInterrupt:
            screen.say("No longer following; the workspace holds everything up to here.")


@dataclass
class _Teller:
    """Scans, and tells each decision once."""

    house: assembly.House
    json: bool
    told: set[tuple[str, str]] = field(default_factory=set)

    def scan(self, chunks: Iterable[Chunk]) -> None:
        """Scan what has arrived; an empty log is waited for, since what follows may be usable."""
        try:
            found = scan(self.house.world, chunks, self.house.terms, ends=Ends.FOLLOWED)
        except InputError as error:
            screen.say(f"waiting: {error.message}")
            return
        new = [r for r in account_lines(self.house.world, found) if (r["account"], r["action"]) not in self.told]
        self.told |= {(row["account"], row["action"]) for row in new}
        if self.json:
            lines.write([*new, summary_line(found)])
        elif new:
            ladder.show(self.house.world, found)


def _grown(house: assembly.House, log: str, read: ReadOptions, teller: _Teller) -> None:
    arrived: list[Chunk] = []

    def rest(seconds: float) -> None:
        # The reader rests when it has given all that there is: one scan for all of it.
        if arrived:
            teller.scan(arrived)
            arrived.clear()
        time.sleep(seconds)

    known, key = house.world.staging.known, house.world.vault.key
    grown = follow(log, options=read, key=key, known=known, clock_s=time.monotonic, sleep_s=rest, seconds=EVERY_S)
    for chunk in grown:
        arrived.append(chunk)  # noqa: PERF402 -- `rest` empties it between two chunks


def _is_one_file(log: str) -> bool:
    return log != "-" and "://" not in log and not any(char in log for char in "*?[") and not Path(log).is_dir()
