"""From a master to renditions that an edge chooses from: what we hold -> two marked renditions.

::

    master --read--> sound --embed, every bit +1 and every bit -1--> two sides --press--> a folder that edges serve
                                                                                  |
    how well each chunk's bit is heard <--detect, as of a copy-- decoded <--------+

Nobody's word is in a rendition: an edge puts words together from chunks when it is asked.  So renditions are made once,
however many accounts there are, and there is no grant of them in the ledger; who got what follows from the key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from riparian.audio.forms import Recorded
from riparian.audio.pcm import Sound
from riparian.errors import InputError
from riparian.flows.deliver import Master, require_same
from riparian.marks.align import Master as Ground
from riparian.marks.code import Tier
from riparian.marks.detect import detect
from riparian.marks.embed import embed_pair
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import VARIANT_GROUPS, Layout, pattern
from riparian.marks.variants import Pressed, Variants, tapered
from riparian.ports import Studio

Press = Callable[[tuple[Sound, Sound], Version, Path], list[Pressed]]
"""Takes two sides, how they are marked, and the recording's folder; makes its renditions there."""


@dataclass(frozen=True, slots=True)
class Task:
    """One master, and where its renditions go."""

    master: Master
    key: MarkKey
    strength: float
    home: Path


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One rendition of a recording, and what it carries.

    Parameters
    ----------
    recording, name
        Which.
    variants
        As an edge reads them.
    join_db
        The most that going over adds, over the codec's own noise; dB.
    distances : np.ndarray [shape=(chunks,), float32]
        How far apart +1 and -1 are in each chunk, in deviations of the noise; negative where the wrong one was heard.
    """

    recording: str
    name: str
    variants: Variants
    join_db: float
    distances: NDArray[np.float32]

    @property
    def unheard_share(self) -> float:
        """What part of the chunks is heard as what it is not, or, being silent, not at all."""
        return float(np.mean(self.distances <= 0))


def prepare(
    studio: Studio, masters: Sequence[Master], out: Path, press: Press, *, strength: float
) -> Iterator[Prepared]:
    """Make renditions of masters, and read each back.

    Parameters
    ----------
    studio
        Keys, ledger, and whatever reads sound.
    masters
        What we hold.
    out
        The folder of recordings.
    press
        Encodes and writes; has to be picklable.
    strength
        Of the mark.

    Raises
    ------
    InputError
        When a master is no sound, or a recording cannot be the name of a folder.
    CustodyError
        When the key is not the one that its epoch had.
    """
    key = studio.keys.current()
    studio.grants.trust(key, studio.clock.now_us())
    tasks = [Task(master, key, strength, _home(out, master.recording)) for master in masters]
    for made in studio.jobs.run(partial(make, studio.read, studio.digest, press), tasks):
        yield from made


def make(read: Callable[[Path], Recorded], digest: Callable[[Path], str], press: Press, task: Task) -> list[Prepared]:
    """Make the renditions of one master."""
    sound, recording = read(task.master.path).sound, task.master.recording
    require_same(task.master, digest(task.master.path))
    layout = Layout.at(sound.rate, VARIANT_GROUPS)
    tiles = pattern(task.key, recording, layout, layout.chunks(sound.seconds))
    first, second = (tapered(sound, side, layout) for side in embed_pair(sound, tiles, layout, strength=task.strength))
    version = Version(recording, task.master.digest, task.key.epoch, layout, Tier.MANY, task.strength)
    ground = Ground(sound)
    return [_heard(one, ground, task.key) for one in press((first, second), version, task.home)]


def _heard(pressed: Pressed, ground: Ground, key: MarkKey) -> Prepared:
    variants = pressed.variants
    of = variants.version
    reading = detect(pressed.heard, ground, key, of.recording, of.layout, strength=of.strength)
    # Of side a every bit is +1.  Half a log-likelihood ratio of a normal value is its distance squared, on average.
    told = reading.soft[: variants.chunks, 0]
    distances = (np.sign(told) * np.sqrt(np.abs(told))).astype(np.float32)
    return Prepared(of.recording, pressed.name, variants, pressed.join_db, distances)


def _home(out: Path, recording: str) -> Path:
    way = PurePosixPath(recording)
    if way.is_absolute() or not way.parts or any(part.startswith(".") for part in way.parts):
        raise InputError(
            f"`{recording}` cannot be the name of a folder, wanted no dot at its beginning, and no path from the root",
            hint="Give it another name with --recording.",
        )
    return out / way
