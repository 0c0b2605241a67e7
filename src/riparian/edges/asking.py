"""Who asks, and for what?

Where the operator's own authentication leaves the account is said in ``edge.toml``, in four forms:

=====================  ============================================================================
``header:NAME``        a field of the request, as it stands
``cookie:NAME``        a cookie, as it stands; none in quotes
``arg:NAME``           an argument of the query, percent-decoded
``jwt:CLAIM``          a claim of the bearer token.  **Its signature is not looked at here**: whoever stands
                       in front has done so, and forwards no token that failed.
=====================  ============================================================================

What is not there is empty; what is there twice, differently, is refused.  A recording in a path is
percent-decoded, as it is when logs are read.

Identifiers become codes here, and only codes go further: :class:`Codes` remembers the last ones.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from riparian.codes import coder
from riparian.errors import InputError
from riparian.gate.routes import Carried, Carrier, Kind

Fields = Mapping[bytes, bytes]
"""Fields of a request: names in small letters."""

Find = Callable[[Fields, bytes], bytes]
"""Takes the fields and the query of a request, and gives an identifier, or nothing."""

CODES_MAX: Final = 1 << 19
KINDS: Final[Mapping[bytes, Kind]] = {kind.name.lower().encode(): kind for kind in Kind}
_TOKEN_MAX_BYTES: Final = 8192
_GRANT: Final = b"g="
_ROWS_DIGITS: Final = 9


@dataclass(slots=True)
class Asked:
    """What a request asks for, in words of the gate; not frozen only because one is made for every request.

    Parameters
    ----------
    account, device
        Identifiers as the operator has them; empty where not given.
    kind
        What it is.
    recording
        Identifier; empty where none is named.
    path
        As it stood in the request, without its query; empty where it is not told.
    rows
        Rows of metadata that it will return, where that is known beforehand.
    """

    account: bytes
    kind: Kind
    recording: bytes = b""
    path: str = ""
    rows: int = 0
    device: bytes = b""


class Codes:
    """Codes of identifiers, the last few hundred thousand remembered.

    Parameters
    ----------
    key
        The workspace's secret, or ``codes.RECORDING_KEY``.
    most
        How many are remembered at least, and twice that at most.

    Examples
    --------
    >>> from riparian.codes import RECORDING_KEY
    >>> Codes(RECORDING_KEY).of(b"a"), Codes(RECORDING_KEY).of(b"")
    (10863254463029944905, 0)
    """

    __slots__ = ("_code", "_most", "_new", "_old")

    def __init__(self, key: bytes, *, most: int = CODES_MAX) -> None:
        self._code = coder(key)
        self._most = most
        self._new: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def of(self, identifier: bytes) -> int:
        """Code an identifier; 0 for the empty one."""
        code = self._new.get(identifier)
        return self._remember(identifier) if code is None else code

    def _remember(self, identifier: bytes) -> int:
        # Two generations: when the younger is full the older is let go, so that nothing is ever all forgotten at once.
        code = self._old.get(identifier)
        if code is None:
            code = self._code(identifier)
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
        self._new[identifier] = code
        return code


def finder(carried: Carried | None) -> Find:
    """Make what finds an identifier in a request.

    Parameters
    ----------
    carried
        Where it stands; None finds nothing.

    Returns
    -------
    callable
        Raises ``InputError`` where the identifier is given twice, or could be read in two ways.

    Examples
    --------
    >>> finder(Carried.parse("account", "header:X-Account"))({b"x-account": b"a1"}, b"")
    b'a1'
    >>> finder(Carried.parse("account", "cookie:sid"))({b"cookie": b"theme=dark; sid=a1"}, b"")
    b'a1'
    >>> finder(Carried.parse("account", "arg:who"))({}, b"page=2&who=ann%40x.org")
    b'ann@x.org'
    """
    if carried is None:
        return lambda _fields, _query: b""
    name = carried.name.encode("ascii")
    if carried.by is Carrier.HEADER:
        field = name.lower()
        return lambda fields, _query: fields.get(field, b"")
    if carried.by is Carrier.COOKIE:
        return lambda fields, _query: _cookie(fields.get(b"cookie", b""), name)
    if carried.by is Carrier.ARG:
        return lambda _fields, query: _argument(query, name)
    return lambda fields, _query: _claim(fields.get(b"authorization", b""), carried.name)


def token_in(query: bytes) -> str:
    """Find the grant in a query, the first argument ``g``; empty where there is none.

    Examples
    --------
    >>> token_in(b"page=2&g=rg1.k1"), token_in(b"page=2")
    ('rg1.k1', '')
    """
    found = next((part for part in query.split(b"&") if part.startswith(_GRANT)), _GRANT)
    return found[len(_GRANT) :].decode("latin-1")


def rows_of(said: bytes) -> int | None:
    """Read a number of rows, at most nine digits; None where it is none, and 0 where nothing is said.

    Examples
    --------
    >>> rows_of(b"50"), rows_of(b""), rows_of(b"-1"), rows_of(b"9" * 10)
    (50, 0, None, None)
    """
    if not said:
        return 0
    return int(said) if said.isdigit() and len(said) <= _ROWS_DIGITS else None


def fields_alone(*carried: Carried | None) -> frozenset[bytes]:
    """List the fields that identifiers stand in: given twice, they would name two accounts.

    Examples
    --------
    >>> sorted(fields_alone(Carried.parse("account", "header:X-Account"), Carried.parse("device", "jwt:did"), None))
    [b'authorization', b'x-account']
    """
    given = [each for each in carried if each is not None]
    named = {each.name.lower().encode("ascii") for each in given if each.by is Carrier.HEADER}
    return frozenset(named | {b"authorization" for each in given if each.by is Carrier.JWT})


def _cookie(cookies: bytes, name: bytes) -> bytes:
    pairs = (part.strip(b" \t").partition(b"=") for part in cookies.split(b";"))
    value = _only({value for found, given, value in pairs if given and found == name})
    # In quotes one value has many spellings, and whoever reads them all would find one account where we find many.
    if b'"' in value or b"\\" in value:
        raise InputError("an identifier stands in quotes in its cookie, wanted it plain")
    return value


def _argument(query: bytes, name: bytes) -> bytes:
    if name not in query and b"%" not in query:
        return b""
    pairs = (part.replace(b"+", b" ").partition(b"=") for part in query.split(b"&"))
    return _only({unquote_to_bytes(value) for found, _, value in pairs if unquote_to_bytes(found) == name})


def _only(values: set[bytes]) -> bytes:
    # Of two, we might take the first and the application the last: a fresh account for us, the same one for it.
    if len(values) > 1:
        raise InputError("an identifier is given twice, wanted it once")
    return values.pop() if values else b""


def _claim(authorization: bytes, claim: str) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    parts = token.strip().split(b".")
    if scheme.lower() != b"bearer" or len(parts) != 3 or len(token) > _TOKEN_MAX_BYTES:
        return b""
    try:
        said = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return b""
    value = said.get(claim) if isinstance(said, dict) else None
    is_identifier = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).encode("utf-8", "surrogatepass") if is_identifier else b""
