"""Were these bytes authenticated by somebody who has this key?

COSE_Mac0 with HMAC 256/256 and COSE_Sign1 with ES256, and nothing else of RFC 9052: one algorithm for each kind of key,
so that no message chooses how it is looked at.

Rules
-----
* The algorithm stands in the protected header; a key's name in one of the two headers.
* The unprotected header, which nobody has authenticated, holds that name at most.
* A critical header that is not understood refuses the message; none is.
* The tag of a CWT may stand before the message; the tag of COSE must.

Source
------
RFC 9052, sections 4.2 and 6.2; RFC 9053, sections 2.1 and 3.1; RFC 8392, section 6.
"""

import hmac
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, TypeAlias

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from riparian.gate import cbor
from riparian.gate.refused import Refused


class Algorithm(IntEnum):
    """As COSE numbers them."""

    HMAC_256 = 5
    ES256 = -7


Secret: TypeAlias = bytes | ec.EllipticCurvePublicKey
Find: TypeAlias = Callable[[str, Algorithm], Secret | None]
"""Finds what verifies: a secret for a MAC, a public key for a signature."""

_SIGN1, _MAC0, _CWT = 18, 17, 61
_ALG, _CRIT, _CONTENT, _KID, _TYP = 1, 2, 3, 4, 16
_TAGS: Final = {Algorithm.HMAC_256: _MAC0, Algorithm.ES256: _SIGN1}
_PROTECTED: Final = {algorithm: cbor2.dumps({_ALG: int(algorithm)}) for algorithm in Algorithm}
# What is authenticated, and the message, up to their first part that differs from one token to the next.
_CONTEXT: Final = {
    Algorithm.HMAC_256: b"\x84" + cbor2.dumps("MAC0"),
    Algorithm.ES256: b"\x84" + cbor2.dumps("Signature1"),
}
_OPENING: Final = {
    algorithm: b"\xd8" + bytes([_CWT, 0xC0 | tag]) + b"\x84" + cbor2.dumps(_PROTECTED[algorithm]) + b"\xa1\x04"
    for algorithm, tag in _TAGS.items()
}
_SIGNATURE_BYTES: Final = 64


def mac(payload: bytes, name: str, secret: bytes) -> bytes:
    """Authenticate bytes with a secret: a CWT-tagged COSE_Mac0.

    Parameters
    ----------
    payload
        What is authenticated.
    name
        Of the key.
    secret
        32 bytes or more.

    Examples
    --------
    >>> read(mac(b"payload", "k1", bytes(32)), lambda name, algorithm: bytes(32))
    (b'payload', 'k1')
    """
    said = _said(Algorithm.HMAC_256, _PROTECTED[Algorithm.HMAC_256], payload)
    return _message(Algorithm.HMAC_256, payload, name, hmac.digest(secret, said, "sha256"))


def sign(payload: bytes, name: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign bytes with a key of P-256: a CWT-tagged COSE_Sign1."""
    said = _said(Algorithm.ES256, _PROTECTED[Algorithm.ES256], payload)
    r, s = decode_dss_signature(key.sign(said, ec.ECDSA(hashes.SHA256())))
    return _message(Algorithm.ES256, payload, name, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def read(raw: bytes, find: Find) -> tuple[bytes, str] | Refused:
    """Say whether bytes are a genuine message.

    Parameters
    ----------
    raw
        Hostile.
    find
        Finds a key by its name.

    Returns
    -------
    tuple of (bytes, str) or Refused
        The payload and the name of the key.
    """
    parts = _parts(raw)
    if parts is None:
        return Refused.MALFORMED
    algorithm, protected, headers, payload, proof = parts
    if _CRIT in headers:
        return Refused.UNKNOWN_CLAIM
    name = _name(headers)
    if name is None:
        return Refused.MALFORMED
    key = find(name, algorithm)
    if key is None:
        return Refused.UNKNOWN_KEY
    said = _said(algorithm, protected, payload)
    good = _is_mac(said, proof, key) if isinstance(key, bytes) else _is_signature(said, proof, key)
    return (payload, name) if good else Refused.BAD_MAC


def _said(algorithm: Algorithm, protected: bytes, payload: bytes) -> bytes:
    return _CONTEXT[algorithm] + _string(protected) + b"\x40" + _string(payload)


def _message(algorithm: Algorithm, payload: bytes, name: str, proof: bytes) -> bytes:
    return _OPENING[algorithm] + _string(name.encode()) + _string(payload) + _string(proof)


def _string(raw: bytes) -> bytes:
    n = len(raw)
    if n < 24:
        return bytes([0x40 | n]) + raw
    if n < 256:
        return bytes([0x58, n]) + raw
    return b"\x59" + n.to_bytes(2, "big") + raw if n < 1 << 16 else cbor2.dumps(raw)


def _parts(raw: bytes) -> tuple[Algorithm, bytes, dict[int | str, Any], bytes, bytes] | None:
    try:
        message = cbor.read(raw)
        if isinstance(message, cbor.Tagged) and message.tag == _CWT:
            message = message.value
        if not isinstance(message, cbor.Tagged) or not isinstance(message.value, list) or len(message.value) != 4:
            return None
        protected, unprotected, payload, proof = message.value
        if not all(isinstance(part, bytes) for part in (protected, payload, proof)):
            return None
        headers = cbor.read(protected)
        algorithm = Algorithm(headers.pop(_ALG))
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    fits = isinstance(unprotected, dict) and unprotected.keys() <= {_KID} and not unprotected.keys() & headers.keys()
    known = headers.keys() <= {_CRIT, _CONTENT, _KID, _TYP}
    if message.tag != _TAGS[algorithm] or not fits or not known:
        return None
    return algorithm, protected, headers | unprotected, payload, proof


def _name(headers: dict[int | str, Any]) -> str | None:
    name = headers.get(_KID)
    try:
        return name.decode("utf-8") if isinstance(name, bytes) else None
    except UnicodeDecodeError:
        return None


def _is_mac(said: bytes, proof: bytes, secret: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(secret, said, "sha256"), proof)


def _is_signature(said: bytes, proof: bytes, key: ec.EllipticCurvePublicKey) -> bool:
    if len(proof) != _SIGNATURE_BYTES:
        return False
    half = _SIGNATURE_BYTES // 2
    der = encode_dss_signature(int.from_bytes(proof[:half], "big"), int.from_bytes(proof[half:], "big"))
    try:
        key.verify(der, said, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
