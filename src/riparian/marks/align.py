"""Where in the master does a copy lie?

The copy may have been cut out, coded, filtered, played faster, stretched, tuned up, cut to pieces and put together
again.  What is found is a ratio of pitches, and *pieces*: stretches of the copy that are stretches of the master, each
with a map from the master's time to the copy's.  Nobody's mark has a part in it: only copy and master are seen.

The way: chains of passages (:mod:`.passages`); the ratio of pitches, from what tones the passages hold; where each
piece begins and ends; and its map, straight where it can be, else crooked (:mod:`.placing`).

Music that repeats itself lies in its master in several ways, and which of them is right is not to be told from the
sound.  So there may be several alignments, the likeliest first; who has a key can choose by the pilot.

Conventions
-----------
* Ratios within ``SNAP`` of 1 are 1.
* What does not lie in the master is in no piece.

Fails when
----------
Tempo or pitch are changed by more than a seventh; a piece is shorter than about four seconds; two masters sound at
once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import median_filter, uniform_filter1d

from riparian.audio.pcm import Sound
from riparian.marks import passages, placing
from riparian.marks.heard import (
    BEAT_HOP,
    NOTE_HOP,
    NOTES,
    NOTES_PER_OCTAVE,
    RATE,
    beats,
    frames,
    hann,
    hear,
    notes,
    stretch,
)
from riparian.marks.layout import Layout
from riparian.marks.passages import ANCHOR, SHIFT_MAX, Ground, Run
from riparian.marks.placing import Line
from riparian.marks.reading import Segment
from riparian.marks.strength import tile_strength

SHORTEST_S: Final = 3.0
"""A copy that is shorter lies nowhere."""
SNAP: Final = 6e-4
WAYS_MAX: Final = 16
ALMOST: Final = 0.8
"""A run that is worth this part of the best chain is another way."""

_SAME: Final = 4.0
_WEAK: Final = 0.8
"""Where anchors are worth less than this, the waveform is asked, too."""
_WAVEFORM_MAX: Final = 2 * 1200 * RATE
_SHARP: Final = 8.0
_TINY: Final = 1e-12
_NEAR: Final = 4e-3
_EXACT: Final = 2e-5
_SPECTRUM: Final = 16_384
_PER_OCTAVE: Final = 480
_LOW_HZ, _OCTAVES = 400.0, 3.5
_LAGS: Final = 40
_ASKED: Final = 24
_LIKE_ENOUGH: Final = 0.6
"""A frame that is this part as like as those inside a run belongs to it."""
_FRAME_S: Final = NOTE_HOP / RATE


class Master:
    """A master, prepared once for many copies.

    Parameters
    ----------
    sound
        It.
    """

    def __init__(self, sound: Sound) -> None:
        self.sound = sound
        self._strengths: dict[tuple[Layout, float], NDArray[np.float32]] = {}

    def strengths(self, layout: Layout, strength: float) -> NDArray[np.float32]:
        """Say how strongly each tile is marked; shape=(rows, bands), nepers."""
        of = (layout, strength)
        if of not in self._strengths:
            self._strengths[of] = tile_strength(self.sound, layout, strength=strength)
        return self._strengths[of]

    @cached_property
    def heard(self) -> NDArray[np.float32]:
        """It at the one rate; shape=(n,)."""
        return hear(self.sound)

    @cached_property
    def notes(self) -> NDArray[np.float32]:
        """Its notes; shape=(frames, NOTES)."""
        return notes(self.heard)

    @cached_property
    def ground(self) -> Ground:
        """What is searched."""
        return Ground.of(self.notes)

    @cached_property
    def beats(self) -> NDArray[np.float32]:
        """How its bands rise and fall; shape=(beats, bands)."""
        return beats(self.heard)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A segment, and its map.

    Parameters
    ----------
    segment
        Where it lies.
    at_s : np.ndarray [shape=(knots,), float64]
        Times of the master, ascending; two where the map is straight.
    there_s : np.ndarray [shape=(knots,), float64]
        The copy's times that belong to them.
    """

    segment: Segment
    at_s: NDArray[np.float64]
    there_s: NDArray[np.float64]

    def copy_at(self, master_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the times of the copy that belong to times of the master, beyond the ends as between the last knots."""
        left = np.clip(np.searchsorted(self.at_s, master_s) - 1, 0, self.at_s.size - 2)
        slope = np.diff(self.there_s) / np.diff(self.at_s)
        found: NDArray[np.float64] = self.there_s[left] + (master_s - self.at_s[left]) * slope[left]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Where a copy lies in its master.

    Parameters
    ----------
    pieces
        In order of the copy.
    pitch
        Ratio of frequencies, copy to master.
    """

    pieces: tuple[Piece, ...]
    pitch: float

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Where each piece lies."""
        return tuple(piece.segment for piece in self.pieces)


def align(copy: Sound, master: Sound | Master) -> Alignment:
    """Find where in the master a copy lies, in the likeliest way.

    Parameters
    ----------
    copy
        Of any rate and channels.
    master
        A :class:`Master` where several copies are compared with it.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 20 * 22_050)).astype(np.float32) / 8
    >>> whole = Sound(noise, 22_050)
    >>> found = align(whole.cut(5, 15), whole)
    >>> [(round(one.master_from_s, 1), one.speed, one.pitch) for one in found.segments]
    [(5.0, 1.0, 1.0)]
    """
    return ways(hear(copy), master if isinstance(master, Master) else Master(master))[0]


def ways(copy: NDArray[np.float32], master: Master) -> tuple[Alignment, ...]:
    """Find the ways in which a heard copy may lie in the master, the likeliest first; one at least."""
    nowhere = (Alignment((), 1.0),)
    if min(copy.size, master.heard.size) < SHORTEST_S * RATE:
        return nowhere
    heard_notes = notes(copy)
    anchors = passages.find(master.ground, heard_notes)
    runs, tempo = passages.chain(anchors)
    worth = sum(run.worth for run in runs)
    found = [_lay(copy, heard_notes, master, runs, tempo, anchors.shift)] if runs else []
    if runs:
        others = passages.alternatives(anchors, tempo, WAYS_MAX, ALMOST * worth)
        others = [run for run in others if len(runs) > 1 or not _go_on(run, runs[0], tempo)]
        found += [_lay(copy, heard_notes, master, (run,), tempo, anchors.shift) for run in others]
    if worth < _WEAK * anchors.middle.size:
        found += _unmoved(copy, master.heard)
    return tuple(way for way in found if way.pieces) or nowhere


def _go_on(run: Run, other: Run, tempo: float) -> bool:
    """Say whether two runs lie on one line."""
    return bool(abs(run.master[0] - other.master[0] - (run.copy[0] - other.copy[0]) * tempo) < _SAME)


def _unmoved(copy: NDArray[np.float32], master: NDArray[np.float32]) -> list[Alignment]:
    """Find the copy as a whole, by its waveform, where its notes tell nothing: a drone, a tone."""
    if copy.size + master.size > _WAVEFORM_MAX:
        return []
    size = fft.next_fast_len(copy.size + master.size, real=True)
    cross = fft.rfft(copy, size) * np.conj(fft.rfft(master, size))
    # Half whitened, so that a tone does not drown what goes on beside it.
    found = fft.irfft(cross / np.sqrt(np.abs(cross) + np.float32(_TINY)), size)
    peak = int(found.argmax())
    if not found[peak] > _SHARP * np.sqrt(np.mean(found**2)):
        return []
    lag = peak if peak < copy.size else peak - size
    first, last = max(0, -lag), min(master.size, copy.size - lag)
    if last - first < SHORTEST_S * RATE:
        return []
    at_s = np.array([first, last]) / RATE
    there_s = at_s + lag / RATE
    segment = Segment(float(there_s[0]), float(there_s[1]), float(at_s[0]), 1.0, 1.0)
    return [Alignment((Piece(segment, at_s, there_s),), 1.0)]


def _lay(
    copy: NDArray[np.float32],
    heard_notes: NDArray[np.float32],
    master: Master,
    runs: tuple[Run, ...],
    tempo: float,
    shift: int,
) -> Alignment:
    pitch = _pitch(copy, master.heard, runs, shift)
    rough = [_rough(run, tempo) for run in runs]
    spans = _spans(heard_notes, master.notes, runs, rough, shift)
    slope = float(np.average([line.slope for line in rough], weights=[run.worth for run in runs]))
    laid = _Laid(copy, master, runs, rough, spans)
    for near in (1.0, 1 / slope):
        # A recording whose pitch is as it was, or went with its speed, is the waveform itself.
        if abs(pitch - near) < _NEAR:
            exact = laid.exact_pitch(near)
            if exact is not None:
                return Alignment(laid.pieces(exact), exact)
    pitch = 1.0 if abs(pitch - 1) < SNAP else pitch
    return Alignment(laid.pieces(pitch), pitch)


def _rough(run: Run, tempo: float) -> Line:
    """Fit a line to a run, in frames: the copy's time for a master's."""
    if run.copy.size < 3:
        slope = 1 / tempo
    else:
        slope = float(np.clip(np.polyfit(run.master, run.copy, 1)[0], 0.985 / tempo, 1.015 / tempo))
    return Line(slope, float(np.median(run.copy - slope * run.master)))


def _spans(
    heard_notes: NDArray[np.float32],
    master_notes: NDArray[np.float32],
    runs: tuple[Run, ...],
    rough: list[Line],
    shift: int,
) -> list[tuple[float, float]]:
    """Say from where to where in the copy each run reaches; in frames."""
    like = [_likeness(heard_notes, master_notes, line, shift) for line in rough]
    # The outermost anchors may lie half in what is no longer the run.
    sure = [_inner(run, heard_notes.shape[0]) for run in runs]
    for index, (first, last) in enumerate(sure):
        like[index] = like[index] - _LIKE_ENOUGH * np.median(like[index][first : last + 1])
    starts = [_onset(like[0][: sure[0][0]])]
    ends = []
    for index in range(len(runs) - 1):
        # Both may be extended into what lies between them, and between both may be what is neither.
        first, last = sure[index][1], max(sure[index + 1][0], sure[index][1] + 1)
        gained = np.concatenate([[0.0], np.cumsum(like[index][first:last])])
        begun = np.concatenate([np.cumsum(like[index + 1][first:last][::-1])[::-1], [0.0]])
        at = int((np.maximum.accumulate(gained) + begun).argmax())
        starts.append(first + at)
        ends.append(first + int(gained[: at + 1].argmax()))
    tail = like[-1][sure[-1][1] :]
    ends.append(heard_notes.shape[0] - _onset(tail[::-1]))
    return [(float(first), float(last)) for first, last in zip(starts, ends, strict=True)]


def _inner(run: Run, count: int) -> tuple[int, int]:
    """Say which frames of a run are surely in it; two at least."""
    middle = int((run.copy[0] + run.copy[-1]) / 2)
    first = min(int(run.copy[0]) + ANCHOR // 2, middle)
    last = max(int(run.copy[-1]) - ANCHOR // 2, middle + 1)
    return first, min(last, count - 1)


def _onset(likeness: NDArray[np.float64]) -> int:
    """Say where to begin, so that what follows is worth most."""
    return int(np.concatenate([np.cumsum(likeness[::-1])[::-1], [0.0]]).argmax())


def _likeness(
    heard_notes: NDArray[np.float32], master_notes: NDArray[np.float32], line: Line, shift: int
) -> NDArray[np.float64]:
    """Correlate the copy's frames with those of the master that the line says; shape=(frames,)."""
    there = np.rint((np.arange(heard_notes.shape[0]) - line.start) / line.slope).astype(np.intp)
    inside = (there >= 0) & (there < master_notes.shape[0])
    a = heard_notes[:, SHIFT_MAX : NOTES - SHIFT_MAX]
    b = master_notes[np.clip(there, 0, master_notes.shape[0] - 1), SHIFT_MAX - shift : NOTES - SHIFT_MAX - shift]
    dot, aa, bb = ((x * y).sum(axis=1, dtype=np.float64) for x, y in ((a, b), (a, a), (b, b)))
    found = np.where(inside, dot / np.sqrt(np.maximum(aa * bb, 1e-6)), 0.0)
    smooth: NDArray[np.float64] = uniform_filter1d(found, 9, mode="nearest")
    return np.where(inside, smooth, -1.0)


