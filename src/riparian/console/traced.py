"""One page that says to whom copies were issued, to be read, printed and kept: the rules are the report's.

It names accounts, unlike the report of a scan: whom a copy was issued to is what it is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from riparian import __version__
from riparian.console import copies, setting, waterfall, words
from riparian.console.figures import NARROW, WIDE
from riparian.flows.leak import Leak, Read, Together
from riparian.marks.trace import Named

FALLS_MAX = 12
PICTURES_MAX = 12


@dataclass(frozen=True, slots=True)
class Fall:
    """One account, and how its bits add up."""

    name: str
    bits: float
    error_bound: float
    steps: tuple[waterfall.Step, ...]
    bars: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Copies that were traced together."""

    reads: tuple[Read, ...]
    candidates: int
    needed_bits: float
    runner_up_bits: float
    falls: tuple[Fall, ...]
    crowd: Markup
    maps: tuple[tuple[str, Markup], ...]


def traced_page(leak: Leak) -> str:
    """Write the page: one HTML document, UTF-8, that needs nothing else."""
    batches = [_batch(one, place) for place, one in enumerate(leak.together) if one.traced is not None]
    names = list(dict.fromkeys(fall.name for batch in batches for fall in batch.falls))
    return (
        _environment()
        .get_template("traced.html.j2")
        .render(
            leak=leak, batches=batches, names=names, css=setting.style(), version=__version__, pictures=PICTURES_MAX
        )
    )


def _batch(one: Together, place: int) -> Batch:
    assert one.traced is not None  # noqa: S101 -- asked before
    traced = one.traced
    named = [(words.visible(one.candidates[each.candidate]), each) for each in traced.named]
    deviations = traced.crowd.deviations
    places = [(name, each.candidate) for name, each in named[:6]]
    crowd = Markup("").join(
        copies.beside_the_crowd(deviations, places, width=width, ident=f"crowd-{place}-{width}")
        for width in (WIDE, NARROW)
    )
    maps = tuple(
        (read.path.name, _map(read, index, named, f"map-{place}-{index}"))
        for index, read in enumerate(one.reads[:PICTURES_MAX])
    )
    falls = tuple(_fall(name, each, one, traced.needed_bits) for name, each in named[:FALLS_MAX])
    runner_up = max(0.0, traced.runner_up_bits)
    return Batch(one.reads, len(one.candidates), traced.needed_bits, runner_up, falls, crowd, maps)


def _map(read: Read, index: int, named: Sequence[tuple[str, Named]], ident: str) -> Markup:
    assert read.reading is not None  # noqa: S101 -- of these alone batches are made
    owned = [(name, each.owned[index]) for name, each in named[:6]] if len(named) > 1 else []
    return Markup("").join(
        copies.in_its_master(read.reading, owned, width=width, ident=f"{ident}-{width}") for width in (WIDE, NARROW)
    )


def _fall(name: str, named: Named, one: Together, needed_bits: float) -> Fall:
    drawn = waterfall.steps(named.evidence.waterfall)
    within = waterfall.scale(drawn, (needed_bits,))
    bars = tuple(waterfall.drawn_bar(step, within, threshold=needed_bits) for step in drawn)
    return Fall(name, named.evidence.bits, one.error_bound(named), drawn, bars)


@cache
def _environment() -> Environment:
    return setting.environment({})
