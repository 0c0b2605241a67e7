"""Which items do two peers both have, without either showing the other what else it has?

Private set intersection after Diffie and Hellman.  Each item is hashed onto Curve25519; who asks raises its points to a
secret, who answers raises them again and adds its own points, raised once.  Raised by both, the points of the same item
are the same, whoever went first.  Who asks learns which of its items the other has, and how many that has in all; who
answers learns how many were asked about.

Codes of recordings are few: whoever has their hash has the code.  Here nobody can try codes but by asking, and every
ask says how many it asks about.  It protects against peers who are curious, not against peers who lie: one who asks may
ask about what it does not have, so an answer is given to those with whom that is agreed, and up to a number.

Source
------
C. Meadows, A more efficient cryptographic matchmaking protocol (IEEE S&P 1986); B. Huberman, M. Franklin, T. Hogg,
Enhancing privacy and trust in electronic communities (EC 1999).  RFC 7748 (X25519).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from riparian.errors import InputError

VERSION: Final = 1
ITEMS_MAX: Final = 1_000_000
SECRET: Final = 32
_P: Final = 2**255 - 19
_A: Final = 486_662
_NAME: Final = b"riparian blinded 1\0"


class Of(StrEnum):
    """What items are: how each is spelt before it is hashed."""

    ISRC = "isrc"
    SHA256 = "sha256"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and what is kept to read the answer.

    Parameters
    ----------
    said
        Handed to the peer.
    items
        The items, in the order in which their points were handed over.
    """

    said: Mapping[str, Any]
    items: tuple[str, ...]


def ask(items: Iterable[str], of: Of, secret: bytes) -> Asked:
    """Blind the items that are asked about.

    Parameters
    ----------
    secret
        :data:`SECRET` random octets, new for every ask.

    Raises
    ------
    InputError
        When there are none, too many, or one is not what it is said to be.

    Examples
    --------
    >>> asked = ask(["GBAYE0000351", "USUM71900764"], Of.ISRC, b"a" * 32)
    >>> answered = answer(asked.said, ["us-um7-19-00764", "FRX201900001"], Of.ISRC, b"b" * 32)
    >>> shared(asked, answered, b"a" * 32)
    ('USUM71900764',)
    """
    raised = _raised(items, of, secret)
    said = {"kind": "psi_ask", "version": VERSION, "of": str(of), "points": [point for point, _ in raised]}
    return Asked(said, tuple(item for _, item in raised))


def answer(
    said: Mapping[str, Any], items: Iterable[str], of: Of, secret: bytes, most: int = ITEMS_MAX
) -> dict[str, Any]:
    """Answer an ask, about items of one's own.

    Parameters
    ----------
    secret
        :data:`SECRET` random octets, new for every answer, and forgotten after it.
    most
        About how many items an answer is given.

    Raises
    ------
    InputError
        When it is no ask, is of other items, or asks about too many.
    """
    points = _points(said, "psi_ask")
    if said.get("of") != of:
        raise InputError(f"the ask is of `{str(said.get('of'))[:20]}`, wanted `{of}`")
    if len(points) > most:
        raise InputError(
            f"the ask is about {len(points):,} items, wanted at most {most:,}",
            hint="Who may ask about everything may learn everything: agree on a number.",
        )
    key = X25519PrivateKey.from_private_bytes(secret)
    return {
        "kind": "psi_answer",
        "version": VERSION,
        "of": str(of),
        "asked": _digest(points),
        "again": [_raise(point, key) for point in points],
        "points": [point for point, _ in _raised(items, of, secret)],
    }


def shared(asked: Asked, answered: Mapping[str, Any], secret: bytes) -> tuple[str, ...]:
    """Tell which items both have.

    Raises
    ------
    InputError
        When it is no answer to what was asked.
    """
    theirs = _points(answered, "psi_answer")
    again = _listed(answered.get("again"), "psi_answer")
    if answered.get("asked") != _digest(asked.said["points"]) or len(again) != len(asked.items):
        raise InputError("the answer is to something else, wanted one to what was asked")
    key = X25519PrivateKey.from_private_bytes(secret)
    both = {_raise(point, key) for point in theirs}
    return tuple(sorted(item for item, point in zip(asked.items, again, strict=True) if point in both))


def spelt(item: str, of: Of) -> str:
    """Spell an item as both sides do.

    Raises
    ------
    InputError
        When it is not what it is said to be.

    Examples
    --------
    >>> spelt("gb-aye-00-00351", Of.ISRC)
    'GBAYE0000351'
    """
    text = item.strip()
    if of is Of.ISRC:
        text = text.replace("-", "").replace(" ", "").upper()
        is_one = len(text) == 12 and text.isascii() and text[:2].isalpha() and text.isalnum() and text[5:].isdigit()
    elif of is Of.SHA256:
        text = text.lower()
        is_one = len(text) == 64 and not set(text) - set("0123456789abcdef")
    else:
        is_one = "://" in text and len(text) < 8192
    if not is_one:
        raise InputError(f"`{text[:60]}` is no {of}, wanted one in a line")
    return text


def _raised(items: Iterable[str], of: Of, secret: bytes) -> list[tuple[str, str]]:
    names = sorted({spelt(item, of) for item in items})
    if not 0 < len(names) <= ITEMS_MAX:
        raise InputError(f"there are {len(names):,} items, wanted 1 to {ITEMS_MAX:,}")
    # In the order of their points, which says nothing of the order in which they were held.
    key = X25519PrivateKey.from_private_bytes(secret)
    return sorted((_raise(_point(name, of).hex(), key), name) for name in names)


def _point(name: str, of: Of) -> bytes:
    """Hash onto the curve: those hashes that are on its twist are passed over, so that none tells itself by it."""
    for n in range(256):
        digest = hashlib.sha256(_NAME + of.encode() + bytes([0, n]) + name.encode()).digest()
        u = int.from_bytes(digest, "little") % 2**255 % _P
        if pow(u * (u * u + _A * u + 1), (_P - 1) // 2, _P) == 1:
            return u.to_bytes(32, "little")
    raise AssertionError("half of all numbers are on the curve")  # pragma: no cover -- once in 2**256


def _raise(point: str, key: X25519PrivateKey) -> str:
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(point))).hex()
    except ValueError as error:
        raise InputError(f"`{point[:16]}` is no point of the curve, wanted one that was blinded") from error


def _points(said: Mapping[str, Any], kind: str) -> Sequence[str]:
    if said.get("kind") != kind or said.get("version") != VERSION:
        found = f"`{str(said.get('kind'))[:20]}` of version {str(said.get('version'))[:8]}"
        raise InputError(f"it is a {found}, wanted `{kind}` of version {VERSION}")
    return _listed(said.get("points"), kind)


def _listed(points: object, kind: str) -> Sequence[str]:
    if not isinstance(points, list) or not 0 < len(points) <= ITEMS_MAX:
        raise InputError(f"the {kind} lists no points, wanted 1 to {ITEMS_MAX:,}")
    for one in points:
        if not isinstance(one, str) or len(one) != 64 or set(one) - set("0123456789abcdef"):
            raise InputError(f"`{str(one)[:16]}` is no point, wanted 64 digits and letters to f")
    return points


def _digest(points: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(points)).encode()).hexdigest()