def _pitch(copy: NDArray[np.float32], master: NDArray[np.float32], runs: tuple[Run, ...], shift: int) -> float:
    """Find the ratio of pitches by the tones in passages that belong together."""
    here = np.concatenate([run.copy for run in runs])
    there = np.concatenate([run.master for run in runs])
    some = np.linspace(0, here.size - 1, min(_ASKED, here.size)).astype(np.intp)
    a, b = (
        _tones(sound, np.rint(at[some] * NOTE_HOP).astype(np.intp)) for sound, at in ((copy, here), (master, there))
    )
    cross = (fft.rfft(a, 4096) * np.conj(fft.rfft(b, 4096))).sum(axis=0)
    found = fft.irfft(cross, 4096)
    middle = round(shift * _PER_OCTAVE / NOTES_PER_OCTAVE)
    near = found[np.arange(middle - _LAGS, middle + _LAGS + 1)]
    peak = int(near[1:-1].argmax()) + 1
    left, top, right = (float(near[peak + side]) for side in (-1, 0, 1))
    bend = left - 2 * top + right
    exact = middle - _LAGS + peak + (np.clip(0.5 * (left - right) / bend, -0.5, 0.5) if bend < 0 else 0.0)
    return float(2 ** (exact / _PER_OCTAVE))


