"""Fuzz the parsers of packets: every form gives packets, in bounded time, or ends in one ``ValueError``.

Run with ``python fuzz/packets.py [CORPUS] [-max_total_time=60]``; the first byte of an input says which form it is.
"""

import io
import sys
from itertools import islice, pairwise

import atheris

KERNELS = ["riparian.codes"]

with atheris.instrument_imports(include=["riparian.feeds"], exclude=KERNELS):
    from riparian.feeds import boxes, ebml, frames, ogg
    from riparian.feeds.packets import digested

ALONE = {"mp3": frames.mp3, "aac": frames.adts, "flac": frames.flac}
WITH_A_CONTAINER = (ogg.read, boxes.read, ebml.read)
PACKETS_MAX = 100_000


def one(data: bytes) -> None:
    """Take one input apart, as what its first byte says."""
    if not data:
        return
    file, form = io.BytesIO(data[1:]), data[0] % 6
    try:
        if form < 3:
            name = list(ALONE)[form]
            found = ALONE[name](file)
        else:
            name, found = WITH_A_CONTAINER[form - 3](file)
        given = list(islice(found, PACKETS_MAX))
        if sum(len(body) for body, _ in given) > 300 * len(data):
            raise AssertionError(len(given))
        if any(later < end for (_, end), (_, later) in pairwise(given)):
            raise AssertionError(name)
        if name in {*ALONE, "opus", "vorbis", "alac"}:
            digested(name, iter(given))
    except ValueError:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
