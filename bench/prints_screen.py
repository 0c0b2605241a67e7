"""What of a delivery is referred to a person, and what should have been left alone?

A catalogue is made of real recordings of the half on which is reported, and deliveries of what became of two dozen
of them, as a stranger, a licensee or the owner would deliver them; the whole of ``flows.screening`` runs on each.  Live
versions are made-up pieces, played again by another synthesiser at another tempo.  Files are 80 seconds
long.

    python bench/print_sounds.py; python bench/prints_screen.py      # about two minutes of one core
"""

import hashlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import print_pieces
import print_sounds
import pyarrow as pa
from measure import options, write
from print_attacks import Change, changed, lower, query
from print_sounds import KEPT, SOUNDFONTS, WIDE, Mono, Track, recordings
from print_sounds import _files as files_of
from print_sounds import _played as sounded
from scipy.stats import beta

from riparian.catalogue.releases import Releases, Said
from riparian.engines.local import Processes
from riparian.flows.printing import Naming, add
from riparian.flows.screening import Because, Delivery, Screened, screen
from riparian.gate.policy import Policy
from riparian.ports.prints import Enough, Library, SoundFile, Sounding
from riparian.prints.peaks import RATE
from riparian.stores.jobs import SqlLedger
from riparian.stores.prints import SqlAnswers, SqlPrints

OWNER, LICENSEE, STRANGER = "Reed Records", "North Wire", "Third Hand"
REMASTER = (
    "equalizer=f=90:t=q:w=0.8:g=2.5,treble=g=3:f=7000,acompressor=threshold=0.125:ratio=3:attack=10:release=150:makeup=2,"
    "alimiter=limit=0.95"
)
LIVE_FASTER = 1.06
K = 256
Sound = Callable[[], Mono]


class Clock:
    """A clock that stands."""

    def now_us(self) -> int:
        """Give the one time."""
        return 0


@dataclass(slots=True)
class House:
    """A catalogue, and sounds by the names of files."""

    library: Library
    releases: Releases
    sounds: dict[str, Sound] = field(default_factory=dict)

    @classmethod
    def of(cls, ours: Mapping[str, Sound]) -> "House":
        """Print a catalogue: each recording has a code of its own, one owner and one licensee."""
        sounds = dict(ours)

        def listen(file: SoundFile, enough: Enough) -> Sounding:
            del enough
            return Sounding(file, hashlib.sha256(file.name.encode()).hexdigest(), samples=sounds[file.name]())

        prints = SqlPrints(None, K)
        library = Library(
            Clock(),
            prints,
            SqlAnswers(None),
            Processes(1, SqlLedger(None, Clock())),
            lambda _: [],
            listen,
            prints.held,
            pseudonyms=bytes(16),
        )
        add(library, [SoundFile(name, "") for name in ours], Naming())
        n = len(ours)
        table = {"recording": [Naming().of(SoundFile(name, ""), "") for name in ours], "isrc": list(map(code, ours))}
        table |= {"owner": [OWNER] * n, "licensed": [LICENSEE] * n}
        return cls(library, Releases.of(pa.table(table)), sounds)

    def screen(
        self, files: Mapping[str, Sound], owner: str, codes: Mapping[str, str] | None = None, title: str = ""
    ) -> Screened:
        """Screen files that somebody delivers, with codes and a title or without."""
        self.sounds |= files
        said = {name: Said(title, isrc=isrc) for name, isrc in (codes or {}).items()}
        delivery = Delivery(tuple(SoundFile(name, "") for name in files), said, (owner,))
        return screen(self.library, delivery, self.releases, Policy())


def code(name: str) -> str:
    """Give each recording a code."""
    return f"GBABC{int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 10**7:07d}"


def interval(hits: int, n: int) -> tuple[float, float]:
    """Bound a rate (Clopper and Pearson, 95 %)."""
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    return low, float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0


def row(what: str, wanted: str, hits: int, n: int, more: str = "") -> dict[str, object]:
    """Make a row: how many of n files were referred, for the reason that was wanted, or at all where none was."""
    low, high = interval(hits, n)
    return {
        "what": what,
        "wanted": wanted,
        "referred": hits,
        "n": n,
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "beside": more,
    }


def right(found: Screened, names: Mapping[str, str], because: Because) -> int:
    """Count the files that were referred for a reason, naming the recording that they are of."""
    return len(
        {one.file.name for one in found.referrals if one.because is because and names[one.file.name] in one.recordings}
    )


def referred(found: Screened) -> int:
    """Count the files of which a person is to look at anything."""
    return len({one.file.name for one in found.referrals if not one.is_note})


def beside(found: Screened, because: Because | None) -> str:
    """Tell what else was referred."""
    other = [one for one in found.referrals if not one.is_note and one.because is not because]
    return ", ".join(f"{one.because.name.lower()} {Path(one.file.name).name}" for one in other[:3])


def attacked(tracks: Sequence[Track], condition: str) -> dict[str, Sound]:
    """Give what became of tracks, by the names of files."""

    def made(track: Track) -> Mono:
        return query(track, condition).samples

    return {f"{condition}/{track.path.stem}": partial(made, track) for track in tracks}


def remastered(tracks: Sequence[Track]) -> dict[str, Sound]:
    """Give tracks with more bass, treble and loudness, and less between loud and soft."""

    def made(track: Track) -> Mono:
        return lower(changed(print_sounds.sound(track, WIDE), Change(filters=REMASTER)))

    return {f"remaster/{track.path.stem}": partial(made, track) for track in tracks}


