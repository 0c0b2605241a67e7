"""Which requests are ours to answer, what do they ask for, and who asks?

``edge.toml`` in the workspace says it once, and every edge is made from it: the configuration of nginx and of Envoy,
the routes of an ASGI application, and what the gate itself reads out of a path.

::

    account = "header:X-Account"          # where the operator's own authentication leaves the account's identifier
    origin = "http://127.0.0.1:9000"
    gates = ["127.0.0.1:9101", "127.0.0.1:9102"]

    [[route]]
    path = "/media/{recording}/**"
    kind = "media"

Rules
-----
* A path is written out; ``{recording}`` stands for one part of it or a piece of one, ``{rows}`` for a number, ``*`` for
  one part or a piece of one, and ``**``, at the end, for whatever follows.
* The first route that fits wins.  A path that none fits is not ours and passes.
* A path that is spelt in a way that two servers may read in two ways fits nothing and passes nowhere: it is refused
  (:func:`riparian.gate.spelling.plain`).
* ``Route.regex`` means the same to PCRE (nginx), to RE2 (Envoy) and here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from riparian.errors import InputError, PolicyError
from riparian.gate.spelling import plain


class Kind(IntEnum):
    """What a request asks for, which decides what is charged, and what becomes of it while no gate answers."""

    MEDIA = 0
    LICENCE = 1
    METADATA = 2
    BULK = 3


class Carrier(StrEnum):
    """What part of a request carries an identifier."""

    HEADER = "header"
    COOKIE = "cookie"
    ARG = "arg"
    JWT = "jwt"


@dataclass(frozen=True, slots=True)
class Carried:
    """Where an identifier stands in a request.

    Parameters
    ----------
    by
        The part of the request.
    name
        Of the header, the cookie, the argument of the query, or the claim of the bearer token.

    Examples
    --------
    >>> Carried.parse("account", "cookie:listener")
    Carried(by=<Carrier.COOKIE: 'cookie'>, name='listener')
    """

    by: Carrier
    name: str

    @classmethod
    def parse(cls, key: str, text: object) -> "Carried":
        """Read ``carrier:name``; ``key`` says in the error which setting it is.

        Raises
        ------
        PolicyError
            When it is none.
        """
        found = _CARRIED.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise PolicyError(
                f"`{key}` is `{text}`, wanted `header:NAME`, `cookie:NAME`, `arg:NAME` or `jwt:CLAIM`",
                hint="Name where your own authentication leaves the identifier.",
            )
        return cls(Carrier(found["by"]), found["name"])


class Wanted(NamedTuple):
    """What a path asks for.

    Parameters
    ----------
    kind
        Of request.
    recording
        Its identifier as it stands in the path; empty where the route names none.
    rows
        Rows of metadata asked for; 0 where the route names none.
    """

    kind: Kind
    recording: str
    rows: int


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: paths that fit, and what they ask for.

    Parameters
    ----------
    path
        The template.
    kind
        Of request.
    regex
        The template as a regular expression of PCRE and RE2, anchored at both ends.

    Examples
    --------
    >>> route = Route.of("/media/{recording}/**", Kind.MEDIA)
    >>> route.regex
    '^/media/(?P<recording>[^/]+)/.*$'
    >>> route.matches("/media/r-17/720p/00001.m4s"), route.matches("/media/r-17")
    ({'recording': 'r-17'}, None)
    """

    path: str
    kind: Kind
    regex: str
    _compiled: re.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def of(cls, path: str, kind: Kind) -> "Route":
        """Read a template.

        Raises
        ------
        PolicyError
            When it is no path, or has a field that is unknown or given twice.
        """
        regex = _regex(path)
        return cls(path, kind, regex, re.compile(regex, re.ASCII))

    def matches(self, path: str) -> dict[str, str] | None:
        """Give the fields of a path that fits, None for one that does not."""
        found = self._compiled.match(path)
        return found.groupdict() if found is not None else None


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes, in their order.

    Examples
    --------
    >>> routes = Routes((Route.of("/media/{recording}/**", Kind.MEDIA), Route.of("/tracks/{rows}", Kind.METADATA)))
    >>> routes.find("/media/r-17/1.ts"), routes.find("/about")
    (Wanted(kind=<Kind.MEDIA: 0>, recording='r-17', rows=0), None)
    >>> routes.find("/tracks/50")
    Wanted(kind=<Kind.METADATA: 2>, recording='', rows=50)
    """

    routes: tuple[Route, ...] = ()

    def find(self, path: str) -> Wanted | None:
        """Say what a path asks for, None where it is not ours.

        Parameters
        ----------
        path
            As it stood in the request, not decoded, without its query.

        Raises
        ------
        InputError
            When the path is not spelt plainly: whether it is ours would depend on who reads it.
        """
        if not plain(path):
            raise InputError(
                "the path is spelt with dot segments, empty parts or needless escapes, wanted a plain one",
                hint="Answer 400, and let the edge normalise paths before it asks.",
            )
        for route in self.routes:
            found = route.matches(path)
            if found is not None:
                return Wanted(route.kind, found.get("recording", ""), int(found.get("rows", 0)))
        return None


@dataclass(frozen=True, slots=True)
class Edge:
    """``edge.toml``: the operator's routes, and who is where.

    Parameters
    ----------
    routes
        In their order.
    account, device
        Where the identifiers stand; a device may be carried by nothing.
    origin
        URL of what serves the media.
    listen
        Address of the edge that is made from this.
    gates
        Addresses of the gate's workers; the edge chooses one by the account, always the same.
    push
        URLs of the edges and workers that are told of restraints.
    explain
        Whether answers say why, in headers.
    step_up_url, appeal_url
        Where a listener proves who asks, and where one appeals; empty where there is no such page.
    """

    routes: Routes
    account: Carried = Carried(Carrier.HEADER, "X-Account")
    device: Carried | None = None
    origin: str = "http://127.0.0.1:9000"
    listen: str = "127.0.0.1:8080"
    gates: tuple[str, ...] = ("127.0.0.1:9101",)
    push: tuple[str, ...] = ()
    explain: bool = True
    step_up_url: str = ""
    appeal_url: str = ""


def parse_edge(mapping: Mapping[str, Any]) -> Edge:
    """Make an edge from the keys of its file.

    Raises
    ------
    PolicyError
        When a key is unknown, a value is not what it should be, or there is no route.

    Examples
    --------
    >>> edge = parse_edge({"account": "jwt:sub", "route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    >>> edge.account.name, edge.routes.find("/media/r-17/1.ts").recording
    ('sub', 'r-17')
    >>> parse_edge({"orgin": "http://127.0.0.1:9000"})
    Traceback (most recent call last):
    riparian.errors.PolicyError: `orgin` is no key of the edge file, wanted one of `route`, `account`, `device`, ...
    """
    known = ["route", *(each.name for each in fields(Edge) if each.name != "routes")]
    for name in mapping:
        if name not in known:
            raise PolicyError(
                f"`{name}` is no key of the edge file, wanted one of " + ", ".join(f"`{key}`" for key in known),
                hint=f"Remove {name}.",
            )
    values: dict[str, Any] = {name: _READERS[name](name, value) for name, value in mapping.items() if name != "route"}
    return Edge(_routes(mapping.get("route")), **values)


_CARRIED: Final = re.compile(r"(?P<by>header|cookie|arg|jwt):(?P<name>[A-Za-z0-9_.\-]{1,64})", re.ASCII)
_ADDRESS: Final = re.compile(r"([A-Za-z0-9.\-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", re.ASCII)
_URL: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9\-._~+,=:@/%?&]*)?", re.ASCII)
_PORT_MAX: Final = 65_535
# What a path may hold as it stands there: nothing that a configuration file would take for its own.
_PIECE: Final = re.compile(
    r"\{(?P<field>[^{}]*)\}|(?P<rest>\*\*$)|(?P<part>\*(?!\*))|(?P<text>[A-Za-z0-9\-._~+,=:@/%]+)", re.ASCII
)
_FIELDS: Final = {"recording": "(?P<recording>[^/]+)", "rows": "(?P<rows>[0-9]{1,9})"}
_ROUTE_KEYS: Final = {"path", "kind"}


def _regex(path: str) -> str:
    pieces, at, given = ["^"], 0, set[str]()
    while at < len(path):
        piece = _PIECE.match(path, at)
        if piece is None or not path.startswith("/"):
            raise _no_path(path)
        at = piece.end()
        name = piece["field"]
        if name is not None and (name not in _FIELDS or name in given):
            raise PolicyError(
                f"`path` is `{path}`, wanted no fields but `{{recording}}` and `{{rows}}`, each once",
                hint="Write * for a part that means nothing here.",
            )
        if name is not None:
            given.add(name)
            pieces.append(_FIELDS[name])
        elif piece["rest"]:
            pieces.append(".*")
        else:
            pieces.append("[^/]+" if piece["part"] else piece["text"].replace(".", r"\.").replace("+", r"\+"))
    if at == 0:
        raise _no_path(path)
    return "".join([*pieces, "$"])


def _no_path(path: str) -> PolicyError:
    return PolicyError(
        f"`path` is `{path}`, wanted a path of letters, digits and -._~+,=:@% that begins with a slash,"
        " with `**` at its end only",
        hint="Write it as it stands in requests, as in /media/{recording}/**.",
    )


def _routes(value: object) -> Routes:
    if not isinstance(value, list) or not value:
        raise PolicyError(
            "`route` is not there, wanted at least one [[route]]",
            hint='Add [[route]], path = "/media/{recording}/**" and kind = "media".',
        )
    return Routes(tuple(_route(each) for each in value))


def _route(value: object) -> Route:
    keys = set(value) if isinstance(value, dict) else set()
    if not isinstance(value, dict) or keys != _ROUTE_KEYS or not isinstance(value["path"], str):
        found = ", ".join(f"`{key}`" for key in sorted(keys)) or "empty"
        raise PolicyError(f"`route` has {found}, wanted `path` and `kind`", hint="Give each [[route]] these two keys.")
    kinds = {kind.name.lower(): kind for kind in Kind}
    if value["kind"] not in kinds:
        wanted = ", ".join(f"`{kind}`" for kind in kinds)
        raise PolicyError(f"`kind` is `{value['kind']}`, wanted one of {wanted}")
    return Route.of(value["path"], kinds[value["kind"]])


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(f"`{name}` is `{value}`, wanted true or false")
    return value


def _address(name: str, value: object) -> str:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < int(found[2]) <= _PORT_MAX:
        raise PolicyError(f"`{name}` is `{value}`, wanted HOST:PORT as in 127.0.0.1:9101")
    return found[0]


def _url(name: str, value: object) -> str:
    if not isinstance(value, str) or _URL.fullmatch(value) is None:
        raise PolicyError(f"`{name}` is `{value}`, wanted a URL as in http://127.0.0.1:9000")
    return value


def _addresses(name: str, value: object) -> tuple[str, ...]:
    return tuple(_address(name, each) for each in _list(name, value))


def _urls(name: str, value: object) -> tuple[str, ...]:
    return tuple(_url(name, each) for each in _list(name, value))


def _list(name: str, value: object) -> Sequence[object]:
    if not isinstance(value, list) or not value or len({str(each) for each in value}) < len(value):
        raise PolicyError(f"`{name}` is `{value}`, wanted a list of at least one, each once")
    return value


_READERS: Final = {
    "account": Carried.parse,
    "device": Carried.parse,
    "origin": _url,
    "listen": _address,
    "gates": _addresses,
    "push": _urls,
    "explain": _truth,
    "step_up_url": _url,
    "appeal_url": _url,
}
