"""What does every answer of the console carry, and which requests are not answered at all?

Headers are the strictest there are: nothing is loaded from elsewhere, no script or style stands in a page, nobody
frames it, and nothing of it is kept by a browser.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " font-src 'self'; connect-src 'self'; media-src 'self'; object-src 'none'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_A_YEAR: Final = "max-age=31536000; includeSubDomains"
_STATIC: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MISDIRECTED, _NO = 421, 403
_SAFE: Final = ("GET", "HEAD")


def is_loopback(at: str) -> bool:
    """Say whether an address is this machine's own.

    Examples
    --------
    >>> is_loopback("http://localhost:8099"), is_loopback("https://console.example"), is_loopback("http://[::")
    (True, False, False)
    """
    try:
        return urlsplit(at).hostname in _LOOPBACK
    except ValueError:
        return False


def headers_at(at: str) -> dict[str, str]:
    """Say what every answer carries at an address.

    Examples
    --------
    >>> [len(headers_at(at)) - len(HEADERS) for at in ("http://localhost:8099", "https://console.example")]
    [0, 1]
    """
    return dict(HEADERS) | ({"Strict-Transport-Security": _A_YEAR} if at.startswith("https:") else {})


class Guarded:
    """ASGI: refuses what was sent to another name or from another site, and puts the headers on every answer.

    Parameters
    ----------
    app
        What answers.
    at
        Where people reach the console.
    """

    def __init__(self, app: ASGIApp, at: str) -> None:
        self._app = app
        self._at = at
        self._host = urlsplit(at).netloc
        self._headers = headers_at(at)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused if refused is not None else self._app)(scope, receive, sent)

    def _refused(self, scope: Scope) -> Response | None:
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if host != self._host:
            if method in _SAFE and is_loopback(self._at) and is_loopback(f"http://{host}"):
                query = scope.get("query_string", b"").decode("latin-1")
                return RedirectResponse(f"{self._at}{scope['path']}{'?' * bool(query)}{query}", 308)
            return PlainTextResponse(f"The console is at {self._at}", _MISDIRECTED)
        if method not in _SAFE and headers.get("origin", self._at) != self._at:
            return PlainTextResponse("What another site sends is not taken.", _NO)
        return None


def static_files() -> Mapping[str, tuple[bytes, str]]:
    """Read the styles and scripts that pages name, with what kind each is."""
    folder = files("riparian.console") / "static"
    named = {one.name: one for one in folder.iterdir() if PurePosixPath(one.name).suffix in _STATIC}
    return {name: (one.read_bytes(), _STATIC[PurePosixPath(name).suffix]) for name, one in named.items()}


def static_answer(held: Mapping[str, tuple[bytes, str]], request: Request) -> Response:
    """Answer with one of them; it may be kept until the next version."""
    name = request.path_params["name"]
    if name not in held:
        return PlainTextResponse("There is no such file.", 404)
    octets, kind = held[name]
    return Response(octets, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})
