"""What does an address show, so kept that somebody else can look at it later?

One address, asked once, because somebody named permits it; it is asked as it is, and what it links to is not.  All that
came over the wire is kept as WARC records, question and answer, to the octet.  Pages, pictures and lists of files are
read; of anything else (sound, archives) only the headers are: a leaked file is not fetched to prove that it is there.

Nothing inside a private network is asked unless that was said, not even when a public name or an answer leads there
(:mod:`riparian.feeds.ask_once`).

Source
------
ISO 28500:2017 (WARC 1.1), sections 5 and 6.2 to 6.4; RFC 9110, section 15 (status codes).
"""

import base64
import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Final
from urllib.parse import urljoin

from riparian.errors import InputError, OutsideError
from riparian.feeds.ask_once import Answer, Question, Resolve, ask_once, end_of_headers

AGENT: Final = "riparian-evidence (+one page, asked for by a person)"
OCTETS_MAX: Final = 32 << 20
_WHOLE_S: Final = 90.0
_REDIRECTS_MAX: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_GONE: Final = (404, 410, 451)
_READ: Final = (
    *("text/", "image/", "application/xhtml", "application/xml", "application/json", "application/rss"),
    *("application/atom", "application/ld+json", "application/x-bittorrent"),
)


@dataclass(frozen=True, slots=True)
class Captured:
    """What an address showed.

    Parameters
    ----------
    warc
        Questions and answers, WARC 1.1.
    status
        Of the last answer.
    live
        Whether it is there: a page was shown (2xx: True), or it is said to be gone (404, 410, 451: False); None when
        neither was said.
    address
        The last one that was asked.
    whole
        Whether the last answer was kept to its end.
    """

    warc: bytes
    status: int
    live: bool | None
    address: str
    whole: bool


def capture(
    address: str, permitted_by: str, at: datetime, *, private: bool = False, resolve: Resolve | None = None
) -> Captured:
    """Ask an address and keep what it shows.

    Parameters
    ----------
    permitted_by
        Who says that we may; it is written into the WARC.
    at
        Now, with a zone.
    private
        Whether addresses of private networks may be asked.
    resolve
        Gives the IP addresses of a name at a port.

    Raises
    ------
    InputError
        When it is no address, nobody permits it, or it is private.
    OutsideError
        When it cannot be reached.
    """
    if not permitted_by.strip():
        raise InputError("nobody permits it, wanted the name of who does", hint="Add --permitted-by WHO.")
    lines = {
        "software": "riparian",
        "format": "WARC File Format 1.1",
        "operator": _line(permitted_by),
        "robots": "none",
    }
    info = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
    warc = bytearray(_record("warcinfo", at, info, {"Content-Type": "application/warc-fields"}))
    begun = time.monotonic()
    for _ in range(_REDIRECTS_MAX + 1):
        answer = _asked(address, begun, private=private, resolve=resolve)
        now = at.astimezone(UTC)
        warc += _pair(address, now, answer)
        location = answer.headers.get("Location", "")
        if answer.status not in _REDIRECTS or not location:
            status = answer.status
            live = True if 200 <= status < 300 else False if status in _GONE else None
            return Captured(bytes(warc), status, live, address, not answer.truncated)
        address = urljoin(address, location)
    raise OutsideError(
        f"`{address[:80]}` is the end of more than {_REDIRECTS_MAX} redirections, wanted a page",
        hint="Look at it in a browser, and import what that saved.",
    )


def _asked(address: str, begun: float, *, private: bool, resolve: Resolve | None) -> Answer:
    return ask_once(
        Question(
            address,
            {"User-Agent": AGENT, "Accept": "text/html, */*;q=0.5"},
            begun + _WHOLE_S,
            OCTETS_MAX,
            into=lambda _: None,
            is_wanted=_is_read,
            keep_wire=True,
            private=private,
            resolve=resolve,
        )
    )


def _is_read(status: int, headers: Message) -> bool:
    del status
    said = headers.get_content_type() if "Content-Type" in headers else "text/plain"
    return said.startswith(_READ)


def _pair(address: str, at: datetime, answer: Answer) -> bytes:
    name = f"<urn:uuid:{uuid.uuid4()}>"
    about = {"WARC-Target-URI": address, "WARC-IP-Address": answer.ip}
    body = answer.octets[end_of_headers(answer.octets) :]
    said = {
        "WARC-Record-ID": name,
        **about,
        "Content-Type": "application/http; msgtype=response",
        "WARC-Payload-Digest": _digest(body),
        **({"WARC-Truncated": answer.truncated} if answer.truncated else {}),
    }
    asking = {**about, "Content-Type": "application/http; msgtype=request", "WARC-Concurrent-To": name}
    return _record("response", at, answer.octets, said) + _record("request", at, answer.asked, asking)


def _record(kind: str, at: datetime, block: bytes, said: dict[str, str]) -> bytes:
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid4()}>",
        "WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        **said,
        "WARC-Block-Digest": _digest(block),
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{name}: {_line(value)}\r\n" for name, value in headers.items())
    return b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def _digest(octets: bytes) -> str:
    return f"sha256:{base64.b32encode(hashlib.sha256(octets).digest()).decode()}"


def _line(text: str) -> str:
    return " ".join(text.split())
