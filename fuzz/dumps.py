"""Fuzz the lists that are found: every form and archive of them, from the first byte to rows.

Run with ``python fuzz/dumps.py [CORPUS] [-max_total_time=60]``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["riparian.feeds"]):
    from riparian.errors import RiparianError
    from riparian.feeds.dumps.read import read_dump
    from riparian.schema import LISTED

FOUND = Path(tempfile.mkdtemp()) / "found"


def one(data: bytes) -> None:
    """Read one input as a list; whatever it is, what comes is rows of one schema, or a reason."""
    FOUND.write_bytes(data)
    try:
        for part in read_dump([str(FOUND)]):
            if part.rows.schema != LISTED or part.n_rejected < len(part.rejects):
                raise AssertionError(part)
    except RiparianError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
