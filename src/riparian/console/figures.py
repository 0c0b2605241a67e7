"""What happened over time, as pictures that need no scripts.

A figure is SVG inside the page: it takes its colours from the page's style, so that it follows light,
dark and print, and it has a title and a description for those who listen to it.  Every figure is
drawn twice, for wide and for narrow windows, since letters in a stretched picture cannot be read;
the style shows one of the two.

Conventions
-----------
* The horizontal axis is whole days (UTC), counted since 1970.
* The vertical axis begins at zero.  A line that grows higher than the picture ends at the
  top in an arrow, and the number beside it says where it stands: rungs stay legible beside an account far above.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from riparian.console.words import bits as in_bits
from riparian.console.words import count

WIDE: Final = 1040
NARROW: Final = 350
_STEPS: Final = (1, 2, 7, 14, 28, 91, 182, 364, 728, 3640)
_EPOCH: Final = date(1970, 1, 1)
_LABEL_GAP: Final = 15
_EDGE: Final = 8
_TICK_WIDTH: Final = 108


@dataclass(frozen=True, slots=True)
class Line:
    """Bits of one account at the end of each day.

    Parameters
    ----------
    name
        Its pseudonym.
    days, bits
        [shape=(n,)], days ascending.
    """

    name: str
    days: tuple[int, ...]
    bits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A height that means something: a rung of the ladder, and the bits that it wants."""

    name: str
    bits: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One count by day, [shape=(days,)]."""

    name: str
    counts: tuple[int, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture's axes lie, in its own units."""

    left: float
    right: float
    top: float
    bottom: float
    first_day: int
    last_day: int
    highest: float

    def x(self, day: float) -> float:
        """Place a day; a single day stands in the middle."""
        span = self.last_day - self.first_day
        share = (day - self.first_day) / span if span else 0.5
        return self.left + share * (self.right - self.left)

    def y(self, height: float) -> float:
        """Place a height; what is too high is put on the top edge."""
        share = min(max(height, 0.0), self.highest) / self.highest
        return self.bottom - share * (self.bottom - self.top)


def evidence_over_time(lines: Sequence[Line], marks: Sequence[Mark], *, width: int, ident: str) -> Markup:
    """Draw how the bits of a few accounts grew, against the rungs of the ladder.

    Parameters
    ----------
    lines
        At least one, strongest first.
    marks
        Rungs, in any order.
    width
        ``WIDE`` or ``NARROW``.
    ident
        Unique in the page; names the title and the description.
    """
    frame = _evidence_frame(lines, marks, width)
    parts = [height_axis(frame, "bits"), day_axis(frame, width)]
    parts += [_rung(frame, mark) for mark in marks]
    parts += [_curve(frame, line, order) for order, line in reversed(list(enumerate(lines)))]
    parts += [_rung_name(frame, mark, at) for mark, at in _spread_marks(frame, marks)]
    parts += _endings(frame, lines, width)
    return picture(
        ident,
        (width, frame.bottom + 28),
        "Evidence over time",
        _evidence_words(lines, marks),
        Markup("").join(parts),
    )


def by_day(days: Sequence[int], panels: Sequence[Panel], *, width: int, ident: str) -> Markup:
    """Draw counts by day, at least one panel, one under the other over one axis of days; an empty one is a line."""
    height = 88 if width == WIDE else 70
    slot = (width - 2 * _EDGE) / (days[-1] - days[0] + 1)
    parts: list[Markup] = []
    bottom = -8.0
    for panel in panels:
        highest = max(panel.counts)
        top = bottom + 34
        bottom = top + (height if highest else 4)
        frame = Frame(_EDGE + slot / 2, width - _EDGE - slot / 2, top, bottom, days[0], days[-1], max(highest, 1.0))
        most = f"at most {count(highest)}{' on a day' if width == WIDE else ''}" if highest else "none"
        parts += [_bars(frame, days, panel, slot=slot), _panel_name(frame, panel, most, slot=slot)]
    parts.append(day_axis(frame, width))
    words = "; ".join(f"{p.name}: at most {count(max(p.counts))} on a day" for p in panels)
    return picture(ident, (width, frame.bottom + 28), "Day by day", words, Markup("").join(parts))


