"""Recordings for the programs of prints: what Debian's free games bring, and scores that a synthesiser plays.

Three kinds.  ``real``: recordings of musicians, most of them lossy before we got them (Vorbis, Opus, MP3).  ``module``:
tracker modules, which are scores with their own samples.  ``rendered``: MIDI files, and pieces made up by
``print_pieces``, as fluidsynth plays them with one of four soundfonts; many share the samples of their drums and
instruments, so that they are harder to tell apart than recordings of a catalogue are.

Whoever has Debian and the programs of ``PROGRAMS`` has the same recordings: the packages are downloaded, only their
sound is taken out, and nothing is installed.  All of it is kept in the system's folder for temporary files: of each
recording an excerpt from where music begins, at 22.05 kHz in FLAC and at 11.025 kHz for NumPy, and a list of each kind.

Half of the recordings, by a digest of their names, are to choose parameters on, the other half to report on.

    python bench/print_sounds.py real module rendered
"""

import argparse
import csv
import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final, Literal

import numpy as np
import print_pieces
import soundfile
import soxr
from numpy.typing import NDArray

Half = Literal["choose", "report"]
Mono = NDArray[np.float32]

PROGRAMS: Final = "apt-get dpkg-deb ffmpeg fluidsynth"
REAL: Final = (
    "wesnoth-1.16-music warzone2100-music singularity-music hyperrogue-music freedroidrpg-data supertux-data "
    "alienblaster-data amoebax-data angrydd antigravitaattori ardentryst asc-music asylum-data berusky2-data "
    "blobwars-data boswars-data btanks-data bumprace-data caveexpress-data cavepacker-data colobot-common-sounds "
    "davegnukem-data drascula-music dustracing2d-data edgar-data enigma-data extremetuxracer-data fb-music-high "
    "fillets-ng-data flare-game freecol freeciv-data freeorion-data fretsonfire-songs-muldjord "
    "fretsonfire-songs-sectoid frozen-bubble-data funnyboat gcompris-qt-data gigalomania-data glob2-data gnujump-data "
    "gunroar-data hedgewars-data hex-a-hop-data krank lincity-ng-data lordsawar-data lugaru-data manaplus-data "
    "marsshooter-data mazeofgalious-data megaglest-data mu-cade-data naev-data neverball-common nexuiz-music "
    "noiz2sa-data openarena-data openclonk-data opencity-data openssn-data parsec47-data pathological phlipple-data "
    "pinball-data pinball-table-gnu-data pinball-table-hurd-data planetblupi-music-ogg plee-the-bear-data "
    "pokerth-data powermanga-data pushover-data raincat-data redeclipse-data renpy-demo rrootage-data scorched3d-data "
    "scratch sdl-ball-data seahorse-adventures starfighter-data supertuxkart-data teeworlds-data titanion-data "
    "torcs-data torus-trooper-data trackballs-data triplea trigger-rally-data tumiki-fighters-data tuxmath-data "
    "tuxtype-data ufoai-music unknown-horizons val-and-rick-data warmux-data widelands-data wizznic-data "
    "wordwarvi-sound xblast-tnt-musics xmoto-data zaz-data 0ad-data"
)
MODULES: Final = (
    "biniax2-data bomberclone-data ceferino-data clanlib-doc freedroid-data gl-117-data heroes-sound-tracks "
    "ironseed-data kraptor-data madbomber-data njam-data open-invaders-data pachi-data pekka-kana-2-data pingus-data "
    "rafkill-data ri-li-data solarwolf tecnoballz-data xblast-tnt-musics amphetamine-data powermanga-data "
    "opencubicplayer"
)
SCORES: Final = (
    "csound-doc faust-common freedink-data fretsonfire-songs-muldjord fretsonfire-songs-sectoid kobodeluxe-data mma "
    "openttd-openmsx pinball-table-hurd-data planetblupi-music-midi simutrans-data songwrite"
)
SOUNDFONTS: Final = "fluid-soundfont-gm timgm6mb-soundfont opl3-soundfont musescore-general-soundfont"
ENDINGS: Final = {
    "real": (".ogg", ".opus", ".mp3", ".flac", ".oga", ".m4a"),
    "module": (".mod", ".xm", ".it", ".s3m"),
    "score": (".mid", ".midi", ".kar"),
    "soundfont": (".sf2", ".sf3"),
}
ARCHIVES: Final = (".zip", ".pk3", ".s2z")
NOT_MUSIC: Final = re.compile(
    r"voice|speech|effect|sfx|ambien|soundfx|/drascula/(?!audio/)|/sound/\w+/(cs|en|nl)/", re.IGNORECASE
)
KEPT: Final = Path(tempfile.gettempdir()) / "riparian-bench-prints"
WIDE, RATE = 22_050, 11_025
EXCERPT_S: Final = 80.0
SHORTEST_S: Final = 20.0
WHOLE_S: Final = 420.0
WHOLE_ONE_IN: Final = 12
RENDERED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Track:
    """A recording of the corpus.

    Parameters
    ----------
    name
        ``package/file``, or of a rendered one ``piece/number`` and its soundfont.
    kind
        ``real``, ``module`` or ``rendered``.
    half
        ``choose`` or ``report``.
    seconds
        How long the excerpt is; one in twelve is whole, up to seven minutes.
    path
        Of the mono sound at 11.025 kHz: int16, for ``numpy.load``; the FLAC at 22.05 kHz lies beside it.
    source
        The file of the package that it is from, where there is one.
    from_s
        Where in the source the excerpt begins.
    """

    name: str
    kind: str
    half: Half
    seconds: float
    path: Path
    source: str
    from_s: float

    @property
    def wide(self) -> Path:
        """The same in FLAC, at 22.05 kHz."""
        return self.path.with_suffix(".flac")


