"""Ten recipients of a promo average their copies and code the mean as MP3 at 64 kb/s: who is named?

A row a track of three minutes: how many of the ten, how many others of a million, the bits of the ten.
"""

from collections.abc import Iterator

import attacks
import marking
import numpy as np
import sounds
from attacks import Attack
from measure import options, write

from riparian.audio.pcm import Sound


def rows(
    tracks: Iterator[tuple[str, Sound]], ring: int, attack: Attack, n: int = marking.ACCOUNTS
) -> Iterator[dict[str, object]]:
    """Average, attack and trace, track by track."""
    guilty = [marking.GUILTY + i for i in range(ring)]
    for name, sound in tracks:
        master = marking.Master.of(name, sound)
        mean = sum((master.copy_of(i).samples / np.float32(ring) for i in guilty), np.zeros_like(sound.samples))
        reading = master.read(attack(Sound(mean, sound.rate)))
        who = marking.named(marking.traced([reading], marking.candidates(n)))
        bits = sorted(marking.bits_of([reading], i) for i in guilty)
        yield {
            "track": name,
            "copies": ring,
            "named": len(set(who) & set(guilty)),
            "innocent": len(set(who) - set(guilty)),
            "least_bits": f"{bits[0]:.0f}",
            "median_bits": f"{np.median(bits):.0f}",
            "most_bits": f"{bits[-1]:.0f}",
            "needed_bits": f"{marking.NEEDED_BITS:.1f}",
            "pilot_z": f"{reading.pilot_z:.1f}",
        }


def main() -> None:
    """Measure, and write the table."""
    args = options(__doc__, seconds=180, ring=10)
    table = rows(sounds.tracks(args.seconds), args.ring, attacks.ATTACKS["MP3 64k"])
    write(table, args.out, "marks_promo")


if __name__ == "__main__":
    main()
