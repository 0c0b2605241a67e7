"""A sketch is a prefix of greater ones, is spread over its recording, and is found in what a changed copy asks for."""

import numpy as np
import pytest

from riparian.prints.hashes import in_share
from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.peaks import Peaks
from riparian.prints.sketch import LEAST, TIERS, asked, kept, sketch
from tests.prints.sounds import CHANGES, changed, tune

KEY = PrintKey(bytes(range(32)))
OTHER = PrintKey(b"another secret, of as many bytes")
WHOLE = peaks(np.concatenate([tune(seed, 30.0) for seed in (21, 22, 23)]), KEY)
EMPTY = Peaks(np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.uint8), 5000)


@pytest.mark.parametrize("k", [LEAST, 28, 64, 100, 256])
def test_a_smaller_sketch_is_the_beginning_of_a_greater(k: int) -> None:
    greatest, ours = sketch(WHOLE, KEY, TIERS[-1]), sketch(WHOLE, KEY, k)
    assert ours.size == k
    assert ours.tolist() == greatest[:k].tolist()
    assert len(set(greatest.tolist())) == greatest.size


def test_a_long_recording_keeps_as_many_more() -> None:
    long = Peaks(
        np.concatenate([WHOLE.at + np.int32(i * WHOLE.ticks) for i in range(7)]),
        np.concatenate([np.roll(WHOLE.pitch, i) for i in range(7)]),
        np.tile(WHOLE.strength, 7),
        7 * WHOLE.ticks,
    )
    assert kept(64, long.seconds) == 134
    assert sketch(long, KEY, 64).size == 134


def test_silence_has_no_sketch_and_asks_for_nothing() -> None:
    assert sketch(EMPTY, KEY, 64).size == asked(EMPTY, KEY, 64).size == 0


@pytest.mark.parametrize("k", [0, LEAST - 1, TIERS[-1] + 1])
def test_a_size_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"a sketch of {k} values was asked for"):
        sketch(WHOLE, KEY, k)


@pytest.mark.parametrize("k", TIERS)
def test_a_recording_asks_for_all_of_its_own_sketch(k: int) -> None:
    assert np.isin(sketch(WHOLE, KEY, k), asked(WHOLE, KEY, k)).all()


def test_what_is_asked_for_is_distinct_ascending_and_of_a_share() -> None:
    values = asked(WHOLE, KEY, 64)
    assert (values[1:] > values[:-1]).all()
    assert in_share(values, 0.02).all()


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_asks_for_some_of_the_sketch(change: str) -> None:
    theirs = peaks(changed(np.concatenate([tune(seed, 30.0) for seed in (21, 22, 23)]), change), KEY)
    assert np.isin(sketch(WHOLE, KEY, 64), asked(theirs, KEY, 64)).sum() >= 5


def test_another_recording_asks_for_next_to_none_of_it() -> None:
    theirs = [asked(peaks(tune(seed, 30.0), KEY), KEY, 64) for seed in range(31, 35)]
    assert sum(np.isin(sketch(WHOLE, KEY, 64), values).sum() for values in theirs) <= 1


def test_every_stretch_of_a_recording_has_some() -> None:
    ours = sketch(WHOLE, KEY, 256)
    for first in range(0, 90, 15):
        clip = WHOLE.between(round(first / 0.004), round((first + 15) / 0.004))
        assert np.isin(ours, asked(clip, KEY, 256)).sum() >= 8, f"from {first} s"


def test_two_keys_have_nothing_in_common() -> None:
    sound = tune(41, 60.0)
    ours, theirs = (sketch(peaks(sound, key), key, 1024) for key in (KEY, OTHER))
    assert np.intersect1d(ours, theirs).size == 0
    assert not np.isin(ours, asked(peaks(sound, OTHER), OTHER, 1024)).any()


def test_recall_does_not_depend_on_the_key() -> None:
    sound = tune(42, 60.0)
    shares = []
    for secret in range(4):
        key = PrintKey(bytes([secret]) * 32)
        theirs = asked(peaks(changed(sound, "faster"), key), key, 256)
        shares.append(np.isin(sketch(peaks(sound, key), key, 256), theirs).mean())
    assert min(shares) > 0.15
    assert max(shares) < 2.5 * min(shares)
