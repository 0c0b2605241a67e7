"""Real sound for the programs of marks: excerpts of what some Debian packages bring, found where these put it.

The music comes from games, so that anybody can have it; it was lossy before we got it (Vorbis at 80 to 190 kb/s, Opus
at 48), and little is left of it above some 16 kHz.  The masters of a house are better: read the tables with that in
mind.  Two tracks were never lossy: they are scores that a synthesiser plays.  The speech is of actors, in Czech.

Nothing of this is in the repository.  What is decoded once is kept in the system's folder for temporary files.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from riparian.audio.pcm import Sound

PACKAGES: Final = (
    "ffmpeg fluid-soundfont-gm fluidsynth fillets-ng-data-cs openttd-openmsx singularity-music warzone2100-music"
    " wesnoth-1.16-music"
)
GAMES: Final = Path("/usr/share/games")
SOUNDFONT: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SPEECH: Final = "fillets-ng/sound/*/cs/*.ogg"
KEPT: Final = Path(tempfile.gettempdir()) / "riparian-bench-sounds"


@dataclass(frozen=True, slots=True)
class Track:
    """A track, and where its excerpt begins.

    Parameters
    ----------
    name
        As tables call it.
    file
        Pattern of its path below ``/usr/share/games``.
    from_s
        Seconds into the file.
    """

    name: str
    file: str
    from_s: float


TRACKS: Final = (
    Track("quiet", "warzone2100/music/albums/aftermath_soundtrack/track25.opus", 60),
    Track("drone", "warzone2100/music/albums/aftermath_soundtrack/track23.opus", 60),
    Track("strings", "wesnoth/*/data/core/music/knolls.ogg", 20),
    Track("orchestra", "wesnoth/*/data/core/music/casualties_of_war.ogg", 20),
    Track("folk", "wesnoth/*/data/core/music/wanderer.ogg", 20),
    Track("electronic", "singularity/music/Through Space.ogg", 20),
    Track("bass", "singularity/music/Awakening.ogg", 20),
    Track("rock", "warzone2100/music/albums/legacy_soundtrack/track7.opus", 60),
    Track("metal", "warzone2100/music/albums/aftermath_soundtrack/track19.opus", 60),
    Track("harp", "openttd/baseset/openmsx/harp_harmony.mid", 0),
    Track("band", "openttd/baseset/openmsx/boogi_marabi_redfarn.mid", 0),
    Track("speech", SPEECH, 0),
)
FURTHER: Final = (
    Track("choir", "wesnoth/*/data/core/music/silvan_sanctuary.ogg", 20),
    Track("march", "wesnoth/*/data/core/music/the_deep_path.ogg", 20),
    Track("synth", "singularity/music/Nebula.ogg", 20),
)
"""More of the same, where fifteen are needed."""


def tracks(seconds: float, names: str = "") -> Iterator[tuple[str, Sound]]:
    """Give the excerpts one by one, all or those whose names are given, divided by commas.

    Raises
    ------
    SystemExit
        When a package is missing; the message says which ones to install.
    """
    wanted = set(names.split(",")) if names else {track.name for track in TRACKS}
    for track in (*TRACKS, *FURTHER):
        if track.name in wanted:
            yield track.name, excerpt(track, seconds)


def excerpt(track: Track, seconds: float) -> Sound:
    """Give the excerpt of a track, from the folder of what was decoded before where it is there."""
    found = sorted(GAMES.glob(track.file))
    if not found or not shutil.which("ffmpeg") or not SOUNDFONT.exists():
        raise SystemExit(f"{track.name} is not on this machine: apt install {PACKAGES}")
    kept = KEPT / f"{_digest(track, seconds)}.wav"
    if not kept.exists():
        KEPT.mkdir(exist_ok=True)
        samples, rate = _speech(found, seconds) if track.file == SPEECH else _decoded(found[0], track.from_s, seconds)
        # What a decoder gives beyond full scale was not in the master; a file for sale has none of it.
        samples /= max(1.0, np.abs(samples).max())
        soundfile.write(kept, samples, rate, subtype="FLOAT")
    samples, rate = soundfile.read(kept, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(samples.T), rate)


def _digest(track: Track, seconds: float) -> str:
    return hashlib.blake2b(repr((track, seconds)).encode(), digest_size=8).hexdigest()


def _decoded(path: Path, from_s: float, seconds: float) -> tuple[np.ndarray, int]:
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole.wav", Path(folder) / "part.wav"
        if path.suffix == ".mid":
            play = ["fluidsynth", "-ni", "-q", "-r", "44100", "-O", "s24", "-F", str(whole), str(SOUNDFONT), str(path)]
            subprocess.run(play, check=True, stdout=subprocess.DEVNULL)
            path = whole
        cut = ["-ss", str(from_s), "-t", str(seconds)]
        command = ["ffmpeg", "-nostdin", "-v", "error", *cut, "-i", str(path), "-c:a", "pcm_f32le", str(part)]
        subprocess.run(command, check=True)
        samples, rate = soundfile.read(part, dtype="float32", always_2d=True)
    return samples, rate


def _speech(paths: list[Path], seconds: float) -> tuple[np.ndarray, int]:
    """Put sentence after sentence, those that were recorded at 44.1 kHz."""
    parts: list[np.ndarray] = []
    for path in paths:
        if soundfile.info(path).samplerate != 44_100:
            continue
        samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
        parts += [samples.mean(axis=1), np.zeros(8_820, np.float32)]
        if sum(map(len, parts)) >= seconds * 44_100:
            break
    return np.concatenate(parts)[: round(seconds * 44_100), None], 44_100


def to_rate(sound: Sound, rate: int) -> Sound:
    """Give sound at another rate."""
    if sound.rate == rate:
        return sound
    samples = soxr.resample(sound.samples.T, sound.rate, rate).T
    return Sound(np.ascontiguousarray(samples, np.float32), rate)
