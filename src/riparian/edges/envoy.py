"""What does Envoy have to be told, so that it lets through what the gate would?

Envoy verifies grants by itself, without a word to the gate: the signature natively, the rest (whose it is, for
which path and device, until when) in forty lines of Lua that refuse whatever they stumble over.  For everything
else it asks, over HTTP or gRPC, the one gate that counts for the account.

===========  ==================================  =====================================================
kind         what is checked                     while no gate answers
===========  ==================================  =====================================================
media        the grant, here                     a grant holds to its end, and ``media_open_s`` longer
licence      the gate, for each request          refused: 503
metadata     the gate, for each request          ``metadata_down``: ``down_per_minute`` each, or 503
bulk         the gate, for each request          ``bulk_down``: the same, or 503
===========  ==================================  =====================================================

Rules
-----
* What only this edge may say, ``X-Riparian-Account`` above all, is taken off a request before it is looked at.
* A grant past its end is asked about at the gate.  Where that agrees there is another: 307 to the same address, and a
  cookie, which is looked at where the argument has ended and nothing else is wrong with it.  So a client that keeps
  cookies asks once in ``grant_s``.  Only where no gate answers is it let through itself, for ``media_open_s``.
* A question takes at most ``TIMEOUT_S``.  After three without an answer a gate is not asked for a second, and
  nobody waits.
* A path that two servers may read in two ways is refused: it fits no route and would pass as not ours.
* Who is ended or held is refused at once by whatever asks the gate, and at the end of the grant, at most
  ``grant_s`` later, for media: Envoy is told nothing in between.
* The keys of grants are in a file of their own, which Envoy reads again when another is moved into its place.

Fails when
----------
Envoy reads two headers of one name as the first of them; the operator's own authentication has to set its header,
not add to it.  A bearer token's claim is not read: Envoy would have to verify the token first, and knows how
(``jwt_authn`` with ``claim_to_headers``) better than a template of ours.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from riparian.edges.answers import COOKIE, DEGRADED, GRANT, Answers
from riparian.errors import PolicyError
from riparian.gate.admit import Answer, Rule
from riparian.gate.grants import RENEWED_S
from riparian.gate.keys import KeyRing
from riparian.gate.policy import Down, Mode, Policy, Restraint
from riparian.gate.routes import Carried, Carrier, Edge, Route
from riparian.gate.spelling import BEGINNING, LETTER, encode

CONFIGURATION: Final = "envoy.yaml"
GRANTS: Final = "envoy-grants.json"
"""Holds secrets: only Envoy may read it."""
TIMEOUT_S: Final = 0.05
ACCOUNTS_MAX: Final = 100_000
"""Accounts that Envoy keeps a bucket for; beyond that the one seen longest ago is forgotten."""
TOKENS_MAX: Final = 10_000
"""Grants that one thread of Envoy remembers to have verified."""
SEAT_BELT: Final = 4
"""Segments are asked for, too: the belt is so many times what the gate lets an account ask."""

Authz = Literal["http", "grpc"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an Envoy finds what, and writes what.

    Parameters
    ----------
    folder
        Where its files will be; absolute, or from where it is started.
    log
        The access log, one JSON object a line, for ``riparian scan``.
    admin
        Address of its administration; for nobody else than the operator.
    """

    folder: str = "/etc/envoy"
    log: str = "/var/log/envoy/access.log"
    admin: str = "127.0.0.1:9901"


def configuration(
    edge: Edge, policy: Policy, keys: KeyRing, *, authz: Authz = "http", place: Place | None = None
) -> dict[str, str]:
    """Write what Envoy has to be told.

    Parameters
    ----------
    edge
        Routes, and who is where.
    policy
        What becomes of each kind of request while no gate answers; how much is too much.
    keys
        Of grants.
    authz
        How the gates are asked; over gRPC a question costs several times as much.
    place
        Where its files are.

    Returns
    -------
    dict
        Texts by name of file: ``CONFIGURATION``, which is complete and no secret, and ``GRANTS``, which is one.

    Raises
    ------
    PolicyError
        When the account or the device is a claim of a bearer token.

    Examples
    --------
    >>> from riparian.gate.keys import Key
    >>> from riparian.gate.routes import parse_edge
    >>> edge = parse_edge({"route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> files = configuration(edge, Policy(), ring)
    >>> sorted(files), "/check" in files["envoy.yaml"], "k1" in files["envoy.yaml"]
    (['envoy-grants.json', 'envoy.yaml'], True, False)
    """
    template = _templates().get_template("envoy.yaml.j2")
    text = template.render(_said(edge, policy, authz, place or Place()))
    return {CONFIGURATION: text, GRANTS: grants_file(policy, keys)}


