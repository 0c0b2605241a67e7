"""The same tracks and attacks, marked by us and by audiowmark.

audiowmark is blind: it needs no original to read, which is more than ours can.  It carries 128 bits, at the strength
that it has by itself (10).  It is taken to have found them when they are among the patterns that it prints, wherever in
the list.  After changes of tempo, speed or pitch it is told to look for other speeds.  Ours has found the account when
it has the bits that name one of a million with a chance of error of 1e-9.

``marks_side_by_side.csv`` has a row an attack: on how many tracks of a minute each finds its mark.
``marks_side_by_side_cost.csv`` has a row a track: signal to noise, PEAQ's grade of the worst 20 seconds, CPU seconds.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import attacks
import mark_peers
import marking
import numpy as np
import soundfile
import sounds
from marks_robust import Row
from measure import write

from riparian.audio.pcm import Sound

MESSAGE: Final = "0123456789abcdef0011223344556677"
DETECT_SPEED: Final = re.compile(r"tempo|speed|pitch")
CHOSEN: Final = (
    "none;MP3 64k;AAC 64k;Opus 24k;tempo +4 % (WSOLA);speed +4 %;pitch +1 semitone;noise 20 dB;reverb"
    ";pitch +1, tempo +4, MP3 64k"
)
"""Some of those of ``marks_robust``: audiowmark takes its time."""
TRACKS: Final = "quiet,strings,electronic,metal,harp,speech"


def marked_by_peer(sound: Sound) -> tuple[Sound, float]:
    """Mark with audiowmark; CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.wav", Path(folder) / "after.wav"
        soundfile.write(before, sound.samples.T, sound.rate, subtype="PCM_24")
        _, spent = mark_peers.audiowmark("add", str(before), str(after), MESSAGE)
        samples, rate = soundfile.read(after, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(samples.T), rate), spent


def found_by_peer(sound: Sound, attack: str) -> tuple[bool, float]:
    """Look for the message; CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.wav"
        soundfile.write(path, np.clip(sound.samples.T, -1, 1), sound.rate, subtype="PCM_24")
        search = ["--detect-speed"] if DETECT_SPEED.search(attack) else []
        said, spent = mark_peers.audiowmark("get", *search, str(path))
    return bool(re.search(rf"^pattern\s+\S+\s+{MESSAGE}\b", said, re.MULTILINE)), spent


def compared(name: str, sound: Sound, names: tuple[str, ...]) -> Iterator[Row]:
    """Mark, attack and look for both marks; a row an attack, and one for what marking costs."""
    master = marking.Master.of(name, sound)
    master.copy_of(1)
    ours = master.copy_of(marking.GUILTY)
    theirs, mark_peer_s = marked_by_peer(sound)
    yield {
        "track": name,
        "snr": round(snr_db(sound, ours), 1),
        "snr_peer": round(snr_db(sound, theirs), 1),
        "odg": mark_peers.odg(sound, ours),
        "odg_peer": mark_peers.odg(sound, theirs),
        "mark_s": round(marking.cpu_s(lambda: master.copy_of(marking.GUILTY)), 2),
        "mark_peer_s": round(mark_peer_s, 2),
    }
    for attack in names:
        change = attacks.ATTACKS[attack]
        spent: list[Row] = []
        copy = change(ours)
        read_s = marking.cpu_s(lambda copy=copy, spent=spent: spent.append({"r": master.read(copy)}))  # type: ignore[misc]
        bits = marking.bits_of([spent[0]["r"]], marking.GUILTY)  # type: ignore[list-item]
        found, read_peer_s = found_by_peer(change(theirs), attack)
        yield {
            "track": name,
            "attack": attack,
            "ours": bits >= marking.NEEDED_BITS,
            "peer": found,
            "read_s": read_s,
            "read_peer_s": read_peer_s,
        }


def snr_db(original: Sound, changed: Sound) -> float:
    """Give the ratio of the sound to what was changed in it, in dB."""
    a, b = (s.samples.astype(np.float64) for s in (original, changed))
    return float(10 * np.log10((a**2).sum() / ((b - a) ** 2).sum()))


def by_attack(rows: list[Row]) -> Iterator[Row]:
    """Count the tracks on which each mark was found."""
    for attack in dict.fromkeys(str(row["attack"]) for row in rows if "attack" in row):
        these = [row for row in rows if row.get("attack") == attack]
        yield {
            "attack": attack,
            "tracks": len(these),
            "ours": sum(bool(row["ours"]) for row in these),
            "audiowmark": sum(bool(row["peer"]) for row in these),
            "ours_not_on": " ".join(str(row["track"]) for row in these if not row["ours"]),
            "read_s": f"{np.mean([float(str(row['read_s'])) for row in these]):.2f}",
            "read_audiowmark_s": f"{np.mean([float(str(row['read_peer_s'])) for row in these]):.2f}",
        }


def _of_track(job: tuple[str, tuple[str, ...]]) -> list[Row]:
    ((name, sound),) = sounds.tracks(60, job[0])
    rows = []
    for row in compared(name, sound, job[1]):
        print(*row.values(), flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tracks", default=TRACKS)
    parser.add_argument("--attacks", default=CHOSEN)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="a folder for the CSVs; default: docs/bench")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [(name, tuple(args.attacks.split(";"))) for name in args.tracks.split(",")]
        rows = [row for part in pool.map(_of_track, jobs) for row in part]
    for table, made in (
        ("marks_side_by_side", list(by_attack(rows))),
        ("marks_side_by_side_cost", [row for row in rows if "attack" not in row]),
    ):
        write(made, args.out / f"{table}.csv" if args.out else None, table)


if __name__ == "__main__":
    main()
