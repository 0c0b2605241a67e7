"""Who is let in, how often may one try, and what is written down of it?

::

    GET  /sign-in                  who are you? a passkey, or the operator's own issuer of identities
    POST /sign-in/ask, /sign-in    what a passkey has to prove; the proof                (JSON)
    GET  /sign-in/issuer           to the issuer; /sign-in/issuer/back is where it sends people
    GET  /setup?link=              what somebody is invited as
    POST /setup/ask, /setup        what a new passkey has to answer; the passkey         (JSON)
    POST /sign-out                 a form

Whoever signs in gets a new token; what they had before is good for nothing.

A program sends ``Authorization: Bearer``, with a token that somebody made for it.  Then the token alone says who asks,
whatever cookie comes with it: one that is good for nothing is nobody.  No browser adds it by itself, so that no other
site can have a form sent with it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from riparian.console import passkeys
from riparian.console.bearer import bearer_in
from riparian.console.forms import form_of, octets_of, require_own
from riparian.console.issuer import Issuer
from riparian.console.page import address
from riparian.console.shown import plain_shown
from riparian.errors import InputError, LifecycleError
from riparian.gate.limits import interval_us, paid_until, wait_us
from riparian.ports import Clock
from riparian.ports.staff import IDLE_US, WAY_US, Person, Sitting, Staff, Way

SIGN_IN: Final = "/sign-in"
SETUP: Final = "/setup"
TRIES_A_MINUTE: Final = 10
TRIES_OF_ALL: Final = 120
OPEN_A_MINUTE: Final = 20
OPEN_OF_ALL: Final = 600
ASKED_A_MINUTE: Final = 600
_KNOWN_MAX: Final = 10_000
_SEE_OTHER = 303
_TOKEN_MAX: Final = 200
_S: Final = 1_000_000
_BY_OURSELVES: Final = ("none", "same-origin")
Answer = Callable[[Request], Awaitable[Response]]


class TooManyError(LifecycleError):
    """Somebody tries, or asks, too often.

    Parameters
    ----------
    waits_us
        After how long they may again.
    """

    def __init__(self, message: str, waits_us: int) -> None:
        super().__init__(message, hint="Wait for a minute.")
        self.after_s = -(-waits_us // _S)


class Doors(Protocol):
    """Knows who asks."""

    @property
    def at(self) -> str:
        """Where people reach the console, as in ``https://console.example``; nothing is answered elsewhere."""
        ...

    def routes(self) -> Sequence[BaseRoute]:
        """List the ways in, for whoever is not signed in."""
        ...

    def sitting(self, request: Request) -> Sitting | None:
        """Say who asks; None where nobody is signed in.

        Raises
        ------
        TooManyError
            When a token is tried, or used, too often.
        """
        ...

    def limited(self, answer: Answer) -> Answer:
        """Let through what anybody may ask without being signed in, so often from one address and no more."""
        ...

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        """Write down that somebody is shown accounts."""
        ...


