"""What does a Common Access Token allow, and is it genuine?

CTA-5007-B is what CDNs have agreed on for short leaves to fetch media: a CBOR Web Token (RFC 8392) with claims about
the request, in a COSE_Mac0 with HMAC 256/256 for whoever shares a secret, or a COSE_Sign1 with ES256 for whoever should
verify and not issue (RFC 9052, 9053).  The token is the CBOR in Base64 for URLs.

Three steps, so that each can be looked at: :func:`read` says whether it is genuine, and what it claims; :func:`check`
whether that fits a request; :func:`renewed` what follows it.

Rules
-----
* Every claim that limits and is not checked here (``catpor``, coordinates, TLS keys, DPoP, ``catif``...) refuses the
  token, as does a critical header: a limit that nobody checks would be none.  Private claims, below -65536, limit
  nothing.
* The algorithm follows the key: a MAC is made with a secret, a signature with a key pair, and no token says otherwise.
* A part of a URI that makers of validators do not agree on (the stem of ``a.b.c``) fits nothing.
* Regular expressions are refused: who writes the token should not choose what the edge computes.
* A token can be written with or without the CWT tag, and whoever sees one ES256 signature can write a second: what
  counts replays is ``cti``, never the letters of a token.

Source
------
CTA-5007-B, Common Access Token; RFC 8392; RFC 9052; RFC 9164 for addresses.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from riparian.gate import cose
from riparian.gate.claims import Claims, Match, Matches, Part, Renewal, Renewing, Replay, UnknownError, claimed, written
from riparian.gate.cose import Algorithm, Find, Secret
from riparian.gate.refused import Refused
from riparian.gate.spelling import decode, encode, plain

__all__ = [
    "Algorithm",
    "Asked",
    "Claims",
    "Find",
    "Match",
    "Part",
    "Renewal",
    "Renewing",
    "Replay",
    "Secret",
    "check",
    "cookie",
    "mac",
    "part_of",
    "read",
    "renewed",
    "sign",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as a token can limit it.

    Parameters
    ----------
    scheme, host, port, path, query
        Of its URI, not decoded; the query without the token's own argument.
    method, protocol
        Of HTTP, as in ``GET`` and ``h2``.
    address, system
        Where it came from, and the autonomous system that this is in; empty and 0 where nobody knows.
    place
        ISO 3166 code, as in ``NO`` or ``NO-03``; empty where nobody knows.
    headers
        By their names in small letters.
    """

    path: str
    scheme: str = "https"
    host: str = ""
    port: int = 443
    query: str = ""
    method: str = "GET"
    protocol: str = ""
    address: str = ""
    system: int = 0
    place: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def mac(claims: Claims, name: str, secret: bytes) -> str:
    """Write a token that whoever has the secret can verify.

    Parameters
    ----------
    claims
        What it says.
    name
        Of the key.
    secret
        32 bytes or more.

    Examples
    --------
    >>> token = mac(Claims(issuer="riparian", uri={Part.PATH: {Match.PREFIX: "/media/1/"}}), "k1", bytes(32))
    >>> claims, name = read(token, lambda name, algorithm: bytes(32))
    >>> claims.uri, name
    ({<Part.PATH: 3>: {<Match.PREFIX: 1>: '/media/1/'}}, 'k1')
    """
    return encode(cose.mac(written(claims), name, secret))


def sign(claims: Claims, name: str, key: ec.EllipticCurvePrivateKey) -> str:
    """Write a token that whoever has the public key can verify."""
    return encode(cose.sign(written(claims), name, key))


def read(token: str, find: Find) -> tuple[Claims, str] | Refused:
    """Say whether a token is genuine, and what it claims.

    Parameters
    ----------
    token
        Base64 for URLs; hostile.
    find
        Finds a key by its name, and by the algorithm that the token is made with.

    Returns
    -------
    tuple of (Claims, str) or Refused
        The claims and the name of the key.
    """
    raw = decode(token)
    opened = cose.read(raw, find) if raw is not None else Refused.MALFORMED
    if isinstance(opened, Refused):
        return opened
    payload, name = opened
    try:
        return claimed(payload), name
    except UnknownError:
        return Refused.UNKNOWN_CLAIM
    except (ValueError, TypeError, KeyError):
        return Refused.MALFORMED


def check(
    claims: Claims, asked: Asked, now_s: int, *, issuer: str, audience: str = "",
    used: Callable[[bytes], bool] | None = None,
) -> Refused | None:  # fmt: skip
    """Say whether a genuine token fits a request.

    Parameters
    ----------
    claims
        Of the token.
    asked
        The request.
    now_s
        UTC.
    issuer
        Who has to have issued it.
    audience
        Who we are, where tokens say whom they are for.
    used
        Notes a ``cti`` and says whether it was noted before; without it, a token that forbids replay is refused.

    Returns
    -------
    Refused or None
        The first claim that does not fit.

    Examples
    --------
    >>> claims = Claims(issuer="us", until_s=1060, uri={Part.PATH: {Match.PREFIX: "/media/1/"}}, methods=("GET",))
    >>> check(claims, Asked("/media/1/a.ts"), 1000, issuer="us") is None
    True
    >>> check(claims, Asked("/media/10/a.ts"), 1000, issuer="us"), check(claims, Asked("/media/1/a"), 1060, issuer="us")
    (<Refused.OTHER_PATH: 'other path'>, <Refused.ENDED: 'ended'>)
    """
    if claims.issuer != issuer:
        return Refused.OTHER_ISSUER
    if claims.audience and audience not in claims.audience:
        return Refused.OTHER_AUDIENCE
    if claims.until_s and now_s >= claims.until_s:
        return Refused.ENDED
    if now_s < claims.from_s:
        return Refused.NOT_YET
    for fits, why in _LIMITS:
        if not fits(claims, asked):
            return why
    if claims.replay is Replay.PROHIBITED and (used is None or not claims.id or used(claims.id)):
        return Refused.REPLAYED
    return None


