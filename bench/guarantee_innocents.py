"""Do a million accounts that had no part in a copy look as theory says, whatever was done to the copy?

Real tracks are marked for one account, attacked and read.  Beside it stand a million accounts that had no part:
``deviations`` is how their agreement with the copy spreads, where words by lot give 1 exactly, ``most`` the farthest of
them, ``beyond_4`` how many lie four deviations above (a normal distribution has 32 of a million), ``others_bits`` the
most bits that any of them has, and ``others`` how many are named at one mistake in 10^9.  ``wrong_key_*`` are of a
reading under a key that marked nothing, the account itself among the million.

    python bench/guarantee_innocents.py [--accounts 1000000] [--seconds 60] [--tracks 12]
"""

import math
import time

import numpy as np
import pyarrow as pa
from attacks import ATTACKS, COMBINED
from measure import options, write
from sounds import TRACKS, excerpt

from riparian.audio.pcm import Sound
from riparian.marks import code
from riparian.marks.code import Tier, bits
from riparian.marks.detect import detect
from riparian.marks.embed import embed
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, pattern
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, Traced, trace

KEY = MarkKey(bytes(range(32)), 1)
WRONG = MarkKey(bytes(32), 1)
WHO = 417
NEEDED_BITS = math.log2(1e6 / 1e-9)
CHOSEN = ("MP3 64k", "pitch +1 semitone", "noise 20 dB", COMBINED)


def main() -> None:
    """Write ``marks_innocents.csv``."""
    asked = options(__doc__, accounts=1_000_000, seconds=60, tracks=len(TRACKS))
    ids = pa.array([f"a-{i:07d}" for i in range(asked.accounts)])
    rows = []
    for track in TRACKS[: asked.tracks]:
        master = excerpt(track, float(asked.seconds))
        layout = Layout.at(master.rate, DIRECT_GROUPS)
        chunks = layout.chunks(master.seconds)
        word = bits(KEY, track.name, f"a-{WHO:07d}", layout, chunks, Tier.ONE)
        copy = embed(master, pattern(KEY, track.name, layout, chunks), layout, word)
        rows += [row(track.name, attack, ATTACKS[attack](copy), master, ids) for attack in CHOSEN]
    write(rows, asked.out, "marks_innocents")


def row(track: str, attack: str, copy: Sound, master: Sound, ids: pa.Array) -> dict[str, object]:
    """Read one copy, and trace it among everybody."""
    layout = Layout.at(master.rate, DIRECT_GROUPS)
    reading, unmarked = (detect(copy, master, key, track, layout) for key in (KEY, WRONG))
    begun = time.process_time()
    found = traced(Heard(reading, KEY, Tier.ONE), ids)
    cpu_s = time.process_time() - begun
    others = np.delete(found.crowd.deviations, WHO)
    right = {one.candidate: one.evidence.bits for one in found.named}.pop(WHO, None)
    wrong = traced(Heard(unmarked, WRONG, Tier.ONE), ids)
    told: dict[str, object] = {
        "track": track,
        "attack": attack,
        "accounts": len(ids),
        "bits": "" if right is None else round(right, 1),
        "others": len(found.named) - (right is not None),
        "others_bits": round(found.runner_up_bits, 1),
        "deviations": round(float(others.std(dtype=np.float64)), 4),
        "most": round(float(others.max()), 2),
        "beyond_4": int((others > 4).sum()),
        "cpu_s": round(cpu_s, 2),
        "pilot_z": round(reading.pilot_z, 1),
        "wrong_key_pilot_z": round(unmarked.pilot_z, 1),
        "wrong_key_named": len(wrong.named),
        "wrong_key_bits": round(wrong.runner_up_bits, 1),
    }
    print(told, flush=True)
    return told


def traced(heard: Heard, ids: pa.Array) -> Traced:
    """Trace one reading among everybody."""
    seeds = code.seeds(heard.key, ids)
    everybody = Candidates(np.arange(len(ids), dtype=np.uint64) + 1, lambda _: seeds)
    return trace([heard], everybody, needed_bits=NEEDED_BITS, at_us=0)


if __name__ == "__main__":
    main()
