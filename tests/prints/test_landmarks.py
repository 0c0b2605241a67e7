"""Peaks are where sound stands out, whatever its loudness, its length, and however it was changed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import _BLOCK, HOP, peaks
from riparian.prints.peaks import RATE, STEPS, TICK_S, Peaks
from tests.prints.sounds import CHANGES, changed, tune

KEY = PrintKey(bytes(range(32)))
OTHER = PrintKey(bytes(32))

NOTHING: dict[str, NDArray[np.float32]] = {
    "no samples": np.zeros(0, np.float32),
    "one sample": np.ones(1, np.float32),
    "silence": np.zeros(5 * RATE, np.float32),
    "a constant": np.full(5 * RATE, 0.5, np.float32),
    "the hiss of 16 bits": (np.round(np.random.default_rng(1).uniform(-0.9, 0.9, 5 * RATE)) / 32_768).astype(
        np.float32
    ),
    "the dither of 16 bits": (np.random.default_rng(2).standard_normal(5 * RATE) / 113_000).astype(np.float32),
    "hiss that nobody hears": (1e-6 * np.random.default_rng(0).standard_normal(5 * RATE)).astype(np.float32),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_holds_nothing_has_no_peaks(name: str) -> None:
    found = peaks(NOTHING[name], KEY)
    # What begins or ends at once is heard there, and nowhere else.
    inside = found.between(round(0.3 / TICK_S), max(round(0.3 / TICK_S), found.ticks - round(0.3 / TICK_S)))
    assert len(inside) == 0


@pytest.mark.parametrize(("at_s", "hz"), [(0.5, 300.0), (1.0, 640.0), (1.7, 1777.0), (0.9, 3500.0)])
def test_a_tone_is_found_where_it_is(at_s: float, hz: float) -> None:
    at = np.arange(3 * RATE) / RATE
    beep = np.sin(2 * np.pi * hz * at) * np.exp(-np.square((at - at_s) / 0.05))
    found = peaks(beep.astype(np.float32), KEY)
    strongest = int(found.strength.argmax())
    assert found.at[strongest] * TICK_S == pytest.approx(at_s, abs=0.06)
    assert found.pitch[strongest] == pytest.approx(STEPS * np.log2(hz / 160), abs=2)


def test_peaks_are_a_dozen_a_second_and_in_order() -> None:
    found = peaks(tune(1), KEY)
    assert 6 < len(found) / found.seconds < 20
    assert found.ticks == 7500
    assert (np.diff(found.at) >= 0).all()
    assert found.at.min() >= 0 <= found.pitch.min()
    assert found.at.max() <= found.ticks


@pytest.mark.parametrize("gain", [0.01, 0.1, 30.0])
def test_loudness_does_not_matter(gain: float) -> None:
    sound = tune(2, 10.0)
    assert found_again(peaks(sound, KEY), peaks(np.float32(gain) * sound, KEY)) > 0.97


@pytest.mark.parametrize("sample", [np.nan, np.inf, -np.inf, 3e38])
def test_a_sample_that_is_no_sound_spoils_only_what_is_around_it(sample: float) -> None:
    sound = tune(2, 20.0)
    spoilt = sound.copy()
    spoilt[RATE] = sample
    ours, theirs = (peaks(one, KEY).between(round(5 / TICK_S), 5000) for one in (sound, spoilt))
    assert found_again(ours, theirs) > 0.97


@pytest.mark.parametrize("seconds", [1.0, 20.0, 47.55, 47.57, 95.2])
def test_where_a_block_ends_changes_nothing(seconds: float) -> None:
    sound = np.tile(tune(3, 12.0), 9)[: round(seconds * RATE)]
    ours, whole = peaks(sound, KEY), peaks(np.concatenate([sound, np.zeros(2 * _BLOCK * HOP, np.float32)]), KEY)
    until = ours.ticks - round(4 / TICK_S)
    first, second = ours.between(0, until), whole.between(0, until)
    assert first.at.tolist() == second.at.tolist()
    assert first.pitch.tolist() == second.pitch.tolist()


def test_a_clip_has_the_peaks_of_what_it_is_cut_from() -> None:
    sound = tune(4)
    clip, whole = peaks(sound[10 * RATE : 20 * RATE], KEY), peaks(sound, KEY).between(2500, 5000)
    ours = Peaks(whole.at - np.int32(2500), whole.pitch, whole.strength, 2500)
    assert found_again(ours, clip) > 0.85


@pytest.mark.parametrize("change", CHANGES)
def test_most_peaks_survive_a_change(change: str) -> None:
    sound = tune(5)
    theirs = peaks(changed(sound, change), KEY)
    ours = peaks(sound, KEY)
    if change == "faster":
        ours = Peaks((ours.at / 1.05).astype(np.int32), ours.pitch + np.int16(14), ours.strength, ours.ticks)
    assert found_again(ours, theirs) > 0.5


def test_the_stronger_survive_more_often() -> None:
    sound = np.concatenate([tune(seed, 15.0) for seed in range(6, 10)])
    ours, theirs = peaks(sound, KEY), peaks(changed(changed(sound, "noise"), "squeezed"), KEY)
    again = same(ours, theirs)
    assert again[ours.strength > 6].mean() > again[ours.strength < 4].mean() + 0.1


def test_another_key_finds_other_peaks() -> None:
    sound = tune(10)
    assert found_again(peaks(sound, KEY), peaks(sound, OTHER)) < 0.97


def same(ours: Peaks, theirs: Peaks) -> NDArray[np.bool_]:
    """Say which of our peaks are among theirs, to within 32 ms and an eighth of a tone."""
    apart = np.abs(ours.at[:, None].astype(int) - theirs.at) <= 8
    beside = np.abs(ours.pitch[:, None].astype(int) - theirs.pitch) <= 4
    return np.asarray((apart & beside).any(axis=1))


def found_again(ours: Peaks, theirs: Peaks) -> float:
    return float(same(ours, theirs).mean())