def performances(n: int) -> Iterator[tuple[str, Sound, Sound]]:
    """Play pieces twice: in the studio, and live, by another synthesiser at another tempo."""
    fonts = [path for _, path in files_of(SOUNDFONTS, "soundfont")]
    for k in range(n):
        yield f"piece {k}", partial(played, k, fonts[k % 2], 1.0), partial(played, k, fonts[2], LIVE_FASTER)


def played(number: int, font: Path, faster: float) -> Mono:
    """Play a made-up piece that is in no corpus; kept once made."""
    kept = KEPT / "live" / f"{number}-{font.stem}-{faster}.npy"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        score = bytearray(print_pieces.piece(10_000 + number))
        ticks = round(int.from_bytes(score[12:14]) * faster)
        score[12:14] = ticks.to_bytes(2)
        with tempfile.TemporaryDirectory() as folder:
            midi = Path(folder) / "piece.mid"
            midi.write_bytes(score)
            np.save(kept, sounded(midi, font, Path(folder) / "played.raw"))
    return lower(np.load(kept))


FOUND = ("mp3 64", "opus 32", "speed +5 %", "launder", "together", "compressor 12:1", "reverb, room", "together 30 s")


def rows(n: int) -> Iterator[dict[str, object]]:
    """Screen deliveries of n files each."""
    tracks = list(recordings("real", half="report"))
    ours, others, strange = tracks[:n], tracks[n : 5 * n], tracks[5 * n : 6 * n]
    live = list(performances(max(8, n * 2 // 3)))
    catalogue = {track.path.stem: partial(print_sounds.sound, track) for track in [*ours, *others]}
    begun = time.process_time()
    house = House.of(catalogue | {name: studio for name, studio, _ in live})
    print(f"{house.library.prints.totals()} in {time.process_time() - begun:.0f} s")
    for condition in FOUND:
        files = attacked(ours, condition)
        found = house.screen(files, STRANGER)
        hits = right(found, {name: Path(name).name for name in files}, Because.OTHER_OWNER)
        yield row(f"{condition}, from a stranger", "other owner", hits, n, beside(found, Because.OTHER_OWNER))
    files = attacked(ours, "mp3 128")
    names = {name: Path(name).name for name in files}
    found = house.screen(files, OWNER, {name: code(name) for name in files})
    yield row("mp3 128, from the owner, with another ISRC", "other ISRC", right(found, names, Because.OTHER_ISRC), n)
    fresh = {f"fresh/{track.path.stem}": partial(print_sounds.sound, track) for track in strange}
    stolen = {name: code(track.path.stem) for name, track in zip(fresh, ours, strict=False)}
    found = house.screen(fresh, STRANGER, stolen)
    hits = len({one.file.name for one in found.referrals if one.because is Because.OUR_ISRC})
    yield row("other music under our ISRC, from a stranger", "our ISRC", hits, len(fresh))
    yield bulk(house, strange)
    again = {f"live/{name}": sound for name, _, sound in live}
    for what, owner, delivered, title in (
        ("licensed duplicates (MP3 128), the licence noted", LICENSEE, attacked(ours, "mp3 128"), None),
        ("remasters, from the owner, without a code", OWNER, remastered(ours), None),
        (
            "remasters, from the owner, with a code of their own and called so",
            OWNER,
            remastered(ours),
            "X (Remastered)",
        ),
        ("remasters, from the owner, with a code of their own and not called so", OWNER, remastered(ours), "X"),
        ("live versions, from the owner, with a code of their own and not called so", OWNER, again, "X"),
        ("live versions, from another owner", STRANGER, again, None),
        ("other music, from a stranger", STRANGER, fresh, None),
    ):
        codes = {name: code(name) for name in delivered} if title is not None else None
        found = house.screen(delivered, owner, codes, title or "")
        yield row(what, "nothing", referred(found), len(delivered), beside(found, None))


def bulk(house: House, strange: Sequence[Track]) -> dict[str, object]:
    """Deliver every third track three times, laundered in two ways, and the others once."""
    files: dict[str, Sound] = {}
    wanted = set()
    for k, track in enumerate(strange):
        conditions = ("as it is", "launder", "speed +3 %") if k % 3 == 0 else ("as it is",)
        made = {name: sound for condition in conditions for name, sound in attacked([track], condition).items()}
        files |= made
        if len(made) > 1:
            wanted.add(frozenset(made))
    found = house.screen(files, STRANGER)
    groups = {frozenset({one.file.name, *one.others}) for one in found.referrals if one.because is Because.IN_BULK}
    what = f"one sound in three of {len(files)} files, laundered"
    more = f"{len(groups - wanted)} groups beside" if groups - wanted else ""
    return row(what, "in bulk", len(groups & wanted), len(wanted), more)


def main() -> None:
    """Write docs/bench/prints_screen.csv."""
    asked = options(__doc__, tracks=24)
    begun = time.process_time()
    table = []
    for one in rows(asked.tracks):
        print(one, flush=True)
        table.append(one)
    write(table, asked.out, "prints_screen")
    print(f"{time.process_time() - begun:.0f} s; {RATE} Hz, k = {K}")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error.cmd[0]} failed: {error.stderr!r}") from error
