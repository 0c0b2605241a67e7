"""Fuzz the reader of data sets: any bytes are items or rejects, never a crash; and what they say of themselves.

Run with ``python fuzz/datasets.py [CORPUS] [-max_total_time=60]``.  The same, with seeded damage, runs as
``tests/feeds/test_datasets.py``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

KERNELS = ["riparian.codes", "riparian.metadata"]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    from riparian.feeds.datasets.about import of_card, of_croissant
    from riparian.feeds.datasets.read import read_items
    from riparian.metadata.datasets import ITEM

FILE = Path(tempfile.mkdtemp()) / "data"


def one(data: bytes) -> None:
    """Read one input."""
    FILE.write_bytes(data)
    n = 0
    for part in read_items([str(FILE)]):
        if part.items.schema != ITEM:
            raise AssertionError(part.source)
        if part.items.num_rows and part.items["row"][0].as_py() != n:
            raise AssertionError(n)
        n += part.items.num_rows
        part.items.validate(full=True)
    text = data.decode("utf-8", "replace")
    of_card(text)
    of_croissant(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