class Locked:
    """``Doors`` with locks: passkeys, and the operator's own issuer where there is one."""

    def __init__(self, at: str, staff: Staff, clock: Clock, issuer: Issuer | None = None) -> None:
        self.at = at
        self._staff = staff
        self._clock = clock
        self._issuer = issuer
        # Whoever fills one of these keeps nobody from another.
        self._tries, self._open = _Tries(clock), _Tries(clock, OPEN_A_MINUTE, OPEN_OF_ALL)
        self._tokens, self._asked = _Tries(clock), _Tries(clock, ASKED_A_MINUTE)
        # A name that begins so is taken by browsers only over TLS, for this host alone.
        before = "__Host-" if at.startswith("https:") else ""
        self._seat, self._way = f"{before}riparian", f"{before}riparian-way"

    def routes(self) -> Sequence[BaseRoute]:
        """See ``Doors``."""
        tried = self._tries.tried
        return [
            Route(SIGN_IN, self._sign_in, methods=["GET"]),
            Route(f"{SIGN_IN}/ask", tried(self._ask_to_prove), methods=["POST"]),
            Route(SIGN_IN, tried(self._prove), methods=["POST"]),
            Route(f"{SIGN_IN}/issuer", tried(self._ask_issuer), methods=["GET"]),
            Route(f"{SIGN_IN}/issuer/back", tried(self._back), methods=["GET"]),
            Route(SETUP, self._setup, methods=["GET"]),
            Route(f"{SETUP}/ask", tried(self._ask_to_make), methods=["POST"]),
            Route(SETUP, tried(self._make), methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    def sitting(self, request: Request) -> Sitting | None:
        """See ``Doors``."""
        secret = bearer_in(request)
        return self._seated(request) if secret is None else self._bearer(request, secret)

    def limited(self, answer: Answer) -> Answer:
        """See ``Doors``."""
        return self._open.tried(answer)

    def looked(self, sitting: Sitting, page: str, accounts: Sequence[str]) -> None:
        """See ``Doors``."""
        token = sitting.token.ident if sitting.token is not None else ""
        self._staff.looked(sitting.person.name, page, accounts, self._clock.now_us(), token)

    def _seated(self, request: Request) -> Sitting | None:
        token = request.cookies.get(self._seat, "")
        return self._staff.sitting(token, self._clock.now_us()) if token else None

    def _bearer(self, request: Request, secret: str) -> Sitting | None:
        sitting = self._staff.bearer(secret, self._clock.now_us()) if len(secret) <= _TOKEN_MAX else None
        if sitting is None or sitting.token is None:
            self._tokens.require(request)
            return None
        self._asked.require_of(sitting.token.ident)
        return sitting

    async def _sign_in(self, request: Request) -> Response:
        to = own_path(request.query_params.get("to", ""))
        again = bool(request.query_params.get("again", ""))
        if self._seated(request) is not None and not again:
            return RedirectResponse(to, _SEE_OTHER)
        facts = {"to": to, "again": again, "issuer": self._issuer.url if self._issuer else ""}
        return plain_shown("sign-in.html.j2", facts)

    async def _ask_to_prove(self, request: Request) -> Response:
        del request
        options, way = passkeys.asked_to_prove(self.at)
        return await self._set_out(JSONResponse(options), way)

    async def _prove(self, request: Request) -> Response:
        way, said = await self._arrived(request), await json_of(request)
        known = await run_in_threadpool(passkeys.proven, self.at, way, _credential(said), self._staff)
        return await self._let_in(request, JSONResponse({"to": own_path(str(said.get("to", "")))}), known.person)

    async def _ask_issuer(self, request: Request) -> Response:
        link, to = request.query_params.get("link", ""), own_path(request.query_params.get("to", ""))
        if request.headers.get("sec-fetch-site", "none") not in _BY_OURSELVES:
            # Another site led here: nobody is signed in before they did something themselves.
            return RedirectResponse(address(SETUP, link=link) if link else address(SIGN_IN, to=to), _SEE_OTHER)
        again = bool(request.query_params.get("again", ""))
        url, way = await run_in_threadpool(
            self._require_issuer().asked, self.at, Way(b"", "", link), to, again=again or bool(self._seated(request))
        )
        return await self._set_out(RedirectResponse(url, _SEE_OTHER), way)

    async def _back(self, request: Request) -> Response:
        way = await self._arrived(request)
        subject = await run_in_threadpool(self._require_issuer().subject, self.at, way, dict(request.query_params))
        to = own_path(json.loads(way.more)["to"])
        if way.link:
            name = subject.rpartition("#")[2]
            person = self._staff.enter(way.link, name, subject, self._clock.now_us())
        else:
            found = self._staff.person_of(subject)
            if found is None:
                raise InputError(
                    "the issuer knows you, and nobody here does, wanted somebody who works here",
                    hint="Ask an admin for a link.",
                )
            person = found
        return await self._let_in(request, RedirectResponse(to, _SEE_OTHER), person.name)

    async def _setup(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        invited = self._staff.invitation(link, self._clock.now_us())
        if invited is None:
            raise _used_up()
        facts = {"name": invited.name, "role": invited.role.title, "link": link}
        return plain_shown("setup.html.j2", {**facts, "issuer": self._issuer.url if self._issuer else ""})

    async def _ask_to_make(self, request: Request) -> Response:
        said = await json_of(request)
        link = str(said.get("link", ""))
        invited = self._staff.invitation(link, self._clock.now_us())
        if invited is None:
            raise _used_up()
        name = invited.name or str(said.get("name", "")).strip()
        if not name:
            raise InputError("no name is given, wanted what you are called here", hint="Enter one.")
        known = list(self._staff.passkeys_of(invited.name)) if invited.name else []
        options, way = passkeys.asked_to_make(self.at, name, link, known)
        return await self._set_out(JSONResponse(options), way)

    async def _make(self, request: Request) -> Response:
        way, said = await self._arrived(request), await json_of(request)
        passkey = await run_in_threadpool(passkeys.made, self.at, way, _credential(said))
        person: Person = self._staff.enter(way.link, way.name, passkey, self._clock.now_us())
        return await self._let_in(request, JSONResponse({"to": "/"}), person.name)

    async def _sign_out(self, request: Request) -> Response:
        sitting = self._seated(request)
        answer = RedirectResponse(SIGN_IN, _SEE_OTHER)
        if sitting is not None:
            require_own(await form_of(request), sitting.form_token)
            self._staff.sign_out(request.cookies.get(self._seat, ""))
        answer.delete_cookie(self._seat, path="/", secure=self._is_secure, httponly=True, samesite="lax")
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    async def _set_out(self, answer: Response, way: Way) -> Response:
        token = await run_in_threadpool(self._staff.set_out, way, self._clock.now_us())
        self._give(answer, self._way, token, WAY_US // _S)
        return answer

    async def _arrived(self, request: Request) -> Way:
        token = request.cookies.get(self._way, "")
        way = await run_in_threadpool(self._staff.arrive, token, self._clock.now_us())
        if way is None:
            raise InputError(
                "nothing was asked of you, or too long ago, wanted an answer to what was just asked",
                hint="Begin again.",
            )
        return way

    async def _let_in(self, request: Request, answer: Response, name: str) -> Response:
        self._staff.sign_out(request.cookies.get(self._seat, ""))
        token = await run_in_threadpool(self._staff.sign_in, name, self._clock.now_us())
        self._give(answer, self._seat, token, 12 * IDLE_US // _S)
        answer.delete_cookie(self._way, path="/", secure=self._is_secure, httponly=True, samesite="lax")
        return answer

    def _give(self, answer: Response, name: str, token: str, seconds: int) -> None:
        answer.set_cookie(name, token, max_age=seconds, path="/", secure=self._is_secure, httponly=True, samesite="lax")

    @property
    def _is_secure(self) -> bool:
        return self.at.startswith("https:")

    def _require_issuer(self) -> Issuer:
        if self._issuer is None:
            raise InputError("no issuer is named in console.toml, wanted a passkey", hint="Sign in with a passkey.")
        return self._issuer


class _Tries:
    """How often one may try: so often by what one is known by, and so often all together."""

    def __init__(self, clock: Clock, a_minute: int = TRIES_A_MINUTE, of_all: int = TRIES_OF_ALL) -> None:
        self._clock = clock
        self._a_minute = a_minute
        self._of_all = of_all
        self._paid: dict[str, int] = {}

    def tried(self, answer: Answer) -> Answer:
        """Let some through."""

        async def limited(request: Request) -> Response:
            self.require(request)
            return await answer(request)

        return limited

    def require(self, request: Request) -> None:
        """Count that somebody tries.

        Raises
        ------
        TooManyError
            When they did too often, or all did.
        """
        self.require_of(f"from {request.client.host if request.client else ''}")
        self._require("", self._of_all)

    def require_of(self, who: str) -> None:
        """Count that somebody asks, by what they are known by.

        Raises
        ------
        TooManyError
            When they did too often.
        """
        self._require(who, self._a_minute)

    def _require(self, who: str, a_minute: int) -> None:
        waits = self._waits(who, a_minute)
        if waits:
            raise TooManyError(f"more than {a_minute} tries in a minute, wanted fewer", waits)

    def _waits(self, who: str, a_minute: int) -> int:
        now_us, interval = self._clock.now_us(), interval_us(a_minute)
        if len(self._paid) > _KNOWN_MAX:
            self._paid = {one: paid_us for one, paid_us in self._paid.items() if paid_us > now_us}
        paid_us = self._paid.get(who, 0)
        waits = int(wait_us(paid_us, now_us, interval, a_minute))
        if not waits:
            self._paid[who] = int(paid_until(paid_us, now_us, interval))
        return waits


def own_path(to: str) -> str:
    r"""Keep a path of ours, and lead to the first page from anywhere else.

    Examples
    --------
    >>> own_path("/account?id=x"), own_path("//evil.example"), own_path("https://evil.example"), own_path("/\\evil")
    ('/account?id=x', '/', '/', '/')
    """
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and all(" " <= c != "\\" for c in to)
    return to if is_ours else "/"


async def json_of(request: Request) -> Mapping[str, Any]:
    """Read an object of JSON that was sent; a form of another site cannot send one.

    Raises
    ------
    InputError
        When it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise InputError("no JSON was sent, wanted an object of it")
    try:
        said = json.loads(await octets_of(request))
    except (ValueError, RecursionError) as error:
        raise InputError("what was sent is no JSON, wanted an object of it") from error
    if not isinstance(said, dict):
        raise InputError("what was sent is no object of JSON, wanted one")
    return said


def _credential(said: Mapping[str, Any]) -> Mapping[str, Any]:
    credential = said.get("credential")
    if not isinstance(credential, dict):
        raise InputError("no passkey was sent, wanted one")
    return credential


def _used_up() -> LifecycleError:
    return LifecycleError("the link was used or is over, wanted one that is good", hint="Ask an admin for another.")