def recordings(kinds: str = "real,rendered", n: int | None = None, half: Half | None = None) -> Iterator[Track]:
    """Give recordings that were made before, in an order that is always the same and says nothing of what they are.

    Parameters
    ----------
    kinds
        Divided by commas.
    n
        How many of each kind at most.
    half
        Only those of one half.

    Raises
    ------
    SystemExit
        When there are none of a kind; the message says how to make them.
    """
    for kind in kinds.split(","):
        found = [track for track in _listed(kind) if half in {None, track.half}]
        if not found:
            raise SystemExit(f"there are no {kind} recordings: python bench/print_sounds.py {kind}")
        yield from sorted(found, key=lambda track: _digest(track.name))[:n]


def sound(track: Track, rate: int = RATE) -> Mono:
    """Give the excerpt of a track: mono, float32 in [-1, 1]; another rate than 11.025 kHz is made from 22.05."""
    if rate == RATE:
        kept: NDArray[np.int16] = np.load(track.path)
        return kept.astype(np.float32) / np.float32(32_768)
    samples, had = soundfile.read(track.wide, dtype="float32")
    return _at_rate(samples, had, rate)


def _at_rate(samples: Mono, had: int, wanted: int) -> Mono:
    return np.asarray(soxr.resample(samples, had, wanted), np.float32)


def half_of(name: str) -> Half:
    """Say which half a recording is of."""
    return "choose" if int(_digest(name)[:8], 16) % 2 else "report"


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=12, person=b"print sounds").hexdigest()


def _listed(kind: str) -> list[Track]:
    path = KEPT / f"{kind}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [
        Track(name, kind, "choose" if half == "choose" else "report", float(seconds), KEPT / at, source, float(from_s))
        for name, kind, half, seconds, at, source, from_s in rows
        if from_s
    ]


