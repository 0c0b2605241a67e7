"""How does what is said become a page, or JSON?

Nothing is computed in a template: it shows facts, and filters write numbers and times as
:mod:`riparian.console.words` says.  Everything is escaped, and what steers a terminal or turns the direction of
writing is shown as its escape.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from riparian import __version__
from riparian.console import setting, waterfall, words
from riparian.console.page import Act, Page
from riparian.errors import RiparianError
from riparian.ports.staff import Sitting


def wants_json(request: Request) -> bool:
    """Say whether a program asks: by ``?json``, by what it accepts, or by what it sends."""
    accepts, sends = request.headers.get("accept", ""), request.headers.get("content-type", "")
    accepts_it = "application/json" in accepts and "text/html" not in accepts
    return accepts_it or "json" in request.query_params or sends.startswith("application/json")


def page_shown(
    page: Page, facts: Mapping[str, Any], sitting: Sitting, pages: tuple[Page, ...], *, request: Request
) -> Response:
    """Show a page to a person, or its facts to a program."""
    if wants_json(request):
        return JSONResponse(dict(facts))
    done = next((act for act in page.acts if act.name == request.query_params.get("done")), None)
    can = {act.name for act in page.acts if sitting.person.role >= act.role}
    return HTMLResponse(
        _environment()
        .get_template(page.template)
        .render(facts, facts=facts, **_around(page, sitting, pages), said=_said(done), can=can, here=_json_at(request))
    )


def error_shown(
    error: Mapping[str, Any], status: int, sitting: Sitting | None, pages: tuple[Page, ...], *, request: Request
) -> Response:
    """Say what was found, what was wanted, and what to do about it."""
    if wants_json(request):
        return JSONResponse(dict(error), status)
    around = _around(None, sitting, pages)
    text = _environment().get_template("error.html.j2").render(error, **around, said="", here="")
    return HTMLResponse(text, status)


def plain_shown(template: str, facts: Mapping[str, Any], status: int = 200) -> Response:
    """Show a page to somebody who is not signed in."""
    text = _environment().get_template(template).render(facts, **_around(None, None, ()), said="", here="")
    return HTMLResponse(text, status)


def error_facts(error: RiparianError) -> dict[str, Any]:
    """Tell an error to a program; kind ``error``.

    Examples
    --------
    >>> error_facts(RiparianError("the ring is `x`, wanted one as in g-1", hint="List the rings."))
    {'kind': 'error', 'found': 'the ring is `x`', 'wanted': 'one as in g-1', 'to_do': 'List the rings.'}
    """
    found, _, wanted = error.message.partition(", wanted ")
    return {"kind": "error", "found": found, "wanted": wanted, "to_do": error.hint}


def _around(page: Page | None, sitting: Sitting | None, pages: tuple[Page, ...]) -> dict[str, Any]:
    role = sitting.person.role if sitting is not None else 0
    where = page.under or page.path if page is not None else ""
    listed = [one for one in pages if one.is_listed and role >= one.role]
    return {
        "page": page,
        "links": [{"path": one.path, "title": one.title, "is_here": one.path == where} for one in listed],
        "sitting": sitting,
        "version": __version__,
    }


def _said(done: Act | None) -> str:
    return done.said if done is not None else ""


def _json_at(request: Request) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in {"json", "done"}]
    return f"{request.url.path}?{urlencode([*asked, ('json', '')])}".removesuffix("=")


@cache
def _environment() -> Environment:
    return setting.environment(
        {"moment": _moment, "day": _day, "action": _action, "bar": _bar, "address": address, "reasons": words.reasons}
    )


def address(path: str, **asked: object) -> str:
    """Write the address of a page.

    Examples
    --------
    >>> address("/account", id="a/b&c"), address("/accounts", after=None)
    ('/account?id=a%2Fb%26c', '/accounts')
    """
    kept = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


def _moment(at: str | None) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC") if at else "no end by itself"


def _day(at: str | None) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d") if at else "no end by itself"


def _action(name: str) -> Markup:
    return Markup('<span class="chip {}">{}</span>').format(name.replace("_", "-"), name.replace("_", " "))


def _bar(step: Mapping[str, Any], within: Mapping[str, float], wanted: float | None = None) -> Markup:
    drawn = waterfall.Step(step["label"], step["bits"], step["start"], step["end"], step["is_total"])
    return waterfall.drawn_bar(drawn, waterfall.Scale(within["low"], within["high"]), threshold=wanted)
