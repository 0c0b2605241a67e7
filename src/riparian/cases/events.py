"""What happened in a case, so written that nobody can change it later without that being seen?

An event says what, when and who; it has the digest of the event before it in the case, and the signature of the
workspace.  What only a person may do has the person's own signature inside, over the case, the act and the time: a
machine that holds the workspace's key can write that a person approved, and nobody who checks believes it.

People stand in a log of their own, under the key :data:`PEOPLE`.  The first one founds it; whoever comes later is
vouched for by one who is there, with their signature.

Source
------
RFC 8032 (Ed25519); FIPS 180-4 (SHA-256).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from riparian.cases.plain import canonical, moment, when
from riparian.cases.steps import Step
from riparian.errors import CustodyError, InputError

VERSION: Final = 1
PEOPLE: Final = "people"
"""The log of who may sign; no case has this key."""

KINDS: Final = frozenset(
    {
        "opened",
        "party",
        "authority",
        "work",
        "addressee",
        "location",
        "looked",
        "kept",
        "found",
        "issued",
        "checked",
        "considered",
        "drafted",
        "sealed",
        "released",
        "joined",
        "signalled",
        "noted",
        "exported",
        "person",
        *Step,
    }
)
"""Every kind of event: what a fold does not know, it refuses."""

PERSONAL: Final = frozenset({"approve", "considered", "released", "joined", "person"})
"""What only a person does, with their own signature."""

_EVENT: Final = b"riparian case event 1\0"
_ACT: Final = b"riparian case act 1\0"
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hand:
    """Who signs.

    Parameters
    ----------
    key
        The public key, in hexadecimal.
    sign
        Ed25519, with the private half.
    """

    key: str
    sign: Callable[[bytes], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is about to be written: an event without its place.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    what
        JSON.
    at
        When, with a zone.
    by
        Who says so: a person's name, or a command's.
    """

    kind: str
    what: Mapping[str, Any]
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Event:
    """What was written.

    Parameters
    ----------
    number
        Its place in the case, from 0.
    previous
        SHA-256 of the event before it, in hexadecimal; empty in the first.
    key, signature
        Of the workspace, in hexadecimal.
    """

    case: str
    number: int
    kind: str
    at: datetime
    by: str
    what: Mapping[str, Any] = field(repr=False)
    previous: str = field(repr=False)
    key: str = field(repr=False)
    signature: str = field(repr=False)

    def said(self) -> dict[str, Any]:
        """Give what is signed."""
        return {
            "at": moment(self.at),
            "by": self.by,
            "case": self.case,
            "key": self.key,
            "kind": self.kind,
            "number": self.number,
            "previous": self.previous,
            "version": VERSION,
            "what": self.what,
        }

    def line(self) -> bytes:
        """Write it, signature and all, in the one spelling that it has."""
        return canonical({**self.said(), "signature": self.signature})

    @property
    def digest(self) -> str:
        """SHA-256 of its line, in hexadecimal."""
        return hashlib.sha256(self.line()).hexdigest()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign.

    Parameters
    ----------
    key
        Their public key, Ed25519, in hexadecimal.
    retired
        Whether what they sign from now on counts no more.
    vouched_by
        Who vouched for them; themselves, for the first.
    """

    name: str
    key: str
    added: datetime
    vouched_by: str
    retired: datetime | None = None


def written(proposed: Proposed, case: str, number: int, previous: str, hand: Hand) -> Event:
    """Give an event its place, and the signature of the workspace.

    Raises
    ------
    InputError
        When the kind is unknown, or what it says cannot be written down.

    Examples
    --------
    >>> from datetime import UTC
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> hand = Hand(own.public_key().public_bytes_raw().hex(), own.sign)
    >>> said = Proposed("noted", {"text": "Called them."}, datetime(2026, 11, 23, tzinfo=UTC), "ann")
    >>> event = written(said, "C1", 0, "", hand)
    >>> read_event(event.line()) == event
    True
    >>> read_event(event.line().replace(b"Called", b"Mailed"))
    Traceback (most recent call last):
    riparian.errors.CustodyError: event 0 of `C1` is not as it was signed, wanted one that nobody has changed
    """
    if proposed.kind not in KINDS:
        raise InputError(f"the event is `{proposed.kind[:40]}`, wanted one of {', '.join(sorted(KINDS))}")
    what = json.loads(canonical(dict(proposed.what)))
    at = when(moment(proposed.at))
    event = Event(case, number, proposed.kind, at, proposed.by, what, previous, hand.key, "")
    return replace(event, signature=hand.sign(_EVENT + canonical(event.said())).hex())


def read_event(line: bytes) -> Event:
    """Read one event and check its signature.

    Raises
    ------
    CustodyError
        When it is not exactly what was signed.
    """
    try:
        said = json.loads(line)
        event = Event(
            str(said["case"]),
            _whole(said["number"]),
            str(said["kind"]),
            when(said["at"]),
            str(said["by"]),
            dict(said["what"]),
            str(said["previous"]),
            str(said["key"]),
            str(said["signature"]),
        )
        is_ours = event.line() == line and said["version"] == VERSION and event.kind in KINDS
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError) as error:
        raise _altered("an event", "cannot be read", "a line that riparian wrote") from error
    name = f"event {event.number} of `{event.case[:40]}`"
    if not is_ours or not is_signed(event.key, event.signature, _EVENT + canonical(event.said())):
        raise _altered(name, "is not as it was signed", "one that nobody has changed")
    return event


def chained(lines: Iterable[bytes], case: str, key: str = "") -> tuple[Event, ...]:
    """Read the events of a case, from the first on, and check that none is missing between them.

    Parameters
    ----------
    key
        The public key of the workspace, in hexadecimal; empty where nobody told: then all have the first one's.

    Raises
    ------
    CustodyError
        When an event is altered, missing, out of place, or signed with another key.
    """
    events: list[Event] = []
    previous, wanted = "", key
    for number, line in enumerate(lines):
        event = read_event(line)
        wanted = wanted or event.key
        if (event.case, event.number, event.previous, event.key) != (case, number, previous, wanted):
            raise _altered(f"event {number} of `{case}`", "does not follow the one before it", "every event, in order")
        previous = hashlib.sha256(line).hexdigest()
        events.append(event)
    return tuple(events)


def act_octets(case: str, proposed: Proposed) -> bytes:
    """Write what a person signs when they act: the case, the act, the time and their name."""
    what = {name: one for name, one in proposed.what.items() if name != "signed"}
    act = {"at": moment(proposed.at), "by": proposed.by, "case": case, "kind": proposed.kind, "what": what}
    return _ACT + canonical(act)


def acted(case: str, proposed: Proposed, hand: Hand) -> Proposed:
    """Put a person's signature under what they do."""
    signature = hand.sign(act_octets(case, proposed)).hex()
    return replace(proposed, what={**proposed.what, "signed": {"key": hand.key, "signature": signature}})


