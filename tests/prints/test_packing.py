import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import InputError
from riparian.prints.packing import pack, unpack
from riparian.prints.peaks import Peaks


def peaks_of(rows: list[tuple[int, int, int]], rest: int) -> Peaks:
    rows = sorted(rows)
    at, pitch, strength = (np.array([row[i] for row in rows]) for i in range(3))
    ticks = (rows[-1][0] if rows else 0) + rest
    return Peaks(at.astype(np.int32), pitch.astype(np.int16), strength.astype(np.uint8), ticks)


def of_music(seconds: float, seed: int) -> Peaks:
    rng = np.random.default_rng(seed)
    ticks = round(seconds / 0.004)
    at = np.sort(rng.integers(0, ticks, round(13 * seconds))).astype(np.int32)
    pitch, strength = rng.integers(0, 981, at.size), rng.integers(0, 16, at.size)
    return Peaks(at, pitch.astype(np.int16), strength.astype(np.uint8), ticks)


def same(a: Peaks, b: Peaks) -> bool:
    pairs = ((a.at, b.at), (a.pitch, b.pitch), (a.strength, b.strength))
    return a.ticks == b.ticks and all(x.dtype == y.dtype and x.tolist() == y.tolist() for x, y in pairs)


ROWS = st.lists(
    st.tuples(st.one_of(st.integers(0, 300), st.integers(0, 2**30)), st.integers(0, 1023), st.integers(0, 15)),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(0, 1_000_000))
def test_what_is_unpacked_is_what_was_packed(rows: list[tuple[int, int, int]], rest: int) -> None:
    peaks = peaks_of(rows, rest)
    assert same(unpack(pack(peaks)), peaks)


def test_a_recording_takes_at_most_three_bytes_a_peak() -> None:
    for seconds, seed in ((30, 1), (210, 2), (3600, 3)):
        peaks = of_music(seconds, seed)
        assert len(pack(peaks)) < 2.7 * len(peaks)


def test_it_is_read_from_the_middle_of_a_file() -> None:
    one, other = of_music(5, 4), of_music(7, 5)
    file = memoryview(pack(one) + pack(other))
    assert same(unpack(file[len(pack(one)) :]), other)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(InputError):
        unpack(noise)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 20), st.integers(0, 40), st.integers(0, 2**32 - 1), st.binary(max_size=80))
def test_noise_under_a_right_check_sum_is_refused_or_is_peaks(short: int, n: int, ticks: int, noise: bytes) -> None:
    check = zlib.crc32(noise, zlib.crc32(struct.pack("<BBIII", 1, short, n, ticks, 0)))
    forged = struct.pack("<BBIII", 1, short, n, ticks, check) + noise
    try:
        peaks = unpack(forged)
    except InputError as error:
        assert error.hint  # noqa: PT017  (either way is right)
    else:
        assert len(peaks) == n
        assert (peaks.at <= ticks).all()


@pytest.mark.parametrize("at", [0, 1, 2, 7, 12, 20, 60])
def test_any_changed_bit_is_found(at: int) -> None:
    packed = bytearray(pack(of_music(5, 6)))
    packed[at] ^= 4
    with pytest.raises(InputError, match="print"):
        unpack(bytes(packed))


def test_whatever_is_cut_off_or_hung_on_is_found() -> None:
    packed = pack(of_music(2, 7))
    for n in (0, 5, 14, len(packed) - 1):
        with pytest.raises(InputError, match="print"):
            unpack(packed[:n])
    with pytest.raises(InputError, match="not what was written"):
        unpack(packed + b"\0")


OUTSIDE = {
    "a pitch too high": (5, 1024, 3, 10),
    "a pitch below 0": (5, -1, 3, 10),
    "a strength too great": (5, 100, 16, 10),
    "a time after the end": (11, 100, 3, 10),
    "a time before the beginning": (-1, 100, 3, 10),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_peaks_outside_of_their_sound_are_not_packed(name: str) -> None:
    at, pitch, strength, ticks = OUTSIDE[name]
    peaks = Peaks(np.array([at], np.int32), np.array([pitch], np.int16), np.array([strength], np.uint8), ticks)
    with pytest.raises(InputError, match="outside of their sound"):
        pack(peaks)
