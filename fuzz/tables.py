"""Fuzz the tables beside the logs: accounts, catalogue, sessions.

Run with ``python fuzz/tables.py [CORPUS] [-max_total_time=60]``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

KERNELS = ["riparian.codes", *(f"riparian.feeds.{room}" for room in ("scanners", "seen", "stretches", "times"))]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    from riparian.errors import RiparianError
    from riparian.feeds.accounts_table import read_accounts
    from riparian.feeds.catalogue_table import read_catalogue
    from riparian.feeds.sessions import read_sessions

TABLE = Path(tempfile.mkdtemp()) / "table"


def one(data: bytes) -> None:
    """Read one input as each kind of table."""
    TABLE.write_bytes(data)
    for read in (read_accounts, read_catalogue, lambda path: read_sessions(path, bytes(16))):
        try:
            read(str(TABLE))
        except RiparianError:
            continue


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