class _List:
    """The list of one kind, written as recordings come, so that it can be read before it is complete."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.had = {track.name for track in _listed(kind)}
        self.sounds = {track.path.stem for track in _listed(kind)}
        self.path = KEPT / f"{kind}.csv"
        if not self.path.exists():
            self.path.write_text(",".join(field.name for field in fields(Track)) + "\n", encoding="utf-8")

    def keep(self, name: str, samples: Mono, source: str) -> None:
        """Keep a recording, unless it is too short, silent, or the very sound of one that is there."""
        begins = _begins(samples)
        part = samples[begins:][: round(_longest(name) * WIDE)]
        stem = hashlib.blake2b(part.tobytes(), digest_size=12).hexdigest()
        if len(part) < SHORTEST_S * WIDE or stem in self.sounds:
            return
        path = KEPT / "excerpts" / f"{stem}.npy"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path.with_suffix(".flac"), part, WIDE, subtype="PCM_16")
        lower = _at_rate(part, WIDE, RATE)
        np.save(path, np.clip(np.rint(lower * 32_768), -32_768, 32_767).astype(np.int16))
        at = path.relative_to(KEPT)
        row = Track(name, self.kind, half_of(name), round(len(part) / WIDE, 3), at, source, round(begins / WIDE, 3))
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(astuple(row))
        self.had.add(name)
        self.sounds.add(stem)


def _longest(name: str) -> float:
    """Say how many seconds of a recording are kept."""
    return WHOLE_S if int(_digest(name)[8:16], 16) % WHOLE_ONE_IN == 0 else EXCERPT_S


def _begins(samples: Mono) -> int:
    """Say where music begins: the first half second that is not 40 dB below the loudest."""
    block = WIDE // 2
    power = np.square(samples[: len(samples) // block * block]).reshape(-1, block).mean(axis=1)
    return int(np.argmax(power > power.max() * 1e-4)) * block if power.size else 0


def _files(packages: str, what: str) -> Iterator[tuple[str, Path]]:
    """Give the files with some endings that packages bring, downloading those that were not downloaded before."""
    for package in packages.split():
        folder = KEPT / "packages" / package
        if not folder.exists():
            _take_out(package, folder)
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in ENDINGS[what] and not NOT_MUSIC.search(str(path.relative_to(folder))):
                yield package, path


def _take_out(package: str, folder: Path) -> None:
    """Download a package and take out its sound, also from the archives in it; one that is not to be had is left."""
    wanted = tuple(ending for endings in ENDINGS.values() for ending in endings)
    with tempfile.TemporaryDirectory(dir=KEPT) as name:
        work, out = Path(name), Path(name) / "all"
        out.mkdir()
        download = [str(shutil.which("apt-get")), "-q", "download", package]
        got = subprocess.run(download, cwd=work, capture_output=True, check=False)
        if got.returncode:
            print(f"{package} could not be downloaded: {got.stderr.decode().strip().splitlines()[-1]}")
        for deb in work.glob("*.deb"):
            _unpacked(deb, out, (*wanted, *ARCHIVES))
        for archive in [path for path in out.rglob("*") if path.suffix in ARCHIVES]:
            with zipfile.ZipFile(archive) as packed:
                for member in packed.namelist():
                    if member.lower().endswith(wanted):
                        packed.extract(member, archive.with_suffix(".d"))
            archive.unlink()
        shutil.copytree(out, folder, ignore=lambda at, names: [n for n in names if (Path(at) / n).is_symlink()])


def _unpacked(deb: Path, out: Path, endings: tuple[str, ...]) -> None:
    """Take the files with some endings out of a package."""
    words = [str(shutil.which("dpkg-deb")), "--fsys-tarfile", str(deb)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as packed,
    ):
        for member in packed:
            if member.isfile() and member.name.lower().endswith(endings):
                packed.extract(member, out, filter="data")


def _decoded(path: Path, seconds: float) -> Mono:
    """Decode at 22.05 kHz in mono; what is no sound is empty."""
    words = ["ffmpeg", "-nostdin", "-v", "error", "-t", str(seconds), "-i", str(path), "-vn", "-ac", "1"]
    words += ["-ar", str(WIDE), "-f", "s16le", "-"]
    out = subprocess.run(words, capture_output=True, check=False).stdout
    return np.frombuffer(out[: len(out) // 2 * 2], np.int16).astype(np.float32) / np.float32(32_768)


def make_recorded(kind: str, packages: str, most: int) -> None:
    """Decode what packages bring of a kind."""
    kept = _List(kind)
    tried = set((KEPT / f"{kind}.tried").read_text().splitlines()) if (KEPT / f"{kind}.tried").exists() else set()
    for package, path in _files(packages, kind):
        name = f"{package}/{path.stem}"
        source = str(path.relative_to(KEPT))
        if source in tried or path.stat().st_size < 4_000 or len(kept.had) >= most:
            continue
        if name in kept.had:
            name = f"{package}/{path.parent.name}/{path.stem}"
        samples = _decoded(path, _longest(name) + 30)
        if samples.size:
            kept.keep(name, samples, source)
        with (KEPT / f"{kind}.tried").open("a") as file:
            file.write(source + "\n")


def main() -> None:
    """Make the kinds that are asked for, going on where an earlier run ended."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("kinds", nargs="+", choices=["real", "module", "rendered"])
    words.add_argument("--most", type=int, default=RENDERED, help="recordings of each kind (default: %(default)s)")
    asked = words.parse_args()
    missing = [program for program in PROGRAMS.split() if not shutil.which(program)]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not on this machine; wanted {PROGRAMS}")
    KEPT.mkdir(exist_ok=True)
    for kind in asked.kinds:
        if kind == "rendered":
            make_rendered(asked.most)
        else:
            make_recorded(kind, REAL if kind == "real" else MODULES, asked.most)


def make_rendered(most: int) -> None:
    """Play scores and made-up pieces, each with one soundfont."""
    kept = _List("rendered")
    fonts = [path for _, path in _files(SOUNDFONTS, "soundfont")]
    scores = sorted(_files(SCORES, "score"), key=lambda found: _digest(str(found[1].relative_to(KEPT))))
    with tempfile.TemporaryDirectory() as folder:
        for i in range(most):
            font = fonts[3 if i % 20 == 19 else i % 3]  # the last one takes four times as long
            score, at = Path(folder) / "piece.mid", i // 4
            if i % 4 == 0 and at < len(scores):
                score = scores[at][1]
                name = f"{scores[at][0]}/{score.stem}, {font.stem}"
            else:
                score.write_bytes(print_pieces.piece(i))
                name = f"piece/{i}, {font.stem}"
            if name not in kept.had:
                samples = _played(score, font, Path(folder) / "played.raw")
                kept.keep(name, samples, str(score.relative_to(KEPT)) if score.is_relative_to(KEPT) else "")


def _played(score: Path, font: Path, out: Path) -> Mono:
    words = [
        "fluidsynth",
        "-niq",
        "-R",
        "0",
        "-C",
        "0",
        "-r",
        str(WIDE),
        "-o",
        "synth.dynamic-sample-loading=1",
        "-T",
        "raw",
        "-O",
        "s16",
    ]
    subprocess.run([*words, "-F", str(out), str(font), str(score)], capture_output=True, check=True)
    stereo = np.fromfile(out, np.int16).astype(np.float32).reshape(-1, 2)
    return np.asarray(stereo.mean(axis=1) / np.float32(32_768), np.float32)


if __name__ == "__main__":
    main()
