"""Fuzz decompression: gzip and zstd streams give blocks of bounded size or end in ``Broken``.

Run with ``python fuzz/unpack.py [CORPUS] [-max_total_time=60]``.
"""

import io
import sys

import atheris

KERNELS = ["riparian.codes", *(f"riparian.feeds.{room}" for room in ("scanners", "seen", "stretches", "times"))]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    from riparian.feeds.unpack import Broken, blocks

BLOCK_MAX = 64 << 20


def one(data: bytes) -> None:
    """Unpack one input."""
    try:
        for place, block in enumerate(blocks(io.BytesIO(data))):
            if len(block) > BLOCK_MAX:
                raise AssertionError(len(block))
            if place > 64:
                return
    except Broken:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