def renewed(claims: Claims, now_s: int, *, id: bytes = b"") -> Claims | None:  # noqa: A002  that is its name
    """Give the claims that follow a token, which has just been found good; None while it need not be followed.

    Parameters
    ----------
    claims
        Of the token.
    now_s
        UTC.
    id
        The ``cti`` of what follows.

    Examples
    --------
    >>> claims = Claims(issuer="us", until_s=1060, renewal=Renewal(Renewing.COOKIE, added_s=120, deadline_s=30))
    >>> renewed(claims, 1029), renewed(claims, 1030).until_s, renewed(claims, 1060)
    (None, 1150, None)
    """
    renewal = claims.renewal
    if renewal is None or not claims.until_s - renewal.deadline_s <= now_s < claims.until_s:
        return None
    return replace(claims, until_s=now_s + renewal.added_s, issued_s=now_s if claims.issued_s else 0, id=id)


def cookie(renewal: Renewal, token: str) -> str:
    """Write the ``Set-Cookie`` that carries a renewed token.

    Examples
    --------
    >>> cookie(Renewal(Renewing.COOKIE, 120, parameters=("Secure", "HttpOnly")), "2D3RhE")
    'CTA-Common-Access-Token=2D3RhE; Secure; HttpOnly'
    """
    return "; ".join([f"{renewal.cookie}={token}", *renewal.parameters])


def part_of(asked: Asked, part: Part) -> str | None:
    """Give a part of the URI that was asked for; None where validators do not agree on it.

    Examples
    --------
    >>> [part_of(Asked("/media/1/a.m4s"), part) for part in (Part.PARENT_PATH, Part.STEM, Part.EXTENSION)]
    ['/media/1', 'a', '.m4s']
    >>> part_of(Asked("/media/1/a.b.c"), Part.STEM) is None
    True
    """
    folder, _, filename = asked.path.rpartition("/")
    if part in {Part.STEM, Part.EXTENSION} and filename.count(".") > 1:
        return None
    stem, dot, extension = filename.partition(".")
    parts = {
        Part.SCHEME: asked.scheme,
        Part.HOST: asked.host,
        Part.PORT: str(asked.port),
        Part.PATH: asked.path,
        Part.QUERY: asked.query,
        Part.PARENT_PATH: folder,
        Part.FILENAME: filename,
        Part.STEM: stem,
        Part.EXTENSION: dot + extension,
    }
    return parts[part]


def _fits_uri(claims: Claims, asked: Asked) -> bool:
    # What is spelt in two ways would be compared in one of them.
    return not claims.uri or (
        plain(asked.path) and all(_matches(part_of(asked, part), matches) for part, matches in claims.uri.items())
    )


def _fits_method(claims: Claims, asked: Asked) -> bool:
    return not claims.methods or asked.method in claims.methods


def _fits_protocol(claims: Claims, asked: Asked) -> bool:
    return not claims.protocols or asked.protocol in claims.protocols


def _fits_headers(claims: Claims, asked: Asked) -> bool:
    return all(_matches(asked.headers.get(name), matches) for name, matches in claims.headers.items())


def _fits_place(claims: Claims, asked: Asked) -> bool:
    return not claims.places or any(
        asked.place == place or asked.place.startswith(f"{place}-") for place in claims.places
    )


def _fits_network(claims: Claims, asked: Asked) -> bool:
    if not claims.networks:
        return True
    try:
        address = ipaddress.ip_address(asked.address)
    except ValueError:
        address = None
    return any(
        asked.system == one if isinstance(one, int) else address is not None and address in one
        for one in claims.networks
    )


def _matches(value: str | None, matches: Matches) -> bool:
    return value is not None and all(_MATCHING[how](value, wanted) for how, wanted in matches.items())


def _hashes_to(value: str, wanted: str | bytes) -> bool:
    return sha256(value.encode(errors="replace")).digest() == wanted


_MATCHING: Final[Mapping[Match, Callable[[str, Any], bool]]] = MappingProxyType(
    {
        Match.EXACT: str.__eq__,
        Match.PREFIX: str.startswith,
        Match.SUFFIX: str.endswith,
        Match.CONTAINS: str.__contains__,
        Match.SHA256: _hashes_to,
    }
)

_LIMITS: Final[tuple[tuple[Callable[[Claims, Asked], bool], Refused], ...]] = (
    (_fits_uri, Refused.OTHER_PATH),
    (_fits_method, Refused.OTHER_METHOD),
    (_fits_network, Refused.OTHER_NETWORK),
    (_fits_place, Refused.OTHER_PLACE),
    (_fits_protocol, Refused.OTHER_PROTOCOL),
    (_fits_headers, Refused.OTHER_HEADER),
)
