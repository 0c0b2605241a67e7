"""How is a peer asked for its signals, and told ours?

As TAXII 2.1 has it: a collection is asked for what was added since the last time, page after page, with a token.  A
peer is a stranger: what it sends is bounded, it leads nowhere else, and pages that never end are ended.

Source
------
OASIS TAXII 2.1 (10 June 2021), 3.4 and 3.5 (paging), 5.4 and 5.5 (objects); RFC 6750.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from riparian.errors import InputError, OutsideError
from riparian.exchange.taxii import TAXII
from riparian.ports.exchange import Peer

_OCTETS_MAX: Final = 64 << 20
_PAGES_MAX: Final = 100_000
_PAGE: Final = 1000
_AT_ONCE: Final = 1000
_TIMEOUT_S: Final = 30.0
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDED_LAST: Final = "X-TAXII-Date-Added-Last"


class TaxiiPeers:
    """``ports.exchange.Peering`` over HTTP.

    Parameters
    ----------
    client
        What asks; one of its own where none is given.
    """

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, peer: Peer) -> Iterator[tuple[Sequence[Mapping[str, Any]], str]]:
        """See ``ports.exchange.Peering``."""
        words: dict[str, str] = {"limit": str(_PAGE)} | ({"added_after": peer.since} if peer.since else {})
        for _ in range(_PAGES_MAX):
            said, headers = self._said(peer, "GET", f"{_collection(peer.url)}objects/", params=words)
            objects = said.get("objects", [])
            if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
                raise _unlike(peer, "something else than objects")
            if objects:
                yield objects, headers.get(_ADDED_LAST, "")
            following = said.get("next")
            if not said.get("more"):
                return
            if not objects or not isinstance(following, str) or following == words.get("next"):
                raise _unlike(peer, "pages that lead nowhere")
            words["next"] = following
        raise _unlike(peer, f"more than {_PAGES_MAX:,} pages")

    def tell(self, peer: Peer, objects: Sequence[Mapping[str, Any]]) -> None:
        """See ``ports.exchange.Peering``."""
        where = f"{_collection(peer.post_url)}objects/"
        for first in range(0, len(objects), _AT_ONCE):
            envelope = json.dumps({"objects": list(objects[first : first + _AT_ONCE])}, ensure_ascii=False)
            said, _ = self._said(peer, "POST", where, content=envelope, headers={"Content-Type": TAXII})
            if said.get("failure_count"):
                raise _unlike(peer, f"that it did not take {said['failure_count']} of what it was told")

    def _said(self, peer: Peer, method: str, url: str, **more: Any) -> tuple[Mapping[str, Any], httpx.Headers]:
        headers = {"Accept": TAXII, **more.pop("headers", {})}
        headers |= {"Authorization": f"Bearer {peer.token}"} if peer.token else {}
        try:
            with self._client.stream(method, url, headers=headers, **more) as answer:
                octets = bytearray()
                for part in answer.iter_bytes():
                    octets += part
                    if len(octets) > _OCTETS_MAX:
                        raise _unlike(peer, f"more than {_OCTETS_MAX >> 20} MiB at once")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideError(
                f"`{peer.name}` at `{url}` did not answer: {type(error).__name__}, wanted a TAXII 2.1 server",
                hint="What came until now is kept; try again later.",
            ) from error
        if not answer.is_success:
            raise OutsideError(
                f"`{peer.name}` at `{url}` answered {answer.status_code}{_title(bytes(octets))}, wanted 200 or 202",
                hint="Ask them whether the token and the address of the collection are right."
                if answer.status_code in (401, 403, 404)
                else "What came until now is kept; try again later.",
            )
        try:
            said = json.loads(bytes(octets))
        except (ValueError, RecursionError) as error:
            raise _unlike(peer, "no JSON") from error
        if not isinstance(said, dict):
            raise _unlike(peer, "no envelope")
        return said, answer.headers


def _collection(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.username or parts.query or parts.fragment:
        raise InputError(
            f"the address of the peer is `{url[:120]}`, wanted that of a collection",
            hint="As in https://peer.example/api/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        raise InputError(f"the address of the peer is `{url[:120]}`, wanted https: a token goes there")
    return url if url.endswith("/") else f"{url}/"


def _title(octets: bytes) -> str:
    try:
        title = json.loads(octets[:4096]).get("title", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f" ({str(title)[:120]})" if title else ""


def _unlike(peer: Peer, what: str) -> OutsideError:
    return OutsideError(
        f"`{peer.name}` sent {what}, wanted what TAXII 2.1 asks", hint="Speak with them; nothing of it was used."
    )
