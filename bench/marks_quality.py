"""How much is changed by a mark, and how much by MP3 at 192 kb/s?

A row a track of a minute.  Signal to noise in dB; ODG is PEAQ's grade (0: imperceptible, -4: very annoying) of the
worst 20 seconds, and of the whole minute at once; NMR is our own ratio of noise to what is masked, in dB.
"""

from collections.abc import Iterator

import attacks
import mark_peers
import marking
import sounds
from attacks import Attack
from marks_robust import Row
from marks_side_by_side import snr_db
from measure import options, write

from riparian.audio.pcm import Sound

BAR_ODG, BAR_SNR_DB = -0.1, 36.0


def rows(tracks: Iterator[tuple[str, Sound]], yardstick: Attack) -> Iterator[Row]:
    """Measure track by track."""
    for name, sound in tracks:
        marked = marking.Master.of(name, sound).copy_of(marking.GUILTY)
        coded = yardstick(sound)
        odg, odg_coded = (mark_peers.odg(sound, changed) for changed in (marked, coded))
        whole, whole_coded = (mark_peers.odg(sound, changed, part_s=sound.seconds) for changed in (marked, coded))
        row: Row = {"track": name, "snr": f"{snr_db(sound, marked):.1f}"}
        row |= {"odg": _told(odg), "odg_mp3": _told(odg_coded)}
        row |= {"odg_whole": _told(whole), "odg_whole_mp3": _told(whole_coded)}
        row["met"] = "" if odg is None else "yes" if odg >= BAR_ODG and snr_db(sound, marked) >= BAR_SNR_DB else "no"
        yield row


def _told(odg: float | None) -> str:
    return mark_peers.MISSING if odg is None else f"{odg:.2f}"


def main() -> None:
    """Measure, and write the table."""
    args = options(__doc__)
    write(rows(sounds.tracks(60), attacks.coded("mp3", "-b:a", "192k")), args.out, "marks_quality")


if __name__ == "__main__":
    main()
