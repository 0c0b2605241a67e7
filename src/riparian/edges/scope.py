"""How is a request of ASGI read, and answered?

What :mod:`riparian.edges.asgi` and :mod:`riparian.edges.hls` have in common; the specification is at
https://asgi.readthedocs.io.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from riparian.edges.answers import Told, in_asgi
from riparian.edges.parse import again

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY_CLOSE: Final = 1008


def fields(scope: Scope, alone: frozenset[bytes]) -> dict[bytes, bytes]:
    """Read the fields of a request, names in small letters as the server gives them.

    Parameters
    ----------
    scope
        Of the request.
    alone
        Fields that may be given once.

    Raises
    ------
    InputError
        When one of these is given twice.

    Examples
    --------
    >>> fields({"headers": [(b"cookie", b"a=1"), (b"cookie", b"b=2")]}, frozenset())
    {b'cookie': b'a=1; b=2'}
    """
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        found[name] = again(found, name, value, alone) if name in found else value
    return found


def path(scope: Scope) -> bytes:
    """Give the path as it stood in the request, or where the server does not tell, one that decodes to the same.

    Examples
    --------
    >>> path({"path": "/a b", "raw_path": b"/a%20b?x=1"}), path({"path": "/a b"})
    (b'/a%20b', b'/a%20b')
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"], safe="/~!$&'()*+,=:@").encode("ascii")
    return raw.partition(b"?")[0]


async def tell(told: Told, scope: Scope, send: Send) -> None:
    """Answer a request; a websocket is closed before it opens, because of a policy."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_CLOSE, "reason": ""})
        return
    headers = [*in_asgi(told), (b"content-length", str(len(told.body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else told.body})
