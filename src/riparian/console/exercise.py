"""One page that says what an exercise came to: the picture of cost against policy, and the tables behind it.

The same rules as for the page of a scan (:mod:`riparian.console.report`): one file that fetches nothing and runs
nothing, every number from the lines that ``riparian replay --json`` writes, and text from outside only as text.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from riparian.console import setting
from riparian.console.figures import NARROW, WIDE
from riparian.flows.reckoning import LIMIT_PER_DAY, name_of, sentences
from riparian.gate.economics import Kind, Prices
from riparian.gate.policy import Policy

Line = Mapping[str, Any]

ASSUMED: Final[Mapping[str, str]] = {
    "identity": "a name, a mailbox and a telephone number that pass a sign-up",
    "month": "a month's subscription",
    "card": "a means of payment not used here before",
    "device": "a device, or the look of one, not used here before",
    "cohort": "a sign-up from a network and at a time of its own",
    "stolen": "an account of standing that somebody else pays for",
    "stolen_days": "days until its owner notices",
    "trial_days": "days that a trial lasts",
    "step_up": "proof that a person is there, each time that it is asked for",
}
_GAP: Final = 15


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a picture's axes lie; both are logarithmic."""

    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        """Place a refill."""
        return self.left + _share(value, self.x_range) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Place a cost."""
        return self.bottom - _share(value, self.y_range) * (self.bottom - self.top)


def _share(value: float, within: tuple[float, float]) -> float:
    low, high = (math.log(edge) for edge in within)
    return (math.log(value) - low) / (high - low)


def page(told: Sequence[Line], name: str, policy: Policy, prices: Prices, days: int) -> str:
    """Write the page.

    Parameters
    ----------
    told
        The lines of an exercise.
    name
        How it is called.
    policy, prices, days
        What copiers met, what they paid, and how long they had.
    """
    return _environment().get_template("exercise.html.j2").render(
        name=name,
        days=days,
        policy=policy,
        people=next(line for line in told if line["kind"] == "people"),
        copiers=[(name_of(line), line) for line in told if line["kind"] in ("strategy", "best")],
        best=[line for line in told if line["kind"] == "best"],
        limits=[line for line in told if line["kind"] == "limit"],
        sentences=sentences(told),
        figure=Markup("").join(cost_against_policy(told, policy.novelty_per_day, width=w) for w in (WIDE, NARROW)),
        prices=[(ASSUMED[key], key, value) for key, value in asdict(prices).items()],
        limit_per_day=LIMIT_PER_DAY,
        css=setting.style(),
    )  # fmt: skip


def cost_against_policy(told: Sequence[Line], now: int, *, width: int) -> Markup:
    """Draw what 1 % of the catalogue costs against how fast the novelty budget grows back, a curve a kind of account.

    Parameters
    ----------
    told
        Lines of which those of kind ``policy`` are drawn; where ``per_day`` is None, under the plain limit (dashed).
    now
        The refill of the policy at hand, marked.
    width
        ``WIDE`` or ``NARROW``.
    """
    curves = [line for line in told if line["kind"] == "policy" and line["per_day"] is not None]
    limits = [line for line in told if line["kind"] == "policy" and line["per_day"] is None]
    costs = [line["usd"] for line in (*curves, *limits)]
    refills = [line["per_day"] for line in curves]
    spread = (10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs))))
    bottom = 400 if width == WIDE else 320
    axes = Axes(64, width - (150 if width == WIDE else 62), 30, bottom, (min(refills), max(refills)), spread)
    parts = [_grid(axes, sorted(set(refills)), width)]
    if min(refills) <= now <= max(refills):
        parts.append(_now(axes, now, width))
    ends: list[tuple[float, int, str]] = []
    for order, kind in enumerate(Kind):
        path = sorted((line["per_day"], line["usd"]) for line in curves if line["accounts_are"] == kind)
        plain = next(line["usd"] for line in limits if line["accounts_are"] == kind)
        parts.append(_curve(axes, path, plain, order))
        ends += [(axes.y(path[-1][1]), order, str(kind)), (axes.y(plain), order, f"{kind}, limit")]
    parts += _names(ends, axes, short=width == NARROW)
    words_ = f"USD for 1 % of the catalogue against recordings a day; dashed: a limit of {LIMIT_PER_DAY} plays a day."
    return Markup(
        '<svg class="figure {k}" viewBox="0 0 {w} {h}" role="img" aria-labelledby="cost-{w}-t cost-{w}-d">'
        '<title id="cost-{w}-t">Cost against policy</title><desc id="cost-{w}-d">{d}</desc>{inside}</svg>'
    ).format(k="narrow" if width == NARROW else "wide", w=width, h=bottom + 48, d=words_, inside=Markup("").join(parts))


def _grid(axes: Axes, refills: Sequence[int], width: int) -> Markup:
    parts = [Markup('<text class="tick" x="0" y="12">USD for 1 % of the catalogue</text>')]
    low, high = (round(math.log10(edge)) for edge in axes.y_range)
    for power in range(low, high + 1):
        y = axes.y(10.0**power)
        label = f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
        parts.append(
            Markup(
                '<path class="grid" d="M{l:.1f} {y:.1f}H{r:.1f}"/>'
                '<text class="tick" x="{x:.1f}" y="{t:.1f}" text-anchor="end">{v}</text>'
            ).format(l=axes.left, r=axes.right, y=y, x=axes.left - 8, t=y + 4, v=label)
        )
    shown = refills if width == WIDE else refills[::3]
    parts += [
        Markup(
            '<path class="axis" d="M{x:.1f} {b:.1f}v5"/>'
            '<text class="tick" x="{x:.1f}" y="{t:.1f}" text-anchor="middle">{v}</text>'
        ).format(x=axes.x(refill), b=axes.bottom, t=axes.bottom + 19, v=refill)
        for refill in shown
    ]
    parts.append(
        Markup(
            '<path class="axis" d="M{l:.1f} {b:.1f}H{r:.1f}"/>'
            '<text class="tick" x="{m:.1f}" y="{t:.1f}" text-anchor="middle">{words}</text>'
        ).format(
            l=axes.left,
            r=axes.right,
            b=axes.bottom,
            m=(axes.left + axes.right) / 2,
            t=axes.bottom + 40,
            words="new recordings that an account earns a day (novelty_per_day)"
            if width == WIDE
            else "novelty_per_day",
        )
    )
    return Markup("").join(parts)


def _now(axes: Axes, now: int, width: int) -> Markup:
    return Markup(
        '<path class="rung" d="M{x:.1f} {t:.1f}V{b:.1f}"/>'
        '<text class="rung-name" x="{n:.1f}" y="{y:.1f}">{words}</text>'
    ).format(
        x=axes.x(now),
        t=axes.top,
        b=axes.bottom,
        n=axes.x(now) + 5,
        y=axes.top + 12,
        words="this policy" if width == WIDE else "now",
    )


def _curve(axes: Axes, path: Sequence[tuple[float, float]], plain: float, order: int) -> Markup:
    drawn = "M" + "L".join(f"{axes.x(refill):.1f} {axes.y(usd):.1f}" for refill, usd in path)
    return Markup(
        '<path class="line l{o}" stroke-dasharray="3 5" opacity=".75" d="M{l:.1f} {y:.1f}H{r:.1f}"/>'
        '<path class="line l{o}" d="{p}"/>'
    ).format(o=order, p=drawn, l=axes.left, r=axes.right, y=axes.y(plain))


def _names(ends: Sequence[tuple[float, int, str]], axes: Axes, *, short: bool) -> list[Markup]:
    placed, last = [], -math.inf
    for y, order, name in sorted(ends):
        last = max(y + 4, last + _GAP)
        told = name.replace(", limit", " –") if short else name
        placed.append(
            Markup('<text class="l{o}" x="{x:.1f}" y="{y:.1f}">{n}</text>').format(
                o=order, x=axes.right + 8, y=last, n=told
            )
        )
    return placed


def usd(value: float) -> str:
    """Write money so that small sums keep two figures.

    Examples
    --------
    >>> usd(1234.5), usd(1.5), usd(0.01234), usd(math.inf)
    ('1,234', '1.50', '0.0123', 'never')
    """
    if not math.isfinite(value):
        return "never"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"


@cache
def _environment() -> Environment:
    return setting.environment({"usd": usd})
