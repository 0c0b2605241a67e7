"""Which key signs a grant, and which keys still hold?

A ring has one key that issues, one that will issue next, and those that issued before.  All of them verify, so
that an edge which learns of a ring late or early refuses nobody::

    next ----rotation----> current ----rotation----> earlier --(twice the longest grant)--> gone

Rotation makes the next key the current one.  Every edge has known it since the rotation before, and what the
current one issued a moment earlier holds to its end.  After a leak there is no such patience: every key is
replaced, and whoever plays fetches the playlist again.

One secret serves every form of grant.  What is authenticated begins differently in each of them (``rg1`` and a line
feed, ``eyJ``, a CBOR array of four), so that no text of one is a text of another; the key for ES256 is derived.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from riparian.errors import InputError
from riparian.gate.spelling import encode

SECRET_BYTES: Final = 32
ID_BYTES: Final = 4
LONGEST_GRANT_S: Final = 120
"""No policy lets a grant last longer; see ``grant_s``."""
KEPT_S: Final = 2 * LONGEST_GRANT_S
"""How long a key verifies after it has issued its last grant."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-5


@dataclass(frozen=True, slots=True)
class Key:
    """A secret with a name.

    Parameters
    ----------
    id
        1 to 32 letters, digits, dashes and underscores; stands in every grant.
    secret
        32 bytes or more; shown by no ``repr``.
    made_s
        UTC.
    retires_s
        UTC; 0 for a key that has no end yet.

    Raises
    ------
    InputError
        When the id or the secret is not so.

    Examples
    --------
    >>> Key("k1", bytes(32), 1_800_000_000)
    Key(id='k1', made_s=1800000000, retires_s=0)
    """

    id: str
    secret: bytes = field(repr=False)
    made_s: int
    retires_s: int = 0

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise InputError("`id` of a key is no name, wanted 1 to 32 letters, digits, dashes and underscores")
        if len(self.secret) < SECRET_BYTES:
            raise InputError(f"the secret of `{self.id}` has {len(self.secret)} bytes, wanted {SECRET_BYTES} or more")

    @classmethod
    def fresh(cls, random: Callable[[int], bytes], now_s: int) -> "Key":
        """Make a key from a source of random bytes, such as ``secrets.token_bytes``."""
        return cls(f"k{random(ID_BYTES).hex()}", random(SECRET_BYTES), now_s)

    def signer(self) -> ec.EllipticCurvePrivateKey:
        """Derive the key that signs with ES256; only its public half need leave the house."""
        return _signer(self.secret)

    def verifier(self) -> ec.EllipticCurvePublicKey:
        """Give the public half of :meth:`signer`."""
        return _verifier(self.secret)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a house.

    Parameters
    ----------
    current
        Issues.
    next
        Will issue after the next rotation; verifies from now on.
    earlier
        Issued before; each verifies until it retires.

    Raises
    ------
    InputError
        When two keys have one name.

    Examples
    --------
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> turned = ring.rotated(Key("k3", bytes(32), 1000), now_s=1000)
    >>> turned.current.id, turned.next.id, turned.earlier
    ('k2', 'k3', (Key(id='k1', made_s=0, retires_s=1240),))
    >>> turned.find("k1", 1239) is None, turned.find("k1", 1240) is None
    (False, True)
    """

    current: Key
    next: Key
    earlier: tuple[Key, ...] = ()
    _named: dict[str, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = {key.id: key for key in self}
        if len(named) < 2 + len(self.earlier):
            raise InputError("two keys of a ring have one name, wanted a name for each")
        object.__setattr__(self, "_named", named)

    def __iter__(self) -> Iterator[Key]:
        return iter((self.current, self.next, *self.earlier))

    @classmethod
    def fresh(cls, random: Callable[[int], bytes], now_s: int) -> "KeyRing":
        """Make a ring of new keys."""
        return cls(Key.fresh(random, now_s), Key.fresh(random, now_s))

    def find(self, name: str, now_s: int) -> Key | None:
        """Find a key that still holds."""
        key = self._named.get(name)
        return key if key is not None and (key.retires_s == 0 or now_s < key.retires_s) else None

    def rotated(self, fresh: Key, now_s: int, *, open_s: int = 0) -> "KeyRing":
        """Let the next key issue; the one that did holds for twice the longest grant.

        Parameters
        ----------
        fresh
            Will issue after the next rotation.
        now_s
            UTC.
        open_s
            How long edges may keep media open beyond the end of a grant, while they cannot reach the gate.
        """
        kept = tuple(key for key in self.earlier if now_s < key.retires_s)
        return KeyRing(self.next, fresh, (replace(self.current, retires_s=now_s + KEPT_S + open_s), *kept))


def jwks(ring: KeyRing) -> dict[str, list[dict[str, str]]]:
    """Write a ring as RFC 7517 has it, secrets and all, for an edge of one's own that verifies JWT.

    Examples
    --------
    >>> jwks(KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0)))["keys"][0]["kid"]
    'k1'
    """
    return {"keys": [{"kty": "oct", "alg": "HS256", "kid": key.id, "k": encode(key.secret)} for key in ring]}


def public_jwks(ring: KeyRing) -> dict[str, list[dict[str, str]]]:
    """Write the public halves of a ring, for a CDN that verifies ES256 and should issue nothing.

    Examples
    --------
    >>> sorted(public_jwks(KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0)))["keys"][0])
    ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']
    """
    return {"keys": [_public(key) for key in ring]}


def _public(key: Key) -> dict[str, str]:
    point = key.verifier().public_numbers()
    x, y = (encode(value.to_bytes(32, "big")) for value in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.id, "x": x, "y": y}


@lru_cache(maxsize=64)
def _signer(secret: bytes) -> ec.EllipticCurvePrivateKey:
    # 512 bits, reduced to 256: the bias is nothing that anybody could ever see.
    seed = hmac.digest(secret, b"riparian es256", hashlib.sha512)
    return ec.derive_private_key(1 + int.from_bytes(seed, "big") % (_ORDER - 1), ec.SECP256R1())


@lru_cache(maxsize=64)
def _verifier(secret: bytes) -> ec.EllipticCurvePublicKey:
    return _signer(secret).public_key()
