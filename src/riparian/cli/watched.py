"""How is what was seen told: to people as tables, to programs as JSON?"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from riparian.cli import terminal
from riparian.console import words
from riparian.flows.watching import Watched
from riparian.ports.mirrors import Sighted, Sightings
from riparian.stores.sightings import NAME

_SHOWN: Final = 40
_OFFERED: Final = 5
_FAULTS: Final = 8


@dataclass(slots=True)
class Round:
    """What came of a source: of reading it, and of listening.

    Parameters
    ----------
    heard
        How many files were listened to.
    new, ours
        How many sightings were told as new, and how many of those that were told hold something of ours.
    said_to_be
        Which recordings of ours sightings are said to be, by their numbers.
    """

    watched: Watched
    sightings: Sightings
    heard: int = 0
    new: int = 0
    ours: int = 0
    said_to_be: Mapping[int, str] = field(default_factory=dict)

    def untold(self) -> Iterator[tuple[Sighted, bool]]:
        """Give what nobody was told of, and whether it is new; count it."""
        for one, is_new in self.sightings.untold(self.watched.source.name):
            self.new += is_new
            self.ours += bool(one.ours)
            yield one, is_new


def told(rounds: Sequence[Round]) -> Iterator[dict[str, Any]]:
    """Write what is new, what could not be read, and a summary a source, for programs."""
    for one in rounds:
        for sighted, is_new in one.untold():
            yield {**row(sighted, is_new=is_new), "said_to_be": one.said_to_be.get(sighted.number)}
        for where, why in one.watched.faults:
            yield {"kind": "failed", "source": one.watched.source.name, "url": where, "why": why}
        yield {
            "kind": "summary",
            "source": one.watched.source.name,
            "permitted_by": one.watched.source.permitted_by or None,
            "documents": one.watched.documents,
            "named": one.watched.seen,
            "new": one.new,
            "heard": one.heard,
            "ours": one.ours,
            "failed": one.watched.n_faults,
            "went_on": one.watched.goes_on,
            "whole": one.watched.is_whole,
        }


def row(one: Sighted, *, is_new: bool) -> dict[str, Any]:
    """Give a sighting as one object: the columns of ``SIGHTING``, and what came of it."""
    item = one.item
    return {
        "kind": "sighting",
        "new": is_new,
        "source": one.source,
        "source_kind": one.kind,
        "what": str(item.what),
        "url": item.url,
        "title": item.title or None,
        "artist": item.artist or None,
        "isrc": item.isrc or None,
        "length_us": item.length_us,
        "bytes": item.bytes,
        "changed_us": item.changed_us,
        "first_us": one.first_us,
        "seen_us": one.seen_us,
        "permitted_by": one.permitted_by or None,
        "digest": item.digest or None,
        "heard": one.heard is not None,
        "why_not": one.why_not or None,
        "ours": list(one.ours),
        "issued": list(one.issued) if one.issued is not None else None,
        "case": one.case or None,
    }


def show(rounds: Sequence[Round]) -> None:
    """Tell people what is new."""
    ours: list[Sighted] = []
    said: list[Sighted] = []
    others: list[Sighted] = []
    named: dict[int, str] = {}
    n = 0
    for one in rounds:
        _faults(one.watched)
        for sighted, _ in one.untold():
            n += 1
            some = ours if sighted.ours else said if sighted.number in one.said_to_be else others
            if len(some) < _SHOWN:
                some.append(sighted)
        named |= one.said_to_be
    # What is ours first: it is what somebody looks for.
    shown = [*ours, *said, *others][:_SHOWN]
    table = terminal.table("what", "where", "called", "holds (chance wrong)", "issued to")
    for sighted in shown:
        cells = (
            str(sighted.item.what),
            _near(sighted.item.url),
            _called(sighted),
            _holds(sighted, named),
            _issued(sighted),
        )
        table.add_row(*(escape(words.visible(cell, longest=100)) for cell in cells))
    if shown:
        terminal.page.print(table)
    if n > len(shown):
        terminal.page.print(f"and {n - len(shown):,} more: those are listed with --json, or in {NAME}")
    for one in rounds:
        _summary(one)
    for why in dict.fromkeys(str(found["why_not"]) for one in ours for found in one.issued or () if "why_not" in found):
        terminal.say(f"Not traced: {words.visible(why, longest=200)}.")
    _offer([sighted for sighted in ours if not sighted.case])


def show_log(log: Sequence[dict[str, Any]]) -> None:
    """Tell people who was asked, and who permitted it."""
    table = terminal.table("when", "source", "permitted by", "documents", "named", "new")
    for one in log[-_SHOWN:]:
        cells = (
            f"{datetime.fromtimestamp(one['at_us'] / 1e6, UTC):%Y-%m-%d %H:%M}",
            _near(one["source"]),
            one["permitted_by"] or "one's own",
            *(f"{one[name]:,}" if one[name] is not None else "not ended" for name in ("documents", "seen", "new")),
        )
        table.add_row(*(escape(words.visible(cell, longest=100)) for cell in cells))
    terminal.page.print(table)


def _near(place: str) -> str:
    """Give a path as whoever stands here would write it; an address as it is."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here) if "://" not in place else place


def _called(one: Sighted) -> str:
    return " – ".join(part for part in (one.item.artist, one.item.title) if part)


def _holds(one: Sighted, said_to_be: Mapping[int, str]) -> str:
    if one.ours:
        return ", ".join(f"{found['recording']} ({words.chance(found['error'])})" for found in one.ours)
    if one.why_not:
        return f"not heard: {one.why_not}"
    if one.heard is None and one.number in said_to_be:
        return f"said to be {said_to_be[one.number]}"
    return "none of ours" if one.heard is not None else ""


def _issued(one: Sighted) -> str:
    return ", ".join(str(found["account"]) for found in one.issued or () if "account" in found)


def _faults(watched: Watched) -> None:
    for where, why in watched.faults[:_FAULTS]:
        terminal.say(f"Not read: {words.visible(_near(where), longest=160)}: {words.visible(why, longest=200)}.")
    if watched.n_faults > _FAULTS:
        terminal.say(f"and {watched.n_faults - _FAULTS:,} more; --json lists a hundred.")


def _summary(one: Round) -> None:
    watched = one.watched
    documents = words.counted(watched.documents, "document")
    went_on = ", going on where it was cut off" if watched.goes_on else ""
    rest = "" if watched.is_whole else "; the next round goes on"
    name = words.visible(_near(watched.source.name), longest=160)
    terminal.page.print(
        f"{one.new:,} new of {watched.seen:,} named in {documents} of {name}{went_on}{rest}.", markup=False
    )


def _offer(found: Sequence[Sighted]) -> None:
    for one in found[:_OFFERED]:
        # Without a shell's marks nothing that somebody else named is run by whoever copies it.
        at = one.item.url if "://" in one.item.url else "URL"
        parts = ["riparian", "case", "found", _near(one.file), "--at", at, "--to", "KEY", "--source", _near(one.source)]
        said = " ".join(part if part in {"URL", "KEY"} else shlex.quote(part) for part in parts)
        if said.isprintable():
            terminal.page.print(f"To follow it: {said}", markup=False, soft_wrap=True)
