"""May this request have this, because somebody who was asked a moment ago said so?

A grant is an answer of the gate that an edge can check by itself: this account, below this path, on this device,
until then.  It stands in the address of every segment, so that an edge asks nobody while somebody listens.

Forms
-----
``hmac`` is short and quick, for edges of one's own: ``rg1.{key}.{until_s}.{rate}.{account}.{path}.{mac}``, the last
three in Base64 for URLs.  The mac is the first 16 bytes of HMAC-SHA256 over the lines ``rg1``, key, until_s, account,
device, rate, path, joined by line feeds.  The device stands nowhere in the token.

``jwt`` is for edges that verify JWT: HS256, header ``kid``, claims ``iss`` = riparian, ``sub`` = account, ``rp`` =
path, ``rr`` = rate, ``exp``, and ``rd`` = the first 12 bytes of the device's SHA-256 where there is one.

``cat`` and ``cat-es256`` are Common Access Tokens for CDNs (:mod:`riparian.gate.cat`): ``iss``, ``sub``, ``exp``,
``catv``, ``catu`` with the path, and private claims for a rate that is not full and for a device.

Rules
-----
* A path that ends in a slash holds all below it; any other is that path only.
* A grant for a device is good on that device only, and a grant for none is good only where none is named.
* The last second of a grant is the one before ``until_s``.
* A token has one spelling (:mod:`riparian.gate.spelling`); what has another is malformed.
* Whoever knows a secret of the ring can issue grants.  Whoever has a grant can hand it on until it ends: a grant
  bounds that time, and the device where a client has a name that others cannot read.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import cbor2

from riparian.errors import InputError
from riparian.gate import cbor, cose, jwt
from riparian.gate.claims import VERSION
from riparian.gate.keys import Key, KeyRing
from riparian.gate.refused import Refused
from riparian.gate.spelling import covers, decode, encode, named, plain

__all__ = ["Form", "Grant", "Key", "KeyRing", "Rate", "Refused", "issue", "verify"]

ISSUER: Final = "riparian"
TOKEN_CHARACTERS: Final = 3072
RENEWED_S: Final = 86_400
"""How long after its end a grant may be followed by another: whoever paused in the evening plays on in the morning, and
what lies in an old log or a bookmark asks for nothing."""
MAC_BYTES: Final = 16
DEVICE_BYTES: Final = 12
RATE_CLAIM: Final = -70001
DEVICE_CLAIM: Final = -70002

_UNTIL_MAX: Final = 10**12
_CLAIMS: Final = frozenset({"iss", "sub", "rp", "rr", "exp"})
_KINDS: Final = {"iss": str, "sub": str, "rp": str, "rr": str, "exp": int, "rd": str, "iat": int}
# As plain numbers: a member of an enumeration costs more to hash than a MAC of it.
_ISS, _SUB, _EXP, _IAT, _CATV, _CATU = 1, 2, 4, 6, 310, 312
_PATH, _EXACT, _PREFIX = 3, 0, 1
_CAT_CLAIMS: Final = frozenset({_ISS, _SUB, _EXP, _IAT, _CATV, _CATU, RATE_CLAIM, DEVICE_CLAIM})
_text: Final[Callable[[str], str]] = json.encoder.encode_basestring_ascii


class Form(StrEnum):
    """How a grant is written."""

    HMAC = "hmac"
    JWT = "jwt"
    CAT = "cat"
    CAT_ES256 = "cat-es256"


class Rate(StrEnum):
    """What is granted of a recording."""

    FULL = "full"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Grant:
    """A leave to fetch.

    Parameters
    ----------
    account
        The operator's own identifier; printable, 1 to 256 characters.
    path
        Where: plain, see :func:`riparian.gate.spelling.plain`; all below it where it ends in a slash.
    device
        Empty where the client has none.
    until_s
        Its end; UTC.
    rate
        All of a recording, or its preview.
    key
        The name of the key that issues it.
    """

    account: str
    path: str
    device: str
    until_s: int
    rate: Rate
    key: str


_RATES: Final = {rate.value: rate for rate in Rate}


def issue(grant: Grant, ring: KeyRing, form: Form = Form.HMAC) -> str:
    """Write a grant down.

    Parameters
    ----------
    grant
        What is granted.
    ring
        Holds the key that the grant names.
    form
        Which of the forms.

    Returns
    -------
    str
        Of letters, digits, ``.``, ``-`` and ``_``: can stand in a URL as it is.

    Raises
    ------
    InputError
        When a field of the grant is not what it should be, or its key is not in the ring.

    Examples
    --------
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> issue(Grant("a-0417", "/media/r-5512/", "", 1_800_000_060, Rate.FULL, "k1"), ring)
    'rg1.k1.1800000060.full.YS0wNDE3.L21lZGlhL3ItNTUxMi8.T2DmBzyioxt6IzszfWvPYg'
    """
    key = ring.find(grant.key, 0)
    if key is None:
        raise InputError(f"`key` is `{grant.key}`, wanted one of the ring", hint="Issue with the ring's current key.")
    _require(grant)
    return _WRITERS[form](grant, key)


def verify(token: str, ring: KeyRing, *, account: str | None, path: str, device: str, now_s: int) -> Grant | Refused:
    """Say whether a token is good for a request.

    Parameters
    ----------
    token
        In any form; hostile.
    ring
        The keys that hold.
    account
        Who asks, where the operator's own authentication says so; None where the grant alone says it.
    path
        What is asked for, as it stood in the request before anybody decoded it, without its query.
    device
        Empty where the client has none.
    now_s
        UTC.

    Returns
    -------
    Grant or Refused
        The grant, or the first fault; ``ENDED`` where there is no other.

    Examples
    --------
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> token = issue(Grant("a-0417", "/media/r-5512/", "", 1_800_000_060, Rate.FULL, "k1"), ring)
    >>> at = {"account": "a-0417", "device": "", "now_s": 1_800_000_000}
    >>> verify(token, ring, path="/media/r-5512/1.m4s", **at).rate
    <Rate.FULL: 'full'>
    >>> verify(token, ring, path="/media/r-55120/1.m4s", **at)
    <Refused.OTHER_PATH: 'other path'>
    """
    if len(token) > TOKEN_CHARACTERS:
        return Refused.MALFORMED
    if token.startswith("rg1."):
        grant = _read_hmac(token, ring, device, now_s)
    elif token.count(".") == 2:
        grant = _read_jwt(token, ring, device, now_s)
    else:
        grant = _read_cat(token, ring, device, now_s)
    if isinstance(grant, Refused):
        return grant
    if account is not None and account != grant.account:
        return Refused.OTHER_ACCOUNT
    if not plain(path) or not covers(grant.path, path):
        return Refused.OTHER_PATH
    # Last: of what has ended, and has no other fault, another may be asked for.
    return grant if now_s < grant.until_s else Refused.ENDED


def _require(grant: Grant) -> None:
    if not named(grant.account):
        raise InputError("`account` of a grant is no identifier, wanted 1 to 256 printable characters")
    if grant.device and not named(grant.device):
        raise InputError("`device` of a grant is no identifier, wanted at most 256 printable characters, or none")
    if not plain(grant.path):
        raise InputError(
            f"`path` of a grant is `{grant.path[:80]}`, wanted a plain one such as `/media/r-5512/`",
            hint="Grant the path as it stands in the request, without dot segments, double slashes or a query.",
        )
    if not 0 < grant.until_s < _UNTIL_MAX:
        raise InputError(f"`until_s` of a grant is {grant.until_s}, wanted seconds since 1970")


def _mac(key: Key, until_s: int | str, account: str, device: str, rate: str, path: str) -> bytes:
    said = f"rg1\n{key.id}\n{until_s}\n{account}\n{device}\n{rate}\n{path}"
    return hmac.digest(key.secret, said.encode(), "sha256")[:MAC_BYTES]


def _write_hmac(grant: Grant, key: Key) -> str:
    rate = grant.rate.value
    mac = encode(_mac(key, grant.until_s, grant.account, grant.device, rate, grant.path))
    account, path = encode(grant.account.encode()), encode(grant.path.encode())
    return f"rg1.{key.id}.{grant.until_s}.{rate}.{account}.{path}.{mac}"


def _read_hmac(token: str, ring: KeyRing, device: str, now_s: int) -> Grant | Refused:
    parts = token.split(".")
    if len(parts) != 7:
        return Refused.MALFORMED
    _, name, until, rate, account_raw, path_raw, mac_raw = parts
    account, path, mac = _words(account_raw), _words(path_raw), decode(mac_raw)
    if not account or not path or mac is None or rate not in _RATES or not _is_time(until):
        return Refused.MALFORMED
    key = ring.find(name, now_s)
    if key is None:
        return Refused.UNKNOWN_KEY
    try:
        good = hmac.compare_digest(_mac(key, until, account, device, rate, path), mac)
    except UnicodeEncodeError:  # half of a character in the name of a device: nobody was granted that
        good = False
    return Grant(account, path, device, int(until), _RATES[rate], name) if good else Refused.BAD_MAC


def _write_jwt(grant: Grant, key: Key) -> str:
    bound = f',"rd":"{encode(_digest(grant.device))}"' if grant.device else ""
    claims = (
        f'{{"iss":"{ISSUER}","sub":{_text(grant.account)},"rp":{_text(grant.path)},'
        f'"rr":"{grant.rate.value}","exp":{grant.until_s}{bound}}}'
    )
    return jwt.sign(claims, key.id, key.secret)


def _read_jwt(token: str, ring: KeyRing, device: str, now_s: int) -> Grant | Refused:
    def find(name: str) -> bytes | None:
        key = ring.find(name, now_s)
        return key.secret if key is not None else None

    read = jwt.read(token, find)
    if isinstance(read, Refused):
        return read
    claims, name = read
    if not _are_ours(claims):
        return Refused.MALFORMED
    if claims["iss"] != ISSUER:
        return Refused.OTHER_ISSUER
    if claims.get("rd", "") != (encode(_digest(device)) if device else ""):
        return Refused.OTHER_DEVICE
    return Grant(claims["sub"], claims["rp"], device, claims["exp"], _RATES[claims["rr"]], name)


def _write_cat(grant: Grant, key: Key) -> str:
    return encode(cose.mac(_claims(grant), key.id, key.secret))


def _write_cat_es256(grant: Grant, key: Key) -> str:
    return encode(cose.sign(_claims(grant), key.id, key.signer()))


def _claims(grant: Grant) -> bytes:
    how = _PREFIX if grant.path.endswith("/") else _EXACT
    said: dict[int, Any] = {
        _ISS: ISSUER,
        _SUB: grant.account,
        _EXP: grant.until_s,
        _CATV: VERSION,
        _CATU: {_PATH: {how: grant.path}},
    }
    if grant.rate is not Rate.FULL:
        said[RATE_CLAIM] = grant.rate.value
    if grant.device:
        said[DEVICE_CLAIM] = _digest(grant.device)
    return cbor2.dumps(said)


def _read_cat(token: str, ring: KeyRing, device: str, now_s: int) -> Grant | Refused:
    def find(name: str, algorithm: cose.Algorithm) -> cose.Secret | None:
        key = ring.find(name, now_s)
        if key is None:
            return None
        return key.secret if algorithm is cose.Algorithm.HMAC_256 else key.verifier()

    raw = decode(token)
    opened = cose.read(raw, find) if raw is not None else Refused.MALFORMED
    if isinstance(opened, Refused):
        return opened
    try:
        said = cbor.read(opened[0])
        # A grant limits the path and nothing else; whatever limits more is for `cat.check`, which knows the request.
        if not said.keys() <= _CAT_CLAIMS:
            return Refused.UNKNOWN_CLAIM
        ((part, limits),) = said[_CATU].items()
        ((how, path),) = limits.items()
        issuer, account, until_s, rate = (
            said[_ISS],
            said[_SUB],
            said[_EXP],
            _RATES[said.get(RATE_CLAIM, Rate.FULL.value)],
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Refused.MALFORMED
    if [type(one) for one in (issuer, account, path, until_s)] != [str, str, str, int]:
        return Refused.MALFORMED
    if part != _PATH or said.get(_CATV) != VERSION or how != (_PREFIX if path.endswith("/") else _EXACT):
        return Refused.MALFORMED
    if issuer != ISSUER:
        return Refused.OTHER_ISSUER
    if said.get(DEVICE_CLAIM, b"") != (_digest(device) if device else b""):
        return Refused.OTHER_DEVICE
    return Grant(account, path, device, until_s, rate, opened[1])


_WRITERS: Final[dict[Form, Callable[[Grant, Key], str]]] = {
    Form.HMAC: _write_hmac,
    Form.JWT: _write_jwt,
    Form.CAT: _write_cat,
    Form.CAT_ES256: _write_cat_es256,
}


def _digest(device: str) -> bytes:
    # Half of a character is nobody's name: it becomes a question mark, as in any other log.
    return sha256(device.encode(errors="replace")).digest()[:DEVICE_BYTES]


def _are_ours(claims: dict[str, Any]) -> bool:
    return (
        _CLAIMS <= claims.keys() <= _KINDS.keys()
        and all(type(value) is _KINDS[name] for name, value in claims.items())
        and claims["rr"] in _RATES
    )


def _words(raw: str) -> str | None:
    """Read a text from Base64."""
    found = decode(raw)
    try:
        return found.decode("utf-8") if found is not None else None
    except UnicodeDecodeError:
        return None


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= 12