def grants_file(policy: Policy, keys: KeyRing) -> str:
    """Write what Envoy has to know of the keys; written again, and moved into place, after each rotation.

    Examples
    --------
    >>> from riparian.gate.keys import Key
    >>> ring = KeyRing(Key("k1", bytes(32), 0), Key("k2", bytes(32), 0))
    >>> found = json.loads(grants_file(Policy(), ring))["resources"][0]["typed_config"]["providers"]["grant"]
    >>> [key["kid"] for key in json.loads(found["local_jwks"]["inline_string"])["keys"]]
    ['k1', 'k2']
    """
    ring = [{"kty": "oct", "alg": "HS256", "kid": key.id, "k": encode(key.secret)} for key in keys]
    provider = {
        "issuer": "riparian",
        "local_jwks": {"inline_string": json.dumps({"keys": ring})},
        "from_params": ["g"],
        "from_headers": [{"name": "X-Riparian-Grant"}],
        "payload_in_metadata": "grant",
        "require_expiration": True,
        # The gate reads it, too, where it has ended.
        "forward": True,
        # The end itself is looked at in Lua, to the second.
        "clock_skew_seconds": RENEWED_S,
        "jwt_cache_config": {"jwt_cache_size": TOKENS_MAX},
    }
    # The grant that came with a renewal; 0 would be Envoy's own 60 seconds.
    kept = {name: value for name, value in provider.items() if name not in {"from_params", "from_headers"}}
    kept |= {"from_cookies": [COOKIE], "payload_in_metadata": "kept", "clock_skew_seconds": 1}
    known: dict[str, object] = {"provider_name": "grant"}
    missing: dict[str, object] = {"allow_missing_or_failed": {}}
    perhaps: dict[str, object] = {"requires_any": {"requirements": [{"provider_name": "kept"}, missing]}}
    wanted: dict[str, object] = {"requires_all": {"requirements": [known, perhaps]}}
    if policy.mode is Mode.SHADOW:
        wanted = {"requires_any": {"requirements": [known, missing]}}
    filtered = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"grant": provider, "kept": kept},
        "requirement_map": {"grant": wanted},
        # What it would say names the URL, and with it the grant.
        "strip_failure_response": True,
    }
    resource = {
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "riparian.grant",
        "typed_config": filtered,
    }
    return json.dumps({"resources": [resource]}, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class _Line:
    """A route, as the template wants it."""

    path: str
    kind: str
    regex: str
    is_limited: bool


PLAIN: Final = rf"(?:/(?:{BEGINNING})(?:{LETTER}|\.)*)*/?"
"""Paths of which there is one spelling (:mod:`riparian.gate.spelling`), as RE2 reads them."""
_PART: Final = rf"(?:{LETTER}|\.)+"
_REST: Final = rf"(?:{LETTER}|\.|/)*"


def _templates() -> Environment:
    loader = PackageLoader("riparian.edges")
    # Not HTML; values are written as JSON, which YAML reads.
    return Environment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )


def _said(edge: Edge, policy: Policy, authz: Authz, place: Place) -> Mapping[str, object]:
    routes = [_line(route, policy) for route in edge.routes.routes]
    carried = _carried(edge)
    is_shadow = policy.mode is Mode.SHADOW
    open_s, renewed_s = (0, 0) if is_shadow else (policy.media_open_s, RENEWED_S)
    gates = [_endpoint(address) for address in edge.gates]
    is_read = any(each.by in {Carrier.COOKIE, Carrier.ARG} for each in carried.values())
    return {
        "accounts_max": ACCOUNTS_MAX,
        "admin": _endpoint(place.admin),
        "asked_with": _asked_with(edge),
        "authz": authz,
        "bodies": {why: _body(edge, why) for why in (GRANT, DEGRADED, str(Rule.LIMIT))},
        "carried": carried,
        "down": _bucket(policy.down_per_minute, policy.down_per_minute),
        "down_retry_s": math.ceil(60 / policy.down_per_minute),
        "edge": edge,
        "gates": gates,
        "gates_type": "STATIC" if all(gate["is_numeric"] for gate in gates) else "STRICT_DNS",
        "grants_file": GRANTS,
        "is_shadow": is_shadow,
        "kinds": _promises(policy),
        "listen": _endpoint(edge.listen),
        "open_s": open_s,
        "origin": _origin(edge.origin),
        "place": place,
        "renewed_s": renewed_s,
        "plain": PLAIN,
        "routes": routes,
        "reading": _script("envoy_reading.lua.j2", carried=carried) if is_read else "",
        "script": _script("envoy.lua.j2", carried=carried, is_shadow=is_shadow, open_s=open_s, renewed_s=renewed_s),
        "seat_belt": _bucket(SEAT_BELT * policy.requests_burst, SEAT_BELT * policy.requests_per_minute),
        "seat_belt_times": SEAT_BELT,
        "timeout_s": TIMEOUT_S,
    }


