"""Is everything in a case still what it was when it was written down?

Evidence lies under the SHA-256 of its octets, and an event has that digest; the events are chained and signed; tokens
of an authority are over events.  Whoever examines a case computes all of it again, with nothing but what is before
them: what was written when, by whom, which octets, and who else says so.

What is found wrong is a list of sentences, not the first of them: whoever has to explain a damaged disk wants all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final, Protocol

from riparian.cases.case import folded
from riparian.cases.events import PERSONAL, Event, Person, by_whom, chained
from riparian.cases.facts import Kept
from riparian.cases.plain import made
from riparian.cases.redaction import Seen, followed
from riparian.cases.stamps import ROOTS, TOKEN, Stamp, stamped
from riparian.cases.warcs import WARC, records_of
from riparian.errors import RiparianError

OWN: Final = frozenset({TOKEN, ROOTS})
"""Media types of what proves a case, and is no evidence of anything in it."""
_TELLING: Final = frozenset({"authority", "considered", "issued", "joined", "noted", "released", "sealed"})
"""What such an event says decides nothing: a case stands without it."""


class Holding(Protocol):
    """Where octets lie under their digest."""

    def measured(self, sha256: str) -> tuple[str, int] | None:
        """Compute the SHA-256 and the size of what lies there; None when nothing does."""
        ...

    def opened(self, sha256: str) -> BinaryIO:
        """Open what lies there, whatever it is by now.

        Raises
        ------
        CustodyError
            When nothing does.
        """
        ...


@dataclass(frozen=True, slots=True)
class Matter:
    """What of a case is before whoever examines it.

    Parameters
    ----------
    key
        Of the case.
    lines
        Of its events, from the first on.
    people
        Who may sign.
    signer
        The public key of the workspace, in hexadecimal; empty where nobody told.
    roots
        Certificates in PEM, in which whoever examines believes; empty for those that the case itself has.
    withheld
        Digests of what was left out on purpose.
    redacted
        Whether some of the events may be hidden.
    """

    key: str
    lines: Sequence[bytes]
    people: Mapping[str, Person]
    signer: str = ""
    roots: Sequence[bytes] = ()
    withheld: frozenset[str] = frozenset()
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event that somebody else saw.

    Parameters
    ----------
    event
        Its number: it and all before it were there at the time.
    at
        By the clock of the authority.
    """

    event: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination of a case found.

    Parameters
    ----------
    events
        How many were read.
    people
        Who signed in it.
    items, octets
        How much evidence was computed again.
    hidden
        Of how many events some is hidden.
    withheld
        Items that were left out on purpose, and whose digests stand.
    stamps
        In the order of the events.
    bare
        Records of WARCs that have no digest of their own.
    faults
        What is wrong, in words; empty when nothing is.
    """

    case: str
    events: int
    people: tuple[str, ...] = ()
    items: int = 0
    octets: int = 0
    hidden: int = 0
    withheld: int = 0
    stamps: tuple[Stamped, ...] = ()
    bare: int = 0
    faults: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.faults

    @property
    def unstamped(self) -> int:
        """Give how many events nobody else has seen yet."""
        return self.events - (self.stamps[-1].event + 1 if self.stamps else 0)


def is_digest(text: str) -> bool:
    """Tell whether a text is a SHA-256, as we write it."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


