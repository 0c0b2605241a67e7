"""How is a site asked so that its owner would not mind?

Only sites that the operator lists, each permitted by somebody who can be named.  ``robots.txt`` is obeyed, also where
somebody permits more: it is how the owner says what is too much.  One question at a time, a pause between two to one
host, longer where the site asks for it; what did not change is not sent again; who is told to wait waits, and who is
told to wait long comes back another day.

Source
------
RFC 9309 (robots.txt: what 4xx and 5xx mean, 500 KiB); RFC 9110, sections 10.2.3 (Retry-After) and 13.1 (conditional
questions).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from protego import Protego

from riparian.errors import InputError, OutsideError
from riparian.feeds.ask_once import Answer, Question, Resolve, ask_once
from riparian.feeds.mirrors.addresses import host_of
from riparian.ports.mirrors import Got, RefusedError

AGENT: Final = "riparian-watch"
PAUSE_S: Final = 2.0
OCTETS_MAX: Final = 64 << 20
ROBOTS_OCTETS_MAX: Final = 500 << 10
WHOLE_S: Final = 120.0
_DELAY_MAX_S: Final = 120.0
_TRIES: Final = 3
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_REDIRECTS_MAX: Final = 5
_ROBOTS_LAST_S: Final = 86_400.0
_BUSY: Final = (429, 500, 502, 503, 504)
_ROUND_HEADERS: Final = 4096


@dataclass
class _Host:
    robots: Protego | None = None
    is_closed: str = ""
    asked_robots_at: float = 0.0
    last_at: float | None = None
    delay_s: float = 0.0
    waits_until: float = 0.0


@dataclass
class Visitor:
    """Whoever asks sites.

    Parameters
    ----------
    hosts
        Hosts, with ports, that may be asked: others are not, wherever a document or a redirection leads.
    pause_s
        Between two questions to one host; a longer one of its robots.txt counts.
    private
        Whether addresses of private networks may be asked.
    wait
        Waits so many seconds.
    """

    hosts: frozenset[str]
    pause_s: float = PAUSE_S
    private: bool = False
    wait: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    resolve: Resolve | None = None
    asked: int = 0
    _known: dict[str, _Host] = field(default_factory=dict)

    def get(
        self,
        address: str,
        etag: str = "",
        modified: str = "",
        *,
        most: int = OCTETS_MAX,
        into: Callable[[bytes], object] | None = None,
        whole_s: float = WHOLE_S,
    ) -> Got:
        """Ask for a document.

        Parameters
        ----------
        etag, modified
            What the last answer said.
        into
            Takes the body part by part, in place of ``Got.body``.
        whole_s
            So many seconds an answer may take.

        Raises
        ------
        RefusedError
            When it is not to be asked for, is not there, or cannot be had today.
        """
        said = {"If-None-Match": etag, "If-Modified-Since": modified}
        conditions = {name: value for name, value in said.items() if value}
        for _ in range(_REDIRECTS_MAX + 1):
            self._permitted(address)
            body = bytearray()
            answer = self._asked(address, conditions, (most, whole_s), into or body.extend)
            if answer.status in _REDIRECTS and answer.headers.get("Location"):
                address = _led(address, answer.headers["Location"])
                continue
            if answer.status not in (200, 304):
                raise RefusedError(f"it is answered with {answer.status}")
            if answer.status == 304 and not conditions:
                raise RefusedError("it is answered with 304, unasked")
            return Got(
                address,
                answer.status,
                bytes(body),
                answer.headers.get_content_type() if "Content-Type" in answer.headers else "",
                answer.headers.get("ETag", "")[:_ROUND_HEADERS],
                answer.headers.get("Last-Modified", "")[:_ROUND_HEADERS],
                _CUT.get(answer.truncated, answer.truncated),
            )
        raise RefusedError("it leads from one address to the next")

    def _permitted(self, address: str) -> None:
        name = host_of(address)
        if name not in self.hosts:
            raise RefusedError(f"it is at `{name[:80] or address[:80]}`, which is not listed")
        host = self._host(address, name)
        if host.waits_until > self.monotonic():
            raise RefusedError("its host wants to be left alone", host.waits_until - self.monotonic())
        if host.is_closed:
            raise RefusedError(host.is_closed)
        if host.robots is not None and not host.robots.can_fetch(address, AGENT):
            raise RefusedError("robots.txt does not permit it")

    def _host(self, address: str, name: str) -> _Host:
        host = self._known.setdefault(name, _Host())
        is_known = host.robots is not None or host.is_closed
        if is_known and self.monotonic() - host.asked_robots_at < _ROBOTS_LAST_S:
            return host
        parts = urlsplit(address)
        host.robots, host.is_closed, host.asked_robots_at = None, "", self.monotonic()
        status, text = self._robots(f"{parts.scheme}://{parts.netloc}/robots.txt", name)
        if status >= 500 or status == 429:
            # RFC 9309, section 2.3.1.4: whoever cannot say what is permitted permits nothing.
            host.is_closed = f"robots.txt is answered with {status}, so nothing is asked"
            return host
        host.robots = Protego.parse(text if status == 200 else "")
        rate = host.robots.request_rate(AGENT)
        asks = [host.robots.crawl_delay(AGENT) or 0.0, rate.seconds / rate.requests if rate and rate.requests else 0.0]
        host.delay_s = max(asks)
        if host.delay_s > _DELAY_MAX_S:
            host.is_closed = f"robots.txt asks for {host.delay_s:,.0f} s between two questions: ask its owner for fewer"
        return host

    def _robots(self, address: str, name: str) -> tuple[int, str]:
        for _ in range(_REDIRECTS_MAX + 1):
            if host_of(address) not in self.hosts:
                return 404, ""
            body = bytearray()
            answer = self._asked(address, {}, (ROBOTS_OCTETS_MAX, WHOLE_S), body.extend, of=name)
            if answer.status not in _REDIRECTS or not answer.headers.get("Location"):
                return answer.status, bytes(body[:ROBOTS_OCTETS_MAX]).decode("utf-8-sig", "replace")
            address = _led(address, answer.headers["Location"])
        return 404, ""

    def _asked(
        self,
        address: str,
        conditions: Mapping[str, str],
        most: tuple[int, float],
        into: Callable[[bytes], object],
        of: str = "",
    ) -> Answer:
        """Ask when it is time to, and again when the site is busy; ``most`` in octets and in seconds."""
        host = self._known.setdefault(of or host_of(address), _Host())
        headers = {"User-Agent": f"{AGENT} (+asked with the permission of this site)", "Accept": "*/*", **conditions}
        why, came = "", 0

        def take(part: bytes) -> None:
            nonlocal came
            came += len(part)
            into(part)

        for tried in range(_TRIES):
            self._in_turn(host)
            try:
                answer = ask_once(
                    Question(
                        address,
                        headers,
                        time.monotonic() + most[1],
                        most[0],
                        take,
                        is_wanted=lambda status, _: status == 200,
                        private=self.private,
                        resolve=self.resolve,
                    )
                )
            except InputError as error:
                raise RefusedError(error.message) from error
            except OutsideError as error:
                if came:
                    # What came would be taken twice.
                    raise RefusedError(f"it breaks off: {error.message}") from error
                why, wait_s = error.message, 0.0
            else:
                if answer.status not in _BUSY:
                    return answer
                why, wait_s = f"it is answered with {answer.status}", self._retry_after(answer.headers)
                if of and tried == _TRIES - 1:
                    return answer
            finally:
                host.last_at = self.monotonic()
            if wait_s > _DELAY_MAX_S:
                host.waits_until = self.monotonic() + wait_s
                raise RefusedError(f"{why}, and asks to be left alone for {wait_s:,.0f} s", wait_s)
            if tried < _TRIES - 1:
                self.wait(max(wait_s, self.pause_s * 2 ** (tried + 1)))
        raise RefusedError(why)

    def _in_turn(self, host: _Host) -> None:
        self.asked += 1
        if host.last_at is not None:
            left = max(self.pause_s, host.delay_s) - (self.monotonic() - host.last_at)
            if left > 0:
                self.wait(left)

    def _retry_after(self, headers: Message) -> float:
        said = headers.get("Retry-After", "").strip()[:64]
        if said.isascii() and said.isdigit():
            return float(said)
        try:
            when = parsedate_to_datetime(said)
        except (ValueError, TypeError, OverflowError):
            return 0.0
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - self.now()).total_seconds())


def _led(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise RefusedError("it leads to what is no address") from None


_CUT: Final = {
    "length": "it is longer than is read",
    "time": "it takes longer than is waited",
    "disconnect": "it breaks off",
    "unspecified": "",
}
