"""What would a sceptical buyer want to see?  The whole story, over towns that nobody has tuned anything on.

Each seed is a town of its own with a ring in it, sound of its own, and a library that is published: what was lost
until the ring was contained, who was held or slowed without being of it, whose deliveries were named after the sound
was encoded anew, who was named without being of it, and how long it took from publication to removal.  It is what
``riparian demo`` tells, without words.

Hours are simulated: a mirror is looked at every six hours, two people sign in their hours, and hosts answer as
declared (``riparian.cli.story.office``).  Seeds begin at 101; the story was written with seed 1.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

from measure import options, write

from riparian.cli import app
from riparian.cli.story.telling import Teller
from riparian.cli.story.whole import Story
from riparian.schema import DAY_US

FIRST = 101
BEGINS_US = 1_772_409_600_000_000
"""Monday, 2 March 2026."""
COLUMNS = (
    "seed",
    "lost",
    "lost_without",
    "ring",
    "ring_restrained",
    "ring_held",
    "median_day",
    "listeners",
    "honest_held",
    "honest_slowed",
    "ring_published",
    "ring_named",
    "innocents_named",
    "recognised",
    "published",
    "tenant_named",
    "hours_found",
    "hours_left",
    "hours_gone",
    "cpu_seconds",
)


def told(seed: int) -> dict[str, object]:
    """Tell one story; gives its figures."""
    with tempfile.TemporaryDirectory() as folder:
        begins = BEGINS_US + seed % 7 * DAY_US
        figures = Story(Path(folder), seed, begins, Teller(app, aloud=False)).tell()
    row = {"seed": seed, **figures}
    return {name: row[name] for name in COLUMNS}


def summed(rows: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Say what came of all seeds together."""
    each = {name: [float(str(row[name])) for row in rows] for name in COLUMNS if name != "tenant_named"}
    total = {name: round(sum(values)) for name, values in each.items()}
    return {
        "seeds": len(each["seed"]),
        "lost": round(median(each["lost"])),
        "lost_without": round(median(each["lost_without"])),
        "contained": f"{total['ring_restrained']} of {total['ring']}",
        "day": round(median(each["median_day"])),
        "listeners": total["listeners"],
        "honest_held": total["honest_held"],
        "honest_slowed": total["honest_slowed"],
        "named": f"{total['ring_named']} of {total['ring_published']}",
        "innocents_named": total["innocents_named"],
        "recognised": f"{total['recognised']} of {total['published']}",
        "hours_left": round(median(each["hours_left"])),
        "hours_gone": round(median(each["hours_gone"])),
    }


if __name__ == "__main__":
    chosen = options(__doc__, seeds=20, first=FIRST)
    rows = []
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        rows.append(told(seed))
        print(rows[-1], flush=True)
        write(rows, chosen.out, "story_seeds")
    write([summed(rows)], chosen.out and chosen.out.with_name("story.csv"), "story")
