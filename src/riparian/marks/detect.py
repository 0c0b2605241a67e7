"""What does a copy say of each bit of its mark?

The copy is laid along its master (:mod:`.align`), and the levels of its tiles are compared with the master's
(:mod:`.tiles`).  The pilot's tiles, whose signs are known, say how much of the mark is left; with that, the tiles of
each cell say how likely its bit is +1.

Nothing here could know for whom it listens: there is no argument that could carry a word, or an account.  So a reading
may be scored for any number of accounts, each at its own price (:mod:`.trace`), and what was chosen here is free.

Where there are several ways to compare them, because the music repeats itself or because a copy may or may not be the
master's waveform, what each says is mixed by how well the pilot is heard in it; segments are the best one's.

Hypothesis
----------
Null, of the pilot: signs of the pilot's tiles have nothing to do with the copy's; then ``pilot_z`` has mean 0 and
deviation 1, being a sum over secret, even signs.  Of several ways the highest is told, which is higher by chance.

Symbols
-------
u    a tile's step over its noise, clipped
w    its strength over its noise
a    amplitude: how much of the strength is left, so that ``u`` is ``a * w * sign`` on average
v    variance of ``u`` around that

Fails when
----------
The master is another one, say remastered: then the noise is ten times what it was.  Tiles were changed by as much again
in both directions, which takes about as many bits as it takes quality.

Source
------
Cox, I. et al. (2008), Digital watermarking and steganography, section 7, for the correlation, weighted.  Efron, B. and
Morris, C. (1973), Stein's estimation rule and its competitors, section 2, for the amplitudes of bands.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr

from riparian.audio.pcm import Sound
from riparian.marks import tiles
from riparian.marks.align import Alignment, Master, ways
from riparian.marks.heard import hear
from riparian.marks.keys import MarkKey
from riparian.marks.layout import PILOT, ROWS_PER_CHUNK, Layout, Pattern, pattern
from riparian.marks.reading import SOFT_MAX, Facts, Reading
from riparian.marks.strength import NEPER_DB
from riparian.marks.tiles import Held

CLIP: Final = 1.5
"""How many deviations of noise a step counts at most."""
_LEAST_VARIANCE: Final = 1e-3
_TINY: Final = 1e-12


def detect(
    copy: Sound, master: Sound | Master, key: MarkKey, recording: str, layout: Layout, *, strength: float = 1.0
) -> Reading:
    """Read a copy.

    Parameters
    ----------
    copy
        Of any rate and channels.
    master
        The very one that was marked; a :class:`riparian.marks.align.Master` where several copies are read.
    key
        Of the epoch in question.
    recording, layout, strength
        As they stand in the grant.

    Returns
    -------
    Reading
        Of soft values that are all 0 where the copy says nothing.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 12 * 22_050)).astype(np.float32) / 8
    >>> whole, layout = Sound(noise, 22_050), Layout.at(22_050, 16)
    >>> nothing = detect(whole.cut(0, 2), whole, MarkKey(bytes(32), 1), "r-1", layout)
    >>> nothing.soft.any(), nothing.facts.copy_s
    (np.False_, 2.0)
    """
    known = master if isinstance(master, Master) else Master(master)
    return read(compare(copy, known, layout), known, key, recording, layout, strength=strength)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A copy, compared with a master, before anybody has a key.

    Parameters
    ----------
    seconds
        How long the copy is.
    ways
        In which it may be compared: where it lies, and the tiles it holds then.
    """

    seconds: float
    ways: tuple[tuple[Alignment, Held], ...]


def compare(copy: Sound, master: Master, layout: Layout) -> Compared:
    """Compare a copy with a master; what comes of it can be read with one key after another."""
    heard = hear(copy)
    found = ways(heard, master)
    held = [(way, one) for way in found for one in tiles.compare(heard, master.heard, way, layout)]
    return Compared(copy.seconds, tuple(held))


