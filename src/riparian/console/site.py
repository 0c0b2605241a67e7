"""Where do people look, and do what only people do?

::

    GET  PAGE                 a page (:mod:`riparian.console.pages`); ``?json``, or Accept, gives the same as JSON
    POST PAGE/ACT             a form of it: done, then back to a page that shows what came of it
    GET  PAGE/part            a file that it names, such as sound; a range of it, where one is asked for
    GET  /static/NAME         its style and scripts
    GET  /openapi.json        all of this for programs, as OpenAPI has it; for anybody, since nothing of ours is in it

Whoever is not signed in is asked to; whose role is too low is told which one it takes.  Works without scripts.

A program with a token gets JSON, by the same rules; its forms need no token of a page.  It may do what the token says,
and nothing that wants a person.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from riparian.assembly import Given
from riparian.console import finds
from riparian.console.bearer import bearer_in
from riparian.console.doors import SIGN_IN, Answer, Doors, TooManyError
from riparian.console.forms import Brought, file_of, form_of, require_own
from riparian.console.guard import Guarded, headers_at, static_answer, static_files
from riparian.console.open_forms import open_form_of
from riparian.console.openapi import PATH, described
from riparian.console.page import NOBODY, Act, Page, Question, address, may
from riparian.console.pages import PAGES
from riparian.console.shown import error_facts, error_shown, page_shown, wants_json
from riparian.errors import (
    CustodyError,
    InputError,
    LifecycleError,
    OutsideError,
    PolicyError,
    RiparianError,
)
from riparian.ports.staff import Person, Role, Sitting

_STATUS: Final[Mapping[type[RiparianError], int]] = {
    InputError: 400,
    TooManyError: 429,
    LifecycleError: 409,
    PolicyError: 500,
    CustodyError: 500,
    OutsideError: 503,
}
_SWEPT_S: Final = 600.0
_SEE_OTHER, _SIGN_IN, _NO, _NOT_FOUND, _BROKEN = 303, 401, 403, 404, 500
_SITTING: Final = "riparian.sitting"


def console_app(given: Given, doors: Doors, pages: tuple[Page, ...] = PAGES) -> Starlette:
    """Make the console: ASGI.

    Parameters
    ----------
    given
        The workspace, and what the operator gave.
    doors
        Who is let in.
    pages
        What there is to see.
    """
    site = _Site(given, doors, pages)
    held, document = static_files(), described(pages, doors.at)

    async def static(request: Request) -> Response:
        return static_answer(held, request)

    async def openapi(request: Request) -> Response:
        del request
        return JSONResponse(document)

    routes: list[BaseRoute] = [
        Route("/static/{name}", static, methods=["GET"]),
        Route(PATH, openapi, methods=["GET"]),
        *doors.routes(),
    ]
    for page in pages:
        routes.append(Route(page.path, site.look(page), methods=["GET"]))
        if page.part is not None:
            routes.append(Route(f"{page.path}/part", site.part(page), methods=["GET"]))
        routes += [
            Route(f"{page.path.rstrip('/')}/{act.name}", site.done(page, act), methods=["POST"]) for act in page.acts
        ]
    return Starlette(
        routes=routes,
        lifespan=lambda _: _swept(given),
        middleware=[Middleware(Guarded, at=doors.at)],
        exception_handlers={RiparianError: site.failed, HTTPException: site.failed, Exception: site.broken},
    )


@asynccontextmanager
async def _swept(given: Given) -> AsyncIterator[None]:
    """Delete what is old, also while nobody looks."""

    async def sweep() -> None:
        while True:
            with suppress(RiparianError, OSError):
                await run_in_threadpool(finds.sweep, given)
            await asyncio.sleep(_SWEPT_S)

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()


class _Site:
    def __init__(self, given: Given, doors: Doors, pages: tuple[Page, ...]) -> None:
        self._given = given
        self._doors = doors
        self._pages = pages

    def look(self, page: Page) -> Answer:
        async def shown(request: Request) -> Response:
            sitting = self._sitting(request)
            if not may(_person(sitting), page.role):
                return self._not_let(request, sitting, page.role)
            question = self._question(request, sitting)
            try:
                facts = await run_in_threadpool(page.of.facts, self._given, question)
            except InputError as error:
                return self._said(request, error, _NOT_FOUND, sitting)
            if page.looks_at is not None and sitting is not None:
                await run_in_threadpool(self._doors.looked, sitting, page.path, page.looks_at(facts))
            return page_shown(page, facts, sitting, self._pages, request=request)

        return shown

    def done(self, page: Page, act: Act) -> Answer:
        return self.open_act(page, act) if act.role is None else self.act(page, act)

    def part(self, page: Page) -> Answer:
        async def sent(request: Request) -> Response:
            sitting = self._sitting(request)
            if sitting is None or not may(sitting.person, page.role):
                return self._not_let(request, sitting, page.role)
            assert page.part is not None  # noqa: S101 -- asked before
            question = self._question(request, sitting)
            try:
                path, kind = await run_in_threadpool(page.part, self._given, question)
            except InputError as error:
                return self._said(request, error, _NOT_FOUND, sitting)
            # Its name is ours; whoever opens it by itself is shown nothing but what its kind says.
            return FileResponse(path, media_type=kind, filename=path.name, content_disposition_type="inline")

        return sent

    def act(self, page: Page, act: Act) -> Answer:
        async def done(request: Request) -> Response:
            sitting = self._sitting(request)
            if sitting is None or not may(sitting.person, act.role):
                return self._not_let(request, sitting, act.role)
            if sitting.token is not None and (act.is_for_people or not sitting.token.acts):
                return self._not_by_token(request, sitting, act)
            if act.wants_fresh and not sitting.is_fresh:
                return self._too_long_ago(request, page, sitting)
            form, brought = await self._form(request, act, sitting)
            question = self._question(request, sitting, brought)
            try:
                came = await run_in_threadpool(act.do, self._given, question, form)
            finally:
                if brought is not None:
                    await run_in_threadpool(brought.path.unlink, missing_ok=True)
            if came.told:
                facts = await run_in_threadpool(page.of.facts, self._given, question)
                return page_shown(page, {**facts, **came.told}, sitting, self._pages, request=request)
            joined = "&" if "?" in came.to else "?"
            return RedirectResponse(f"{came.to}{joined}done={act.name}", _SEE_OTHER)

        return done

    def open_act(self, page: Page, act: Act) -> Answer:
        async def done(request: Request) -> Response:
            sitting = self._sitting(request)
            form = await open_form_of(request, act.octets)
            question = self._question(request, sitting)
            came = await run_in_threadpool(act.do, self._given, question, form)
            facts = await run_in_threadpool(page.of.facts, self._given, question)
            return page_shown(page, {**facts, **came.told}, sitting, self._pages, request=request)

        return self._doors.limited(done)

    def _question(self, request: Request, sitting: Sitting | None, brought: Brought | None = None) -> Question:
        who, seat = (sitting.person, sitting.ident) if sitting is not None else (NOBODY, "")
        return Question(who, dict(request.query_params), self._doors.at, brought, seat)

    async def _form(self, request: Request, act: Act, sitting: Sitting) -> tuple[dict[str, str], Brought | None]:
        # A program with a token sends forms of its own.
        wanted = sitting.form_token if sitting.token is None else None
        if act.room is not None:
            return await file_of(request, wanted, await run_in_threadpool(act.room, self._given))
        form = await form_of(request)
        if wanted is not None:
            require_own(form, wanted)
        return form, None

    async def failed(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            found = f"nothing is at `{request.url.path[:200]}`" if error.status_code == _NOT_FOUND else error.detail
            told = InputError(f"{found}, wanted a page of the console", hint="Begin at the first page.")
            return self._said(request, told, error.status_code, self._known(request))
        assert isinstance(error, RiparianError)  # noqa: S101  as registered
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), _BROKEN)
        answer = self._said(request, error, status, self._known(request))
        if isinstance(error, TooManyError):
            answer.headers["Retry-After"] = str(error.after_s)
        return answer

    async def broken(self, request: Request, error: Exception) -> Response:
        del error
        # Whoever serves the application writes the error down; here nobody passes by the guard any more.
        told = OutsideError(
            "the console failed at this, wanted an answer", hint="Look at what it wrote where it was started."
        )
        answer = self._said(request, told, _BROKEN, None)
        answer.headers.update(headers_at(self._doors.at))
        return answer

    def _sitting(self, request: Request) -> Sitting | None:
        if _SITTING not in request.scope:
            # Whoever asks too often is nobody to the page that says so, and is counted once.
            request.scope[_SITTING] = None
            request.scope[_SITTING] = self._doors.sitting(request)
        found: Sitting | None = request.scope[_SITTING]
        return found

    def _known(self, request: Request) -> Sitting | None:
        try:
            return self._sitting(request)
        except TooManyError:
            return None

    def _not_by_token(self, request: Request, sitting: Sitting, act: Act) -> Response:
        found, wanted = (
            ("a token asks", "a person who is signed in")
            if act.is_for_people
            else ("the token only reads", "one that may act")
        )
        told = LifecycleError(f"{found}, wanted {wanted}", hint="Do it on the page, or make another token.")
        return self._said(request, told, _NO, sitting)

    def _too_long_ago(self, request: Request, page: Page, sitting: Sitting) -> Response:
        if not wants_json(request):
            # Back to the page, where what they want is asked for once more.
            back = f"{page.path}?{request.url.query}".removesuffix("?")
            return RedirectResponse(address(SIGN_IN, to=back, again="yes"), _SEE_OTHER)
        told = LifecycleError(
            "you signed in too long ago for this, wanted a sign-in of the last half hour",
            hint=f"Sign in once more at {SIGN_IN}?again=yes.",
        )
        return self._said(request, told, _NO, sitting)

    def _not_let(self, request: Request, sitting: Sitting | None, wanted: Role | None) -> Response:
        if sitting is not None and wanted is not None:
            told = LifecycleError(
                f"you are signed in as {sitting.person.role.title}, wanted {wanted.title} or above",
                hint="Ask an admin, if your work needs it.",
            )
            return self._said(request, told, _NO, sitting)
        if bearer_in(request) is not None:
            told = LifecycleError("the token is good for nothing, wanted one that is", hint="Make another on a page.")
            answer = self._said(request, told, _SIGN_IN, None)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if request.method == "GET" and not wants_json(request):
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(address(SIGN_IN, to=asked if asked != "/" else ""), _SEE_OTHER)
        told = LifecycleError("nobody is signed in, wanted somebody who is", hint=f"Sign in at {SIGN_IN}.")
        return self._said(request, told, _SIGN_IN, None)

    def _said(self, request: Request, error: RiparianError, status: int, sitting: Sitting | None) -> Response:
        return error_shown(error_facts(error), status, sitting, self._pages, request=request)


def _person(sitting: Sitting | None) -> Person | None:
    return sitting.person if sitting is not None else None
