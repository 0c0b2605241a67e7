"""Fuzz the door of access logs: any bytes are read or refused, never a crash.

Run with ``python fuzz/access_log.py [CORPUS] [-max_total_time=60]``; atheris is among the development
dependencies.  The same inputs, damaged by seeded mutations, run as ``tests/feeds/test_fuzz.py``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

KERNELS = ["riparian.codes", *(f"riparian.feeds.{room}" for room in ("scanners", "seen", "stretches", "times"))]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    from riparian.errors import RiparianError
    from riparian.feeds.access_log import FORMATS, ReadOptions, read

LOG = Path(tempfile.mkdtemp()) / "log"


def one(data: bytes) -> None:
    """Read one input; its first byte chooses the format."""
    chosen = FORMATS[data[0] % len(FORMATS)] if data else "auto"
    LOG.write_bytes(data[1:])
    options = ReadOptions(format=chosen, chunk_bytes=1 << 12)
    try:
        for chunk in read([str(LOG)], options=options, key=bytes(16)):
            chunk.accesses.validate()
    except RiparianError:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
