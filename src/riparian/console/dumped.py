"""One page that says how much of ours is in a list that was found, to be read, printed and kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from riparian import __version__
from riparian.console import setting, words
from riparian.console.days_of_lists import when_taken
from riparian.console.figures import NARROW, WIDE, Frame, day_axis, height_axis, picture
from riparian.flows.dump_slices import Interval, Slice
from riparian.flows.dumping import ERRORS, LEVELS, Dumped, Reviewed, error_class

SLICES_MAX = 20
SHEETS_MAX = 30
_EPOCH = date(1970, 1, 1)
_LEVELS = {"recording": "the recording", "work": "another version of the work", "artist": "of the artist"}
_WINDOW = 28


@dataclass(frozen=True, slots=True)
class Said:
    """What one side says of a recording."""

    title: str
    beside: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A row for people: what the list says, what we hold, and how surely they are one."""

    one: Reviewed
    theirs: Said
    ours: Said


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one class of error."""

    name: str
    pairs: tuple[Pair, ...]


def dumped_page(dumped: Dumped) -> str:
    """Write the page: one HTML document, UTF-8, that needs nothing else."""
    classes = list(_classes(dumped))
    return (
        _environment()
        .get_template("dumped.html.j2")
        .render(
            dumped=dumped,
            name=_called(dumped),
            rows=dumped.read["rows"],
            of_rows=dumped.rows_ours.times(1 / max(1, dumped.read["rows"])),
            found=dumped.is_found,
            sheets=dumped.read["sheets"][:SHEETS_MAX],
            classes=classes,
            levels=LEVELS,
            sureness=_both(lambda width: _sureness(classes, width)),
            over_days=_both(lambda width: _over_days(dumped, width)) if _has_days(dumped) else None,
            when=when_taken(dumped.taken, dumped.latest),
            slices={name: list(some)[:SLICES_MAX] for name, some in dumped.slices.items() if _is_told(name, some)},
            more={name: max(0, len(some) - SLICES_MAX) for name, some in dumped.slices.items()},
            widest={name: max(1e-6, *(one.share.high for one in some)) for name, some in dumped.slices.items()},
            groups=list(_groups(dumped)),
            css=setting.style(),
            version=__version__,
        )
    )


def drawings(dumped: Dumped) -> dict[str, Markup]:
    """Draw how sure it is, row by row; and, where days tell, when it was taken."""
    drawn = {"sureness": _both(lambda width: _sureness(list(_classes(dumped)), width))}
    return drawn | ({"over_days": _both(lambda width: _over_days(dumped, width))} if _has_days(dumped) else {})


def _called(dumped: Dumped) -> str:
    names = list(dict.fromkeys(PurePosixPath(one["source"]).name for one in dumped.read["sheets"]))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _groups(dumped: Dumped) -> Iterator[Group]:
    for level in LEVELS:
        for place in reversed(range(len(ERRORS) + 1)):
            some = [one for one in dumped.review if one.level == level and error_class(one.error) == place]
            if some:
                name = f"said to be {_LEVELS[level]}, wrong with at most {words.chance(([*ERRORS, 1.0])[place])}"
                yield Group(name, tuple(Pair(one, _said(one.theirs), _said(one.ours)) for one in some))


def _said(row: Mapping[str, Any]) -> Said:
    facts = [row.get("artist"), row.get("album"), _lasts(row.get("duration_ms")), row.get("isrc")]
    return Said(str(row.get("title") or ""), " \u00b7 ".join(str(fact) for fact in facts if fact))


def _lasts(duration_ms: int | None) -> str:
    return words.clock(duration_ms / 1000).split(".", maxsplit=1)[0] if duration_ms else ""


def _is_told(name: str, slices: Sequence[Slice]) -> bool:
    return len(slices) > 1 and not name.startswith("month")


def _classes(dumped: Dumped) -> Iterator[tuple[str, tuple[int, ...]]]:
    names = [f"at most {words.chance(error)}" for error in ERRORS]
    for place, name in enumerate(names):
        yield name, tuple(dumped.errors[level][place] for level in LEVELS)
    told = sum(sum(counts) for counts in dumped.errors.values())
    yield "none of ours, as far as can be told", (dumped.looked - told, 0, 0)


def _has_days(dumped: Dumped) -> bool:
    days, held, _ = dumped.days
    return len(days) >= 3 * _WINDOW and held.sum() > 100


def _both(draw: Any) -> Markup:
    return Markup("").join(draw(width) for width in (WIDE, NARROW))


def _sureness(classes: Sequence[tuple[str, tuple[int, ...]]], width: int) -> Markup:
    """Draw how many rows there are of each class of error, a bar each, levels one behind the other."""
    left, right = (250, width - 90) if width == WIDE else (8, width - 70)
    most = max(1, *(sum(counts) for _, counts in classes))
    step = 34 if width == WIDE else 50
    parts = []
    for place, (name, counts) in enumerate(classes):
        y = 6 + place * step + (0 if width == WIDE else 18)
        x = float(left)
        label = (left - 12, y + 15, "end") if width == WIDE else (left, y - 5, "start")
        parts.append(Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>').format(*label, name))
        for kind, n in zip(("recording", "work", "artist"), counts, strict=True):
            wide = (right - left) * n / most
            css = "none" if place == len(classes) - 1 else kind
            parts.append(
                Markup('<rect class="row {}" x="{:.1f}" y="{:.0f}" width="{:.1f}" height="20"/>').format(
                    css, x, y, wide
                )
            )
            x += wide
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{:.0f}">{}</text>').format(x + 7, y + 15, words.count(sum(counts)))
        )
    said = "; ".join(f"{name}: {words.count(sum(counts))} rows" for name, counts in classes)
    size = (width, 6 + len(classes) * step + (0 if width == WIDE else 6))
    return picture(
        f"sure-{width}", size, "Rows by the chance that what is said of them is wrong", said, Markup("").join(parts)
    )


def _over_days(dumped: Dumped, width: int) -> Markup:
    """Draw which share of what was added to our catalogue about each day is in the list."""
    days, held, ours = dumped.days
    points = list(_shares(days, held, ours))
    highest = max(share for _, share in points) * 100 or 1.0
    frame = Frame(44, width - 14, 26, 250 if width == WIDE else 200, int(days[0]), int(days[-1]), highest * 1.1)
    path = "M" + "L".join(f"{frame.x(day):.1f} {frame.y(share * 100):.1f}" for day, share in points)
    parts = [height_axis(frame, "% of what we added"), day_axis(frame, width)]
    if dumped.taken is not None:
        ends = (dumped.taken.low, days[-1] if dumped.taken.is_open else dumped.taken.high)
        low, high = (min(max(_number(end), days[0]), days[-1]) for end in ends)
        x = frame.x(low)
        parts.insert(
            0,
            Markup('<rect class="taken" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                x - 1, frame.top, max(2.0, frame.x(high) - x) + 2, frame.bottom - frame.top
            ),
        )
    parts.append(Markup('<path class="line l1" d="{}"/>').format(path))
    said = f"Share by day of adding, {_WINDOW} days together, from {points[0][1]:.0%} to {points[-1][1]:.0%}."
    return picture(
        f"days-{width}", (width, frame.bottom + 28), "What was added when is in the list", said, Markup("").join(parts)
    )


def _number(day: date | float) -> float:
    return float((day - _EPOCH).days) if isinstance(day, date) else float(day)


def _shares(days: Any, held: Any, ours: Any) -> Iterator[tuple[float, float]]:
    begin = int(days[0])
    while begin <= days[-1]:
        inside = (days >= begin) & (days < begin + _WINDOW)
        n = held[inside].sum()
        if n:
            yield min(begin + _WINDOW / 2, float(days[-1])), float(ours[inside].sum() / n)
        begin += _WINDOW


@cache
def _environment() -> Environment:
    return setting.environment({"span": _span, "share": _share})


def _span(of: Interval) -> str:
    low, high = words.count(of.low), words.count(of.high)
    return "" if low == high else f"{low} to {high}"


def _share(of: Interval) -> str:
    low, high = words.percent(of.low), words.percent(of.high)
    return "" if low == high else f"{low} to {high}"