def read(
    compared: Compared, master: Master, key: MarkKey, recording: str, layout: Layout, *, strength: float = 1.0
) -> Reading:
    """Read what was compared, with a key; otherwise as :func:`detect`."""
    seconds = master.sound.seconds
    chart = pattern(key, recording, layout, layout.chunks(seconds))
    strengths = master.strengths(layout, strength).astype(np.float64)
    if not compared.ways:
        return Reading.nothing(recording, key, layout, seconds, compared.seconds)
    found = [(way, _listen(held, chart, strengths, layout)) for way, held in compared.ways]
    # The pilot may choose: nobody's word is in it.
    way, heard = max(found, key=lambda one: one[1].pilot_z)
    soft = _mixed([one for _, one in found])
    if not heard.tiles:
        return Reading.nothing(recording, key, layout, seconds, compared.seconds)
    aligned_s = sum(segment.seconds for segment in way.segments)
    facts = Facts(compared.seconds, seconds, aligned_s, heard.tiles, heard.noise_db, heard.amplitude)
    return Reading(recording, key.epoch, layout, soft, heard.pilot_z, way.segments, facts)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    soft: NDArray[np.float32]
    pilot_z: float
    tiles: int
    noise_db: float
    amplitude: float


def _mixed(read: list[_Read]) -> NDArray[np.float32]:
    """Mix what several ways say of each bit, as far as the pilot is heard in each; shape=(chunks, groups)."""
    heard = np.array([0.5 * max(one.pilot_z, 0.0) ** 2 for one in read])
    weights = np.exp(heard - heard.max())
    weights /= weights.sum()
    up = sum(weight * expit(2.0 * one.soft) for weight, one in zip(weights, read, strict=True))
    down = sum(weight * expit(-2.0 * one.soft) for weight, one in zip(weights, read, strict=True))
    soft: NDArray[np.float32] = (0.5 * np.log(up / down)).clip(-SOFT_MAX, SOFT_MAX).astype(np.float32)
    return soft


def _listen(held: Held, chart: Pattern, strengths: NDArray[np.float64], layout: Layout) -> _Read:
    soft = np.zeros((chart.cell.shape[0] // ROWS_PER_CHUNK, layout.groups))
    u = np.clip(held.step / held.noise, -CLIP, CLIP) * chart.chip[held.row]
    w = strengths[held.row] / held.noise
    cell = chart.cell[held.row]
    pilot = cell == PILOT
    counted = int((w > 0).sum())
    if not (w[pilot] > 0).any():
        return _Read(soft.astype(np.float32), 0.0, 0, 0.0, 0.0)
    # The chips' signs are even, so the deviation of the sum is known whatever the copy holds.
    z = float((w * u)[pilot].sum() / np.sqrt(((w * u)[pilot] ** 2).sum() + _TINY))
    scale, amplitude = _scale(u, w, pilot)
    chunk = np.broadcast_to(held.row[:, None] // ROWS_PER_CHUNK, cell.shape)
    np.add.at(soft, (chunk[~pilot], cell[~pilot].astype(np.intp)), (scale * w * u)[~pilot])
    noise_db = float(np.median(held.noise[w > 0])) * NEPER_DB
    return _Read(np.clip(soft, -SOFT_MAX, SOFT_MAX).astype(np.float32), z, counted, noise_db, amplitude)


def _scale(
    u: NDArray[np.float64], w: NDArray[np.float64], pilot: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Say by how much to multiply each band's tiles, from the pilot; shape=(bands,), and the amplitude of all."""
    y = np.where(pilot, w * u, 0).sum(axis=0)
    power = np.where(pilot, w * w, 0).sum(axis=0)
    total = float(power.sum())
    mean = float(y.sum()) / total
    a = _above_zero(mean, float(np.sqrt(np.mean((u - mean * w)[pilot] ** 2) / total)))
    v = float(np.mean((u - a * w)[pilot] ** 2))
    # How much bands differ, beyond what chance does, says how far each is believed against all.
    power = np.maximum(power, _TINY)
    own, chance = y / power, v / power
    heard = power > _TINY
    differ = max(0.0, float((power * ((own - a) ** 2 - chance))[heard].sum()) / total)
    bands = np.maximum(a + differ / np.maximum(differ + chance, _TINY) * (own - a), 0)
    v = float(np.mean((u - bands * w)[pilot] ** 2))
    scale: NDArray[np.float64] = bands / max(v, _LEAST_VARIANCE)
    return scale, a


def _above_zero(mean: float, deviation: float) -> float:
    """Give the mean of a normal variable that is known to be above 0."""
    if deviation == 0:
        # The master itself: nothing was changed, and it is sure that nothing was.
        return max(0.0, mean)
    z = mean / deviation
    return float(mean + deviation * np.exp(-0.5 * z * z - log_ndtr(z)) / np.sqrt(2 * np.pi))
