"""What does nginx have to be told, so that it lets through what the gate would?

nginx verifies grants and holds the list of restraints itself, without a word to Python; for everything else it asks
the one gate that counts for the account.

===========  ==================================  =====================================================
kind         what is checked                     while no gate answers
===========  ==================================  =====================================================
media        the grant and the list, here        a grant holds to its end, and ``media_open_s`` longer
licence      the list here, then the gate        refused: 503
metadata     the list here, then the gate        ``metadata_down``: ``down_per_minute`` each, or 503
bulk         the list here, then the gate        ``bulk_down``: the same, or 503
===========  ==================================  =====================================================

Rules
-----
* One account always meets one gate (``hash ... consistent``): two that count apart let through twice the limit.
* ``auth_request`` understands 2xx, 401 and 403.  Whatever else a gate means it says in ``X-Riparian-Status``, and a
  refusal becomes what it is in ``riparian_said.js``.
* A question takes at most ``TIMEOUT_MS``, at two gates twice that; after three without an answer a gate is not asked
  for two seconds, and nobody waits.  One that answers 4xx is there, and opens nothing.
* A grant past its end is asked about at the gate.  Where that agrees there is another: 307 to the same address, and a
  cookie, which is looked at where the argument has ended and nothing else is wrong with it.  So a client that keeps
  cookies asks once in ``grant_s``.  Only where no gate answers is it let through itself, for ``media_open_s``.
* Every request that nobody decided about is counted, says ``degraded``, and stands in the log as that.
* A path that two servers may read in two ways is refused: it might fit no route, and pass as not ours.
* In shadow grants are looked at and missed by nobody, the seat belt only counts, and what would close stays open.

Fails when
----------
The operator's own authentication must set the header that names the account, not add to it.  The claim of a
bearer token is read and not verified, as the gate does.  ``nginx-keyval`` gives nothing back of its memory: an account
that was restrained once keeps some hundred bytes of it until nginx is started anew.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from riparian.edges.answers import LINK, WHAT, WHY
from riparian.errors import InputError, PolicyError
from riparian.gate.grants import RENEWED_S, Grant
from riparian.gate.keys import KeyRing
from riparian.gate.policy import Down, Mode, Policy
from riparian.gate.routes import Carried, Carrier, Edge, Kind, Route
from riparian.gate.spelling import BEGINNING, LETTER, encode

CONFIGURATION: Final = "nginx.conf"
SCRIPTS: Final = {"riparian.js": "nginx.js", "riparian_said.js": "nginx_said.js"}
SECRETS: Final = "riparian.json"
"""Holds secrets: only nginx may read it."""
JWT_KEYS: Final = "riparian_keys.json"
LINK_KEYS: Final = "riparian_keys.conf"
SECRET_FILES: Final = frozenset({SECRETS, JWT_KEYS, LINK_KEYS})
TIMEOUT_MS: Final = 50
SEAT_BELT: Final = 4
"""Segments are asked for, too: the belt is so many times what the gate lets an account ask."""

# What a request is called in the log.
_ACTIONS: Final = {
    Kind.MEDIA: "segment",
    Kind.LICENCE: "licence",
    Kind.METADATA: "metadata",
    Kind.BULK: "metadata",
}
_PLAYLISTS: Final = (".m3u8", ".mpd")
_LIST_BYTES: Final = 256
_LISTED_BYTES: Final = 192
PLAIN: Final = rf"(?:/(?:{BEGINNING})(?:[A-Za-z0-9\-_~.]++|{LETTER})*+)*+/?"
"""Paths of which there is one spelling (:mod:`riparian.gate.spelling`), as PCRE reads them fast."""


class Grants(StrEnum):
    """How nginx verifies a grant."""

    HMAC = "hmac"
    JWT = "jwt"
    SECURE_LINK = "secure_link"
    """MD5 over the fields and a secret: for builds that have neither njs for ``hmac`` nor ``auth_jwt``."""


class List(StrEnum):
    """Where nginx looks whether an account is restrained."""

    KEYVAL = "keyval"
    NJS = "njs"


@dataclass(frozen=True, slots=True)
class Build:
    """What the nginx that is to be told so can do, and whom it listens to.

    Parameters
    ----------
    grants
        How a grant is verified.
    verdicts
        ``keyval`` spares most requests a script and wants nginx-keyval; ``njs`` wants njs only.
    room
        How many restrained accounts there is memory for.
    push_from
        Addresses that may push, and read the metrics.
    """

    grants: Grants = Grants.HMAC
    verdicts: List = List.NJS
    room: int = 200_000
    push_from: tuple[str, ...] = ("127.0.0.1", "::1")


def configuration(
    edge: Edge, policy: Policy, keys: KeyRing, *, push_secret: str, build: Build | None = None
) -> dict[str, str]:
    """Write what nginx has to be told.

    Parameters
    ----------
    edge
        Routes, and who is where.
    policy
        What becomes of each kind of request while no gate answers; how much is too much.
    keys
        Of grants.
    push_secret
        What whoever pushes verdicts is known by.
    build
        What this nginx can do.

    Returns
    -------
    dict
        Texts by name of file, to be in one folder; those of ``SECRET_FILES`` are for nobody else to read.

    Raises
    ------
    PolicyError
        When nginx cannot be told so: a cookie whose name is no variable, a route with a percent sign.

    Examples
    --------
    >>> from riparian.gate.keys import Key
    >>> from riparian.gate.routes import parse_edge
    >>> edge = parse_edge({"route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> texts = configuration(edge, Policy(), ring, push_secret="00" * 32, build=Build(Grants.JWT))
    >>> sorted(texts), "hash $riparian_account consistent" in texts["nginx.conf"]
    (['nginx.conf', 'riparian.js', 'riparian.json', 'riparian_keys.json', 'riparian_said.js'], True)
    """
    able, folder = build or Build(), files("riparian.edges") / "templates"
    script = {
        "push_secret": push_secret,
        "grants": str(able.grants),
        "has_mirror": able.verdicts is List.KEYVAL,
        **_read_by_script(edge, policy, keys),
    }
    texts = {
        CONFIGURATION: _templates().get_template("nginx.conf.j2").render(_said(edge, policy, able)),
        **{name: (folder / template).read_text(encoding="utf-8") for name, template in SCRIPTS.items()},
        SECRETS: json.dumps(script, indent=1) + "\n",
    }
    if able.grants is Grants.JWT:
        ring = [{"kty": "oct", "alg": "HS256", "kid": key.id, "k": encode(key.secret)} for key in keys]
        texts[JWT_KEYS] = json.dumps({"keys": ring}, indent=1) + "\n"
    elif able.grants is Grants.SECURE_LINK:
        lines = "".join(f"    {key.id} {key.secret.hex()};\n" for key in keys)
        texts[LINK_KEYS] = f'map $arg_k $riparian_link_secret {{\n{lines}    default "";\n}}\n'
    return texts


def _templates() -> Environment:
    # Not HTML: `parse_edge` lets nothing through that nginx would take for its own.
    return Environment(
        loader=PackageLoader("riparian.edges"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )


def secure_link(grant: Grant, keys: KeyRing, recording: str) -> str:
    """Write a grant as the arguments of a query that ``secure_link`` checks.

    Parameters
    ----------
    grant
        Its path is not part of the link: the link is for all of the recording.
    keys
        Hold the key that the grant names.
    recording
        As the route of media finds it in a path.

    Raises
    ------
    InputError
        When the key is not in the ring, or a field has a space, which stands between fields.

    Examples
    --------
    >>> from riparian.gate.grants import Rate
    >>> from riparian.gate.keys import Key
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> secure_link(Grant("a-0417", "/media/r-5512/", "", 1_800_000_060, Rate.FULL, "k1"), ring, "r-5512")
    'a=a-0417&e=1800000060&k=k1&r=full&md5=...'
    """
    key = keys.find(grant.key, 0)
    if key is None:
        raise InputError(f"`key` is `{grant.key}`, wanted one of the ring", hint="Issue with the ring's current key.")
    if any(" " in field for field in (grant.account, grant.device, recording)):
        raise InputError("an identifier has a space, wanted none", hint="Take --grants hmac or jwt.")
    said = f"{grant.until_s} {grant.rate} {recording} {grant.device} {grant.account} {key.secret.hex()}"
    digest = encode(md5(said.encode(), usedforsecurity=False).digest())
    return f"a={quote(grant.account, safe='')}&e={grant.until_s}&k={key.id}&r={grant.rate}&md5={digest}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A route, as the template wants it."""

    path: str
    kind: str
    action: str
    regex: str
    names_recording: bool
    names_rows: bool


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    address: str


def _said(edge: Edge, policy: Policy, able: Build) -> dict[str, Any]:
    is_shadow = policy.mode is Mode.SHADOW
    account = _variable("account", edge.account, "$riparian_who")
    device = _variable("device", edge.device, "$riparian_which") if edge.device else '""'
    return {
        "account": account,
        "account_js": account == "$riparian_who",
        "belt_burst": SEAT_BELT * policy.requests_burst,
        "belt_per_minute": SEAT_BELT * policy.requests_per_minute,
        "device": device,
        "device_js": device == "$riparian_which",
        "down": {kind.name.lower(): _down(kind, policy) for kind in Kind},
        "explain": edge.explain,
        "gates": edge.gates,
        "grants": str(able.grants),
        "has_device": edge.device is not None,
        "is_shadow": is_shadow,
        "list_mb": max(8, -(-able.room * _LIST_BYTES // 1_000_000)),
        "listed_mb": max(8, -(-able.room * _LISTED_BYTES // 1_000_000)),
        "listen": edge.listen,
        "origin": _origin(edge.origin),
        "plain_path": PLAIN,
        "push_from": able.push_from,
        "renewed_s": RENEWED_S,
        "routes": [_line(route) for route in edge.routes.routes],
        "timeout_ms": TIMEOUT_MS,
        "verdicts": str(able.verdicts),
    }


def _line(route: Route) -> _Line:
    if "%" in route.path:
        raise PolicyError(
            f"`path` is `{route.path}`, wanted no percent sign: nginx compares paths that it has decoded",
            hint="Write * for that part of the path.",
        )
    action = "play" if route.path.endswith(_PLAYLISTS) else _ACTIONS[route.kind]
    named = ("{recording}" in route.path, "{rows}" in route.path)
    return _Line(route.path, route.kind.name.lower(), action, route.regex, *named)


def _variable(name: str, carried: Carried, computed: str) -> str:
    if carried.by is Carrier.HEADER:
        return f"$http_{carried.name.lower().replace('-', '_')}"
    if carried.by is Carrier.COOKIE and carried.name.replace("_", "").isalnum():
        return f"$cookie_{carried.name}"
    if carried.by is Carrier.COOKIE:
        raise PolicyError(
            f"`{name}` is `cookie:{carried.name}`, wanted a name of letters, digits and underscores",
            hint="Let your authentication set a header or another cookie.",
        )
    return computed


def _down(kind: Kind, policy: Policy) -> str:
    """Say what becomes of a kind while no gate answers."""
    if kind is Kind.MEDIA or policy.mode is Mode.SHADOW:
        return "open"
    return "limited" if policy.down(kind) is Down.LIMIT else "closed"


def _origin(url: str) -> _Origin:
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        raise PolicyError(f"`origin` is `{url}`, wanted no path in it", hint="Let the origin serve what routes name.")
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return _Origin(parts.scheme, host, f"{bracketed}:{parts.port or (443 if parts.scheme == 'https' else 80)}")


def _read_by_script(edge: Edge, policy: Policy, keys: KeyRing) -> dict[str, Any]:
    return {
        "keys": [{"kid": key.id, "secret": key.secret.hex(), "retires_s": key.retires_s} for key in keys],
        "account": {"by": str(edge.account.by), "name": edge.account.name},
        "device": {"by": str(edge.device.by), "name": edge.device.name} if edge.device else None,
        "asker": _variable("account", edge.account, "$riparian_who").removeprefix("$"),
        "grant_s": policy.grant_s,
        "media_open_s": policy.media_open_s,
        "renewed_s": RENEWED_S,
        "down_per_minute": policy.down_per_minute,
        "lets": {kind.name.lower(): _down(kind, policy) for kind in Kind},
        "explain": edge.explain,
        "step_up_url": edge.step_up_url,
        "appeal_url": edge.appeal_url,
        "what": {**{str(status): text for status, text in WHAT.items()}, "grant": LINK},
        "why": dict(WHY),
    }