@dataclass(slots=True)
class _Findings:
    faults: list[str] = field(default_factory=list)
    items: int = 0
    octets: int = 0
    withheld: int = 0
    bare: int = 0

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that may find what is wrong."""
        try:
            act()
        except RiparianError as error:
            self.faults.append(error.message)
            return False
        return True


def examined(matter: Matter, holding: Holding) -> Examined:
    """Examine a case.

    Parameters
    ----------
    holding
        Where its evidence is.
    """
    found = _Findings()
    events: list[Seen] = []
    found.attempt(lambda: events.extend(_read(matter)))
    if not events:
        return Examined(matter.key, len(matter.lines), faults=tuple(found.faults) or (f"`{matter.key}` has no events",))
    hidden = sum(not one.whole for one in events)
    personal = [one.event for one in events if one.event.kind in PERSONAL]
    for one in events:
        if one.whole and one.event.kind in PERSONAL:
            found.attempt(lambda act=one.event: by_whom(matter.key, act, matter.people))  # type: ignore[misc]
    kept: list[Kept] = []
    for one in events:
        found.attempt(lambda event=one.event: _keep(event, kept))  # type: ignore[misc]
    for item in kept:
        _measure(item, holding, matter.withheld, found)
    if all(one.whole or one.event.kind in _TELLING for one in events):
        found.attempt(lambda: folded(matter.key, [one.event for one in events]))
    stamps = stamps_of(kept, [one.digest for one in events], holding, matter.roots, found.faults.append)
    return Examined(
        matter.key,
        len(events),
        tuple(sorted({event.by for event in personal})),
        found.items,
        found.octets,
        hidden,
        found.withheld,
        stamps,
        found.bare,
        tuple(found.faults),
    )


def _read(matter: Matter) -> Sequence[Seen]:
    if matter.redacted:
        return followed(matter.lines, matter.key, matter.signer)
    return [Seen(event, event.digest) for event in chained(matter.lines, matter.key, matter.signer)]


def item_of(event: Event) -> Kept | None:
    """Give what an event says that is in custody; None when it says nothing of it.

    A notice that was drafted has its text there; its size is not in the event, and is -1 here.

    Raises
    ------
    InputError
        When it does not say what it should.
    """
    what = event.what
    if event.kind == "kept":
        name = what["name"] if isinstance(what.get("name"), str) else "(hidden)"
        return made(Kept, {**what, "name": name, "event": event.number})
    if event.kind == "drafted" and what.get("item"):
        item = str(what["item"])
        return Kept(item, "the text of a notice", "", item, -1, event.at, event=event.number)
    return None


def _keep(event: Event, kept: list[Kept]) -> None:
    item = item_of(event)
    if item is not None and (item.octets >= 0 or item.sha256 not in {one.sha256 for one in kept}):
        kept.append(item)


def _measure(kept: Kept, holding: Holding, left_out: frozenset[str], found: _Findings) -> None:
    name = f"`{kept.name[:80]}` of event {kept.event}"
    if kept.item != kept.sha256 or not is_digest(kept.sha256):
        found.faults.append(f"{name} is called `{kept.item[:64]}`, wanted its SHA-256")
        return
    if kept.sha256 in left_out:
        found.withheld += 1
        return
    measured = holding.measured(kept.sha256)
    if measured is None:
        found.faults.append(f"{name} is not in custody, wanted `{kept.sha256}`")
    elif measured[0] != kept.sha256 or kept.octets not in (-1, measured[1]):
        found.faults.append(f"{name} is not what was kept: it has the SHA-256 `{measured[0]}`, wanted `{kept.sha256}`")
    else:
        found.items += 1
        found.octets += measured[1]
        if kept.media_type == WARC:
            found.attempt(lambda: _records(kept, holding, found))


def _records(kept: Kept, holding: Holding, found: _Findings) -> None:
    with holding.opened(kept.sha256) as file:
        records = records_of(file)
    found.bare += records.n_bare
    found.faults += [f"`{kept.name[:80]}` of event {kept.event}: {fault}" for fault in records.faults]


def stamps_of(
    kept: Sequence[Kept],
    digests: Sequence[str],
    holding: Holding,
    roots: Sequence[bytes] = (),
    wrong: Callable[[str], object] = lambda _: None,
) -> tuple[Stamped, ...]:
    """Read the tokens of a case, and tell which events they are over.

    Parameters
    ----------
    kept
        Everything that is kept in the case.
    digests
        Of its events, from the first on.
    roots
        Certificates that are believed; empty for those that the case has.
    wrong
        Is told what does not hold.
    """
    numbers = {digest: number for number, digest in enumerate(digests)}
    tokens = [one for one in kept if one.media_type == TOKEN]
    believed = list(roots)
    if tokens and not believed:
        believed = [_octets(one, holding) for one in kept if one.media_type == ROOTS and holding.measured(one.sha256)]
    stamps = []
    for one in tokens:
        if holding.measured(one.sha256) != (one.sha256, one.octets):
            continue  # it is missing or changed, and that was said
        try:
            stamp: Stamp = stamped(_octets(one, holding), believed)
        except RiparianError as error:
            wrong(f"`{one.name[:80]}` of event {one.event}: {error.message}")
            continue
        number = numbers.get(stamp.digest, len(digests))
        if number < one.event:
            stamps.append(Stamped(number, stamp.at))
        else:
            wrong(f"`{one.name[:80]}` of event {one.event} is over what is no event before it")
    return tuple(sorted(stamps, key=lambda one: one.event))


def _octets(kept: Kept, holding: Holding) -> bytes:
    with holding.opened(kept.sha256) as file:
        return file.read()
