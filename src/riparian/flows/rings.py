"""Which accounts keep clear of one another's fetches, and how is such a ring told of?

A ring is a finding about a cluster.  It restrains nobody: a member is restrained by its own bits alone, where
kinship is one of the questions that are asked about it (:mod:`riparian.accounts.join`).
"""

from typing import Any, Final

import pyarrow as pa

from riparian.codes import code_of_label, label
from riparian.evidence import RING as CLAIM
from riparian.flows.joined import rows_of
from riparian.ports import SHARED, World
from riparian.schema import RING

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
    """Read the rings of the last scan, the strongest first; a table with schema ``RING``."""
    found = world.findings.in_bucket("rings", SHARED)
    return RING.empty_table() if found is None else found.sort_by([("bits", "descending"), ("ring", "ascending")])


def rings_by_account(world: World) -> dict[int, int]:
    """Tell the ring of every account that is in one."""
    kin = world.findings.in_bucket("kin", SHARED)
    return dict(zip(kin["account"].to_pylist(), kin["ring"].to_pylist(), strict=True)) if kin is not None else {}


def ring_of(world: World, account: int) -> int | None:
    """Find the ring that an account belongs to; None when it is in none."""
    kin = world.findings.in_bucket("kin", SHARED)
    found = rows_of(kin, account)["ring"].to_pylist() if kin is not None else []
    return found[0] if found else None


def because_of(row: dict[str, Any]) -> list[str]:
    """Say in sentences what a ring does, and what it would have done by lot."""
    n, fetches, seen = len(row["accounts"]), row["fetches"], row["seen"]
    bits = f"{row['bits']:.1f} bits after a search that cost {row['price']:.1f}"
    by_lot = f"{row['expected']:,.0f} that another of them had had before"
    return [
        f"{n:,} accounts {CLAIM.sentence} ({bits})",
        f"among {fetches:,} recordings new to one of them a lot would have put {by_lot}; there were {seen:,}",
    ]
