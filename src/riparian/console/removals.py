"""How long do addressees take, as one page: a table, and a line for each of those who were asked most?

A line begins at all that was asked for and falls whenever something was seen to be gone; what never goes keeps it up.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from riparian import __version__
from riparian.cases.again import Row
from riparian.console import setting, words
from riparian.console.figures import NARROW, WIDE, Frame, height_axis, picture

LINES_MAX: Final = 5
_HEIGHT: Final = {WIDE: 300, NARROW: 230}
_APART: Final = 15.0
_EMPTY: Final[Mapping[str, Any]] = {
    "addressee": "", "asked": 0, "gone": 0, "back": 0, "rightly": 0, "median_least": None, "median_most": None,
    "within_week": 0.0, "back_in_30": None,
}  # fmt: skip
_STEPS: Final = (1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 3650, 36_500)


def removals_page(rows: Sequence[Row], on: str) -> str:
    """Write the page: one HTML document, UTF-8, that needs nothing else.

    Parameters
    ----------
    rows
        The one that was asked most first.
    on
        The day, as ISO 8601 writes it.
    """
    return (
        _environment()
        .get_template("removals.html.j2")
        .render(
            rows=rows,
            on=on,
            wide=over_days(rows, width=WIDE, ident="wide") if rows else "",
            narrow=over_days(rows, width=NARROW, ident="narrow") if rows else "",
            css=setting.style(),
            version=__version__,
        )
    )


def over_days(rows: Sequence[Row], *, width: int, ident: str) -> Markup:
    """Draw what share is still there, by days since somebody was asked.

    Parameters
    ----------
    rows
        At least one; the first five are drawn.
    width
        ``WIDE`` or ``NARROW``.
    ident
        Unique in the page.
    """
    drawn = rows[:LINES_MAX]
    last = max(7, math.ceil(max(row.curve[-1][0] for row in drawn) * 1.05))
    frame = Frame(44, width - (190 if width == WIDE else 100), 26, _HEIGHT[width], 0, last, 100.0)
    parts = [height_axis(frame, "% still there, by days since it was asked for"), _axis(frame)]
    parts += [_line(frame, row, order) for order, row in enumerate(drawn)]
    parts += _names(frame, drawn)
    said = "; ".join(f"{row.addressee or 'not named'} {words.percent(row.curve[-1][1])}" for row in drawn)
    return picture(
        ident,
        (width, frame.bottom + 28),
        "Still there",
        f"Share still there in the end: {said}.",
        Markup("").join(parts),
    )


def still_there(told: Sequence[Mapping[str, Any]], *, width: int) -> Markup:
    """Draw the same from rows as a page tells them, of which what is empty was left out."""
    rows = [Row(**{name: row.get(name, _EMPTY[name]) for name in _EMPTY}, curve=_curve_of(row)) for row in told]
    return over_days(rows, width=width, ident=f"still-{width}")


def _curve_of(row: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    return tuple((day, share) for day, share in row["curve"])


def days(value: float | None) -> str:
    """Write days to a person: hours where it is less than two.

    Examples
    --------
    >>> days(0.5), days(12.04), days(None)
    ('12 h', '12.0 d', 'not yet')
    """
    if value is None:
        return "not yet"
    return f"{value * 24:.0f} h" if value < 2 else f"{value:.1f} d"


def _axis(frame: Frame) -> Markup:
    step = next(one for one in _STEPS if one * 7 >= frame.last_day)
    ticks = Markup("").join(
        Markup(
            '<path class="axis" d="M{x:.1f} {b:.1f}v5"/>'
            '<text class="tick" x="{x:.1f}" y="{t:.1f}" text-anchor="middle">{d}</text>'
        ).format(x=frame.x(day), b=frame.bottom, t=frame.bottom + 19, d=f"{day} d")
        for day in range(0, frame.last_day + 1, step)
    )
    return Markup('<path class="axis" d="M{l:.1f} {b:.1f}H{r:.1f}"/>{ticks}').format(
        l=frame.left, b=frame.bottom, r=frame.right, ticks=ticks
    )


def _line(frame: Frame, row: Row, order: int) -> Markup:
    path = f"M{frame.x(0):.1f} {frame.y(100):.1f}"
    for day, share in row.curve[1:]:
        path += f"H{frame.x(day):.1f}V{frame.y(100 * share):.1f}"
    return Markup('<path class="line l{o}" d="{p}"/>').format(o=order, p=f"{path}H{frame.right:.1f}")


def _names(frame: Frame, rows: Sequence[Row]) -> list[Markup]:
    placed: list[Markup] = []
    ends = sorted(enumerate(rows), key=lambda one: -one[1].curve[-1][1])
    # Each at the end of its line or below the name above it; but the last of them not below the picture.
    heights = list(
        accumulate((frame.y(100 * row.curve[-1][1]) + 4 for _, row in ends), lambda a, b: max(a + _APART, b))
    )
    floor = frame.bottom + 4 - _APART * (len(heights) - 1)
    for n, (order, row) in enumerate(ends):
        name = words.visible(row.addressee or "not named", longest=14)
        placed.append(
            Markup('<text class="line-name l{o}" x="{x:.1f}" y="{y:.1f}">{n}</text>').format(
                o=order, x=frame.right + 12, y=min(heights[n], floor + _APART * n), n=name
            )
        )
    return placed


@cache
def _environment() -> Environment:
    return setting.environment({"days": days})
