"""How are the claims of a Common Access Token written in CBOR, and read again?

Each claim has a number (:class:`Claim`), and each has its own shape; one with another shape is malformed.  A claim that
is not listed here is for whoever calls to refuse, and so is a way to match or to renew that is not.

Source
------
CTA-5007-B; the IANA registry of CBOR Web Token claims; RFC 9164 for addresses.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

import cbor2

from riparian.gate import cbor

VERSION: Final = 1
DEADLINE_S: Final = 60
"""How long before its end a token is renewed that says nothing of it."""
COOKIE: Final = "CTA-Common-Access-Token"
PRIVATE: Final = -65536
"""Claims below this number are private: they limit nothing."""

_IP4, _IP6 = 52, 54
_Kind = TypeVar("_Kind")


class UnknownError(ValueError):
    """Something is claimed that is not checked here."""


class Claim(IntEnum):
    """As IANA numbers them, those that are understood here."""

    ISS = 1
    SUB = 2
    AUD = 3
    EXP = 4
    NBF = 5
    IAT = 6
    CTI = 7
    CATREPLAY = 308
    CATV = 310
    CATNIP = 311
    CATU = 312
    CATM = 313
    CATALPN = 314
    CATH = 315
    CATGEOISO3166 = 316
    CATR = 323


class Part(IntEnum):
    """Parts of a URI that ``catu`` can speak of."""

    SCHEME = 0
    HOST = 1
    PORT = 2
    PATH = 3
    QUERY = 4
    PARENT_PATH = 5
    FILENAME = 6
    STEM = 7
    EXTENSION = 8


class Match(IntEnum):
    """How ``catu`` and ``cath`` compare."""

    EXACT = 0
    PREFIX = 1
    SUFFIX = 2
    CONTAINS = 3
    SHA256 = -1


class Replay(IntEnum):
    """What ``catreplay`` says of using a token again."""

    PERMITTED = 0
    PROHIBITED = 1
    DETECTED = 2
    """Reuse is for the verifier to judge; here it is let pass."""


class Renewing(IntEnum):
    """How a token asks to be renewed."""

    AUTOMATIC = 0
    COOKIE = 1


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Matches: TypeAlias = Mapping[Match, str | bytes]


@dataclass(frozen=True, slots=True)
class Renewal:
    """``catr``: a token that ends within ``deadline_s`` is followed by one that lasts ``added_s`` from then."""

    how: Renewing
    added_s: int
    deadline_s: int = DEADLINE_S
    cookie: str = COOKIE
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; what is empty, or 0 for a time, limits nothing.

    Parameters
    ----------
    issuer, subject, audience
        ``iss``, ``sub``, ``aud``.
    until_s, from_s, issued_s
        ``exp``, ``nbf``, ``iat``; UTC.
    id
        ``cti``.
    replay
        ``catreplay``.
    networks
        ``catnip``: networks, and numbers of autonomous systems.
    uri
        ``catu``: what each part has to match; every match has to hold.
    methods, protocols, places
        ``catm``, ``catalpn`` and ``catgeoiso3166``: any of them.
    headers
        ``cath``: what headers have to match, by their names in small letters.
    renewal
        ``catr``.
    private
        Claims below -65536.
    """

    issuer: str = ""
    subject: str = ""
    audience: tuple[str, ...] = ()
    until_s: int = 0
    from_s: int = 0
    issued_s: int = 0
    id: bytes = b""
    replay: Replay = Replay.PERMITTED
    networks: tuple[Network | int, ...] = ()
    uri: Mapping[Part, Matches] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    headers: Mapping[str, Matches] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    renewal: Renewal | None = None
    private: Mapping[int, Any] = field(default_factory=dict)


def written(claims: Claims) -> bytes:
    """Write claims as CBOR, each once, in the order of their numbers.

    Examples
    --------
    >>> written(Claims(issuer="us")).hex()
    'a20162757319013601'
    """
    said = {
        int(claim): write(getattr(claims, name)) for claim, (name, _, write) in FIELDS.items() if getattr(claims, name)
    }
    said |= {Claim.CATV.value: VERSION} | dict(claims.private)
    return cbor2.dumps(dict(sorted(said.items(), key=lambda item: (item[0] < 0, abs(item[0])))))


def claimed(payload: bytes) -> Claims:
    """Read claims.

    Parameters
    ----------
    payload
        Authenticated, and still not to be trusted in its shape.

    Raises
    ------
    UnknownError
        When a claim limits what is not checked here.
    ValueError
        When a claim is not of its shape.
    """
    said = cbor.read(payload)
    if not isinstance(said, dict):
        raise TypeError("claims are no map")
    found: dict[str, Any] = {"private": {}}
    for label, value in said.items():
        if isinstance(label, int) and label < PRIVATE:
            found["private"][label] = value
        elif label == Claim.CATV:
            if value != VERSION:
                raise UnknownError("a version that nobody here has read")
        elif label in FIELDS:
            name, read, _ = FIELDS[Claim(label)]
            found[name] = read(value)
        else:
            raise UnknownError("a claim that nobody here checks")
    return Claims(**found)


