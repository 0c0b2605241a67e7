"""Does an edge do what was printed for it?

:func:`check_text` reads a configuration of nginx, printed here and then adapted by hand, and finds what makes
limits inexact, or opens or closes more than the policy says.  :func:`check` asks a live edge, of whatever make, from
outside, as any stranger could.

Rules
-----
* ``WRONG`` is what breaks a promise; ``DOUBTFUL`` is what keeps it less well than it could be kept; ``NOTED`` is right
  as it is, and worth knowing.
* In shadow whoever has no grant is served: nothing here tells such an edge from one that forgot to look.
* Nothing is asked in the name of a listener: accounts of a check begin with ``riparian-check-``, and are strangers to
  the gate.  Their requests cost nobody's budget.
* What cannot be told from outside is said to be so, never passed over.
"""

import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlsplit

from riparian.errors import InputError, OutsideError
from riparian.gate.grants import Grant, Rate, issue
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import Mode
from riparian.gate.routes import Carried, Carrier, Edge, Kind, Route


class Weight(StrEnum):
    """How much a finding matters."""

    WRONG = "wrong"
    DOUBTFUL = "doubtful"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Parameters
    ----------
    weight
        How much it matters.
    where
        The block of the configuration, or what was asked.
    found
        What is so, and what was wanted.
    hint
        What to do about it.
    """

    weight: Weight
    where: str
    found: str
    hint: str


# ---- what is written ----

SLOWEST_MS: Final = 250
"""The longest that a listener may be made to wait for a gate that does not answer."""
_TIMEOUTS: Final = ("proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout")
_UNFAIR: Final = ("least_conn", "random", "ip_hash", "least_time")
_TOKEN: Final = re.compile(
    r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|(?:[^\s{};\\"']|\\.)(?:[^\s{};\\]|\\.|\$\{\w+\})*"""
)
_SPAN: Final = re.compile(r"([0-9]+)(ms|s|m)?")
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000}


