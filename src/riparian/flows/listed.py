"""Which accounts are restrained, a page at a time?

A page begins after the last row of the page before it, wherever that row now stands: it costs the same at the end of a
long list as at its beginning, and what changes meanwhile neither repeats a row nor leaves one out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riparian.errors import InputError
from riparian.flows.lines import account_line, names_of, ring_lines
from riparian.flows.rings import ring_label, rings_by_account, rings_of
from riparian.gate.decide import Decision
from riparian.ports import Place, World


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list.

    Parameters
    ----------
    rows
        Of kind ``account``.
    after
        Where the next page begins; empty on the last.
    """

    rows: Sequence[Mapping[str, Any]]
    after: str


def restrained(world: World, *, after: str = "", limit: int = 50) -> Listed:
    """List what restrains an account now, the strongest first.

    Parameters
    ----------
    after
        Where the page begins, as the page before it says; empty for the first.
    limit
        Rows at most.

    Raises
    ------
    InputError
        When nothing begins there.
    """
    found = world.decisions.in_force(world.clock.now_us(), after=place_of(after) if after else None, limit=limit + 1)
    decisions, has_more = found[:limit], len(found) > limit
    rings = rings_by_account(rings_of(world))
    names = names_of(world, [one.account for one in decisions])
    rows = []
    for name, one in zip(names, decisions, strict=True):
        ring = rings.get(one.account)
        rows.append(account_line(name, one, one.since_us) | {"ring": None if ring is None else ring_label(ring)})
    return Listed(rows, written_place(decisions[-1]) if has_more else "")


def written_place(decision: Decision) -> str:
    """Write where a decision stands among all.

    Examples
    --------
    >>> place_of("3:118.4:17")
    (3, 118.4, 17)
    """
    return f"{int(decision.restraint)}:{decision.bits!r}:{decision.account}"


def place_of(text: str) -> Place:
    """Read where a page begins.

    Raises
    ------
    InputError
        When it is no place.
    """
    restraint, _, rest = text.partition(":")
    bits, _, account = rest.partition(":")
    try:
        place = int(restraint), float(bits), int(account)
    except ValueError:
        raise InputError("the page begins nowhere, wanted a place that a page before it named") from None
    if not 0 <= place[2] < 1 << 64:
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    return place


def rings_listed(world: World, *, after: str = "", limit: int = 50) -> Listed:
    """List the rings of the last scan, the strongest first, and how many accounts each has.

    Parameters
    ----------
    after
        The ring before the page; empty for the first.
    limit
        Rows at most.

    Raises
    ------
    InputError
        When the last scan found no ring of that name.
    """
    rings = rings_of(world)
    first = 0
    if after:
        names = [ring_label(code) for code in rings["ring"].to_pylist()]
        if after not in names:
            raise InputError("the page begins nowhere, wanted a place that a page before it named")
        first = names.index(after) + 1
    shown = rings.slice(first, limit)
    rows = [{**line, "accounts": len(line["accounts"])} for line in ring_lines(world, shown)]
    has_more = len(rings) > first + limit
    return Listed(rows, rows[-1]["ring"] if has_more else "")
