"""What do a found sound and ours sound like, side by side, from where they are the same?

A stretch of each is cut out where they go together, as WAV: the found one, ours, and both at once, the found one in the
left ear and ours in the right, brought to its speed.  Above one another they are drawn as spectrograms.
"""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.console import words
from riparian.console.figures import NARROW, WIDE
from riparian.console.spectrograms import Side, beside
from riparian.errors import RiparianError
from riparian.feeds import sound_files
from riparian.flows.extraction import Progress
from riparian.flows.matching import Answer, Looked
from riparian.ports.prints import Held, Library, SoundFile
from riparian.prints.landmarks import peaks
from riparian.prints.peaks import RATE

PAIRS_MAX: Final = 3
SECONDS: Final = 20.0
_FULL_S: Final = 1200.0
"""Up to here sound is cut out as it is; of what is longer, as prints hear it."""
_LOUD: Final = 0.98

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A sound: as prints hear it, and as it is; ``whole`` is shape=(channels, n)."""

    samples: Samples | None
    whole: Samples
    rate: int


def heard_beside(
    library: Library, one: Looked, sure: Sequence[Answer], name: str, progress: Progress
) -> list[dict[str, Any]]:
    """Cut out and draw the surest answers; the files lie beside the one that was brought.

    Parameters
    ----------
    library
        Reads sound.
    one
        What is said of the file.
    sure
        Which of its answers may be said to be right.
    name
        What it is called.
    progress
        Told the stage ``drawing``.
    """
    if not sure:
        return []
    held, path = library.hold(), Path(one.file.name)
    found, why = _heard(library, one.file, one.seconds)
    pairs = []
    for place, answer in enumerate(sure[:PAIRS_MAX]):
        progress("drawing", place, min(len(sure), PAIRS_MAX))
        drawn = _pair(library, held, found, answer, (path, name, place))
        pairs.append({"recording": answer.recording, "why": why, **drawn})
    return pairs


def _pair(
    library: Library, held: Held, found: Heard | None, answer: Answer, at: tuple[Path, str, int]
) -> dict[str, Any]:
    path, name, place = at
    known = held.known(answer.number)
    ours, why_not = _heard(library, known.file, known.seconds, known.digest)
    span = dict(max(answer.spans, key=lambda one: one["to_s"] - one["from_s"]))
    if found is None or found.samples is None:
        return {"span": span, "picture": "", "sound": {}, "why_not": why_not}
    draws = _Draws(path.parent, place)
    theirs = Side(f"found: {name}", found.samples, peaks(found.samples, held.key), draws)
    mine = Side(
        words.visible(f"ours: {answer.recording}"),
        ours.samples if ours is not None else None,
        peaks(ours.samples, held.key) if ours is not None and ours.samples is not None else held.peaks(answer.number),
        draws,
    )
    picture = "".join(
        str(beside(theirs, mine, span, width=width, ident=f"pair-{place}-{width}")) for width in (WIDE, NARROW)
    )
    cut = cuts(span)
    sound = dict(_cut_out(path.parent, place, found, ours, cut))
    return {"span": span, "cut": cut, "picture": picture, "sound": sound, "why_not": why_not}


def cuts(span: Mapping[str, float]) -> dict[str, float]:
    """Say which stretch is cut out of each: from where, and how long.

    Examples
    --------
    >>> cuts({"from_s": 10.0, "to_s": 70.0, "ours_from_s": 0.0, "speed": 1.5})
    {'found_s': 30.0, 'lasts_s': 20.0, 'ours_s': 30.0, 'ours_lasts_s': 30.0}
    """
    lasts_s = min(SECONDS, span["to_s"] - span["from_s"])
    # The middle is surest, as in the picture.
    found_s = (span["from_s"] + span["to_s"] - lasts_s) / 2
    ours_s = span["ours_from_s"] + (found_s - span["from_s"]) * span["speed"]
    return {"found_s": found_s, "lasts_s": lasts_s, "ours_s": ours_s, "ours_lasts_s": lasts_s * span["speed"]}


def _cut_out(
    folder: Path, place: int, found: Heard, ours: Heard | None, cut: Mapping[str, float]
) -> Iterator[tuple[str, str]]:
    theirs = _stretch(found, cut["found_s"], cut["lasts_s"])
    yield "found", _written(folder, f"pair-{place}-found.wav", theirs, found.rate)
    if ours is None:
        return
    mine = _stretch(ours, cut["ours_s"], cut["ours_lasts_s"])
    yield "ours", _written(folder, f"pair-{place}-ours.wav", mine, ours.rate)
    both = np.stack((_mono(theirs, theirs.shape[1]), _mono(mine, theirs.shape[1])))
    yield "both", _written(folder, f"pair-{place}-both.wav", both, found.rate)


def _stretch(heard: Heard, first_s: float, lasts_s: float) -> Samples:
    first = max(0, round(first_s * heard.rate))
    return heard.whole[:, first : first + max(1, round(lasts_s * heard.rate))]


def _mono(samples: Samples, n: int) -> Samples:
    """Give the mean of channels, brought to so many samples."""
    mean = samples.mean(axis=0)
    if not mean.size:
        return np.zeros(n, np.float32)
    out: Samples = np.interp(np.linspace(0, mean.size - 1, n), np.arange(mean.size), mean).astype(np.float32)
    return out


def _written(folder: Path, name: str, samples: Samples, rate: int) -> str:
    (folder / name).write_bytes(wav(samples, rate))
    return name


def wav(samples: Samples, rate: int) -> bytes:
    r"""Write sound as WAV of 16 bits, its first two channels; what is louder than can be written is made softer.

    Examples
    --------
    >>> wav(np.zeros((1, 4), np.float32), 8000)[:4], len(wav(np.zeros((2, 4), np.float32), 8000))
    (b'RIFF', 60)
    """
    two = samples[:2]
    loudest = float(np.abs(two).max(initial=0.0))
    scaled = two * (_LOUD / loudest) if loudest > 1 else two
    octets = np.ascontiguousarray(np.rint(scaled.T * 32767), "<i2").tobytes()
    channels = two.shape[0]
    out = io.BytesIO()
    out.write(struct.pack("<4sI4s4sI", b"RIFF", 36 + len(octets), b"WAVE", b"fmt ", 16))
    out.write(struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16))
    out.write(struct.pack("<4sI", b"data", len(octets)) + octets)
    return out.getvalue()


@dataclass(slots=True)
class _Draws:
    """Keeps pictures as files, and gives the address of each as seen from the page."""

    folder: Path
    place: int
    n: int = 0

    def __call__(self, picture: bytes) -> str:
        name = f"picture-{4 * self.place + self.n}.png"
        self.n += 1
        (self.folder / name).write_bytes(picture)
        return f"/finding/part?id={self.folder.name}&name={name}"


def _heard(library: Library, file: SoundFile, seconds: float, digest: str = "") -> tuple[Heard | None, str]:
    """Hear a file; with a digest, only if it is still the one that it was."""
    sounding = library.listen(file, lambda _, __: False)
    if sounding.samples is None:
        return None, sounding.failed
    if digest and sounding.digest != digest:
        return None, "the file is not any more the one that was printed"
    heard = Heard(sounding.samples, sounding.samples[None], RATE)
    if seconds > _FULL_S or "://" in file.name:
        return heard, ""
    try:
        whole = sound_files.read(Path(file.at or file.name), sound_files.FOUND).sound
    except RiparianError:
        return heard, ""
    return replace(heard, whole=whole.samples, rate=whole.rate), ""