@dataclass(slots=True)
class _Block:
    """A directive of nginx, with what is in its braces."""

    words: list[str]
    inside: list["_Block"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def title(self) -> str:
        return " ".join(self.words)

    def all(self, name: str) -> list["_Block"]:
        return [each for each in self.inside if each.name == name]

    def walk(self) -> Iterator["_Block"]:
        yield self
        for each in self.inside:
            yield from each.walk()


def check_text(text: str) -> list[Finding]:
    """Check a configuration of nginx.

    Parameters
    ----------
    text
        Of ``nginx.conf``; files that it includes are not read.

    Returns
    -------
    list of Finding
        Nothing where all is well.

    Raises
    ------
    InputError
        When braces do not match.

    Examples
    --------
    >>> text = "upstream gates { server 127.0.0.1:1; server 127.0.0.1:2; } " + (
    ...     "location /a { auth_request /ask; } location = /ask { proxy_pass http://gates/auth; }")
    >>> [str(each.weight) for each in check_text(text)]
    ['wrong', 'wrong', 'wrong', 'doubtful']
    >>> check_text(text)[0].found
    '`gates` is balanced round robin, wanted `hash ... consistent` by account'
    """
    whole = _read(text)
    blocks = list(whole.walk())
    asked = {word for each in blocks if each.name == "auth_request" for word in each.words[1:2]} - {"off"}
    places = [each for each in blocks if each.name == "location"]
    asking = [place for place in places if place.words[-1] in asked]
    upstreams = {each.words[1]: each for each in blocks if each.name == "upstream" and len(each.words) > 1}
    found: list[Finding] = []
    for name in sorted({_upstream(place) for place in asking} & upstreams.keys()):
        found += _balancing(name, upstreams[name], {_account(place) for place in asking})
    for place in asking:
        found += _timeouts(place)
    for place in places:
        found += _answers(place) + _links(place) + _push(place)
    return found


def _read(text: str) -> _Block:
    stack, words = [_Block([])], list[str]()
    for piece in _TOKEN.findall(text):
        if piece.startswith("#"):
            continue
        if piece == "{":
            block = _Block(words)
            stack[-1].inside.append(block)
            stack.append(block)
            words = []
        elif piece == ";":
            stack[-1].inside.append(_Block(words))
            words = []
        elif piece == "}":
            stack.pop()
            if not stack:
                break
        else:
            words.append(piece.strip("\"'"))
    if len(stack) != 1:
        raise InputError("the braces of the configuration do not match, wanted what `nginx -t` accepts")
    return stack[0]


def _upstream(place: _Block) -> str:
    passed = [each.words[1] for each in place.all("proxy_pass") if len(each.words) > 1]
    return (urlsplit(passed[0]).hostname or "") if passed else ""


def _account(place: _Block) -> str:
    for each in place.all("proxy_set_header"):
        if len(each.words) == 3 and each.words[1].lower() == "x-riparian-account":
            return each.words[2]
    return ""


def _balancing(name: str, upstream: _Block, accounts: set[str]) -> list[Finding]:
    where = f"upstream {name}"
    hint = "Write `hash $riparian_account consistent;` as the first line of the upstream."
    if len([each for each in upstream.all("server") if "down" not in each.words]) < 2:
        return []
    hashes = upstream.all("hash")
    other = next((each.name for each in upstream.inside if each.name in _UNFAIR), "round robin")
    if not hashes:
        found = f"`{name}` is balanced {other}, wanted `hash ... consistent` by account"
        return [Finding(Weight.WRONG, where, found, hint)]
    key = hashes[0].words[1]
    if accounts - {key, ""}:
        found = f"`{name}` is balanced by `{key}`, wanted the account that gates are told"
        return [Finding(Weight.WRONG, where, found, hint)]
    if "consistent" not in hashes[0].words:
        found = f"`{name}` is hashed anew when a gate is added, wanted `consistent`"
        return [Finding(Weight.DOUBTFUL, where, found, hint)]
    return []


def _timeouts(place: _Block) -> list[Finding]:
    missing = [name for name in _TIMEOUTS[:2] if not place.all(name)]
    if missing:
        found = f"{' and '.join(f'`{name}`' for name in missing)} are not there, wanted at most {SLOWEST_MS} ms"
        return [Finding(Weight.WRONG, place.title, found, "Write 50ms: a gate answers in less than one.")]
    slow = [each.title for name in _TIMEOUTS for each in place.all(name) if _milliseconds(each.words[-1]) > SLOWEST_MS]
    found = f"`{', '.join(slow)}` lets listeners wait, wanted at most {SLOWEST_MS} ms"
    return [Finding(Weight.WRONG, place.title, found, "Write 50ms: a gate answers in less than one.")] if slow else []


def _milliseconds(text: str) -> int:
    read = _SPAN.fullmatch(text)
    return int(read[1]) * _UNITS_MS[read[2] or "s"] if read else SLOWEST_MS + 1


def _answers(place: _Block) -> list[Finding]:
    if not any(each.words[1:2] != ["off"] for each in place.all("auth_request")):
        return []
    caught = {word for each in place.all("error_page") for word in each.words[1:]}
    found = []
    if not {"401", "403"} <= caught:
        said = "a refusal of the gate is always 401 or 403 here, wanted the status that `X-Riparian-Status` names"
        found.append(Finding(Weight.WRONG, place.title, said, "Add `error_page 401 403 = @riparian_refused;`."))
    if "500" not in caught:
        said = "a gate out of reach is told as 500, wanted what the policy says for this kind of request"
        found.append(Finding(Weight.DOUBTFUL, place.title, said, "Add an `error_page 500 =` to a location of its own."))
    return found


def _links(place: _Block) -> list[Finding]:
    if not place.all("secure_link_md5"):
        return []
    said = "grants are MD5 over a secret, wanted a MAC where njs or nginx-auth-jwt can be had"
    return [Finding(Weight.DOUBTFUL, place.title, said, "Print it again with `--grants hmac` or `--grants jwt`.")]


def _push(place: _Block) -> list[Finding]:
    if place.words[-1] != "/riparian/verdicts" or any(each.words[1:] == ["all"] for each in place.all("deny")):
        return []
    said = "anybody may knock at the push endpoint, wanted `deny all` behind the addresses that push"
    return [Finding(Weight.DOUBTFUL, place.title, said, "Add `allow 127.0.0.1; deny all;`.")]


# ---- what is alive ----


@dataclass(frozen=True, slots=True)
class Heard:
    """What an edge answered: status, and headers by name in small letters."""

    status: int
    headers: Mapping[str, str]


Ask = Callable[[str, str, Mapping[str, str]], Heard]
"""Takes a method, a URL and headers."""

TIMEOUT_S: Final = 5.0
ACCOUNTS: Final = 4
TIMES: Final = 6
_REFUSED: Final = frozenset({401, 403})
_CLOSED: Final = _REFUSED | {404, 405}


def ask(method: str, url: str, headers: Mapping[str, str]) -> Heard:
    """Ask over the network.

    Raises
    ------
    OutsideError
        When nothing answers.
    """
    body = b"" if method == "POST" else None
    if urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"`{url}` is no URL of an edge, wanted one as in http://127.0.0.1:8080")
    asked = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310 -- looked at above
    try:
        with urllib.request.build_opener(_NoRedirect).open(asked, timeout=TIMEOUT_S) as answer:
            return Heard(answer.status, {name.lower(): value for name, value in answer.headers.items()})
    except urllib.error.HTTPError as error:
        with error:
            return Heard(error.code, {name.lower(): value for name, value in error.headers.items()})
    except OSError as error:
        raise OutsideError(
            f"`{url}` is out of reach: {error}, wanted an answer", hint="Start the edge, or name it."
        ) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Take a redirect for the answer that it is."""


def check(url: str, edge: Edge, *, mode: Mode = Mode.ENFORCE, ask: Ask = ask) -> list[Finding]:
    """Ask a live edge.

    Parameters
    ----------
    url
        Where it listens.
    edge
        What was printed for it.
    mode
        Of the policy that it was printed for: in shadow it serves what it would refuse.
    ask
        Asks; replaced where there is no network.

    Returns
    -------
    list of Finding
        Nothing where all is well.

    Raises
    ------
    OutsideError
        When nothing answers.
    """
    probe = _Probe(url.rstrip("/"), edge, mode, ask)
    if edge.account.by is Carrier.JWT:
        said = "`account` is a claim of a bearer token, and there is none to show: media and shards were not asked for"
        hint = "Ask once with a token of your own, and compare X-Riparian-Shard over several requests."
        return [Finding(Weight.DOUBTFUL, url, said, hint), *probe.strangers()]
    return [*probe.strangers(), *probe.media(), *probe.shards()]


@dataclass(frozen=True, slots=True)
class _Probe:
    """Questions to one edge."""

    url: str
    edge: Edge
    mode: Mode
    ask: Ask

    def strangers(self) -> list[Finding]:
        where = f"{self.url}/riparian/verdicts"
        headers = {
            "Authorization": f"Bearer {secrets.token_hex(32)}",
            "X-Riparian-Epoch": "check",
            "X-Riparian-From": "0",
            "X-Riparian-To": "0",
            "X-Riparian-Full": "0",
        }
        heard = [self.ask("GET", where, {}), self.ask("POST", where, headers)]
        if all(each.status in _CLOSED for each in heard):
            return []
        said = f"the push endpoint answers strangers {heard[0].status} and {heard[1].status}, wanted 401 or 403"
        return [Finding(Weight.WRONG, where, said, "Give the edge a push secret, and let nobody else reach it.")]

    def media(self) -> list[Finding]:
        route = self._route(is_media=True)
        if route is None:
            return []
        path = _example(route)
        forged = _forged("riparian-check-1", path)
        tries = {"without a grant": "", "with a forged grant": forged, "with half a grant": forged[: len(forged) // 2]}
        heard = {
            how: self._asked(path, "riparian-check-1", f"g={token}" if token else "") for how, token in tries.items()
        }
        where = f"{self.url}{path}"
        if self.mode is Mode.SHADOW:
            return [self._in_shadow(where, heard)]
        found = []
        for how, each in heard.items():
            if each.status not in _REFUSED:
                said = f"media {how} is answered {each.status}, wanted 401 or 403"
                hint = "Print the configuration again and reload."
                if each.headers.get("x-riparian-would"):
                    hint = "It was printed for shadow: print the configuration again and reload."
                found.append(Finding(Weight.WRONG, where, said, hint))
        return found

    def _in_shadow(self, where: str, heard: Mapping[str, Heard]) -> Finding:
        refused = [how for how, each in heard.items() if each.status in _REFUSED]
        if refused:
            said = f"the policy is in shadow, and media {', '.join(refused)} is refused, wanted it served"
            hint = "Print the configuration again and reload, if it is not your origin that refuses."
            return Finding(Weight.DOUBTFUL, where, said, hint)
        said = "the policy is in shadow: media without a grant, or with a forged one, is served, and counted"
        hint = "Ask again once the policy says `enforce`, and the edge was printed for that."
        return Finding(Weight.NOTED, where, said, hint)

    def shards(self) -> list[Finding]:
        route = self._route(is_media=False)
        if route is None:
            return []
        path, seen = _example(route), set[str]()
        where = f"{self.url}{path}"
        for number in range(ACCOUNTS):
            heard = [self._asked(path, f"riparian-check-{number}", "") for _ in range(TIMES)]
            shards = {each.headers.get("x-riparian-shard", "") for each in heard}
            seen |= shards
            if len(shards - {""}) > 1:
                said = f"one account meets the gates {', '.join(sorted(shards - {''}))}, wanted always the same"
                return [Finding(Weight.WRONG, where, said, "Balance the gates by a consistent hash of the account.")]
        if "" in seen:
            said = "answers without `X-Riparian-Shard`, wanted it on each: no gate answers, or the route is another"
            return [Finding(Weight.WRONG, where, said, "Look whether the gates run, and at riparian_gate_degraded.")]
        told = {shard.partition("/")[2] for shard in seen}
        if told != {str(len(self.edge.gates))}:
            said = f"gates say they are {' and '.join(sorted(told))}, wanted {len(self.edge.gates)} as in edge.toml"
            return [
                Finding(Weight.DOUBTFUL, where, said, "Start the gates anew, with the edge.toml that the edge has.")
            ]
        return []

    def _route(self, *, is_media: bool) -> Route | None:
        return next((each for each in self.edge.routes.routes if (each.kind is Kind.MEDIA) is is_media), None)

    def _asked(self, path: str, account: str, query: str) -> Heard:
        headers: dict[str, str] = {}
        said = [
            query,
            _carry(self.edge.account, account, headers),
            _carry(self.edge.device, "riparian-check", headers),
        ]
        queries = "&".join(each for each in said if each)
        return self.ask("GET", f"{self.url}{path}{'?' if queries else ''}{queries}", headers)


def _forged(account: str, path: str) -> str:
    stranger = KeyRing(Key("riparian-check", secrets.token_bytes(32), 0), Key("riparian-check-2", bytes(32), 0))
    return issue(Grant(account, path, "", 4_102_444_800, Rate.FULL, stranger.current.id), stranger)


def _example(route: Route) -> str:
    path = route.path.replace("{recording}", "riparian-check").replace("{rows}", "1")
    return path.replace("**", "1").replace("*", "1")


def _carry(carried: Carried | None, value: str, headers: dict[str, str]) -> str:
    """Put an identifier where it belongs, and give the argument of the query that it may be."""
    if carried is not None and carried.by is Carrier.HEADER:
        headers[carried.name] = value
    elif carried is not None and carried.by is Carrier.COOKIE:
        headers["Cookie"] = "; ".join(each for each in (headers.get("Cookie", ""), f"{carried.name}={value}") if each)
    elif carried is not None and carried.by is Carrier.ARG:
        return f"{carried.name}={quote(value, safe='')}"
    return ""