def picture(ident: str, size: tuple[float, float], title: str, words: str, inside: Markup) -> Markup:
    """Frame what was drawn, with a title and a description for those who listen to it."""
    kind = "narrow" if size[0] == NARROW else "wide"
    return Markup(
        '<svg class="figure {kind}" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-labelledby="{i}-t {i}-d">'
        '<title id="{i}-t">{title}</title><desc id="{i}-d">{words}</desc>{inside}</svg>'
    ).format(kind=kind, w=size[0], h=size[1], i=ident, title=title, words=words, inside=inside)


def _evidence_frame(lines: Sequence[Line], marks: Sequence[Mark], width: int) -> Frame:
    wanted = max((mark.bits for mark in marks), default=10.0)
    reached = max(max(line.bits) for line in lines)
    # A hundred bits would press all rungs into one line at the bottom: then the picture ends at twice the highest rung.
    highest = max(1.2 * wanted, 1.06 * reached if reached < 2.6 * wanted else 2.0 * wanted)
    first = min(line.days[0] for line in lines)
    last = max(line.days[-1] for line in lines)
    right = width - (190 if width == WIDE else 100)
    return Frame(34, right, 26, 340 if width == WIDE else 270, first, last, highest)


def _evidence_words(lines: Sequence[Line], marks: Sequence[Mark]) -> str:
    rungs = ", ".join(f"{mark.name} at {in_bits(mark.bits)} bits" for mark in marks)
    ends = "; ".join(f"{line.name} ends at {in_bits(line.bits[-1])} bits" for line in lines)
    return f"Bits by day. Rungs: {rungs}. {ends}."


def height_axis(frame: Frame, name: str) -> Markup:
    """Draw the heights, and what they count."""
    step = _nice_step(frame.highest / 5)
    heights = [k * step for k in range(math.floor(frame.highest / step) + 1)]
    lines = Markup("").join(
        Markup(
            '<path class="grid" d="M{l:.1f} {y:.1f}H{r:.1f}"/>'
            '<text class="tick" x="{x:.1f}" y="{t:.1f}" text-anchor="end">{v:g}</text>'
        ).format(
            l=frame.left,
            r=frame.right,
            y=frame.y(h),
            x=frame.left - 7,
            t=frame.y(h) + 4,
            v=h,
        )
        for h in heights
    )
    return lines + Markup('<text class="tick" x="0" y="11">{}</text>').format(name)


def _nice_step(about: float) -> float:
    power = 10.0 ** math.floor(math.log10(about))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= about))


def day_axis(frame: Frame, width: int) -> Markup:
    """Draw the days, with as many dates as there is room for."""
    days = _ticked(frame, width)
    ticks = Markup("").join(_day_tick(frame, d, width) for d in days)
    return Markup('<path class="axis" d="M{l:.1f} {b:.1f}H{r:.1f}"/>{ticks}').format(
        l=frame.left, b=frame.bottom, r=frame.right, ticks=ticks
    )


