"""Is a copy of 60 seconds traced to the right one of a million, after each attack, and is nobody else?

A track is marked for one account, attacked, found, read and traced among a million.  ``marks_robust.csv`` has a row an
attack and a column a track: the bits of the right account, in brackets where it is not named.
``marks_robust_crop.csv`` is the same of 30 seconds from the middle of the attacked copy.  ``marks_others.csv`` says
for each attack how a million accounts without a part spread, in standard deviations that theory gives, and how loudly
the pilot is heard under the right key, and under another.

``--tracks quiet,folk`` and ``--attacks "mono;limiter"`` choose, and ``--suffix _further`` gives the tables of another
choice names of their own; see bench/sounds.py for what must be installed.
"""

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import attacks
import marking
import numpy as np
import sounds
from attacks import Attack
from measure import write

from riparian.audio.pcm import Sound

SECONDS: Final = 60.0
CROP: Final = (15.0, 45.0)
Row = dict[str, object]


def cases(name: str, sound: Sound, by: Mapping[str, Attack], n: int = marking.ACCOUNTS) -> Iterator[Row]:
    """Attack and trace one track; a row an attack."""
    master = marking.Master.of(name, sound)
    copy = master.copy_of(marking.GUILTY)
    for attack, change in by.items():
        attacked = change(copy)
        yield {"track": name, "attack": attack, **judged(master, attacked, n)}


def judged(master: marking.Master, attacked: Sound, n: int) -> Row:
    """Read and trace one attacked copy."""
    guilty = marking.GUILTY
    compared = master.compared(attacked)
    reading = master.read(compared)
    other = master.read(compared, marking.OTHER_KEY)
    found = marking.traced([reading], marking.candidates(n))
    who = marking.named(found)
    crowd = np.delete(found.crowd.deviations, guilty)
    middle = attacked.seconds / 2
    half = (CROP[1] - CROP[0]) / 2
    crop = master.read(attacked.cut(middle - half, middle + half))
    return {
        "bits": marking.bits_of([reading], guilty),
        "named": guilty in who,
        "wrong": len(set(who) - {guilty}),
        "innocent_bits": round(found.runner_up_bits, 1) if guilty in who else None,
        "sd": float(crowd.std()),
        "most": float(crowd.max()),
        "pilot_z": reading.pilot_z,
        "other_z": abs(other.pilot_z),
        "cover": reading.facts.cover,
        "crop_bits": marking.bits_of([crop], guilty),
    }


def pivot(rows: list[Row], column: str) -> Iterator[Row]:
    """Put the tracks of one attack into one row, the worst first."""
    for attack in dict.fromkeys(str(row["attack"]) for row in rows):
        these = [row for row in rows if row["attack"] == attack]
        told = {str(row["track"]): float(str(row[column])) for row in these}
        worst = min(told, key=lambda name: told[name])
        enough = sum(value >= marking.NEEDED_BITS for value in told.values())
        yield {
            "attack": attack,
            "named": f"{enough}/{len(told)}",
            "worst": f"{worst} {told[worst]:.0f}",
            **{name: f"{v:.0f}" if v >= marking.NEEDED_BITS else f"({v:.0f})" for name, v in told.items()},
        }


def innocents(rows: list[Row]) -> Iterator[Row]:
    """Say of each attack how those without a part spread, over all tracks."""
    for attack in dict.fromkeys(str(row["attack"]) for row in rows):
        these = [row for row in rows if row["attack"] == attack]
        columns = ("sd", "most", "pilot_z", "other_z")
        sds, most, z, other = (np.array([float(str(row[c])) for row in these]) for c in columns)
        bits = [float(str(row["innocent_bits"])) for row in these if row["innocent_bits"] is not None]
        yield {
            "attack": attack,
            "accused": sum(int(str(row["wrong"])) for row in these),
            "sd_least": f"{sds.min():.4f}",
            "sd_most": f"{sds.max():.4f}",
            "highest": f"{most.max():.2f}",
            "highest_bits": f"{max(bits):.1f}" if bits else "",
            "pilot_z_least": f"{z.min():.1f}",
            "other_key_z_most": f"{other.max():.1f}",
        }


def _of_track(job: tuple[str, str]) -> list[Row]:
    name, names = job
    ((_, sound),) = sounds.tracks(SECONDS, name)
    rows = []
    for row in cases(name, sound, attacks.attacks(names)):
        print(*(f"{v:.1f}" if isinstance(v, float) else v for v in row.values()), flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tracks", default=",".join(track.name for track in sounds.TRACKS))
    parser.add_argument("--attacks", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--suffix", default="")
    parser.add_argument("--out", type=Path, default=None, help="a folder for the CSVs; default: docs/bench")
    args = parser.parse_args()
    list(sounds.tracks(SECONDS, args.tracks))  # what is missing is said before anything is measured
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [(name, args.attacks) for name in args.tracks.split(",")]
        rows = [row for part in pool.map(_of_track, jobs) for row in part]
    for table, made in (
        ("marks_robust", pivot(rows, "bits")),
        ("marks_robust_crop", pivot(rows, "crop_bits")),
        ("marks_others", innocents(rows)),
    ):
        name = f"{table}{args.suffix}"
        write(made, args.out / f"{name}.csv" if args.out else None, name)


if __name__ == "__main__":
    main()
