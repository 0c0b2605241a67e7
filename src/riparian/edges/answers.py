"""How does an edge say what the gate decided, to a proxy and to a person?

One :class:`~riparian.gate.admit.Answer`, two dialects:

* ``PLAIN`` speaks true status codes: 200, 401 (prove who you are), 403 (held or ended), 429 (later), 503.
* ``NGINX`` is for ``auth_request``, which understands 200, 401 and 403 only and makes a 500 of everything
  else: whatever else it is becomes 403, and ``X-Riparian-Status`` says the true status.

:class:`Told` is plain data: bytes for the wire, messages for ASGI and attributes for gRPC are made of it.

==========================  =========================================================================
``X-Riparian-Action``       ``allow``, ``slow``, ``step_up``, ``hold``, ``end``: what is in force
``X-Riparian-Because``      ``none``, ``evidence``, ``novelty``, ``parent``, ``rows``, ``limit``, ``person``,
                            ``degraded`` (the gate knows too little) or ``grant`` (it does not hold)
``X-Riparian-Until``        when it ends by itself, in seconds since 1970
``X-Riparian-Would``        in shadow, the rule that would have refused
``X-Riparian-Rate``         ``preview`` where no full-length rendition is to be served, ``marked`` where none that
                            is unmarked
``X-Riparian-Status``       the true status; ``NGINX`` only
``X-Riparian-Shard``        which of how many gates answered; always
``X-Riparian-Grant``        what to ask for media with, where one was issued
``Retry-After``             seconds
==========================  =========================================================================

``explain = false`` leaves out the first four, and the reasons in the body.  An account is never named.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from riparian.gate.admit import Answer, Rule
from riparian.gate.policy import Restraint

DEGRADED: Final = "degraded"
GRANT: Final = "grant"
COOKIE: Final = "riparian"
"""Where a grant is kept that followed another."""

_US: Final = 1_000_000
_NGINX_SAYS: Final = frozenset({200, 401, 403})
_PHRASES: Final = MappingProxyType(
    {
        200: "OK",
        204: "No Content",
        307: "Temporary Redirect",
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        408: "Request Timeout",
        409: "Conflict",
        413: "Content Too Large",
        429: "Too Many Requests",
        431: "Request Header Fields Too Large",
        500: "Internal Server Error",
        501: "Not Implemented",
        503: "Service Unavailable",
        505: "HTTP Version Not Supported",
    }
)

LINK: Final = "This link is not, or no longer, valid."
WHAT: Final = MappingProxyType(
    {
        401: "Please confirm that it is you.",
        403: "This account is not served for now.",
        429: "Not now, please try again later.",
        503: "This cannot be decided right now, please try again.",
    }
)
"""What a status means to a person."""

WHY: Final = MappingProxyType(
    {
        str(Rule.NONE): "No rule refused this.",
        str(Rule.EVIDENCE): "What this account fetched is not how people listen.",
        str(Rule.NOVELTY): "The allowance for recordings new to this account is used up; what it had before is served.",
        str(Rule.PARENT): "The allowance that new accounts share with those beside them is used up.",
        str(Rule.ROWS): "The allowance for rows of the catalogue is used up.",
        str(Rule.LIMIT): "There were too many requests in a short time.",
        str(Rule.PERSON): "A person decided so, and somebody else can review it.",
        DEGRADED: "The service lacks what it needs to decide.",
        GRANT: "The link is not, or no longer, valid for this.",
    }
)
"""Why it is so, by rule or other reason."""


class Dialect(StrEnum):
    """Which status codes whoever asks understands."""

    PLAIN = "plain"
    NGINX = "nginx"


@dataclass(frozen=True, slots=True)
class Told:
    """What an edge is told.

    Parameters
    ----------
    status
        As the dialect says it.
    headers
        Names as they are written, and values.
    body
        JSON for people; empty where it is served, and for nginx, which throws it away.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def is_served(self) -> bool:
        """Whether the request goes on to what it asks for."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Answers:
    """Says answers in one dialect.

    Parameters
    ----------
    dialect
        What whoever asks understands.
    explain
        Whether reasons are told.
    step_up_url, appeal_url
        Where a person proves who they are, and where they object; may be empty.
    shard
        This gate and of how many, from 0.

    Examples
    --------
    >>> answer = Answer(429, Restraint.SLOW, Rule.NOVELTY, 90)
    >>> told = Answers(Dialect.NGINX).told(answer)
    >>> told.status, dict(told.headers)["X-Riparian-Status"], dict(told.headers)["Retry-After"]
    (403, '429', '90')
    >>> json.loads(Answers(appeal_url="https://example.org/appeal").told(answer).body)["appeal"]
    'https://example.org/appeal'
    """

    dialect: Dialect = Dialect.PLAIN
    explain: bool = True
    step_up_url: str = ""
    appeal_url: str = ""
    shard: tuple[int, int] = (0, 1)

    def told(self, answer: Answer, *, because: str = "", grant: str = "") -> Told:
        """Say an answer.

        Parameters
        ----------
        answer
            What the gate decided.
        because
            A reason that is not the gate's: ``degraded`` or ``grant``.
        grant
            A token to pass on.
        """
        status, why = answer.status, because or str(answer.rule)
        headers: list[tuple[str, str]] = []
        if self.dialect is Dialect.NGINX:
            headers.append(("X-Riparian-Status", str(status)))
        if self.explain:
            headers += [("X-Riparian-Action", answer.action.name.lower()), ("X-Riparian-Because", why)]
            if answer.until_us:
                headers.append(("X-Riparian-Until", str(-(-answer.until_us // _US))))
            if answer.would is not Rule.NONE:
                headers.append(("X-Riparian-Would", str(answer.would)))
        if answer.preview or answer.marked_only:
            headers.append(("X-Riparian-Rate", "preview" if answer.preview else "marked"))
        headers.append(("X-Riparian-Shard", f"{self.shard[0]}/{self.shard[1]}"))
        if grant:
            headers.append(("X-Riparian-Grant", grant))
        if status == 200:
            return Told(status, tuple(headers))
        if answer.retry_after_s:
            headers.append(("Retry-After", str(answer.retry_after_s)))
        if status == 401:
            headers.append(("WWW-Authenticate", f'StepUp url="{self.step_up_url}"' if self.step_up_url else "StepUp"))
        if self.dialect is Dialect.NGINX:
            return Told(status if status in _NGINX_SAYS else 403, tuple(headers))
        headers.append(("Content-Type", "application/json"))
        return Told(status, tuple(headers), self._letter(answer, why))

    def _letter(self, answer: Answer, why: str) -> bytes:
        what = WHAT[answer.status] if why != GRANT else LINK
        said: dict[str, object] = {"status": answer.status, "what": what}
        if self.explain:
            said |= {"action": answer.action.name.lower(), "because": why, "why": WHY[why]}
            if answer.until_us:
                said["until"] = datetime.fromtimestamp(-(-answer.until_us // _US), UTC).isoformat()
        if answer.retry_after_s:
            said["retry_after_s"] = answer.retry_after_s
        if answer.status == 401 and self.step_up_url:
            said["step_up"] = self.step_up_url
        if self.appeal_url and answer.action is not Restraint.ALLOW:
            said["appeal"] = self.appeal_url
        return json.dumps(said).encode()


def on_wire(told: Told, *, is_last: bool = False, is_head: bool = False) -> bytes:
    r"""Write what an edge is told as HTTP/1.1; to ``HEAD`` without the body.

    Examples
    --------
    >>> on_wire(Told(200, (("X-Riparian-Shard", "0/1"),)))
    b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Riparian-Shard: 0/1\r\n\r\n'
    """
    fields = "".join(f"{name}: {value}\r\n" for name, value in told.headers)
    end = "Connection: close\r\n" if is_last else ""
    head = f"HTTP/1.1 {told.status} {_PHRASES[told.status]}\r\nContent-Length: {len(told.body)}\r\n{fields}{end}\r\n"
    return head.encode("latin-1") + (b"" if is_head else told.body)


def in_asgi(told: Told) -> list[tuple[bytes, bytes]]:
    """List the headers as ASGI has them.

    Examples
    --------
    >>> in_asgi(Told(200, (("X-Riparian-Shard", "0/1"),)))
    [(b'x-riparian-shard', b'0/1')]
    """
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.headers]


def plain(status: int, said: Mapping[str, object] | str, *, media_type: str = "application/json") -> Told:
    """Say something that is no decision: to a pusher, to a monitor, to who asked wrongly.

    Examples
    --------
    >>> plain(404, {"error": "no such page"}).body
    b'{"error": "no such page"}'
    """
    body = said if isinstance(said, str) else json.dumps(said)
    return Told(status, (("Content-Type", media_type),), body.encode())
