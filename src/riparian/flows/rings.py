"""Which accounts keep clear of one another's fetches, and how is such a ring told of?

A ring is a finding about a cluster.  It restrains nobody: a member is restrained by its own bits alone, where
kinship is one of the questions that are asked about it (:mod:`riparian.accounts.join`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts.kinship import RINGS, Order, explain_ring
from riparian.codes import RECORDING_KEY, code_of_label, codes_of, label
from riparian.errors import InputError
from riparian.evidence import RING as CLAIM
from riparian.evidence import Evidence
from riparian.flows.across import fetched_by
from riparian.flows.overlap import Overlap, overlap
from riparian.flows.terms import Terms
from riparian.gate.decide import from_table
from riparian.gate.policy import Restraint
from riparian.ports import SHARED, World

_MARK: Final = "g-"
SHUFFLED: Final = Order.NONE.name.lower()
"""The order of a ring that goes through its list in none."""
ARTISTS: Final = 8


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


def because_of(row: Mapping[str, Any]) -> list[str]:
    """Say in sentences what a ring does, and what it would have done by chance."""
    n, fetches, seen = len(row["accounts"]), row["fetches"], row["seen"]
    bits = f"{row['bits']:.1f} bits after a search that cost {row['price']:.1f}"
    expected = words_of(row["expected"])
    if row["order"] == SHUFFLED:
        return [
            f"{n:,} accounts {CLAIM.sentence} ({bits})",
            f"of {fetches:,} fetches at least {expected} would have been of what another had had; {seen:,} were",
        ]
    by_chance = f"{expected} would have been right there by chance; {seen:,} were"
    return [
        f"{n:,} accounts go through one list of work side by side, by {row['order']} ({bits})",
        f"of {fetches:,} fetches about where the others were working just then, {by_chance}",
    ]


def words_of(expected: float) -> str:
    """Write an expected count.

    Examples
    --------
    >>> words_of(1234.5), words_of(0.42)
    ('1,234', '0.4')
    """
    return f"{expected:,.0f}" if expected >= 10 else f"{expected:.1f}"


@dataclass(frozen=True, slots=True)
class Member:
    """One account of a ring: its own bits against the others, before they are joined, and what restrains it."""

    account: int
    bits: float
    restraint: Restraint


@dataclass(frozen=True, slots=True)
class Ringed:
    """Everything that is known of one ring.

    Parameters
    ----------
    row
        Of ``kinship.RINGS``.
    evidence
        How the cluster's bits add up.
    overlap
        What its members never do together.
    artists
        Where the overlap would have been by lot: an artist, expected, and seen; the most expected first.
    members
        Those with the most bits of their own first.
    """

    row: Mapping[str, Any]
    evidence: Evidence
    overlap: Overlap
    artists: tuple[tuple[str, float, int], ...]
    members: tuple[Member, ...]


def ring_row(world: World, ring: int) -> dict[str, Any]:
    """Read one ring of the last scan; a row of ``kinship.RINGS``.

    Raises
    ------
    InputError
        When the last scan found no such ring.
    """
    rings = rings_of(world)
    found = rings.filter(pc.equal(rings["ring"], pa.scalar(ring, pa.uint64()))).to_pylist()
    if not found:
        raise InputError(
            f"the last scan found no ring `{ring_label(ring)}`, wanted one that it did",
            hint="List the rings with riparian rings.",
        )
    row: dict[str, Any] = found[0]
    return row


def about_ring(world: World, terms: Terms, ring: int) -> Ringed:
    """Look at one ring.

    Raises
    ------
    InputError
        When the last scan found no such ring.
    """
    row = ring_row(world, ring)
    seen = overlap(fetched_by(world, terms, row["accounts"]), terms.cells)
    return Ringed(row, explain_ring(row), seen, _artists(world, terms, seen), _members(world, row["accounts"]))


def _artists(world: World, terms: Terms, seen: Overlap) -> tuple[tuple[str, float, int], ...]:
    recordings = world.catalogue.recordings()
    if recordings is None or not len(seen.cells):
        return ()
    cells = terms.cells
    by_artist: dict[int, list[float]] = {}
    first = np.unique(cells.cell, return_index=True)[1]
    for cell, (expected, met) in zip(seen.cells.tolist(), seen.by_cell.tolist(), strict=True):
        sums = by_artist.setdefault(int(cells.artist[first[cell]]), [0.0, 0.0])
        sums[0], sums[1] = sums[0] + expected, sums[1] + met
    most = sorted(by_artist, key=lambda artist: -by_artist[artist][0])[:ARTISTS]
    rows = np.array([int(np.flatnonzero(cells.artist[cells.works] == artist)[0]) for artist in most])
    codes = codes_of(recordings["recording"], RECORDING_KEY)
    order = np.argsort(codes)
    names = recordings["artist"].take(pa.array(order[np.searchsorted(codes[order], cells.codes[rows])])).to_pylist()
    return tuple(
        (name or "", by_artist[artist][0], int(by_artist[artist][1])) for name, artist in zip(names, most, strict=True)
    )


def _members(world: World, accounts: list[int]) -> tuple[Member, ...]:
    kin = world.findings.in_bucket("kin", SHARED)
    bits = dict(zip(kin["account"].to_pylist(), kin["bits"].to_pylist(), strict=True)) if kin is not None else {}
    decided = {d.account: d.restraint for d in from_table(world.decisions.table())}
    members = [Member(a, bits.get(a, 0.0), decided.get(a, Restraint.ALLOW)) for a in accounts]
    return tuple(sorted(members, key=lambda member: (-member.bits, member.account)))
