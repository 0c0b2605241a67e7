"""How is a leak said to a peer, in the words that security teams' tools read already?

As STIX 2.1.  A signal is an indicator: the SHA-256 of a file, or an address, with what a music company asks of it in a
property extension that is defined once (:data:`DEFINITION`): which recording, how it was compared, and the stated
chance that it is a mistake.  It has an end, a marking that says who may have it, and can be taken back.  It says
nothing of people: :mod:`riparian.exchange.lint` refuses what does.

The same signal of the same sender has the same identifier, however often it is written; a newer version of it has a
later ``modified``.  What a peer adds that we do not know is kept and passed on as it was.

Source
------
OASIS STIX 2.1 (10 June 2021): 2.9 (identifiers), 3.2 (common properties), 3.6 (versioning and revoking), 4.5
(grouping), 4.7 (indicator), 4.13 (opinion), 5.2 (sighting), 7.2.1.4 (TLP), 7.3 (extension definitions).
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from riparian.errors import InputError

Stix: TypeAlias = dict[str, Any]

_NAMESPACE: Final = "riparian audio leak 1"
_OBSERVED: Final = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
EXTENSION: Final = "extension-definition--3b0f6b52-8f7f-4b0e-9d3a-6a2f0c6f8d21"
SPEC: Final = "2.1"
TTL: Final = timedelta(days=90)
"""How long a signal holds unless it is said again."""
_MAKER: Final = "identity--1f0d4f5c-54c1-4b5e-8c8e-3a0f7c1d9b02"
_DEFINED: Final = "2026-11-23T00:00:00.000Z"
SCHEMA: Final = "https://riparian.example/schemas/audio-leak/v1"


class Tlp(StrEnum):
    """Who may have it; the marking definitions that STIX 2.1 fixes."""

    WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
    GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
    AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
    RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"


class Opinion(StrEnum):
    """What somebody holds of another's signal (STIX 2.1, 4.13)."""

    STRONGLY_DISAGREE = "strongly-disagree"
    DISAGREE = "disagree"
    NEUTRAL = "neutral"
    AGREE = "agree"
    STRONGLY_AGREE = "strongly-agree"


@dataclass(frozen=True, slots=True)
class Signal:
    """What is said of one file or one address.

    Parameters
    ----------
    sha256, url
        One of the two.
    recording
        An identifier that others know, such as an ISRC; empty where none may be said.
    how
        What was compared: ``sound``, ``hash``, ``mark``, ``identifier``, ``list``, ``title``.
    error
        The stated chance of a mistake, 0 to 1.
    seconds
        How much of the recording is there; 0 when that is not known.
    seen
        When it was first seen.
    until
        When it ends.
    revoked
        Whether it was taken back.
    ident, sender
        Identifiers of the indicator and of whoever says so.
    modified
        When this version was written.
    """

    sha256: str = ""
    url: str = ""
    recording: str = ""
    how: str = "sound"
    error: float = 1.0
    seconds: float = 0.0
    seen: datetime | None = None
    until: datetime | None = None
    revoked: bool = False
    ident: str = ""
    sender: str = ""
    modified: datetime | None = None


DEFINITION: Final[Mapping[str, Any]] = {
    "type": "extension-definition",
    "spec_version": SPEC,
    "id": EXTENSION,
    "created_by_ref": _MAKER,
    "created": _DEFINED,
    "modified": _DEFINED,
    "name": "Audio leak",
    "description": "Which recording is in a file or at an address, how it was compared, and the chance of a mistake.",
    "schema": SCHEMA,
    "version": "1.0.0",
    "extension_types": ["property-extension"],
}
"""What the extension is; whoever imports a signal finds it beside it."""
MAKER: Final[Mapping[str, Any]] = {
    "type": "identity",
    "spec_version": SPEC,
    "id": _MAKER,
    "created_by_ref": _MAKER,
    "created": _DEFINED,
    "modified": _DEFINED,
    "name": "Riparian",
    "identity_class": "organization",
}


def identity(name: str, at: datetime) -> Stix:
    """Say who speaks: an organisation, never a person.

    Examples
    --------
    >>> identity("Reed Records", datetime(2026, 11, 23, tzinfo=UTC))["id"][:10]
    'identity--'
    """
    ident = _ident("identity", {"name": name})
    return _common("identity", ident, at, ident) | {"name": name, "identity_class": "organization"}