def _line(route: Route, policy: Policy) -> _Line:
    is_limited = policy.down(route.kind) is Down.LIMIT
    return _Line(route.path, route.kind.name.lower(), _plainly(route.regex), is_limited)


def _plainly(regex: str) -> str:
    """Leave of what a route fits only the plain: anything else then fits no route at all, and is refused.

    Examples
    --------
    >>> import re
    >>> fits = _plainly(r"^/a/(?P<recording>[^/]+)/.*$")
    >>> [bool(re.match(fits, path)) for path in ("/a/1/b/c.ts", "/a/%C3%A9/", "/a/1;x/b", "/a/1/%3b")]
    [True, True, False, False]
    """
    parts = regex.removesuffix(".*$").replace("[^/]+", _PART)
    return f"{parts}{_REST}$" if regex.endswith(".*$") else parts


def _promises(policy: Policy) -> list[str]:
    limited = f"{policy.down_per_minute} a minute for each account, then 429"
    down = {down: limited if down is Down.LIMIT else "refused: 503" for down in Down}
    media = f"a grant holds to its end and {policy.media_open_s} s longer" if policy.media_open_s else "a grant holds"
    return [
        f"{'media':<9} {'the grant, here':<42} {media}",
        f"{'licence':<9} {'the gate, for each request':<42} refused: 503",
        f"{'metadata':<9} {'the gate, for each request':<42} {down[policy.metadata_down]}",
        f"{'bulk':<9} {'the gate, for each request':<42} {down[policy.bulk_down]}",
    ]


def _carried(edge: Edge) -> dict[str, Carried]:
    carried = {name: each for name, each in (("account", edge.account), ("device", edge.device)) if each is not None}
    for name, each in carried.items():
        if each.by is Carrier.JWT:
            raise PolicyError(
                f"`{name}` is `jwt:{each.name}`, wanted a header, a cookie or an argument: Envoy would read a claim"
                " whose token nobody has verified",
                hint=f"Let a jwt_authn filter put the claim into a header with claim_to_headers; write {name} as that.",
            )
    return carried


def _script(name: str, **said: object) -> str:
    return _templates().get_template(name).render(said).rstrip()


def _asked_with(edge: Edge) -> list[dict[str, object]]:
    names = {"x-riparian-account", "x-riparian-device", "traceparent"}
    for carried in (edge.account, edge.device):
        if carried is not None and carried.by is Carrier.HEADER:
            names.add(carried.name.lower())
        elif carried is not None and carried.by is Carrier.COOKIE:
            names.add("cookie")
    return [{"exact": name, "ignore_case": True} for name in sorted(names)]


def _bucket(burst: int, per_minute: int) -> dict[str, object]:
    # Envoy fills no faster than every 50 ms; below that, one at a time is the evenest.
    fill = max(1, math.ceil(per_minute / 1200))
    return {"max_tokens": burst, "tokens_per_fill": fill, "fill_interval": f"{60 * fill / per_minute:.3f}s"}


def _endpoint(address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        ip_address(host)
        is_numeric = True
    except ValueError:
        is_numeric = False
    return {"host": host, "port": int(port), "is_numeric": is_numeric}


def _origin(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    found = _endpoint(f"{parts.hostname}:{parts.port or (443 if is_tls else 80)}")
    return {**found, "type": "STATIC" if found["is_numeric"] else "STRICT_DNS", "is_tls": is_tls}


def _body(edge: Edge, why: str) -> str:
    """Say a refusal of Envoy's own in the words of the gate; a percent sign would be a command to Envoy."""
    status, rule = {GRANT: (403, Rule.NONE), DEGRADED: (503, Rule.NONE)}.get(why, (429, Rule.LIMIT))
    answer = Answer(status, Restraint.ALLOW, rule, 0, 0, Rule.NONE)
    told = Answers(explain=edge.explain).told(answer, because=why)
    return told.body.decode().replace("%", "%%")
