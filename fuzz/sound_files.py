"""Fuzz sound files: what a file is by its first bytes, and whatever a decoder that somebody took over may say.

The decoders themselves are FFmpeg's and libsndfile's, which their makers fuzz; they run in a child that may do nothing.

Run with ``python fuzz/sound_files.py [CORPUS] [-max_total_time=60]``.
"""

import contextlib
import io
import struct
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["riparian.feeds.sound_files", "riparian.audio"]):
    from riparian.errors import InputError
    from riparian.feeds.sound_files import Limits, answer, container_of, recorded, sniff

LIMITS = Limits(sound_bytes=1 << 20)
GOOD = (
    b'{"form":"wav","rate":44100,"channels":1,"depth":"16","bit_rate":0,"samples":0,"layout":"","tags":{},'
    b'"pictures":[],"chunks":[]}'
)
CONTAINERS = {None, "wav", "aiff", "flac", "ogg", "mov", "mp3", "aac"}
REFUSALS = (InputError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What `read` makes one error of."""


def one(data: bytes) -> None:
    """Take one input as a file, as all that a child says, and as its description of some sound."""
    if sniff(data) not in CONTAINERS or container_of(io.BytesIO(data)) not in CONTAINERS:
        raise AssertionError(data[:16])
    sound = struct.pack("<I4fI", 16, 0.1, -0.1, float("nan"), 0.2, 0)
    for said in (data, sound + data, sound + GOOD.replace(b"44100", data[:6]), sound + GOOD):
        found = answer(io.BytesIO(said), LIMITS)
        if not isinstance(found, str):
            with contextlib.suppress(*REFUSALS):
                recorded(Path("x"), *found)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