def indicator(signal: Signal, sender: str, at: datetime, tlp: Tlp = Tlp.AMBER) -> Stix:
    """Write a signal.

    Parameters
    ----------
    sender
        The identifier of whoever says so.

    Raises
    ------
    InputError
        When it is about nothing, about two things, or its chance of a mistake is none.

    Examples
    --------
    >>> at = datetime(2026, 11, 23, tzinfo=UTC)
    >>> said = indicator(Signal(sha256="ab" * 32, error=1e-9, seen=at), identity("Reed", at)["id"], at)
    >>> said["pattern"][:22], signal_of(said).error
    ("[file:hashes.'SHA-256'", 1e-09)
    """
    if bool(signal.sha256) == bool(signal.url):
        raise InputError(
            f"a signal is of the file `{signal.sha256[:16]}` and the address `{signal.url[:40]}`, wanted one of the two"
        )
    if not 0 <= signal.error <= 1:
        raise InputError(f"the chance of a mistake is {signal.error}, wanted 0 to 1")
    pattern = _pattern(signal)
    seen = signal.seen or at
    until = signal.until or seen + TTL
    leak: Stix = {"extension_type": "property-extension", "how": signal.how, "error": signal.error}
    if signal.recording:
        leak["recording"] = signal.recording
    if signal.seconds:
        leak["milliseconds"] = round(signal.seconds * 1000)
    return _common("indicator", ident_of(signal, sender), at, sender, tlp) | {
        "name": "Audio leak",
        "description": "A copy of a recording, outside of where it is offered.",
        "indicator_types": ["unknown"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": stamp(seen),
        "valid_until": stamp(until),
        "extensions": {EXTENSION: leak},
    }


def file(signal: Signal) -> Stix:
    """Describe a file: its digest, how much sound is in it, and of which recording; the same file has one identifier.

    Examples
    --------
    >>> file(Signal(sha256="ab" * 32, seconds=12.5))["extensions"][EXTENSION]["milliseconds"]
    12500
    """
    leak: Stix = {"extension_type": "property-extension"}
    if signal.recording:
        leak["recording"] = signal.recording
    if signal.seconds:
        leak["milliseconds"] = round(signal.seconds * 1000)
    made: Stix = {"hashes": {"SHA-256": signal.sha256}}
    if len(leak) > 1:
        made["extensions"] = {EXTENSION: leak}
    # Whole numbers and plain text only, so that JSON in order is JSON canonical (RFC 8785).
    name = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": "file", "spec_version": SPEC, "id": f"file--{uuid.uuid5(_OBSERVED, name)}", **made}


def sighting(of: str, sender: str, at: datetime, count: int = 1, tlp: Tlp = Tlp.AMBER) -> Stix:
    """Say that what a signal is about was seen, so many times."""
    ident = _ident("sighting", {"of": of, "sender": sender})
    return _common("sighting", ident, at, sender, tlp) | {
        "sighting_of_ref": of,
        "where_sighted_refs": [sender],
        "first_seen": stamp(at),
        "last_seen": stamp(at),
        "count": count,
    }


def opinion(of: str, holds: Opinion, sender: str, at: datetime, why: str = "", tlp: Tlp = Tlp.AMBER) -> Stix:  # noqa: PLR0913, PLR0917 -- as many as STIX has
    """Say what one holds of another's signal."""
    ident = _ident("opinion", {"of": of, "sender": sender})
    said: Stix = {"opinion": str(holds), "object_refs": [of]}
    return _common("opinion", ident, at, sender, tlp) | said | ({"explanation": why} if why else {})


def grouping(refs: Sequence[str], name: str, sender: str, at: datetime, tlp: Tlp = Tlp.AMBER) -> Stix:
    """Say that some signals belong to one matter."""
    ident = _ident("grouping", {"name": name, "sender": sender})
    return _common("grouping", ident, at, sender, tlp) | {
        "name": name,
        "context": "unspecified",
        "object_refs": sorted(refs),
    }


def revoked(said: Mapping[str, Any], at: datetime) -> Stix:
    """Take an object back: the same, revoked, in a version that is later than the one taken back.

    Raises
    ------
    InputError
        When it has been taken back already.
    """
    if said.get("revoked"):
        raise InputError(f"`{said['id']}` has been taken back already, wanted one that stands")
    modified = max(at, _time(str(said["modified"])) + timedelta(milliseconds=1))
    return {**said, "modified": stamp(modified), "revoked": True}


def again(said: Mapping[str, Any], at: datetime, **changed: object) -> Stix:
    """Write the next version of an object."""
    modified = max(at, _time(str(said["modified"])) + timedelta(milliseconds=1))
    return {**said, **changed, "modified": stamp(modified)}


def ident_of(signal: Signal, sender: str) -> str:
    """Give the identifier that a signal of a sender has, whenever it is written."""
    return _ident("indicator", {"pattern": _pattern(signal), "sender": sender})


def signal_of(said: Mapping[str, Any]) -> Signal:
    """Read a signal that somebody wrote.

    Raises
    ------
    InputError
        When it is no indicator of a file or an address that can be understood.
    """
    try:
        if said["type"] != "indicator" or said["pattern_type"] != "stix":
            raise InputError(f"`{str(said['type'])[:40]}` is no signal, wanted an indicator with a pattern of STIX")
        sha256, url = _about(str(said["pattern"]))
        leak = said.get("extensions", {}).get(EXTENSION, {})
        error = float(leak.get("error", 1.0))
        until = said.get("valid_until")
        return Signal(
            sha256,
            url,
            str(leak.get("recording", "")),
            str(leak.get("how", "list")),
            error if 0 <= error <= 1 else 1.0,
            float(leak.get("milliseconds", 0)) / 1000,
            _time(str(said["valid_from"])),
            _time(str(until)) if until else None,
            bool(said.get("revoked", False)),
            str(said["id"]),
            str(said.get("created_by_ref", "")),
            _time(str(said["modified"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            f"an object of the type `{str(said.get('type'))[:40]}` cannot be understood ({type(error).__name__}),"
            " wanted an indicator of STIX 2.1"
        ) from error


def stamp(at: datetime) -> str:
    """Write a time as STIX does: UTC, to the millisecond.

    Examples
    --------
    >>> stamp(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    '2026-11-23T09:30:00.000Z'
    """
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def is_current(signal: Signal, at: datetime) -> bool:
    """Tell whether a signal holds at a time."""
    return not signal.revoked and (signal.until is None or at < signal.until)


def later(one: Signal, other: Signal) -> Signal:
    """Give the later version of the same signal; taken back wins where both are of one time."""
    if one.modified != other.modified and one.modified is not None and other.modified is not None:
        return one if one.modified > other.modified else other
    return replace(one, revoked=one.revoked or other.revoked)


def _common(kind: str, ident: str, at: datetime, sender: str, tlp: Tlp | None = None) -> Stix:
    said: Stix = {
        "type": kind,
        "spec_version": SPEC,
        "id": ident,
        "created_by_ref": sender,
        "created": stamp(at),
        "modified": stamp(at),
    }
    return said | ({"object_marking_refs": [str(tlp)]} if tlp is not None else {})


def _ident(kind: str, said: Mapping[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Some tools refuse what is not shaped as version 4, which is random: this is a digest in that shape.
    return f"{kind}--{uuid.UUID(bytes=hashlib.sha256(f'{_NAMESPACE}/{kind}/{text}'.encode()).digest()[:16], version=4)}"


def _pattern(signal: Signal) -> str:
    if signal.sha256:
        return f"[file:hashes.'SHA-256' = '{signal.sha256}']"
    return f"[url:value = '{_quoted(signal.url)}']"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _about(pattern: str) -> tuple[str, str]:
    text = pattern.strip()
    file, url = "[file:hashes.'SHA-256' = '", "[url:value = '"
    if text.startswith(file) and text.endswith("']"):
        digest = text[len(file) : -2].lower()
        if len(digest) == 64 and not set(digest) - set("0123456789abcdef"):
            return digest, ""
    if text.startswith(url) and text.endswith("']"):
        inner = text[len(url) : -2]
        plain = inner.replace("\\'", "").replace("\\\\", "")
        if "'" not in plain:
            return "", inner.replace("\\'", "'").replace("\\\\", "\\")
    raise InputError(
        f"the pattern `{pattern[:80]}` is of something else, wanted one SHA-256 of a file or one address",
        hint="Other patterns are kept and passed on, and cause nothing here.",
    )


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at.astimezone(UTC)
