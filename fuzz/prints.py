"""Fuzz what prints are read from: packed peaks, and the bytes of a shard, can be searched or end in one error.

Run with ``python fuzz/prints.py [CORPUS] [-max_total_time=60]``; what stands in an input is put over good bytes, in two
of three cases.  Kernels are compiled by Numba, which cannot compile what was instrumented, so nothing is.
"""

import sys

import atheris
import numpy as np

from riparian.errors import InputError
from riparian.prints import packing, shard
from riparian.prints.build import build
from riparian.prints.index import Index
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import STRENGTHS, Peaks

KEY = PrintKey(bytes(32))
_lot = np.random.default_rng(1)
N = 400
PEAKS = Peaks(
    np.sort(_lot.integers(0, 9000, N)).astype(np.int32),
    np.sort(_lot.integers(0, 1000, N)).astype(np.int16),
    _lot.integers(0, STRENGTHS, N).astype(np.uint8),
    9000,
)
PACKED = packing.pack(PEAKS)
VALUES = _lot.integers(0, 2**63, 64 * 20).astype(np.uint64)
SHARD = build(VALUES, np.repeat(np.arange(20), 64), KEY, 64).octets


def over(good: bytes, data: bytes) -> bytes:
    """Put four bytes of the input at a time over good bytes, where two before them say."""
    octets = bytearray(good)
    for at in range(0, len(data) - 5, 6):
        place = int.from_bytes(data[at : at + 2]) % len(octets)
        octets[place : place + 4] = data[at + 2 : at + 6]
    return bytes(octets[: len(good)])


def peaks_of(packed: bytes) -> None:
    """Unpack; what is given is in order and in range."""
    try:
        found = packing.unpack(packed)
    except InputError:
        return
    if len(found) and (found.pitch.min() < 0 or found.pitch.max() >= 1024 or found.strength.max() >= STRENGTHS):
        raise AssertionError(packed[:32])
    if len(found) and not 0 <= found.at[0] <= found.at[-1] <= found.ticks:
        raise AssertionError(packed[:32])


def search(octets: bytes) -> None:
    """Open a shard and search it; no recording is named that it has not."""
    try:
        opened = shard.opened(np.frombuffer(octets, np.uint8), KEY)
    except InputError:
        return
    found = Index((opened,)).candidates(VALUES[:200], 30)
    if found.recording.size and not 0 <= found.recording.min() <= found.recording.max() < 20:
        raise AssertionError(found.recording)


def one(data: bytes) -> None:
    """Take one input as packed peaks, or as damage to good ones and to a good shard."""
    peaks_of(data)
    peaks_of(over(PACKED, data))
    search(data)
    search(over(bytes(SHARD), data))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
