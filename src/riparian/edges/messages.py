"""Where do artists look up whether a message is genuine: the page, and the same for programs?

::

    GET  /            a form for a code, or for the whole message
    GET  /check       ?code=RM-...&to=ADDRESS       what was signed under a code
    POST /check       a message, or the form           what is told of it
    GET  /key         the public key, as a JWK

Whoever asks for no page (``Accept``) gets JSON.  Nothing that is sent is kept, and no link of it is followed; the form
is posted, so that no address of anybody stands in a log of requests.  The page
loads nothing from elsewhere; put a server with TLS and limits of its own before it.

Source
------
RFC 8037 (keys), RFC 9110 (answers); the page's policy of content is the strictest there is.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from riparian.creators.answering import Desk, Told, answered
from riparian.creators.lures import Answer
from riparian.creators.signed import code_in, hashed, verified

OCTETS_MAX: Final = 2 << 20
_BAD, _NOT_FOUND, _TOO_LONG = 400, 404, 413
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Is this message from {by}?</title><style>
:root{{color-scheme:light dark}}
body{{font:17px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}
h1{{font-size:1.6rem;line-height:1.25}}
label{{display:block;margin:1rem 0}}small{{display:block;opacity:.75}}
input,textarea,button{{font:inherit;width:100%;box-sizing:border-box;margin-top:.3rem;padding:.5rem}}
.told{{border:1px solid;border-left-width:.5rem;padding:.2rem 1rem;margin:1rem 0;overflow-wrap:anywhere}}
.told p{{font-weight:600}}.told p::before{{content:"? "}}
.verified{{border-color:#1a7f37}}.told.verified p::before{{content:"\\2713\\00a0"}}
.suspicious{{border-color:#b35900}}.told.suspicious p::before{{content:"\\26a0\\00a0"}}
.unknown{{border-color:#57606a}}
</style></head><body><h1>Is this message from {by}?</h1>{told}
<form action="check" method="post">
<label>The code in the message<input name="code" autocomplete="off" value="{code}"
 placeholder="RM-00000-00000-00000-00000"></label>
<label>Or the whole message<small>With its header: your mail program calls it the source, or the original.</small>
<textarea name="message" rows="8"></textarea></label>
<label>Your address<small>To see whether the message was made for you.</small>
<input name="to" type="email" autocomplete="email" value="{to}"></label>
<button>Check it</button></form>
<p>Nothing that you enter is kept. When in doubt, sign in by the address that you know, and look in your dashboard.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody entered, to be shown to them again."""

    code: str = ""
    to: str = ""


_NOTHING: Final = _Asked()


def application(desk: Desk, by: str) -> Starlette:
    """Make the application: ASGI.

    Parameters
    ----------
    desk
        Who answers.
    by
        Whose messages these are, as artists know them.
    """

    async def form(request: Request) -> Response:
        del request
        return HTMLResponse(_PAGE.format(by=escape(by), told="", code="", to=""), headers=_HEADERS)

    def code(request: Request, asked: _Asked) -> Response:
        short = code_in(asked.code[:200])
        if not short:
            wanted = "That is no code, wanted one such as RM-01234-56789-ABCDE-FGHJK."
            return _answer(request, by, {"error": wanted}, _BAD, asked)
        told = looked_up(short, desk, asked.to)
        return _answer(request, by, told, 200 if told["is_ours"] else _NOT_FOUND, asked)

    async def look_up(request: Request) -> Response:
        asked = request.query_params
        return code(request, _Asked(asked.get("code", ""), asked.get("to", "").strip()))

    async def check(request: Request) -> Response:
        octets = await _body(request)
        if octets is None:
            return _answer(request, by, {"error": f"That is longer than {OCTETS_MAX} octets."}, _TOO_LONG)
        asked = _Asked("", request.query_params.get("to", "").strip())
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields = parse_qs(octets.decode("utf-8", "replace"), max_num_fields=10)
            octets = fields.get("message", [""])[0].encode()
            asked = _Asked(fields.get("code", [""])[0], fields.get("to", [asked.to])[0].strip())
            if asked.code.strip() and not octets.strip():
                return code(request, asked)
        if not octets.strip():
            return _answer(request, by, {"error": "There is no message, wanted one with its header."}, _BAD, asked)
        told = told_of(answered(octets, desk, (asked.to,) if asked.to else ()))
        return _answer(request, by, told, 200, asked)

    async def key(request: Request) -> Response:
        del request
        x = urlsafe_b64encode(bytes.fromhex(desk.key)).rstrip(b"=").decode()
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": desk.key[:16], "use": "sig", "alg": "Ed25519"}
        return JSONResponse(jwk, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", form),
            Route("/check", look_up, methods=["GET"]),
            Route("/check", check, methods=["POST"]),
            Route("/key", key),
        ]
    )


def told_of(told: Told) -> dict[str, Any]:
    """Give an answer as JSON has it."""
    return {
        "kind": "message",
        "answer": str(told.answer),
        "told": told.sentence,
        "reasons": list(told.reasons),
        "code": told.code,
        "signed": _shown(told.said) if told.said is not None else None,
        "weight": told.made.weight,
        "enough": told.made.enough,
    }


def looked_up(short: str, desk: Desk, to: str) -> dict[str, Any]:
    """Say what was signed under a code, as JSON has it: verified only to whoever says to which address it came.

    Whoever copies a genuine code into a lure has the code, and not the message.
    """
    token = desk.token_of(short)
    said = verified(token, desk.key) if token and desk.key else None
    is_ours = said is not None
    is_yours = said is not None and bool(to) and hashed(to, bytes.fromhex(str(said["salt"]))) == said["recipient"]
    reasons: list[str] = []
    if said is None or (to and not is_yours):
        answer, told = Answer.SUSPICIOUS, "Do not follow it: no message of ours has this code."
        told = told if said is None else "Do not follow it: this code was made for a message to another address."
        said = None
    else:
        answer = Answer.VERIFIED if is_yours else Answer.UNKNOWN
        told = f"a message of ours of {said['at'][:10]} ({said['template']})"
        told = f"The code is genuine: it was made for {told} to you." if is_yours else f"The code is that of {told}."
        domains = ", ".join(said["domains"]) or "nowhere"
        reasons.append(
            f"that message comes from and leads to: {domains}; one that leads elsewhere, or has a file, is not ours"
        )
        reasons += [] if to else ["enter your address, to see whether it was made for you"]
    return {
        "kind": "code",
        "is_ours": is_ours,
        "answer": str(answer),
        "told": told,
        "code": short,
        "signed": _shown(said) if said is not None else None,
        "reasons": reasons,
    }


def _shown(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("template", "at", "by", "domains")}


async def _body(request: Request) -> bytes | None:
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > OCTETS_MAX:
            return None
    return bytes(held)


def _answer(request: Request, by: str, said: Mapping[str, Any], status: int, asked: _Asked = _NOTHING) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(dict(said), status, headers=_HEADERS)
    told = escape(str(said.get("told") or said.get("error")))
    more = "".join(f"<li>{escape(str(reason))}</li>" for reason in said.get("reasons", ()))
    more = f"<ul>{more}</ul>" if more else ""
    box = f'<div class="told {escape(str(said.get("answer", "unknown")))}" role="status"><p>{told}</p>{more}</div>'
    page = _PAGE.format(by=escape(by), told=box, code=escape(asked.code[:200]), to=escape(asked.to[:200]))
    return HTMLResponse(page, status, headers=_HEADERS)
