"""Where in the master is this passage of the copy?

Short passages of the copy, *anchors*, are laid along the whole master by their notes: at a few pitches and tempos at
first, and, when most have agreed on those, at these alone.  A passage may be like several of the master, a chorus
like the next.  So each anchor keeps a few places, and a chain is sought through them that goes on as music does, at one
tempo, and jumps only where that is worth it: a jump is a cut, a loop, or another piece.

Conventions
-----------
* Times are in frames of notes (:data:`riparian.marks.heard.NOTE_HOP`), not whole ones.
* A tempo is frames of the master per frame of the copy, whatever becomes of the pitch.
* A shift is how many notes the copy is above the master.

Source
------
Ellis, D. and Poliner, G. (2007), Identifying cover songs with chroma features and dynamic programming beat tracking,
for the comparison at several pitches.  Li, H. (2018), Minimap2, section 2.1, for the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d

from riparian.marks.heard import NOTES

ANCHOR: Final = 80
"""How long an anchor is, in frames of the master: 3.7 s."""
EVERY: Final = 32
"""How far apart anchors are, in frames of the copy: 1.5 s."""
SHIFT_MAX: Final = 5
TEMPOS: Final = (0.90, 0.95, 1.0, 1.05, 1.10)
PLACES: Final = 48
"""How many places an anchor keeps."""
_FIRST: Final = 12
_ASKED, _LEAD = 4, 4.0
"""Once so many anchors agree on a shift by so much, no more are asked."""
_QUIET: Final = 0.15
_BLOCK: Final = 1024
_NEAR: Final = 8
_LEAST: Final = 0.15
"""A place whose correlation is lower is none."""
_ALIKE: Final = 0.95
"""What is as like as this is the same: how like exactly hangs on where the copy begins and on its noise."""
_LOOK_BACK: Final = 16
_JUMP: Final = 1.2
_SLACK_FRAMES, _SLACK = 3.0, 0.012


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A master, prepared for being searched.

    Parameters
    ----------
    spectra : np.ndarray [shape=(frequencies, blocks, NOTES), complex64]
        Of its notes over time, in blocks that overlap by an anchor.
    power : np.ndarray [shape=(shifts, places), float32]
        Of the notes that an anchor is compared with, at each shift and place.
    """

    spectra: NDArray[np.complex64]
    power: NDArray[np.float32]

    @classmethod
    def of(cls, notes: NDArray[np.float32]) -> "Ground":
        """Prepare a master; notes of shape=(frames, NOTES)."""
        step = _BLOCK - ANCHOR
        # An anchor may begin before the master does, or end after it.
        count = -(-(notes.shape[0] + ANCHOR) // step)
        padded = np.zeros((count * step + ANCHOR, NOTES), dtype=np.float32)
        padded[ANCHOR // 2 : ANCHOR // 2 + notes.shape[0]] = notes
        blocks = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK, axis=0)[::step]
        spectra = np.ascontiguousarray(fft.rfft(blocks, axis=2).transpose(2, 0, 1))
        sums = np.cumsum(np.pad(padded.astype(np.float64) ** 2, ((1, 0), (0, 0))), axis=0)
        windows = sums[ANCHOR:] - sums[:-ANCHOR]
        shifts = range(-SHIFT_MAX, SHIFT_MAX + 1)
        power = [windows[: count * step, SHIFT_MAX - s : NOTES - SHIFT_MAX - s].sum(axis=1) for s in shifts]
        return cls(spectra, np.array(power, dtype=np.float32))

    def along(self, patches: NDArray[np.float32], shifts: Sequence[int]) -> NDArray[np.float32]:
        """Correlate anchors with every place, at every one of some shifts.

        Parameters
        ----------
        patches : np.ndarray [shape=(n, ANCHOR, NOTES), float32]
            Notes in the copy; of which the outermost are left out.

        Returns
        -------
        correlation : np.ndarray [shape=(shifts, n, places), float32]
            -1 to 1; where the anchor's middle lies at the master's frame of that number.
        """
        inner = np.ascontiguousarray(patches[..., SHIFT_MAX : NOTES - SHIFT_MAX])
        spectra = np.conj(fft.rfft(inner, _BLOCK, axis=1)).transpose(1, 2, 0)
        own = np.einsum("nat,nat->n", inner, inner)
        out = np.empty((len(shifts), patches.shape[0], self.power.shape[1]), dtype=np.float32)
        for index, shift in enumerate(shifts):
            # What the copy has at a note, the master has so many notes below.
            below = slice(SHIFT_MAX - shift, NOTES - SHIFT_MAX - shift)
            product = np.ascontiguousarray(np.matmul(self.spectra[..., below], spectra).transpose(2, 1, 0))
            found = fft.irfft(product, axis=2)[..., : _BLOCK - ANCHOR].reshape(patches.shape[0], -1)
            norm = np.sqrt(own[:, None] * self.power[shift + SHIFT_MAX])
            # A place where hardly anything happens is like anything.
            norm = np.maximum(norm, np.float32(_QUIET) * norm.max(initial=1e-9))
            np.divide(found, norm, out=out[index])
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Where each anchor of a copy may lie.

    Parameters
    ----------
    middle : np.ndarray [shape=(anchors,), float64]
        In the copy.
    place : np.ndarray [shape=(anchors, PLACES), float64]
        In the master, the likeliest first.
    worth : np.ndarray [shape=(anchors, PLACES), float64]
        What finding it there is worth, from 0; 0 where it is not found.
    shift
        At which all of them were sought.
    """

    middle: NDArray[np.float64]
    place: NDArray[np.float64]
    worth: NDArray[np.float64]
    shift: int


def find(ground: Ground, notes: NDArray[np.float32]) -> Anchors:
    """Find the places of a copy's anchors; notes of shape=(frames, NOTES)."""
    middles = np.arange(min(ANCHOR / 2, notes.shape[0] / 2), max(notes.shape[0] - ANCHOR / 2, 1), EVERY)
    shift, tempos = _agree(ground, notes, middles)
    found = [_places(ground, notes, middle, shift, tempos) for middle in middles]
    return Anchors(middles, np.array([place for place, _ in found]), np.array([worth for _, worth in found]), shift)


def _agree(ground: Ground, notes: NDArray[np.float32], middles: NDArray[np.float64]) -> tuple[int, tuple[float, ...]]:
    """Say at which shift and near which tempos anchors from all over the copy are found best."""
    some = middles[np.linspace(0, middles.size - 1, min(_FIRST, middles.size)).astype(np.intp)]
    shifts = range(-SHIFT_MAX, SHIFT_MAX + 1)
    total = np.zeros((len(shifts), len(TEMPOS)))
    # From all over the copy from the beginning on: who stops early has still seen most of it.
    for asked, middle in enumerate(some[np.argsort(np.arange(some.size) * 5 % some.size, kind="stable")], 1):
        along = ground.along(np.stack([_patch(notes, middle, tempo) for tempo in TEMPOS]), shifts)
        total += _worth(along.max(axis=2))
        by_shift = total.max(axis=1)
        first = int(by_shift.argmax())
        others = np.delete(by_shift, slice(max(0, first - 1), first + 2))
        if asked >= _ASKED and by_shift[first] - others.max() > _LEAD:
            break
    best_shift, best_tempo = np.unravel_index(total.argmax(), total.shape)
    near = range(max(0, int(best_tempo) - 1), min(len(TEMPOS), int(best_tempo) + 2))
    return shifts[int(best_shift)], tuple(TEMPOS[index] for index in near)


def _patch(notes: NDArray[np.float32], middle: float, tempo: float) -> NDArray[np.float32]:
    """Cut an anchor as it would be in the master; shape=(ANCHOR, NOTES)."""
    at = middle + (np.arange(ANCHOR) - ANCHOR / 2) / tempo
    left = np.floor(at).astype(np.intp)
    share = (at - left).astype(np.float32)[:, None]
    inside = ((left >= 0) & (left < notes.shape[0] - 1))[:, None]
    left = np.clip(left, 0, notes.shape[0] - 2)
    patch: NDArray[np.float32] = np.where(inside, notes[left] * (1 - share) + notes[left + 1] * share, np.float32(0))
    return patch


def _worth(correlation: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Say what a correlation is worth: the log-likelihood of two normal variables that have it, against none."""
    worth: NDArray[np.float64] = -np.log1p(-(np.clip(correlation, 0, _ALIKE).astype(np.float64) ** 2))
    return worth


def _places(
    ground: Ground, notes: NDArray[np.float32], middle: float, shift: int, tempos: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    patches = np.stack([_patch(notes, middle, tempo) for tempo in tempos])
    along = ground.along(patches, [shift])[0].max(axis=0)
    peaks = np.flatnonzero((along == maximum_filter1d(along, 2 * _NEAR + 1)) & (along > _LEAST))
    best = peaks[np.argsort(-along[peaks], kind="stable")[:PLACES]]
    place, worth = np.zeros(PLACES), np.zeros(PLACES)
    place[: best.size] = best + _vertex(along, best)
    worth[: best.size] = _worth(along[best])
    return place, worth


def _vertex(values: NDArray[np.float32], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Say how far from its peak the parabola through three values has its own; -.5 to .5."""
    left, right = values[np.maximum(at - 1, 0)], values[np.minimum(at + 1, values.size - 1)]
    bend = left - 2 * values[at] + right
    off = np.clip(0.5 * (left - right) / np.minimum(bend, -1e-12), -0.5, 0.5)
    return np.where(bend < 0, off, 0.0).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Anchors that follow one another in copy and master alike.

    Parameters
    ----------
    copy, master : np.ndarray [shape=(n,), float64]
        Their middles in both.
    worth
        Of all of them together.
    """

    copy: NDArray[np.float64]
    master: NDArray[np.float64]
    worth: float


def chain(anchors: Anchors) -> tuple[tuple[Run, ...], float]:
    """Find the chain that is worth most; gives its runs, in order of the copy, and the tempo."""
    tempo = _tempo(anchors)
    back, best = _chain(anchors.middle, anchors.place, anchors.worth, tempo)
    runs = (_run(anchors, nodes) for nodes in _nodes(back, best))
    return tuple(run for run in runs if run.worth > _JUMP), tempo


def alternatives(anchors: Anchors, tempo: float, most: int, least: float) -> list[Run]:
    """Find other runs in which the whole copy may lie, in music that repeats itself.

    Parameters
    ----------
    most
        How many at most.
    least
        What each is worth at least.

    Returns
    -------
    list
        The one that is worth most first; no two less than four frames apart.
    """
    start = anchors.place - tempo * anchors.middle[:, None]
    slack = _SLACK_FRAMES + _SLACK / 4 * np.ptp(anchors.middle)
    found: list[Run] = []
    left = anchors.worth.copy()
    while len(found) < most and (left > 0).any():
        lowest = np.floor(start[left > 0].min())
        votes = np.bincount((start - lowest).clip(0).astype(np.intp).ravel(), weights=left.ravel())
        middle = lowest + np.convolve(votes, np.ones(4), mode="same").argmax()
        near = (np.abs(start - middle) <= slack) & (left > 0)
        best = np.where(near, anchors.worth, 0).argmax(axis=1)
        rows = np.flatnonzero(near.any(axis=1))
        run = _run(anchors, (rows * PLACES + best[rows]).tolist())
        if run.worth < least:
            break
        found.append(run)
        left[near] = 0
    return found


def _nodes(back: NDArray[np.int64], best: NDArray[np.float64]) -> list[list[int]]:
    """Follow the best chain back to its beginning; gives its runs, in order."""
    if not (best > 0).any():
        return []
    node = int(best.argmax())
    runs: list[list[int]] = [[]]
    while node >= 0:
        runs[-1].append(node)
        node, jumps = divmod(int(back[node]), 2) if back[node] >= 0 else (-1, 0)
        if jumps:
            runs.append([])
    return [run[::-1] for run in runs[::-1]]


def _run(anchors: Anchors, nodes: list[int]) -> Run:
    at = np.array(nodes)
    return Run(anchors.middle[at // PLACES], anchors.place.ravel()[at], float(anchors.worth.ravel()[at].sum()))


def _tempo(anchors: Anchors) -> float:
    """Let pairs of places vote for the slope between them."""
    slopes = np.arange(0.86, 1.1601, 0.0025)
    votes = np.zeros(slopes.size)
    few = min(4, PLACES)
    for apart in range(2, min(_LOOK_BACK + 1, anchors.middle.size)):
        rise = anchors.place[apart:, :few, None] - anchors.place[:-apart, None, :few]
        worth = anchors.worth[apart:, :few, None] * anchors.worth[:-apart, None, :few]
        slope = rise / (anchors.middle[apart:] - anchors.middle[:-apart])[:, None, None]
        index = np.rint((slope - slopes[0]) / 0.0025).astype(np.intp)
        inside = (index >= 0) & (index < slopes.size)
        # A place is found to a frame or so, and a slope to that through the distance.
        np.add.at(votes, index[inside], worth[inside] * apart)
    if not votes.any():
        return 1.0
    smooth = np.convolve(votes, (0.5, 1, 0.5), mode="same")
    peak = int(smooth.argmax())
    near = slice(max(0, peak - 2), peak + 3)
    return float(np.average(slopes[near], weights=votes[near] + 1e-12))


@njit(cache=True, nogil=True)
def _chain(middle: Any, place: Any, worth: Any, tempo: Any) -> Any:
    """Chain places; gives for each its forerunner, times two, plus one after a jump, and its worth so far."""
    count, places = place.shape
    back = np.full(count * places, -1, np.int64)
    best = np.zeros(count * places)
    top, top_at = 0.0, -1
    for i in range(count):
        for a in range(places):
            if worth[i, a] <= 0:
                continue
            here, came = 0.0, -1
            if top - _JUMP > 0:
                here, came = top - _JUMP, 2 * top_at + 1
            for j in range(max(0, i - _LOOK_BACK), i):
                gone = (middle[i] - middle[j]) * tempo
                slack = _SLACK_FRAMES + _SLACK * gone
                for b in range(places):
                    goes_on = worth[j, b] > 0 and abs(place[i, a] - place[j, b] - gone) < slack
                    if goes_on and best[j * places + b] >= here:
                        here, came = best[j * places + b], 2 * (j * places + b)
            best[i * places + a] = here + worth[i, a]
            back[i * places + a] = came
        # Only those of earlier anchors are followed by a jump.
        for a in range(places):
            if best[i * places + a] > top:
                top, top_at = best[i * places + a], i * places + a
    return back, best
