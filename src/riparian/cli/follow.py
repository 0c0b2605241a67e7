"""``riparian scan --follow``: logs that grow."""

import time
from collections.abc import Sequence
from typing import Final

from riparian import assembly
from riparian.cli import ladder, lines, screen
from riparian.errors import InputError
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import Ends, scan
from riparian.flows.lines import account_lines, summary_line

EVERY_S: Final = 10.0


def followed(given: assembly.Given, logs: Sequence[str], read: ReadOptions, *, json: bool) -> None:
    """Scan what is new, wait, and begin again, until somebody presses Ctrl-C."""
    decided: set[tuple[str, str]] = set()
    with assembly.house(given) as house:
        try:
            while True:
                try:
                    found = scan(house.world, assembly.chunks(house, logs, read), house.terms, ends=Ends.FOLLOWED)
                except InputError as error:
                    # The log may be empty still: what follows may be usable.
                    screen.say(f"waiting: {error.message}")
                else:
                    told = [r for r in account_lines(house.world, found) if (r["account"], r["action"]) not in decided]
                    decided |= {(row["account"], row["action"]) for row in told}
                    if json:
                        lines.write([*told, summary_line(found)])
                    elif told:
                        ladder.show(house.world, found)
                time.sleep(EVERY_S)
        except KeyboardInterrupt:
            screen.say("No longer following; the workspace holds everything up to here.")
