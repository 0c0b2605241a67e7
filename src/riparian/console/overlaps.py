"""What a ring never does together, as two pictures that need no scripts.

*Over time*: how many fetches met what another member had had before, as lots would have it and as it was.  People
of one taste run above the lots; a shared list of work runs along the bottom.

*Two by two*: a square for each pair of members.  Above the diagonal stands what both would have by lot, below it
what both have; the darker, the more.  A ring is dark above and empty below.
"""

from typing import Final

from markupsafe import Markup

from riparian.codes import label
from riparian.console.figures import NARROW, WIDE, Frame, day_axis, height_axis, picture
from riparian.console.words import count
from riparian.flows.overlap import Overlap

_SIDE: Final = {WIDE: 420, NARROW: 300}
_HEIGHT: Final = {WIDE: 240, NARROW: 200}


def over_time(found: Overlap, *, width: int, ident: str) -> Markup:
    """Draw the overlap by lot against the overlap seen, summed up day by day.

    Parameters
    ----------
    found
        Of a ring with at least one day.
    width
        ``WIDE`` or ``NARROW``.
    ident
        Unique in the page.
    """
    days = [int(day) for day in found.days]
    lines = (("by lot", found.expected.tolist(), 1), ("seen", found.seen.tolist(), 0))
    highest = max(1.0, *(max(values) for _, values, _ in lines)) * 1.08
    right = width - (150 if width == WIDE else 78)
    frame = Frame(44, right, 26, _HEIGHT[width], days[0], days[-1], highest)
    parts = [height_axis(frame, "fetches of what another had had"), day_axis(frame, width)]
    parts += [_line(frame, days, values, order) for _, values, order in lines]
    parts += _ends(frame, [(name, values[-1], order) for name, values, order in lines])
    said = "; ".join(f"{name} {count(values[-1])}" for name, values, _ in lines)
    words = f"Fetches of what another member had had before, up to each day: {said} in the end."
    return picture(ident, (width, frame.bottom + 28), "Overlap over time", words, Markup("").join(parts))


def two_by_two(found: Overlap, *, width: int, ident: str) -> Markup:
    """Draw what each two members both have, beside what they would by lot."""
    n, side = len(found.accounts), _SIDE[width]
    step = side / max(n, 1)
    most = max(float(found.between.max(initial=0.0)), 1e-9)
    parts = [
        Markup(
            '<rect class="cell" x="{x:.1f}" y="{y:.1f}" width="{s:.2f}" height="{s:.2f}" opacity="{o:.3f}"/>'
        ).format(
            x=column * step, y=20 + row * step, s=max(step - 1, 0.5), o=min(1.0, found.between[row, column] / most)
        )
        for row in range(n)
        for column in range(n)
        if row != column and found.between[row, column] > 0.02 * most
    ]
    lots = float(sum(found.between[i, j] for i in range(n) for j in range(n) if j > i))
    seen = float(sum(found.between[i, j] for i in range(n) for j in range(i)))
    edge = Markup(
        '<rect class="edge" x="0" y="20" width="{s:.1f}" height="{s:.1f}"/>'
        '<path class="axis" d="M0 20L{s:.1f} {b:.1f}"/>'
        '<text class="tick" x="{s:.1f}" y="12" text-anchor="end">by lot {lots}</text>'
        '<text class="tick" x="0" y="{t:.1f}">seen {seen}</text>'
    ).format(s=side, b=20 + side, t=side + 36, lots=count(lots), seen=count(seen))
    names = ", ".join(label(account) for account in found.accounts[:3])
    words = (
        f"Pairs among {count(n)} members, {names} first: {count(lots)} works in common by lot, above the diagonal;"
        f" {count(seen)} seen, below it."
    )
    return picture(ident, (width, side + 44), "Two by two", words, Markup("").join([*parts, edge]))


def _line(frame: Frame, days: list[int], values: list[float], order: int) -> Markup:
    points = [(frame.x(day), frame.y(value)) for day, value in zip(days, values, strict=True)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<path class="line l{o}" d="{p}"/><circle class="dot l{o}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    ).format(o=order, p=path, x=x, y=y)


def _ends(frame: Frame, ends: list[tuple[str, float, int]]) -> list[Markup]:
    apart = 15.0
    placed: list[Markup] = []
    at = -apart
    for name, value, order in sorted(ends, key=lambda end: -end[1]):
        at = max(frame.y(value) + 4, at + apart)
        placed.append(
            Markup('<text class="line-name l{o}" x="{x:.1f}" y="{y:.1f}">{n} {v}</text>').format(
                o=order, x=frame.right + 12, y=at, n=name, v=count(value)
            )
        )
    return placed