def _is(kind: type[_Kind]) -> Callable[[Any], _Kind]:
    def read(value: Any) -> _Kind:
        if type(value) is not kind:
            raise TypeError("a claim is of another type")
        return value

    return read


def _seconds(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise TypeError("a time is no number of seconds")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise TypeError("a claim is no list of names")
    return tuple(value)


def _protocols(value: Any) -> tuple[str, ...]:
    # Written as texts by some, as the bytes of TLS by others.
    return _names([one.decode("ascii") if isinstance(one, bytes) else one for one in _is(list)(value)])


def _audience(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else _names(value)


def _replay(value: Any) -> Replay:
    return _known(Replay, value)


def _networks(value: Any) -> tuple[Network | int, ...]:
    values = _is(list)(value)
    if not values:
        raise TypeError("no network at all")
    return tuple(one if type(one) is int else _network(one) for one in values)


def _network(value: Any) -> Network:
    if not isinstance(value, cbor.Tagged) or value.tag not in {_IP4, _IP6}:
        raise UnknownError("a network that is neither a number nor an address")
    whole = 4 if value.tag == _IP4 else 16
    if isinstance(value.value, bytes):
        bits, raw = 8 * whole, value.value
        if len(raw) != whole:
            raise ValueError("an address has another length")
    else:
        bits, raw = value.value
        raw = raw.ljust(whole, b"\0")
    if len(raw) != whole or type(bits) is not int:
        raise ValueError("a network has another shape")
    if whole == 4:
        return ipaddress.IPv4Network((raw, bits))
    return ipaddress.IPv6Network((raw, bits))


def _write_networks(networks: tuple[Network | int, ...]) -> list[Any]:
    return [one if isinstance(one, int) else _write_network(one) for one in networks]


def _write_network(network: Network) -> cbor2.CBORTag:
    raw = network.network_address.packed
    value = raw if network.prefixlen == network.max_prefixlen else [network.prefixlen, raw.rstrip(b"\0")]
    return cbor2.CBORTag(_IP4 if network.version == 4 else _IP6, value)


def _uri(value: Any) -> Mapping[Part, Matches]:
    return {_known(Part, part): _match(matches) for part, matches in _is(dict)(value).items()}


def _headers(value: Any) -> Mapping[str, Matches]:
    return {_is(str)(name).lower(): _match(matches) for name, matches in _is(dict)(value).items()}


def _match(value: Any) -> Matches:
    matches: dict[Match, str | bytes] = {}
    for how, wanted in _is(dict)(value).items():
        match = _known(Match, how)
        matches[match] = _is(bytes)(wanted) if match is Match.SHA256 else _is(str)(wanted)
    if not matches:
        raise TypeError("a match matches nothing")
    return matches


def _write_matches(parts: Mapping[Any, Matches]) -> dict[Any, Any]:
    return {
        part if isinstance(part, str) else int(part): {int(how): wanted for how, wanted in matches.items()}
        for part, matches in parts.items()
    }


def _renewal(value: Any) -> Renewal:
    said = dict(_is(dict)(value))
    how = _known(Renewing, said.pop(0))
    added_s = _seconds(said.pop(1))
    deadline_s = _seconds(said.pop(2, DEADLINE_S))
    cookie = _is(str)(said.pop(3, COOKIE))
    parameters = _names(said.pop(5)) if 5 in said else ()
    if said:
        raise UnknownError("a way to renew that nobody here follows")
    return Renewal(how, added_s, deadline_s, cookie, parameters)


def _write_renewal(renewal: Renewal) -> dict[int, Any]:
    said: dict[int, Any] = {0: int(renewal.how), 1: renewal.added_s, 2: renewal.deadline_s}
    if renewal.cookie != COOKIE:
        said[3] = renewal.cookie
    if renewal.parameters:
        said[5] = list(renewal.parameters)
    return said


def _known(kind: Callable[[Any], _Kind], value: Any) -> _Kind:
    try:
        return kind(value)
    except ValueError:
        raise UnknownError("a number that nobody here has read") from None


def _same(value: Any) -> Any:
    return value


FIELDS: Final[Mapping[Claim, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]]] = MappingProxyType(
    {
        Claim.ISS: ("issuer", _is(str), _same),
        Claim.SUB: ("subject", _is(str), _same),
        Claim.AUD: ("audience", _audience, list),
        Claim.EXP: ("until_s", _seconds, _same),
        Claim.NBF: ("from_s", _seconds, _same),
        Claim.IAT: ("issued_s", _seconds, _same),
        Claim.CTI: ("id", _is(bytes), _same),
        Claim.CATREPLAY: ("replay", _replay, int),
        Claim.CATNIP: ("networks", _networks, _write_networks),
        Claim.CATU: ("uri", _uri, _write_matches),
        Claim.CATM: ("methods", _names, list),
        Claim.CATALPN: ("protocols", _protocols, list),
        Claim.CATH: ("headers", _headers, _write_matches),
        Claim.CATGEOISO3166: ("places", _names, list),
        Claim.CATR: ("renewal", _renewal, _write_renewal),
    }
)
"""How each claim is called here, read and written."""
