"""How does evidence get into a case, how is a time put on it, and how is all of it checked?

What is kept is in custody before an event says so: whoever is killed in between leaves octets that nothing names, and
no event of what is not there.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from riparian.cases.case import Case
from riparian.cases.custody import Examined, Matter, Stamped, examined, item_of, stamps_of
from riparian.cases.events import PEOPLE, Event, Person, Proposed
from riparian.cases.facts import Kept, Layer, Location
from riparian.cases.merkle import leaf, root
from riparian.cases.plain import moment, plain
from riparian.cases.stamps import ROOTS, TOKEN, TOKEN_MAX, imprint
from riparian.cases.warcs import WARC
from riparian.errors import LifecycleError, RiparianError
from riparian.flows import casework
from riparian.ports.cases import Docket

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """What an address showed, as :func:`riparian.feeds.capture.capture` kept it."""

    address: str
    warc: bytes
    live: bool | None
    permitted_by: str
    layer: Layer = Layer.HOST


def keep(docket: Docket, key: str, kept: Kept, by: str) -> Case:
    """Write down that something is in custody.

    Raises
    ------
    InputError
        When there is no such case.
    LifecycleError
        When it has no such location.
    """
    if kept.location and casework.read(docket, key).facts.location(kept.location) is None:
        raise LifecycleError(f"`{key}` has no location `{kept.location[:20]}`, wanted one of its locations or none")
    return casework.record(docket, key, Proposed("kept", plain(kept), kept.at, by))


def keep_page(docket: Docket, key: str, page: Page, by: str) -> Case:
    """Keep a page that was captured, at its location, which is added where the case has none with this address.

    Raises
    ------
    InputError
        When there is no such case.
    """
    case, at = casework.read(docket, key), casework.now(docket.clock)
    known = next((one for one in case.facts.locations if one.url == page.address), None)
    location = known or Location(case.next_location(), page.address, page.layer, first_seen=at)
    added = [] if known else [Proposed("location", plain(location), at, by)]
    kept = docket.custody.keep(page.warc, f"{location.key}-{at:%Y%m%dT%H%M%SZ}.warc", WARC, at, location=location.key)
    what = {"location": location.key, "live": page.live, "at": moment(at), "how": page.permitted_by, "item": kept.item}
    acts = (*added, Proposed("looked", what, at, by), Proposed("kept", plain(kept), at, by))
    return casework.record(docket, key, *acts)


def stamped(docket: Docket, key: str) -> tuple[Stamped, ...]:
    """Tell which events of a case somebody else saw."""
    events = docket.cases.read(key)
    kept = [item for item in map(item_of, events) if item is not None]
    return stamps_of(kept, [event.digest for event in events], docket.custody)


def stamp(docket: Docket, key: str, by: str) -> Case | None:
    """Let the authority say that all of a case was there now; None when it has said so of everything.

    Raises
    ------
    InputError
        When there is no such case, or no authority is named.
    OutsideError
        When the authority does not answer: nothing is written, and the next token is over all of it.
    """
    events = docket.cases.read(key)
    seen = stamped(docket, key)
    since = seen[-1].event + 1 if seen else 0
    if not any(_is_evidence(event) for event in events[since:]):
        return None
    token = docket.timestamps.stamp(events[-1].line())
    at, pem = casework.now(docket.clock), docket.timestamps.roots
    last = events[-1].number
    kept = [docket.custody.keep(token, f"event-{last}.tsr", TOKEN, at)]
    root_of = docket.custody.keep(pem, "authority.pem", ROOTS, at)
    if not any(event.kind == "kept" and event.what.get("item") == root_of.item for event in events):
        kept.insert(0, root_of)
    return casework.record(docket, key, *(Proposed("kept", plain(one), at, by) for one in kept))


def _is_evidence(event: Event) -> bool:
    return event.kind != "kept" or event.what.get("media_type") not in (TOKEN, ROOTS)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found when a workspace was examined.

    Parameters
    ----------
    cases
        Each that was asked for.
    entries, root
        Of the log of all of them, as it is now; the root in hexadecimal.
    stray
        Digests of what is in custody and in no event.
    faults
        What is wrong with the whole, in words.
    """

    cases: tuple[Examined, ...]
    entries: int
    root: str
    stray: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.faults and all(one.is_whole for one in self.cases)


def verify(
    docket: Docket, keys: Iterable[str] = (), *, known: tuple[int, str] | None = None, roots: Sequence[bytes] = ()
) -> Verified:
    """Examine cases, all where none is named, and what holds them together.

    Parameters
    ----------
    known
        How many entries the log had at a time, and its root then, as somebody who trusts nothing here noted it.
    roots
        Certificates in PEM, in which whoever examines believes.

    Raises
    ------
    InputError
        When there is no such case.
    """
    faults: list[str] = []
    leaves = docket.cases.leaves()
    hashed = [leaf(line) for line in leaves]
    if known is not None and (known[0] > len(hashed) or root(hashed[: known[0]]).hex() != known[1]):
        faults.append(f"the log does not begin with the {known[0]:,} entries that it had, wanted all of them")
    people: Mapping[str, Person] = _attempt(docket.cases.people, faults) or {}
    lines: dict[str, list[bytes]] = {}
    for line in leaves:
        lines.setdefault(_case_of(line), []).append(line)
    every = [*docket.cases.keys()]
    wanted = [*keys] or every
    for key in wanted:
        if key not in every:
            casework.read(docket, key)
    for key in wanted:
        _attempt(lambda key=key: casework.read(docket, key), faults)  # type: ignore[misc]
    cases = tuple(
        examined(Matter(key, lines.get(key, []), people, docket.cases.key, roots), docket.custody) for key in wanted
    )
    strangers = set(lines) - {*every, PEOPLE}
    faults += [f"the log has entries of `{one[:40]}`, which is no case" for one in sorted(strangers)]
    stray = _stray(docket, leaves, faults)
    return Verified(cases, len(leaves), root(hashed).hex(), stray, tuple(dict.fromkeys(faults)))


def _stray(docket: Docket, leaves: Sequence[bytes], faults: list[str]) -> tuple[str, ...]:
    """Give what is in custody and in no event; a token among it that is over no event tells that the log was cut."""
    named = {str(item) for line in leaves for item in _items_of(line)}
    digests = {hashlib.sha256(line).hexdigest() for line in leaves}
    stray = []
    for one in docket.custody.items():
        measured = docket.custody.measured(one) if one not in named else None
        if one in named:
            continue
        if measured is None or measured[0] != one:
            faults.append(f"`{one[:100]}` in custody is not what its name says, wanted its SHA-256")
            continue
        stray.append(one)
        if measured[1] <= TOKEN_MAX:
            with docket.custody.opened(one) as file:
                over = imprint(file.read())
            if over and over not in digests:
                faults.append(f"`{one}` in custody is a token over an event that the log has no more: it was cut off")
    return tuple(stray)


def _attempt(act: Callable[[], T], faults: list[str]) -> T | None:
    try:
        return act()
    except RiparianError as error:
        faults.append(error.message)
        return None


def _case_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["case"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _items_of(line: bytes) -> Iterable[object]:
    try:
        what = json.loads(line)["what"]
        return [what["item"]] if "item" in what else []
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
