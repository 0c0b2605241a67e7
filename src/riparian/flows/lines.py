"""What programs are told: JSON objects, each with its ``kind``, in the operator's own identifiers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riparian.codes import label
from riparian.flows.found import Found
from riparian.flows.rings import because_of, ring_label, rings_by_account
from riparian.gate.decide import Decision, Restraint, from_table
from riparian.ports import World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(at_us: int) -> str:
    """Write a time as ISO 8601.

    Examples
    --------
    >>> written(1_700_000_000_000_000)
    '2023-11-14T22:13:20+00:00'
    """
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat()


def names_of(world: World, codes: list[int]) -> list[str]:
    """Name accounts as the operator does; by their pseudonym where the vault has forgotten them."""
    found = world.vault.ids_of(np.array(codes, np.uint64))
    return [name if name is not None else label(code) for name, code in zip(found, codes, strict=True)]


def account_line(name: str, decision: Decision, reached_us: int) -> dict[str, Any]:
    """Tell the decision on one account; kind ``account``.  What people ended has no ``until``."""
    return {
        "kind": "account",
        "account": name,
        "pseudonym": label(decision.account),
        "action": decision.restraint.name.lower(),
        "applied": decision.applied,
        "bits": round(decision.bits, 3),
        "threshold_bits": round(decision.threshold_bits, 3),
        "reached_at": written(reached_us),
        "because": list(decision.because),
        "since": written(decision.since_us),
        "until": None if decision.restraint is Restraint.END else written(decision.until_us),
        "declared": decision.declared,
        "certified": decision.certified,
    }


def account_lines(world: World, found: Found) -> Iterator[dict[str, Any]]:
    """Tell every decision, the strongest first."""
    decisions = from_table(found.decisions)
    codes = [decision.account for decision in decisions]
    rows = pc.index_in(pa.array(codes, pa.uint64()), found.evidence["account"])
    reached = dict(zip(codes, found.evidence["reached_us"].take(rows).to_pylist(), strict=True))
    rings = rings_by_account(found.rings)
    for name, decision in zip(names_of(world, codes), decisions, strict=True):
        line = account_line(name, decision, reached[decision.account] or decision.since_us)
        ring = rings.get(decision.account)
        yield line | {"ring": None if ring is None else ring_label(ring)}


def ring_lines(world: World, rings: pa.Table) -> Iterator[dict[str, Any]]:
    """Tell every ring to a program; kind ``ring``."""
    for row in rings.to_pylist():
        yield {
            "kind": "ring",
            "ring": ring_label(row["ring"]),
            "accounts": names_of(world, row["accounts"]),
            "bits": round(row["bits"], 3),
            "because": because_of(row),
            "found_at": written(row["found_us"]),
            "price": round(row["price"], 3),
            "fetches": row["fetches"],
            "expected": round(row["expected"], 3),
            "seen": row["seen"],
        }


def summary_line(found: Found) -> dict[str, Any]:
    """Tell the figures of a scan; kind ``summary``."""
    return {"kind": "summary"} | dict(found.summary)
