"""Is this JSON Web Token genuine, and what does it say?

HS256 with a named key, and nothing else of RFC 7515: a header says ``alg``, ``kid`` and perhaps ``typ``; one that says
more, or another algorithm, is malformed, so that no token chooses how it is looked at.  No name stands twice, in the
header or in the claims, and every part has one spelling.

Source
------
RFC 7515, RFC 7519, and what RFC 8725 says of both.
"""

import hmac
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from riparian.gate.refused import Refused
from riparian.gate.spelling import decode, encode

HEADER_CHARACTERS: Final = 256


def sign(claims: str, name: str, secret: bytes) -> str:
    """Write a token.

    Parameters
    ----------
    claims
        A JSON object, written.
    name
        Of the key.
    secret
        32 bytes or more.

    Examples
    --------
    >>> read(sign('{"sub":"a-0417"}', "k1", bytes(32)), {"k1": bytes(32)}.get)
    ({'sub': 'a-0417'}, 'k1')
    """
    said = f"{_header(name)}.{encode(claims.encode())}"
    return f"{said}.{encode(hmac.digest(secret, said.encode(), 'sha256'))}"


def read(token: str, find: Callable[[str], bytes | None]) -> tuple[dict[str, Any], str] | Refused:
    """Say whether a token is genuine, and what it claims.

    Parameters
    ----------
    token
        Hostile.
    find
        Finds a secret by its name.

    Returns
    -------
    tuple of (dict, str) or Refused
        The claims, of any type, and the name of the key.
    """
    said, _, proof_raw = token.rpartition(".")
    header, _, claims_raw = said.partition(".")
    name, proof = _named_in(header), decode(proof_raw)
    if name is None or proof is None or not token.isascii():
        return Refused.MALFORMED
    secret = find(name)
    if secret is None:
        return Refused.UNKNOWN_KEY
    if not hmac.compare_digest(hmac.digest(secret, said.encode("ascii"), "sha256"), proof):
        return Refused.BAD_MAC
    claims = _object(claims_raw)
    return (claims, name) if claims is not None else Refused.MALFORMED


@lru_cache(maxsize=64)
def _header(name: str) -> str:
    return encode(f'{{"alg":"HS256","kid":"{name}","typ":"JWT"}}'.encode())


@lru_cache(maxsize=256)
def _named_in(header: str) -> str | None:
    fields = _object(header) if len(header) <= HEADER_CHARACTERS else None
    if fields is None or not {"alg", "kid"} <= set(fields) <= {"alg", "kid", "typ"}:
        return None
    good = fields["alg"] == "HS256" and isinstance(fields["kid"], str) and fields.get("typ", "JWT") == "JWT"
    return fields["kid"] if good else None


def _object(raw: str) -> dict[str, Any] | None:
    decoded = decode(raw)
    try:
        found = _JSON.decode(decoded.decode("utf-8") if decoded is not None else "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


_JSON: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
