"""Which accounts are restrained, and what about them waits for a person, a page at a time?

A page begins after the last row of the page before it, wherever that row now stands: it costs the same at the end of a
long list as at its beginning, and what changes meanwhile neither repeats a row nor leaves one out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from riparian.errors import InputError
from riparian.flows.ending import waiting_lines
from riparian.flows.lines import account_line, names_of, ring_lines, written
from riparian.flows.rings import ring_label, rings_by_account, rings_of
from riparian.gate.decide import NEVER_US, Decision
from riparian.gate.eyes import folded
from riparian.gate.holds import Event, History, Step
from riparian.ports import Place, World

_PLACE_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list.

    Parameters
    ----------
    rows
        Of kind ``account``, ``ring``, ``appeal`` or ``proposal``.
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


def waiting_listed(
    world: World, found: Sequence[tuple[History, Event]], person: str, *, after: str = "", limit: int = 50
) -> Listed:
    """List what waits for somebody else, the oldest first, and so what is late before what is not.

    Parameters
    ----------
    found
        Appeals, or proposals, the oldest first.
    person
        Who looks: each row says whether they may decide it, ``yours`` where they had a hand in it.
    after
        Where the page begins, as the page before it says; empty for the first.
    limit
        Rows at most.

    Raises
    ------
    InputError
        When nothing begins there.
    """
    begins = _since(after) if after else (-1, -1)
    left = [one for one in found if (one[1].at_us, one[0].account) > begins]
    shown = left[:limit]
    rows = [
        line | _stands(history) | {"yours": folded(person) in _hands(history, event)}
        for line, (history, event) in zip(waiting_lines(world, shown), shown, strict=True)
    ]
    last = f"{shown[-1][1].at_us}:{shown[-1][0].account}" if len(left) > limit else ""
    return Listed(rows, last)


def _hands(history: History, event: Event) -> frozenset[str]:
    # A proposal is approved by whoever did not make it; an appeal is heard by whoever had no hand in any of it.
    return frozenset({folded(event.person)}) if event.step is Step.PROPOSED else history.hands()


def _stands(history: History) -> dict[str, Any]:
    decision = history.decision
    runs = decision is not None and bool(decision.restraint)
    return {
        "because": [] if decision is None else list(decision.because),
        "bits": None if decision is None else round(decision.bits, 3),
        "since": written(decision.since_us) if decision is not None and runs else None,
        "until": written(decision.until_us) if decision is not None and runs and decision.until_us < NEVER_US else None,
        "by": [
            {"at": written(one.at_us), "step": one.step.value, "person": one.person, "reason": one.reason}
            for one in history.by_hand()
        ],
    }


def _since(text: str) -> tuple[int, int]:
    at, _, account = text.partition(":")
    if not (at.isascii() and at.isdecimal() and account.isascii() and account.isdecimal() and len(text) <= _PLACE_MAX):
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    return int(at), int(account)
