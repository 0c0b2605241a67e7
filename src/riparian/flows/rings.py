"""Which accounts keep clear of one another's fetches, and how is such a ring told of?

A ring is a finding about a cluster.  It restrains nobody: a member is restrained by its own bits alone, where
kinship is one of the questions that are asked about it (:mod:`riparian.accounts.join`).
"""

from typing import Any, Final

import pyarrow as pa

from riparian.accounts.kinship import RINGS
from riparian.codes import code_of_label, label
from riparian.evidence import RING as CLAIM
from riparian.ports import SHARED, World

_MARK: Final = "g-"


def ring_label(code: int) -> str:
    """Write a ring's code as what reports print.

    Examples
    --------
    >>> ring_label(10863254463029944905)
    'g-s3baqygnsores'
    >>> code_of_ring(ring_label(417))
    417
    """
    return _MARK + label(code).partition("-")[2]


def code_of_ring(name: str) -> int:
    """Read a ring's code.

    Raises
    ------
    ValueError
        When it is no name of a ring.
    """
    if not name.startswith(_MARK):
        raise ValueError(f"`{name}` is no ring, wanted one as in g-s3baqygnsores")
    return code_of_label("a-" + name.removeprefix(_MARK))


def rings_of(world: World) -> pa.Table:
    """Read the rings of the last scan, the strongest first; a table with schema ``kinship.RINGS``."""
    found = world.findings.in_bucket("rings", SHARED)
    return RINGS.empty_table() if found is None else found.sort_by([("bits", "descending"), ("ring", "ascending")])


def rings_by_account(rings: pa.Table) -> dict[int, int]:
    """Tell the ring of every account that is in one; of two rings the stronger."""
    pairs = zip(rings["ring"].to_pylist(), rings["accounts"].to_pylist(), strict=True)
    return {account: ring for ring, accounts in reversed(list(pairs)) for account in accounts}


def because_of(row: dict[str, Any]) -> list[str]:
    """Say in sentences what a ring does, and what it would have done by lot."""
    n, fetches, seen = len(row["accounts"]), row["fetches"], row["seen"]
    bits = f"{row['bits']:.1f} bits after a search that cost {row['price']:.1f}"
    by_lot = f"{row['expected']:,.0f} that another of them had had before"
    return [
        f"{n:,} accounts {CLAIM.sentence} ({bits})",
        f"among {fetches:,} recordings new to one of them a lot would have put {by_lot}; there were {seen:,}",
    ]
