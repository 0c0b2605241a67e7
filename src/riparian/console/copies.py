"""Where a copy lies in its master, and how far a candidate lies from the crowd, as pictures that need no scripts.

As in :mod:`riparian.console.figures`: SVG inside the page, drawn twice, for wide windows and for narrow ones.

Conventions
-----------
* A candidate's place is how many standard deviations its word agrees with the copy beyond what a word drawn by lot
  does; the hill is what lots give, which is known and not fitted.
* Times are in minutes and seconds from the beginning.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riparian.console.figures import WIDE
from riparian.console.words import counted
from riparian.marks.reading import Reading

_LEFT: Final = 12
_DOTS_MAX: Final = 2000
_TICKS: Final = 6
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


def beside_the_crowd(
    deviations: NDArray[np.float32], named: Sequence[tuple[str, int]], *, width: int, ident: str
) -> Markup:
    """Draw every candidate beside what words drawn by lot give.

    Parameters
    ----------
    deviations : np.ndarray [shape=(n,)]
        Of each candidate, in standard deviations.
    named
        Name and place among the candidates of those who are named, the surest first.
    width
        ``WIDE`` or ``NARROW``.
    ident
        Unique in the page.
    """
    high = 240 if width == WIDE else 220
    right, bottom, top = width - 12, high - 34, 16
    last = max(6.0, float(deviations.max(initial=0.0)) * 1.08)

    def x(at: float) -> float:
        return _LEFT + (min(max(at, -5.0), last) + 5.0) / (last + 5.0) * (right - _LEFT)

    hill = [(at, math.exp(-at * at / 2)) for at in np.linspace(-5, 5, 101)]
    path = " ".join(f"{x(at):.1f},{bottom - 8 - h * (bottom - top - 60):.1f}" for at, h in hill)
    parts = [
        Markup('<polygon class="crowd" points="{:.1f},{} {} {:.1f},{}"/>').format(x(-5), bottom, path, x(5), bottom)
    ]
    parts.append(Markup('<path class="axis" d="M{} {}H{}"/>').format(_LEFT, bottom, right))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if (last + 5) / step <= (12 if width == WIDE else 7))
    parts += [_tick(x(at), bottom, f"{at}") for at in range(-5 // step * step, int(last) + 1, step) if at >= -5]
    chosen = {candidate for _, candidate in named}
    others = [i for i in np.argsort(-deviations)[:_DOTS_MAX].tolist() if i not in chosen]
    parts += [
        Markup('<circle class="other" cx="{:.1f}" cy="{}" r="3"/>').format(x(float(deviations[i])), bottom - 5)
        for i in others
    ]
    for order, (name, candidate) in enumerate(named):
        at = x(float(deviations[candidate]))
        parts.append(_flag(at, (top + 22 * order, bottom), name, order, leftwards=at > right / 2))
    said = f"{counted(len(deviations), 'candidate')}; the hill is what words drawn by lot give. " + "; ".join(
        f"{name} lies {deviations[i]:.1f} standard deviations out" for name, i in named
    )
    return _figure(("Candidates beside the crowd", said), parts, (width, high), ident)


def _flag(x: float, between: tuple[float, float], name: str, order: int, *, leftwards: bool) -> Markup:
    y, bottom = between
    anchor, shift = ("end", -6) if leftwards else ("start", 6)
    return Markup(
        '<path class="line l{0}" d="M{1:.1f} {2:.1f}V{3}"/><circle class="dot l{0}" cx="{1:.1f}" cy="{3}" r="5"/>'
        '<text class="l{0}" x="{4:.1f}" y="{5:.1f}" text-anchor="{6}">{7}</text>'
    ).format(order % 6, x, y, bottom - 5, x + shift, y + 10, anchor, name)


def in_its_master(
    reading: Reading, owned: Sequence[tuple[str, NDArray[np.float64]]], *, width: int, ident: str
) -> Markup:
    """Draw which part of the master each part of a copy is; below, whose the parts are, where several are named."""
    facts = reading.facts
    strips = 16 * len(owned)
    high = 250 + strips if width == WIDE else 240 + strips
    left, right, top, bottom = 52, width - 14, 14, high - 34 - strips

    def x(at: float) -> float:
        return left + min(max(at / max(facts.copy_s, 1e-9), 0.0), 1.0) * (right - left)

    def y(at: float) -> float:
        return bottom - min(max(at / max(facts.master_s, 1e-9), 0.0), 1.0) * (bottom - top)

    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(left, top, bottom, right)]
    level = Markup(
        '<path class="grid" d="M{0} {1:.1f}H{2}"/><text class="tick" x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
    )
    parts += [level.format(left, y(at), right, left - 6, y(at) + 4, _clock(at)) for at in _ticks(facts.master_s)]
    parts += [_tick(x(at), high - 34, _clock(at)) for at in _ticks(facts.copy_s)]
    for one in reading.segments:
        ends = x(one.copy_from_s), y(one.master_from_s), x(one.copy_to_s), y(one.master_to_s)
        parts.append(Markup('<path class="line l1" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>').format(*ends))
    for order, (_, chances) in enumerate(owned):
        parts += _strip(reading, chances, x, bottom + 4 + 16 * order, order)
    stretches = counted(len(reading.segments), "stretch", "stretches")
    cover = f"{100 * facts.cover:.0f} % of the copy lies in the master, in {stretches}"
    return _figure((f"Where the copy lies in {reading.recording}", cover), parts, (width, high), ident)


def _strip(
    reading: Reading, chances: NDArray[np.float64], x: Callable[[float], float], at: float, order: int
) -> list[Markup]:
    chunk_s = float(reading.layout.chunk_s)
    parts = []
    for one in reading.segments:
        first, last = int(one.master_from_s / chunk_s), math.ceil(one.master_to_s / chunk_s)
        for chunk in range(max(first, 0), min(last, len(chances))):
            begin = max(one.copy_from_s, one.copy_from_s + (chunk * chunk_s - one.master_from_s) / one.speed)
            end = min(one.copy_to_s, one.copy_from_s + ((chunk + 1) * chunk_s - one.master_from_s) / one.speed)
            if end > begin and chances[chunk] > 0.05:
                parts.append(
                    Markup(
                        '<rect class="own l{}" x="{:.1f}" y="{}" width="{:.1f}" height="12" opacity="{:.2f}"/>'
                    ).format(order % 6, x(begin), at, max(0.5, x(end) - x(begin)), chances[chunk])
                )
    return parts


def _tick(x: float, bottom: float, text: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 20, text)


def _ticks(seconds: float) -> list[float]:
    step = next((step for step in _STEPS_S if seconds / step <= _TICKS), _STEPS_S[-1])
    return [float(at) for at in range(0, int(seconds) + 1, step)]


def _clock(at: float) -> str:
    return f"{int(at) // 60}:{int(at) % 60:02d}"


def _figure(said: tuple[str, str], parts: Sequence[Markup], size: tuple[int, int], ident: str) -> Markup:
    width, high = size
    kind = "wide" if width == WIDE else "narrow"
    return Markup(
        '<svg class="{kind}" viewBox="0 0 {width} {high}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        '<title id="{ident}-t">{title}</title><desc id="{ident}-d">{said}</desc>{parts}</svg>'
    ).format(kind=kind, width=width, high=high, ident=ident, title=said[0], said=said[1], parts=Markup("").join(parts))