def by_whom(case: str, act: Proposed | Event, people: Mapping[str, Person]) -> Person:
    """Tell which person did it: whose signature is under it, and who was known, and not retired, at the time.

    Raises
    ------
    CustodyError
        When it has no signature of the person whose name it bears.
    """
    proposed = Proposed(act.kind, act.what, act.at, act.by)
    signed = act.what.get("signed", _NONE)
    person = people.get(act.by)
    key, signature = (str(signed.get(name, "")) for name in ("key", "signature")) if signed else ("", "")
    known = person is not None and person.key == key and person.added <= act.at
    if person is None or not known or (person.retired is not None and person.retired <= act.at):
        raise CustodyError(
            f"`{act.kind}` of `{case}` is by `{act.by[:80]}`, who has no such key, wanted a person who may sign",
            hint="See `riparian case person list`; a person signs with a key of their own.",
        )
    if not is_signed(key, signature, act_octets(case, proposed)):
        raise _altered(f"`{act.kind}` of `{case}`", f"is not what `{act.by[:80]}` signed", "their own signature")
    return person


def people_of(events: Iterable[Event | Proposed]) -> dict[str, Person]:
    """Tell who may sign, by name, from their log.

    Raises
    ------
    CustodyError
        When somebody stands there for whom nobody vouched.
    """
    people: dict[str, Person] = {}
    for event in events:
        name, key = str(event.what.get("name", "")), str(event.what.get("key", ""))
        is_first, is_end = not people, bool(event.what.get("retired"))
        if is_first and not is_end:
            voucher = by_whom(PEOPLE, event, {event.by: Person(event.by, key, event.at, event.by)})
        else:
            voucher = by_whom(PEOPLE, event, people)
        stands = people.get(name)
        if not name or (is_first and name != event.by) or (stands is not None) != is_end:
            raise _altered(f"`{name[:80]}`", "is in the log of people twice, or was never there", "each of them once")
        if is_end and stands is not None:
            people[name] = replace(stands, retired=event.at)
        elif any(one.key == key for one in people.values()):
            raise _altered(f"`{name[:80]}`", "has the key of another person", "a key of their own")
        else:
            people[name] = Person(name, key, event.at, voucher.name)
    return people


def is_signed(key: str, signature: str, octets: bytes) -> bool:
    """Tell whether a signature, Ed25519 in hexadecimal, is under octets."""
    try:
        said, signed = bytes.fromhex(key), bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(said).verify(signed, octets)
    except (InvalidSignature, ValueError):
        return False
    return (said.hex(), signed.hex()) == (
        key,
        signature,
    )  # one spelling: nothing in a log can be changed and still hold


def _whole(said: object) -> int:
    if type(said) is not int:
        raise ValueError("no whole number")
    return said


def _altered(name: str, found: str, wanted: str) -> CustodyError:
    return CustodyError(
        f"{name} {found}, wanted {wanted}", hint="Stop, and compare with a copy that was taken earlier."
    )
