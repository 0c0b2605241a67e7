"""How is a case shown to somebody who may not see all of it, so that what they see can still be checked?

An event of which something is hidden stands with its digest, its place and its signature, and in place of each hidden
value a commitment: a hash over a secret salt, the event and the value.  The chain of digests holds as before, and so do
tokens over them; the workspace vouches for the rest with the signature under the manifest.  Whoever is given the salts
of an event later puts the values back, and has the event itself, under its own signature.

Source
------
Commitment by hash with 32 octets of salt, as RFC 9901 (SD-JWT), section 4.2, does for claims.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from riparian.cases.events import Event, read_event
from riparian.cases.plain import canonical, when
from riparian.cases.steps import Step
from riparian.errors import CustodyError, InputError

FIELDS: Final = (
    *("party.party", "authority.document", "addressee.email", "addressee.address", "addressee.name"),
    *("location.host_ip", "location.title", "looked.how", "considered.note", "noted.text", "issued.text"),
    *("checked.source", "checked.note", "checked.by", "drafted.notice", "kept.name", "released.because"),
    *("sealed.because", "joined.because", "send.to"),
    *(f"{step}.{field}" for step in Step for field in ("because", "reference")),
)
"""What is hidden when nobody says otherwise: the parties, what people wrote, and what others told them alone."""

NEEDED: Final = frozenset({"sha256", "item", "octets", "media_type", "digest", "signed", "manifest"})
"""What a check needs, and nothing hides."""

_FIELD: Final = b"riparian case field 1\0"
_SALT: Final = 32


@dataclass(frozen=True, slots=True)
class Opening:
    """What it takes to show one hidden value.

    Parameters
    ----------
    event
        Its number.
    path
        Where in what the event says.
    salt
        In hexadecimal.
    """

    event: int
    path: tuple[str, ...]
    salt: str
    value: Any


@dataclass(frozen=True, slots=True)
class Seen:
    """An event, as far as it is shown.

    Parameters
    ----------
    digest
        SHA-256 of its whole line, in hexadecimal.
    whole
        Whether nothing is hidden.
    """

    event: Event
    digest: str
    whole: bool = True


def redacted(event: Event, fields: Iterable[str], random: Callable[[int], bytes]) -> tuple[bytes, tuple[Opening, ...]]:
    """Hide fields of an event: the line that stands for it, and what shows them again.

    Parameters
    ----------
    fields
        As in ``party.party`` or ``noted.text``: the kind of event, and where in it.
    random
        Gives as many random octets as it is asked for.

    Raises
    ------
    InputError
        When a field is none, or is needed to check anything.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> from riparian.cases.events import Hand, Proposed, written
    >>> own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> said = Proposed("noted", {"text": "Ann called."}, datetime(2026, 11, 23, tzinfo=UTC), "ben")
    >>> event = written(said, "C1", 0, "", Hand(own.public_key().public_bytes_raw().hex(), own.sign))
    >>> line, openings = redacted(event, ["noted.text"], bytes)
    >>> b"Ann" in line, shown(seen(line), openings) == event
    (False, True)
    """
    what: dict[str, Any] = json.loads(canonical(dict(event.what)))
    openings = []
    for path in _paths(fields, event.kind):
        place = _place(what, path)
        if place is not None:
            opening = Opening(event.number, path, random(_SALT).hex(), place[path[-1]])
            place[path[-1]] = {"hidden": commitment(event.digest, opening)}
            openings.append(opening)
    if not openings:
        return event.line(), ()
    said = {**event.said(), "digest": event.digest, "signature": event.signature, "what": what}
    return canonical({"redacted": said}), tuple(openings)


def seen(line: bytes) -> Seen:
    """Read an event of which some may be hidden.

    Raises
    ------
    CustodyError
        When it is neither an event nor one of which some is hidden.
    """
    if not line.startswith(b'{"redacted":'):
        return Seen(read_event(line), hashlib.sha256(line).hexdigest())
    try:
        said = json.loads(line)["redacted"]
        event = Event(
            str(said["case"]),
            int(said["number"]),
            str(said["kind"]),
            when(said["at"]),
            str(said["by"]),
            dict(said["what"]),
            str(said["previous"]),
            str(said["key"]),
            str(said["signature"]),
        )
        again = {**event.said(), "digest": str(said["digest"]), "signature": event.signature}
        is_ours = canonical({"redacted": again}) == line and len(again["digest"]) == 64
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, InputError) as error:
        raise _altered("an event of which some is hidden", "cannot be read") from error
    if not is_ours:
        raise _altered(f"event {event.number} of `{event.case[:40]}`", "is not spelled as riparian does")
    return Seen(event, again["digest"], whole=False)


def followed(lines: Sequence[bytes], case: str, key: str = "") -> tuple[Seen, ...]:
    """Read the events of a case, some of which may be hidden in part, and check that none is missing between them.

    Raises
    ------
    CustodyError
        When an event is altered, missing, out of place, or signed with another key.
    """
    events: list[Seen] = []
    previous, wanted = "", key
    for number, line in enumerate(lines):
        one = seen(line)
        wanted = wanted or one.event.key
        place = (one.event.case, one.event.number, one.event.previous, one.event.key)
        if place != (case, number, previous, wanted):
            raise _altered(f"event {number} of `{case[:40]}`", "does not follow the one before it")
        previous = one.digest
        events.append(one)
    return tuple(events)


def shown(one: Seen, openings: Iterable[Opening]) -> Event | None:
    """Put back what was hidden, and check that it was this.

    Returns
    -------
    event
        As it was signed, when nothing of it is hidden any more; else None.

    Raises
    ------
    CustodyError
        When an opening is of another value.
    """
    what: dict[str, Any] = json.loads(canonical(dict(one.event.what)))
    name = f"event {one.event.number} of `{one.event.case[:40]}`"
    for opening in openings:
        place = _place(what, opening.path)
        if place is None or place[opening.path[-1]] != {"hidden": commitment(one.digest, opening)}:
            raise _altered(f"`{'.'.join(opening.path)}` of {name}", "was not hidden with this value")
        place[opening.path[-1]] = opening.value
    event = replace(one.event, what=what)
    return read_event(event.line()) if event.digest == one.digest else None


def openings_octets(openings: Iterable[Opening]) -> bytes:
    """Write what shows hidden values again.

    Examples
    --------
    >>> openings = (Opening(3, ("text",), "00" * 32, "Ann called."),)
    >>> read_openings(openings_octets(openings)) == openings
    True
    """
    said = [{"event": one.event, "path": list(one.path), "salt": one.salt, "value": one.value} for one in openings]
    return canonical(said) + b"\n"


def read_openings(octets: bytes) -> tuple[Opening, ...]:
    """Read what shows hidden values again.

    Raises
    ------
    InputError
        When it is nothing of the kind.
    """
    try:
        return tuple(
            Opening(int(one["event"]), tuple(map(str, one["path"])), bytes.fromhex(one["salt"]).hex(), one["value"])
            for one in json.loads(octets)
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(
            "what shows hidden fields cannot be read, wanted the file that was written beside a bundle",
            hint="It ends in .openings.json, and whoever exported the bundle has it.",
        ) from error


def commitment(digest: str, opening: Opening) -> str:
    """Give the hash that stands in place of a value, in hexadecimal.

    Parameters
    ----------
    digest
        Of the event.
    """
    said = [digest, list(opening.path), opening.value]
    return hashlib.sha256(_FIELD + bytes.fromhex(opening.salt) + canonical(said)).hexdigest()


def _paths(fields: Iterable[str], kind: str) -> list[tuple[str, ...]]:
    paths = []
    for field in fields:
        first, *path = field.split(".")
        if not path or not all(path) or not first or NEEDED & set(path):
            raise InputError(
                f"`{field[:80]}` is no field that can be hidden, wanted a kind of event and a field, as in noted.text",
                hint=f"Nothing hides {', '.join(sorted(NEEDED))}: a check needs them.",
            )
        if first == kind:
            paths.append(tuple(path))
    return sorted(set(paths), key=len)


def _place(what: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any] | None:
    """Find the mapping in which the end of a path is."""
    place: Any = what
    for name in path[:-1]:
        place = place.get(name) if isinstance(place, dict) else None
    return place if isinstance(place, dict) and path[-1] in place else None


def _altered(name: str, found: str) -> CustodyError:
    return CustodyError(f"{name} {found}, wanted what was exported", hint="Ask whoever exported it for another copy.")
