"""Fuzz URL patterns: any TOML is read or refused, and any path can be matched.

Run with ``python fuzz/patterns.py [CORPUS] [-max_total_time=60]``.
"""

import contextlib
import sys

import atheris

KERNELS = ["riparian.codes", *(f"riparian.feeds.{room}" for room in ("scanners", "seen", "stretches", "times"))]
"""Compiled by Numba, which cannot compile what was instrumented."""

with atheris.instrument_imports(include=["riparian"], exclude=KERNELS):
    import pyarrow as pa

    from riparian.errors import RiparianError
    from riparian.feeds.patterns import match_paths, parse_patterns, shipped_patterns

SHIPPED = shipped_patterns()


def one(data: bytes) -> None:
    """Take one input as patterns, and as a path."""
    text = data.decode("utf-8", "replace")
    match_paths(SHIPPED, pa.array([text]))
    with contextlib.suppress(RiparianError):
        match_paths(parse_patterns(text, "input"), pa.array(["/a/b", text]))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
