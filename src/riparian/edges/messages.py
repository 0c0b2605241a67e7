"""Where do artists look up whether a message is genuine: the page, and the same for programs?

::

    GET  /            a form for a code, and for the whole message
    GET  /check       ?code=RM-...&to=ADDRESS       what was signed under a code
    POST /check       a message, as text or a form     what is told of it
    GET  /key         the public key, as a JWK

Whoever asks for no page (``Accept``) gets JSON.  Nothing that is sent is kept, and no link of it is followed.  The page
loads nothing from elsewhere; put a server with TLS and limits of its own before it.

Source
------
RFC 8037 (keys), RFC 9110 (answers); the page's policy of content is the strictest there is.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
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
body{{font:17px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}
input,textarea,button{{font:inherit;width:100%;box-sizing:border-box;margin:.3rem 0 1rem;padding:.5rem}}
.told{{border-left:.4rem solid;padding:.5rem 1rem;margin:1rem 0}}
.verified{{border-color:#1a7f37}}.suspicious{{border-color:#b35900}}.unknown{{border-color:#57606a}}
@media(prefers-color-scheme:dark){{body{{background:#111;color:#eee}}}}
</style></head><body><h1>Is this message from {by}?</h1>{told}
<form action="check" method="get"><label>The code in the message<input name="code" autocomplete="off"
 placeholder="RM-00000-00000-00000-00000"></label>
<label>Your address<input name="to" type="email" autocomplete="email"></label>
<button>Look it up</button></form>
<form action="check" method="post"><label>Or the whole message, with its header
<textarea name="message" rows="8"></textarea></label>
<label>Your address<input name="to" type="email"></label><button>Check it</button></form>
<p>Nothing that you enter is kept. When in doubt, sign in by the address that you know, and look in your dashboard.</p>
</body></html>
"""


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
        return HTMLResponse(_PAGE.format(by=escape(by), told=""), headers=_HEADERS)

    async def look_up(request: Request) -> Response:
        text, to = request.query_params.get("code", ""), request.query_params.get("to", "")
        short = code_in(text[:200])
        if not short:
            return _answer(
                request, by, {"error": "that is no code, wanted one such as RM-01234-56789-ABCDE-FGHJK"}, _BAD
            )
        token = desk.token_of(short)
        said = verified(token, desk.key) if token and desk.key else None
        return _answer(request, by, _looked_up(short, said, to.strip()), 200 if said else _NOT_FOUND)

    async def check(request: Request) -> Response:
        octets = await _body(request)
        if octets is None:
            return _answer(request, by, {"error": f"that is longer than {OCTETS_MAX} octets"}, _TOO_LONG)
        to = request.query_params.get("to", "")
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields = parse_qs(octets.decode("utf-8", "replace"), max_num_fields=10)
            octets, to = fields.get("message", [""])[0].encode(), fields.get("to", [to])[0]
        if not octets.strip():
            return _answer(request, by, {"error": "there is no message, wanted one with its header"}, _BAD)
        return _answer(request, by, told_of(answered(octets, desk, (to,) if to.strip() else ())), 200)

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


def _looked_up(short: str, said: Mapping[str, Any] | None, to: str) -> dict[str, Any]:
    if said is None:
        told = "No message of ours has this code."
        return {
            "kind": "code",
            "answer": str(Answer.SUSPICIOUS),
            "told": told,
            "code": short,
            "signed": None,
            "reasons": [],
        }
    is_yours = bool(to) and hashed(to, bytes.fromhex(str(said["salt"]))) == said["recipient"]
    if to and not is_yours:
        told = "This code was made for a message to another address."
        return {
            "kind": "code",
            "answer": str(Answer.SUSPICIOUS),
            "told": told,
            "code": short,
            "signed": None,
            "reasons": [],
        }
    domains = ", ".join(said["domains"]) or "nowhere"
    told = f"A message of ours of {said['at'][:10]} ({said['template']}) has this code; it leads to: {domains}."
    reasons = [] if to else ["enter your address, to see whether it was made for you"]
    answer = Answer.VERIFIED if is_yours else Answer.UNKNOWN
    return {
        "kind": "code",
        "answer": str(answer),
        "told": told,
        "code": short,
        "signed": _shown(said),
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


def _answer(request: Request, by: str, said: Mapping[str, Any], status: int) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(dict(said), status, headers=_HEADERS)
    told = escape(str(said.get("told") or said.get("error")))
    more = "".join(f"<li>{escape(str(reason))}</li>" for reason in said.get("reasons", ()))
    box = f'<div class="told {escape(str(said.get("answer", "unknown")))}"><p>{told}</p><ul>{more}</ul></div>'
    return HTMLResponse(_PAGE.format(by=escape(by), told=box), status, headers=_HEADERS)
