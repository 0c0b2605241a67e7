"""How does what is said become a page, or JSON?

Nothing is computed in a template: it shows facts, and filters write numbers and times as
:mod:`riparian.console.words` says.  Everything is escaped, and what steers a terminal or turns the direction of
writing is shown as its escape.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from riparian import __version__
from riparian.codes import code_of_label
from riparian.console import exercise, overlaps, removals, setting, waterfall, words
from riparian.console.bearer import bearer_in
from riparian.console.figures import NARROW, WIDE, Line, Mark, evidence_over_time
from riparian.console.page import Act, Page, address, may
from riparian.errors import RiparianError
from riparian.flows.overlap import Overlap
from riparian.flows.rings import words_of
from riparian.ports.staff import Person, Sitting

_EPOCH: Final = date(1970, 1, 1)


def wants_json(request: Request) -> bool:
    """Say whether a program asks: by ``?json``, by what it accepts or sends, or by its token."""
    accepts, sends = request.headers.get("accept", ""), request.headers.get("content-type", "")
    accepts_it = "application/json" in accepts and "text/html" not in accepts
    sends_json = sends.startswith("application/json")
    return accepts_it or "json" in request.query_params or sends_json or bearer_in(request) is not None


def page_shown(
    page: Page, facts: Mapping[str, Any], sitting: Sitting | None, pages: tuple[Page, ...], *, request: Request
) -> Response:
    """Show a page to a person, or its facts to a program."""
    if wants_json(request):
        return JSONResponse(dict(facts))
    # What is told once is shown where it was done; whatever else is done leads to a page that says so.
    name = request.url.path.rpartition("/")[2] if request.method == "POST" else request.query_params.get("done")
    done = next((act for act in _acts(page, pages) if act.name == name), None)
    can = {act.name for act in page.acts if may(_who(sitting), act.role)}
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
    where = page.under or page.path if page is not None else ""
    listed = [one for one in pages if one.is_listed and may(_who(sitting), one.role)]
    return {
        "page": page,
        "links": [{"path": one.path, "title": one.title, "is_here": one.path == where} for one in listed],
        "sitting": sitting,
        "opens": {one.path for one in pages if may(_who(sitting), one.role)},
        "version": __version__,
    }


def _who(sitting: Sitting | None) -> Person | None:
    return sitting.person if sitting is not None else None


def _acts(page: Page, pages: tuple[Page, ...]) -> list[Act]:
    """List what may have led to a page: what is done on it, and on the one that it is reached from."""
    return [*page.acts, *(act for one in pages if one.path == page.under for act in one.acts)]


def _said(done: Act | None) -> str:
    return done.said if done is not None else ""


def _json_at(request: Request) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in {"json", "done"}]
    return f"{request.url.path}?{urlencode([*asked, ('json', '')])}".removesuffix("=")


@cache
def _environment() -> Environment:
    return setting.environment(
        {
            "moment": _moment,
            "day": _day,
            "action": _action,
            "bar": _bar,
            "address": address,
            "reasons": words.reasons,
            "whole": _whole,
            "still_there": lambda rows: _both(lambda width: removals.still_there(rows, width=width)),
            "cost_curve": _cost_curve,
            "usd": lambda value: exercise.usd(math.inf if value is None else value),
            "times": lambda value: "never" if value is None else f"{value:,.1f}",
            "capitalised": lambda text: text[:1].upper() + text[1:],
            "plainly": lambda text: text.replace("`", ""),
            "expected": words_of,
            "grown": _grown,
            "over_time": _over_time,
            "two_by_two": _two_by_two,
            "span": removals.days,
            "plays": _plays,
            "clock": words.clock,
            "drawing": Markup,  # what our own pictures are made of
            "lasts": lambda ms: words.clock(ms / 1000),
        }
    )


def _moment(at: str | None) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC") if at else "no end by itself"


def _day(at: str | None) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d") if at else "no end by itself"


def _plays(number: float) -> str:
    return words.count(number) if number >= 1 else np.format_float_positional(number, 2, fractional=False, trim="-")


def _cost_curve(told: Sequence[Mapping[str, Any]], now: int) -> Markup:
    return _both(lambda width: exercise.cost_against_policy(told, now, width=width))


def _whole(text: str) -> Markup:
    lines = text.split("\n")
    return Markup("<br>").join(words.visible(line, longest=max(1, len(line))) for line in lines)


def _action(name: str) -> Markup:
    return Markup('<span class="chip {}">{}</span>').format(name.replace("_", "-"), name.replace("_", " "))


def _bar(step: Mapping[str, Any], within: Mapping[str, float], wanted: float | None = None) -> Markup:
    drawn = waterfall.Step(step["label"], step["bits"], step["start"], step["end"], step["is_total"])
    return waterfall.drawn_bar(drawn, waterfall.Scale(within["low"], within["high"]), threshold=wanted)


def _grown(timeline: Sequence[Mapping[str, Any]], name: str, wanted: float | None) -> Markup:
    days = tuple((date.fromisoformat(row["day"]) - _EPOCH).days for row in timeline)
    line = Line(name, days, tuple(row["bits"] for row in timeline))
    marks = [] if wanted is None else [Mark("wanted", wanted)]
    return _both(lambda width: evidence_over_time([line], marks, width=width, ident=f"grown-{width}"))


def _over_time(told: Mapping[str, Any]) -> Markup:
    days = [date.fromisoformat(day) - _EPOCH for day in told["days"]]
    found = _overlap([day.days for day in days], told["expected"], told["seen"], (), [[]])
    return _both(lambda width: overlaps.over_time(found, width=width, ident=f"over-time-{width}"))


def _two_by_two(told: Mapping[str, Any]) -> Markup:
    accounts = tuple(code_of_label(account) for account in told["accounts"])
    found = _overlap([], [], [], accounts, told["between"])
    return overlaps.two_by_two(found, width=NARROW, ident="two-by-two")


def _both(draw: Callable[[int], Markup]) -> Markup:
    return draw(WIDE) + draw(NARROW)


def _overlap(
    days: list[int], expected: list[float], seen: list[float], accounts: tuple[int, ...], between: list[list[float]]
) -> Overlap:
    nothing = np.empty(0, np.int64)
    return Overlap(
        np.array(days, np.int64),
        np.array(expected),
        np.array(seen),
        nothing,
        np.empty((0, 2)),
        accounts,
        np.array(between),
    )
