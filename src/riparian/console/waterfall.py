"""How do the rows of an explanation add up, drawn as bars from zero?

Each row starts where the last one ended; the total, a row like any other, starts at zero.  The same
steps are drawn as text in a terminal and as SVG in a page, so that the two never disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from riparian.evidence import Row

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Step:
    """One bar.

    Parameters
    ----------
    label
        What a person calls it.
    bits
        What it adds, or takes when negative; for the total, all of it.
    start, end
        Where the bar begins and ends, in bits.
    is_total
        Whether it is the last row.
    """

    label: str
    bits: float
    start: float
    end: float
    is_total: bool = False

    @property
    def shown(self) -> float:
        """Its bits to three digits, rounded so that the rows as they are written still sum to the total.

        Examples
        --------
        >>> thirds = steps([Row("one", 0.3335), Row("two", 0.3335), Row("three", 0.3335)])
        >>> [round(step.shown, 3) for step in thirds]
        [0.334, 0.333, 0.334, 1.001]
        """
        return round(self.end, 3) - round(self.start, 3)


def steps(rows: Sequence[Row]) -> tuple[Step, ...]:
    """Set each row on the end of the last, and the total under them.

    Examples
    --------
    >>> for step in steps([Row("volume", 5.0), Row("newness", 2.5), Row("price", -0.5)]):
    ...     print(step.label, step.start, step.end)
    volume 0.0 5.0
    newness 5.0 7.5
    price 7.5 7.0
    together 0.0 7.0
    """
    made: list[Step] = []
    at = 0.0
    for row in rows:
        made.append(Step(row.label, row.bits, at, at + row.bits))
        at += row.bits
    return (*made, Step("together", at, 0.0, at, is_total=True))


@dataclass(frozen=True, slots=True)
class Scale:
    """From bits to a place between 0 and 1."""

    low: float
    high: float

    def place(self, at: float) -> float:
        """Find the place of some bits; what lies outside is put on the edge."""
        return min(1.0, max(0.0, (at - self.low) / (self.high - self.low)))


def scale(drawn: Sequence[Step], marks: Sequence[float] = ()) -> Scale:
    """Choose a scale that holds zero, every bar and every mark.

    Examples
    --------
    >>> scale(steps([Row("volume", 5.0), Row("order", -6.0)]), marks=[12.0])
    Scale(low=-1.0, high=12.0)
    """
    ends = [0.0, *(s.start for s in drawn), *(s.end for s in drawn), *marks]
    low, high = min(ends), max(ends)
    return Scale(low, high if high > low else low + 1.0)


def text_bar(step: Step, within: Scale, *, width: int) -> str:
    """Draw a bar in eighths of a character: full for what is added, shaded for what is taken.

    Examples
    --------
    >>> within = Scale(0.0, 10.0)
    >>> [text_bar(s, within, width=10) for s in steps([Row("volume", 5.25), Row("price", -3.0)])]
    ['█████▎    ', '  ▒▒▒     ', '██▎       ']
    """
    if step.bits == 0:
        return " " * width
    low, high = sorted((within.place(step.start) * width, within.place(step.end) * width))
    if step.bits < 0:
        first = min(round(low), width - 1)
        last = max(round(high), first + 1)
        return (" " * first + "▒" * (last - first)).ljust(width)[:width]
    # A bar can end on an eighth of a character but begins on a whole one: the blocks grow from the left.
    first = min(round(low), width - 1)
    eighths = max(0, round((high - first) * 8))
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return (" " * first + (bar or "▏")).ljust(width)[:width]


def drawn_bar(step: Step, within: Scale, *, threshold: float | None = None) -> Markup:
    """Draw a bar as SVG that stretches to its cell; the number beside it says the same in words."""
    low, high = sorted((within.place(step.start), within.place(step.end)))
    kind = "total" if step.is_total else "takes" if step.bits < 0 else "adds"
    zero = within.place(0.0)
    rule = Markup("")
    if threshold is not None:
        at = within.place(threshold) * 1000
        rule = Markup('<path class="wanted" d="M{0:.1f} 0V24"/>').format(at)
    return Markup(
        '<svg class="fall" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<path class="zero" d="M{zero:.1f} 0V24"/>'
        '<rect class="{kind}" x="{x:.1f}" y="5" width="{width:.1f}" height="14"/>{rule}</svg>'
    ).format(zero=zero * 1000, kind=kind, x=low * 1000, width=max(high - low, 0.002) * 1000, rule=rule)
