"""``riparian mark variants`` and ``mark plan``: renditions that an edge puts each account's copy together from."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pyarrow as pa
import typer
from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, options, terminal
from riparian.cli.explain import existing
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.catalogue_table import read_catalogue
from riparian.flows.deliver import masters
from riparian.flows.marking_plan import Tier, plan
from riparian.flows.variants import Prepared, prepare
from riparian.stores.variants.coding import Coding
from riparian.stores.variants.folder import SEGMENT_CHUNKS
from riparian.stores.variants.pressing import press

_USUAL: Final = ("aac:128",)
_FLAC_BITS: Final = 850_000
"""About what FLAC takes of two channels at 44.1 kHz and 16 bits."""
_SURE: Final = 2.0
"""A bit that is so many deviations from its opposite is heard wrongly once in 44 times."""

Rendition = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODEC[:N]",
        help="aac:KBPS, flac or flac:BITS; repeatable, the one to begin with first.",
        show_default="aac:128",
    ),
]


def variants(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Masters: sound files, or folders.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of recordings that an origin serves.")],
    rendition: Rendition = None,
    recording: Annotated[
        str | None, typer.Option(help="What one file is a recording of.", show_default="the name of the file")
    ] = None,
    segment: Annotated[
        int, typer.Option(metavar="CHUNKS", min=1, max=30, help="Chunks, of a second, that a segment has.")
    ] = SEGMENT_CHUNKS,
    strength: Annotated[float, typer.Option(min=0.25, max=4.0, help="Of the mark; 1 is not heard.")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes at once.")] = 1,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Make two renditions of each master, from which an edge puts together what each account gets."""
    codings = [Coding.named(text) for text in rendition or _USUAL]
    with assembly.studio(assembly.Given(workspace), workers=workers) as studio, terminal.bars() as progress:
        found = masters(studio, files, recording)
        progress("marking", 0, len(found) * len(codings))
        made = []
        for one in prepare(studio, found, out, partial(press, codings, segment), strength=strength):
            made.append(one)
            progress("marking", len(made), len(found) * len(codings))
    if json:
        lines.write(_told(one) for one in made)
    else:
        _show(made)


def plan_(
    plays_per_day: Annotated[float, typer.Option(min=1, help="Plays a day, of everything together.")],
    rendition: Rendition = None,
    catalogue: options.Catalogue = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Say what marking would cost in storage and caches, by popularity, before anything is encoded."""
    codings = [Coding.named(text) for text in rendition or _USUAL]
    tiers = plan(_held(catalogue, workspace), [coding.bit_rate or _FLAC_BITS for coding in codings], plays_per_day)
    if json:
        lines.write(_tier(tier) for tier in tiers)
    else:
        _show_plan(tiers)


def _held(catalogue: str | None, workspace: Path) -> pa.Table:
    if catalogue:
        return read_catalogue(catalogue)
    with assembly.opened(assembly.Given(existing(workspace))) as world:
        held = world.catalogue.recordings()
    if held is None:
        raise InputError("the workspace keeps no catalogue, wanted one with a popularity", hint="Name it: --catalogue.")
    return held


def _told(one: Prepared) -> dict[str, Any]:
    return {
        "kind": "variants",
        "recording": one.recording,
        "rendition": one.name,
        "chunks": one.variants.chunks,
        "bytes": 2 * one.variants.places[-1],
        "join_db": round(one.join_db, 1),
        "distances": [round(float(each), 2) for each in one.distances],
        "unheard_share": round(one.unheard_share, 4),
    }


def _show(made: Sequence[Prepared]) -> None:
    right = ("chunks", "both sides", "distance", "lowest tenth", "not heard", "worst join")
    table = terminal.table("recording", "rendition", *right, right=right)
    for one in made:
        low, middle = np.quantile(one.distances, [0.1, 0.5])
        table.add_row(
            escape(words.visible(one.recording)),
            one.name,
            str(one.variants.chunks),
            _size(2 * one.variants.places[-1]),
            f"{middle:.1f}",
            f"{low:.1f}",
            f"{100 * one.unheard_share:.0f} %",
            f"{one.join_db:.1f} dB" if one.join_db > -100 else "none",
        )
    terminal.page.print(table)
    weak = [f"`{words.visible(one.recording)}` as {one.name}" for one in made if np.median(one.distances) < _SURE]
    if weak:
        terminal.say(
            f"Half of the chunks of {weak[0]}{' and others' if weak[1:] else ''} are heard less well than {_SURE}"
            " deviations: it counts only together with other recordings. Raise --strength, or the bit rate."
        )


def _tier(tier: Tier) -> dict[str, Any]:
    return {
        "kind": "marking_tier",
        "until": tier.until,
        "recordings": tier.recordings,
        "plays_share": tier.plays_share,
        "stored_bytes": round(tier.stored_bytes),
        "stored_marked_bytes": round(2 * tier.stored_bytes),
        "held_bytes": round(tier.held_bytes),
        "held_marked_bytes": round(tier.held_marked_bytes),
        "fetched_ratio": round(tier.fetched_ratio, 3),
    }


def _show_plan(tiers: Sequence[Tier]) -> None:
    right = ("recordings", "plays", "storage", "marked", "edge holds", "marked ", "fetched", "added per 1 % of plays")
    table = terminal.table("most popular", *right, right=right)
    for tier in tiers:
        percent = 100 * tier.plays_share
        table.add_row(
            f"to {100 * tier.until:.3g} %",
            f"{tier.recordings:,}",
            f"{percent:.1f} %",
            _size(tier.stored_bytes),
            _size(2 * tier.stored_bytes),
            _size(tier.held_bytes),
            _size(tier.held_marked_bytes),
            f"× {tier.fetched_ratio:.2f}",
            _size(tier.stored_bytes / percent) if percent else "",
        )
    terminal.page.print(table)


def _size(n_bytes: float) -> str:
    power = min(4, max(0, int(np.log10(max(1.0, n_bytes)) // 3)))
    return f"{n_bytes / 1000**power:.{0 if power == 0 else 1}f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
