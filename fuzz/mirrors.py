"""Fuzz what sites and vendors say they have: sitemaps, feeds, listings, torrents, magnet links and reports.

Run with ``python fuzz/mirrors.py [CORPUS] [-max_total_time=60]``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["riparian.feeds"]):
    from riparian.errors import RiparianError
    from riparian.feeds.mirrors.documents import read_document
    from riparian.feeds.mirrors.reports import read_report
    from riparian.ports.mirrors import Item, Told

FOUND = Path(tempfile.mkdtemp()) / "found"
AT = "https://mirror.example/files/"


def one(data: bytes) -> None:
    """Read one input as a document and as a report; whatever it is, what comes is items, or a reason."""
    _check(read_document(data, AT))
    FOUND.write_bytes(data)
    try:
        _check(read_report(FOUND, {}).told)
    except RiparianError:
        return


def _check(told: Told) -> None:
    for item in told.items:
        _one(item)
    if not all(lead.startswith(("http://", "https://")) for lead in told.leads):
        raise AssertionError(told.leads)


def _one(item: Item) -> None:
    numbers = (item.bytes, item.length_us, item.changed_us)
    if not item.url or not item.url.isprintable() or any(n is not None and not 0 <= n < 1 << 63 for n in numbers):
        raise AssertionError(item)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
