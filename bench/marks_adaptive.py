"""What does an attack cost somebody who knows the scheme but not the key, and what does it cost us?

They know the bands, the length of a row and the strengths, and may have copies of several accounts.  They:

* **re-modulate**: change every tile once more, by a pattern of their own: by so many decibels, all tiles alike, with
  nothing of what keeps our own mark from being heard;
* **flatten**: move the level of every tile toward the mean of the tiles around it, by a share;
* **warp**: play by a clock that wanders, by so many per cent, a turn in two seconds; or cut out 20 ms a second;
* **estimate from a pair**: from two accounts' copies, take the mean, or go beyond one of them, away from the other;
* **plant**: add to an unmarked track, or to another's, what tells a stranger's copy from their own.

A row an attack: of six tracks of 60 seconds, the worst (least bits) and the median.  ODG is PEAQ's of the worst 20
seconds of the attacked copy against the original; of what is warped there is none.  ``wrong`` counts accounts that were
named and had no part.  Where a stranger's mark is planted, the bits are the stranger's: what they are framed by.

``--tracks strings,speech`` and ``--only re-modulate``, how attacks begin, choose.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attacks
import mark_peers
import marking
import numpy as np
import sounds
from marks_robust import Row
from measure import write
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from riparian.audio.pcm import Sound
from riparian.audio.spectra import Overlap, blocks, hop_at
from riparian.marks.layout import BANDS, Layout, pattern
from riparian.marks.strength import band_bins, frame_rows, measure

TRACKS: Final = "quiet,strings,electronic,metal,harp,speech"
OWN, STRANGER = marking.GUILTY, marking.GUILTY + 1
Attacked = tuple[Sound, int]
"""What is found, and whose bits are asked for."""
Adaptive = Callable[[marking.Master], Attacked]


def leaked(master: marking.Master) -> Attacked:
    """Leave the copy as it is."""
    return master.copy_of(OWN), OWN


def remodulated(by_db: float) -> Adaptive:
    """Change every tile once more, up or down by so much."""

    def attacked(master: marking.Master) -> Attacked:
        theirs = pattern(marking.OTHER_KEY, "theirs", master.layout, len(master.word(OWN)))
        gains = 10 ** (by_db / 20 * theirs.chip.astype(np.float64))
        return scaled(master.copy_of(OWN), master.layout, gains), OWN

    return attacked


def flattened(share: float) -> Adaptive:
    """Move the levels of tiles toward those around them."""

    def attacked(master: marking.Master) -> Attacked:
        copy = master.copy_of(OWN)
        level = np.log(measure(copy, master.layout).power + 1e-12) / 2
        return scaled(copy, master.layout, np.exp(share * (uniform_filter(level, 3) - level))), OWN

    return attacked


def warped(percent: float) -> Adaptive:
    """Play by a clock that wanders."""

    def attacked(master: marking.Master) -> Attacked:
        copy = master.copy_of(OWN)
        rng = np.random.default_rng(3)
        at = np.arange(copy.samples.shape[1]) / copy.rate
        knots = np.arange(0, copy.seconds + 2, 2.0)
        pace = np.interp(at, knots, 1 + percent / 100 * rng.uniform(-1, 1, knots.size))
        place = np.cumsum(pace) - pace[0]
        return Sound(np.stack([_interpolated(channel, place) for channel in copy.samples]), copy.rate), OWN

    return attacked


def _interpolated(samples: NDArray[np.float32], place: NDArray[np.float64]) -> NDArray[np.float32]:
    # Cubic (Catmull-Rom); what it loses above some 15 kHz carries no mark.
    first = np.clip(place.astype(np.intp), 1, samples.size - 3)
    t = np.clip(place - first, 0, 1)
    a, b, c, d = (samples[first + i] for i in (-1, 0, 1, 2))
    out = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.asarray(out, dtype=np.float32)


def with_cuts(master: marking.Master) -> Attacked:
    """Cut 20 ms out of every second."""
    copy = master.copy_of(OWN)
    second = np.arange(copy.samples.shape[1]) % copy.rate
    return Sound(copy.samples[:, second >= 0.02 * copy.rate], copy.rate), OWN


def beyond(step: float) -> Adaptive:
    """Go from one's own copy toward another's: half way is the mean, below 0 is away from it."""

    def attacked(master: marking.Master) -> Attacked:
        own, other = master.copy_of(OWN), master.copy_of(OWN + 2)
        return Sound(own.samples + np.float32(step) * (other.samples - own.samples), own.rate), OWN

    return attacked


def planted(times: float, *, here: bool) -> Adaptive:
    """Plant what tells a stranger's copy from one's own: in the same recording, or learned from another one."""

    def attacked(master: marking.Master) -> Attacked:
        source = master if here else marking.Master.of(f"{master.name}-other", master.sound)
        apart = source.copy_of(STRANGER).samples - source.copy_of(OWN).samples
        return Sound(master.copy_of(OWN).samples + np.float32(times) * apart, master.sound.rate), STRANGER

    return attacked


def scaled(sound: Sound, layout: Layout, gains: NDArray[np.float64]) -> Sound:
    """Multiply every tile by a gain; shape of gains=(rows, bands)."""
    hop, bins = hop_at(sound.rate), band_bins(sound.rate)
    rows = np.minimum(frame_rows(layout, sound.rate, sound.samples.shape[1]).astype(np.intp), len(gains) - 1)
    whole = np.zeros_like(sound.samples)
    out = Overlap(whole, hop)
    n = min(BANDS, bins.size - 1)
    for first, spectra in blocks(sound.samples, hop):
        gain = gains[rows[first : first + spectra.shape[1]], :n].astype(np.float32)
        spectra[..., bins[0] : bins[n]] *= np.repeat(gain, np.diff(bins)[:n], axis=1)
        out.add(spectra)
    return Sound(whole, sound.rate)


def _then(first: Adaptive, change: attacks.Attack) -> Adaptive:
    def attacked(master: marking.Master) -> Attacked:
        sound, whose = first(master)
        return change(sound), whose

    return attacked


MP3: Final = attacks.ATTACKS["MP3 64k"]
ADAPTIVE: Final[Mapping[str, Adaptive]] = {
    "none": leaked,
    **{f"re-modulate, {by_db:g} dB": remodulated(by_db) for by_db in (0.5, 1, 2, 4)},
    "re-modulate, 1 dB, then MP3 64k": _then(remodulated(1), MP3),
    **{f"flatten, {share:.0%}": flattened(share) for share in (0.1, 0.3, 0.6)},
    **{f"warp, {percent:g} %": warped(percent) for percent in (0.2, 0.5, 1, 2)},
    "cut 20 ms a second": with_cuts,
    "pair, mean": beyond(0.5),
    "pair, mean, then MP3 64k": _then(beyond(0.5), MP3),
    **{f"pair, away by x{-step:g}": beyond(step) for step in (-1, -4)},
    **{f"plant a stranger's, same recording, x{times:g}": planted(times, here=True) for times in (1, 4)},
    **{f"plant a stranger's, from another recording, x{times:g}": planted(times, here=False) for times in (1, 4)},
}


def rows(tracks: Sequence[tuple[str, Sound]], by: Mapping[str, Adaptive], n: int = marking.ACCOUNTS) -> Iterator[Row]:
    """Attack every track in each way."""
    masters = [marking.Master.of(name, sound) for name, sound in tracks]
    for attack, change in by.items():
        told = [_judged(master, change, n) for master in masters]
        bits = np.array([float(str(one["bits"])) for one in told])
        odg = [float(str(one["odg"])) for one in told if one["odg"] is not None]
        yield {
            "attack": attack,
            "odg_worst": f"{min(odg):.2f}" if odg else "",
            "odg_median": f"{np.median(odg):.2f}" if odg else "",
            "bits_worst": f"{bits.min():.0f}",
            "worst_track": told[int(bits.argmin())]["track"],
            "bits_median": f"{np.median(bits):.0f}",
            "named": f"{sum(bool(one['named']) for one in told)}/{len(told)}",
            "wrong": sum(int(str(one["wrong"])) for one in told),
        }


def _judged(master: marking.Master, change: Adaptive, n: int) -> Row:
    sound, whose = change(master)
    reading = master.read(sound)
    who = marking.named(marking.traced([reading], marking.candidates(n)))
    same_clock = (
        sound.samples.shape[1] == master.sound.samples.shape[1] and change.__qualname__.split(".")[0] != "warped"
    )
    return {
        "track": master.name,
        "bits": marking.bits_of([reading], whose),
        "named": whose in who,
        "wrong": len(set(who) - {OWN, OWN + 2, *({whose} if whose == STRANGER else ())}),
        "odg": mark_peers.odg(master.sound, sound) if same_clock else None,
    }


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tracks", default=TRACKS)
    parser.add_argument("--only", default="")
    parser.add_argument("--accounts", type=int, default=marking.ACCOUNTS)
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = parser.parse_args()
    tracks = list(sounds.tracks(60, args.tracks))
    by = {name: attack for name, attack in ADAPTIVE.items() if name.startswith(args.only)}
    write(_told(rows(tracks, by, args.accounts)), args.out, "marks_adaptive")


def _told(found: Iterator[Row]) -> Iterator[Row]:
    for row in found:
        print(*row.values(), flush=True)
        yield row


if __name__ == "__main__":
    main()
