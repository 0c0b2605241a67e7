"""Fuzz the readers of documents about a catalogue: any bytes are read or refused, never a crash.

Run with ``python fuzz/messages.py [CORPUS] [-max_total_time=60]``; the first byte of an input says whether it is handed
to the reader of messages or to the door of all documents.  Seeded damage runs as ``tests/feeds/test_messages.py`` and
``tests/feeds/test_holdings.py``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

KERNELS = ["riparian.codes", "riparian.metadata"]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    from riparian.catalogue.holdings import HELD
    from riparian.errors import RiparianError
    from riparian.feeds.holdings import read_holdings
    from riparian.feeds.messages.read import read_message

FILE = Path(tempfile.mkdtemp()) / "document"


def one(data: bytes) -> None:
    """Read one input."""
    if not data:
        return
    if data[0] % 2:
        FILE.write_bytes(data[1:])
        for said in read_holdings([str(FILE)]):
            if said.recordings.schema != HELD:
                raise AssertionError(said.document)
            said.recordings.validate(full=True)
        return
    try:
        message = read_message("m.xml", data[1:])
    except RiparianError:
        return
    if message is not None:
        message.recordings.validate(full=True)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