def _ticked(frame: Frame, width: int) -> Sequence[int]:
    if width == NARROW:
        return sorted({frame.first_day, frame.last_day})
    most = max(1, int((frame.right - frame.left) // _TICK_WIDTH))
    step = next((s for s in _STEPS if (frame.last_day - frame.first_day) / s <= most), _STEPS[-1])
    return range(frame.first_day, frame.last_day + 1, step)


def _day_tick(frame: Frame, day: int, width: int) -> Markup:
    at = _EPOCH + timedelta(days=day)
    x = frame.x(day)
    anchor = "start" if x < 45 else "end" if x > width - 45 or (width == NARROW and day > frame.first_day) else "middle"
    return Markup(
        '<path class="axis" d="M{x:.1f} {b:.1f}v5"/>'
        '<text class="tick" x="{x:.1f}" y="{t:.1f}" text-anchor="{a}">{d}</text>'
    ).format(x=x, b=frame.bottom, t=frame.bottom + 19, a=anchor, d=at.isoformat())


def _spread_marks(frame: Frame, marks: Sequence[Mark]) -> list[tuple[Mark, float]]:
    # Rungs are often one bit apart: their names are pushed apart, from the top down.
    placed: list[tuple[Mark, float]] = []
    for mark in sorted(marks, key=lambda m: -m.bits):
        at = frame.y(mark.bits) - 4
        if placed:
            at = max(at, placed[-1][1] + _LABEL_GAP)
        placed.append((mark, at))
    return placed


def _rung(frame: Frame, mark: Mark) -> Markup:
    return Markup('<path class="rung {k}" d="M{l:.1f} {y:.1f}H{r:.1f}"/>').format(
        k=mark.name.replace(" ", "-"), l=frame.left, r=frame.right, y=frame.y(mark.bits)
    )


def _rung_name(frame: Frame, mark: Mark, at: float) -> Markup:
    return Markup('<text class="rung-name" x="{x:.1f}" y="{t:.1f}">{n} {b}</text>').format(
        x=frame.left + 6, t=at, n=mark.name, b=in_bits(mark.bits)
    )


def _curve(frame: Frame, line: Line, order: int) -> Markup:
    points = _below_the_edge(frame, line)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    x, y = points[-1]
    if line.bits[-1] > frame.highest:
        end = Markup('<path class="dot l{o}" d="M{x:.1f} {y:.1f}l-4.5 8h9z"/>').format(o=order, x=x, y=y - 8)
    else:
        end = Markup('<circle class="dot l{o}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>').format(o=order, x=x, y=y)
    return Markup('<path class="line l{o}" d="{p}"/>{end}').format(o=order, p=path, end=end)


def _below_the_edge(frame: Frame, line: Line) -> list[tuple[float, float]]:
    # A line that leaves the picture for good ends where it leaves; one that comes back runs along the edge.
    points = list(zip(line.days, line.bits, strict=True))
    if points[-1][1] <= frame.highest:
        return [(frame.x(d), frame.y(b)) for d, b in points]
    last = max((place for place, (_, b) in enumerate(points) if b <= frame.highest), default=-1)
    drawn = [(frame.x(d), frame.y(b)) for d, b in points[: last + 1]]
    (day, bits), (after, above) = points[max(last, 0)], points[last + 1]
    share = (frame.highest - bits) / (above - bits) if last >= 0 else 0.0
    return [*drawn, (frame.x(day + share * (after - day)), frame.top)]


def _endings(frame: Frame, lines: Sequence[Line], width: int) -> list[Markup]:
    ends = sorted(((frame.y(line.bits[-1]), order, line) for order, line in enumerate(lines)), key=lambda e: e[:2])
    at, places = -math.inf, []
    for y, order, line in ends:
        at = max(y + 4, at + _LABEL_GAP)
        places.append((at, y, order, line))
    over = max(0.0, places[-1][0] - (frame.bottom + 4))
    return [_ending(frame, line, order, (y, at - over), width) for at, y, order, line in places]


def _ending(frame: Frame, line: Line, order: int, heights: tuple[float, float], width: int) -> Markup:
    y, at = heights
    name = line.name if width == WIDE or len(line.name) < 7 else f"{line.name[:5]}…"
    lead = Markup("")
    if line.bits[-1] <= frame.highest:
        lead = Markup('<path class="lead l{o}" d="M{x:.1f} {y:.1f}L{q:.1f} {m:.1f}"/>').format(
            o=order, x=frame.x(line.days[-1]) + 4, y=y, q=frame.right + 10, m=at - 4
        )
    return Markup(
        '{lead}<text class="line-name l{o}" x="{p:.1f}" y="{t:.1f}"><tspan class="code">{n}</tspan> {b}</text>'
    ).format(lead=lead, o=order, p=frame.right + 12, t=at, n=name, b=in_bits(line.bits[-1]))


def _bars(frame: Frame, days: Sequence[int], panel: Panel, *, slot: float) -> Markup:
    wide = min(slot * 0.82, 44.0)
    bars = "".join(
        f"M{frame.x(d) - wide / 2:.1f} {frame.bottom:.1f}V{min(frame.y(n), frame.bottom - 1.5):.1f}"
        f"h{wide:.1f}V{frame.bottom:.1f}z"
        for d, n in zip(days, panel.counts, strict=True)
        if n > 0
    )
    return Markup('<path class="axis" d="M{l:.1f} {b:.1f}H{r:.1f}"/><path class="bars {k}" d="{p}"/>').format(
        l=frame.left - slot / 2, r=frame.right + slot / 2, b=frame.bottom, k=panel.kind, p=bars or "M0 0"
    )


def _panel_name(frame: Frame, panel: Panel, most: str, *, slot: float) -> Markup:
    return Markup(
        '<text class="panel-name" x="{l:.1f}" y="{t:.1f}">{n}</text>'
        '<text class="tick" x="{r:.1f}" y="{t:.1f}" text-anchor="end">{m}</text>'
    ).format(l=frame.left - slot / 2, r=frame.right + slot / 2, t=frame.top - 8, n=panel.name, m=most)
