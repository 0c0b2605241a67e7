"""Hashes stay when sound is played faster or higher, or when peaks are lost; what they are of is what they say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.prints.hashes import FIXED, TURNING, Asking, Hashes, fixed, in_share, turning
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import STEPS, Peaks

KEY = PrintKey(bytes(range(32)))
OTHER = PrintKey(bytes(32))
FAMILIES = {"turning": turning, "fixed": fixed}


def some(n: int = 200, seed: int = 1) -> Peaks:
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.integers(9, 40, n)).astype(np.int32)
    return Peaks(
        at, rng.integers(150, 700, n).astype(np.int16), rng.integers(0, 16, n).astype(np.uint8), int(at[-1]) + 9
    )


def played(peaks: Peaks, faster: float = 1.0, semitones: float = 0.0) -> Peaks:
    at = np.rint(peaks.at / faster).astype(np.int32)
    pitch = np.rint(peaks.pitch + semitones * STEPS / 12).astype(np.int16)
    return Peaks(at, pitch, peaks.strength, int(peaks.ticks / faster) + 1)


def again(ours: Hashes, theirs: Hashes) -> float:
    return float(np.isin(ours.value, theirs.value).mean())


# How it is played, and the least part of each family's hashes that is found again.
PLAYED = {
    "as it is": (1.0, 0.0, 1.0, 1.0),
    "8 % slower": (0.92, 0.0, 0.8, 0.0),
    "8 % faster": (1.08, 0.0, 0.8, 0.0),
    "2 semitones higher": (1.0, 2.0, 0.95, 0.0),
    "2 semitones lower": (1.0, -2.0, 0.95, 0.0),
    "a tape 5 % faster": (1.05, 0.845, 0.75, 0.0),
    "everything at once, up": (1.08 * 1.05, 2.845, 0.7, 0.0),
    "everything at once, down": (0.92 * 0.95, -2.888, 0.7, 0.0),
    "a fifth higher, which nobody would stand": (1.0, 7.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", PLAYED)
def test_what_is_played_differently_has_the_same_hashes(name: str) -> None:
    faster, semitones, turns, stays = PLAYED[name]
    ours, theirs = some(), played(some(), faster, semitones)
    assert again(turning(ours, KEY), turning(theirs, KEY, asking=Asking.NEAR)) >= turns
    assert again(fixed(ours, KEY), fixed(theirs, KEY, asking=Asking.NEAR)) >= stays


@pytest.mark.parametrize("family", FAMILIES)
def test_peaks_that_are_lost_or_added_leave_most_of_the_others(family: str) -> None:
    ours, noise = some(), some(60, seed=2)
    keep = np.random.default_rng(3).random(len(ours)) < 0.9
    at = np.concatenate([ours.at[keep], noise.at])
    order = np.argsort(at, kind="stable")
    theirs = Peaks(
        at[order],
        np.concatenate([ours.pitch[keep], noise.pitch])[order],
        np.concatenate([ours.strength[keep], noise.strength])[order],
        max(ours.ticks, noise.ticks),
    )
    assert again(FAMILIES[family](ours, KEY), FAMILIES[family](theirs, KEY, asking=Asking.NEAR)) > 0.3


@pytest.mark.parametrize("family", FAMILIES)
def test_something_else_has_next_to_none_of_them(family: str) -> None:
    assert again(FAMILIES[family](some(), KEY), FAMILIES[family](some(seed=4), KEY, asking=Asking.NEAR)) < 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_share_is_part_of_a_greater_share_and_of_its_size(family: str) -> None:
    every = FAMILIES[family](some(800), KEY)
    for share in (0.02, 0.1, 0.5):
        part = FAMILIES[family](some(800), KEY, share)
        assert part.value.tolist() == every.value[in_share(every.value, share)].tolist()
        assert len(part) / len(every) == pytest.approx(share, rel=0.35)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_upper_bits_of_a_share_are_uniform(family: str) -> None:
    value = np.unique(FAMILIES[family](some(1500), KEY, 0.2).value)
    counts = np.bincount((value >> np.uint64(60)).astype(np.int64), minlength=16)
    assert np.abs(counts / counts.mean() - 1).max() < 6 / np.sqrt(counts.mean())


@pytest.mark.parametrize(
    ("name", "points", "longest"),
    [("turning", 5, TURNING[Asking.NOT].longest), ("fixed", 4, FIXED[Asking.NOT].longest)],
)
def test_hashes_say_what_they_are_of(name: str, points: int, longest: int) -> None:
    peaks = some()
    found = FAMILIES[name](peaks, KEY)
    where = {int(at): int(pitch) for at, pitch in zip(peaks.at, peaks.pitch, strict=True)}
    assert all(where[int(at)] == pitch for at, pitch in zip(found.at, found.pitch, strict=True))
    assert (np.diff(found.at) >= 0).all()
    assert found.scale.max() <= np.log2(longest) + 1e-6
    assert len(FAMILIES[name](peaks.between(0, int(peaks.at[points - 1])), KEY)) == 0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_peaks_make_no_hash(family: str, n: int) -> None:
    assert len(FAMILIES[family](some(4).between(0, int(np.append(some(4).at, 999)[n])), KEY)) == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_strong_peaks_make_worthy_hashes(family: str) -> None:
    def worth(strength: int) -> NDArray[np.float32]:
        peaks = some()
        return FAMILIES[family](Peaks(peaks.at, peaks.pitch, np.full(len(peaks), strength, np.uint8), 9999), KEY).worth

    assert (worth(12) > worth(3)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_two_keys_and_two_families_have_nothing_in_common(family: str) -> None:
    ours, theirs = FAMILIES[family](some(), KEY), FAMILIES[family](some(), OTHER)
    assert np.intersect1d(ours.value, theirs.value).size == 0
    assert np.intersect1d(turning(some(), KEY).value, fixed(some(), KEY).value).size == 0
