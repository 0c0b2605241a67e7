"""A ring as a person reads it in a terminal, and as a program reads it."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from riparian.cli import render, terminal
from riparian.console import words
from riparian.flows.rings import Ringed, because_of, ring_label, words_of

SHOWN: Final = 20


def explanation(found: Ringed, names: Sequence[str], *, recompute: str) -> RenderableType:
    """Lay out everything that is known of one ring.

    Parameters
    ----------
    names
        Of its members, in their order, as the operator calls them.
    recompute
        The command that computes it again.
    """
    row, seen = found.row, found.overlap
    told = [
        ("found", words.moment(row["found_us"])),
        *((("because", why) if not place else ("", why)) for place, why in enumerate(because_of(row))),
        ("a mistake if", found.evidence.claim.null),
    ]
    if len(seen.days):
        by_lot, was = words_of(float(seen.expected[-1])), f"{seen.seen[-1]:,.0f}"
        told.append(("overlap", f"fetches of what another member had had before: {by_lot} by lot, {was} seen"))
    told += [
        ("restrains", "nobody: each account is restrained by its own bits alone"),
        ("compute again", words.visible(recompute)),
    ]
    return Group(
        Text(ring_label(row["ring"]), style="bold"),
        Text(),
        render.steps(found.evidence),
        Text(),
        render.pairs(told),
        *_where(found),
        Padding(_members(found, names), (1, 0, 0, 0)),
    )


def _where(found: Ringed) -> Iterator[RenderableType]:
    if not found.artists:
        return
    table = terminal.table("inside the cells of", "by lot", "seen", right=("by lot", "seen"))
    for artist, expected, seen in found.artists:
        table.add_row(Text(words.visible(artist)), words_of(expected), words.count(seen))
    yield Padding(table, (1, 0, 0, 0))


def _members(found: Ringed, names: Sequence[str]) -> Table:
    table = terminal.table("account", "bits of its own", "action", right=("bits of its own",))
    for name, member in list(zip(names, found.members, strict=True))[:SHOWN]:
        action = terminal.NAMES[member.restraint]
        table.add_row(Text(words.visible(name)), words.bits(member.bits), terminal.styled(action))
    if len(names) > SHOWN:
        table.add_row(Text(f"and {len(names) - SHOWN:,} more: --json lists all"), "", "")
    return table