def _tones(heard: NDArray[np.float32], middles: NDArray[np.intp]) -> NDArray[np.float32]:
    """Give spectra by the logarithm of frequency, without their coarse shape; shape=(n, 1680)."""
    spectra = np.abs(fft.rfft(frames(heard, middles, _SPECTRUM) * hann(_SPECTRUM), axis=1))
    hz = _LOW_HZ * 2 ** (np.arange(int(_OCTAVES * _PER_OCTAVE)) / _PER_OCTAVE)
    at = hz * (_SPECTRUM / RATE)
    left = at.astype(np.intp)
    share = (at - left).astype(np.float32)
    levels = np.log(spectra[:, left] * (1 - share) + spectra[:, left + 1] * share + np.float32(1e-5))
    levels -= uniform_filter1d(levels, 121, axis=1, mode="nearest")
    levels -= levels.mean(axis=1, keepdims=True)
    flat: NDArray[np.float32] = levels / np.sqrt((levels**2).sum(axis=1, keepdims=True) + np.float32(1e-9))
    return flat


@dataclass(slots=True)
class _Laid:
    """A copy whose runs are known, about to be placed exactly."""

    copy: NDArray[np.float32]
    master: Master
    runs: tuple[Run, ...]
    rough: list[Line]
    spans: list[tuple[float, float]]

    def exact_pitch(self, pitch: float) -> float | None:
        """Say at which pitch the copy is the master's waveform; none if it is at none nearby."""
        longest = int(np.argmax([last - first for first, last in self.spans]))
        for _ in range(2):
            line = self._straight(stretch(self.copy, pitch), longest, pitch)
            if line is None or abs(line.slope - 1) > _NEAR:
                return None
            if abs(line.slope - 1) < _EXACT:
                return pitch
            pitch = float(pitch / line.slope)
        return pitch

    def pieces(self, pitch: float) -> tuple[Piece, ...]:
        """Place every run."""
        copy = stretch(self.copy, pitch)
        copy_beats: NDArray[np.float32] | None = None
        made = []
        for index in range(len(self.runs)):
            first, last = self._master_span(index)
            if last - first < RATE:
                continue
            line = self._straight(copy, index, pitch)
            if line is not None:
                at = np.array([first, last])
                there = line.at(at)
            else:
                copy_beats = beats(copy) if copy_beats is None else copy_beats
                base = self._base(index, pitch)
                at, there, _ = placing.crooked(self.master.beats, copy_beats, base, first, last)
            made.append(self._piece(index, at / RATE, there / RATE / pitch, pitch))
        return tuple(made)

    def _straight(self, copy: NDArray[np.float32], index: int, pitch: float) -> Line | None:
        rough = self.rough[index]
        line = Line(rough.slope * pitch, rough.start * NOTE_HOP * pitch)
        # Where tempo was changed, there is no straight line to be found.
        if abs(line.slope - 1) > 2 * _NEAR:
            return None
        return placing.straight(self.master.heard, copy, line, *self._master_span(index))

    def _master_span(self, index: int) -> tuple[float, float]:
        """Say from where to where in the master a run reaches; in samples."""
        line = self.rough[index]
        first, last = ((at - line.start) / line.slope * NOTE_HOP for at in self.spans[index])
        return max(0.0, first), min(float(self.master.heard.size), last)

    def _base(self, index: int, pitch: float) -> NDArray[np.float64]:
        """Give the copy's time for each beat of the master as the passages say it; in samples."""
        run, line = self.runs[index], self.rough[index]
        off = median_filter(run.copy - line.at(run.master), 7, mode="nearest")
        beat = np.arange(self.master.beats.shape[0], dtype=np.float64) * (BEAT_HOP / NOTE_HOP)
        base: NDArray[np.float64] = (line.at(beat) + np.interp(beat, run.master, off)) * (NOTE_HOP * pitch)
        return base

    def _piece(self, index: int, at_s: NDArray[np.float64], there_s: NDArray[np.float64], pitch: float) -> Piece:
        first_s, last_s = (at * _FRAME_S for at in self.spans[index])
        first_s, last_s = max(0.0, first_s), min(last_s, self.copy.size / RATE)
        # The master's time of the segment's begin, on the line that fits its map best.
        slope, start = np.polyfit(there_s, at_s, 1) if at_s.size > 1 else (1.0, float(at_s[0] - there_s[0]))
        segment = Segment(first_s, last_s, float(slope * first_s + start), float(_snapped(slope)), pitch)
        return Piece(segment, at_s, there_s)


def _snapped(ratio: float) -> float:
    return 1.0 if abs(ratio - 1) < SNAP else ratio
