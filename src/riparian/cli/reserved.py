"""What ``riparian terms`` tells, and what it is given beside the workspace: certificates, and what a site shows."""

import json as writing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from riparian.assembly import WallClock
from riparian.catalogue import chain
from riparian.catalogue.channels.compare import Checked
from riparian.catalogue.consent import Asked, Decided, Ledger
from riparian.catalogue.terms import Term, Use, line_of
from riparian.cli import lines, terminal
from riparian.console import words
from riparian.errors import InputError
from riparian.feeds.sites import Showing, ask_site, read_copy
from riparian.stores.terms_keys import Certificate, made_certificate

_SHOWN: Final = 40


def given_certificate(workspace: Path, chain: Path | None, key: Path | None, algorithm: str) -> Certificate:
    """Read whoever signs manifests of sound; the workspace's own, which nobody vouches for, where none is given.

    Raises
    ------
    InputError
        When only one of the two files is given, or one cannot be read.
    """
    if chain is None and key is None:
        return made_certificate(workspace, WallClock().now_us())
    if chain is None or key is None:
        raise InputError("one of `--certificate` and `--key` is given, wanted both or neither")
    try:
        return Certificate(chain.read_bytes(), key.read_bytes(), algorithm)
    except OSError as error:
        raise InputError(f"`{error.filename}` cannot be read: {error.strerror}, wanted a file of PEM") from error


def site_of(name: str, pages: Sequence[str], anchors: Path | None) -> Showing:
    """Read what a site shows to machines: of a copy in a folder, or, of an address, from the site itself.

    Raises
    ------
    InputError
        When it is neither, or the anchors cannot be read.
    OutsideError
        When the site cannot be reached.
    """
    try:
        trusted = anchors.read_text(encoding="ascii") if anchors is not None else ""
    except (OSError, ValueError) as error:
        raise InputError(f"`{anchors}` cannot be read, wanted certificates as PEM") from error
    return ask_site(name, pages, anchors=trusted) if "://" in name else read_copy(Path(name), anchors=trusted)


def tell_rows(rows: list[Term], json: bool) -> None:
    """Show rows of the ledger."""
    if json:
        lines.write({"kind": "term", "digest": row.digest, **writing.loads(line_of(row))} for row in rows)
        return
    table = terminal.table("digest", "of", "use", "says", "where", "when", "to", "document")
    for row in rows:
        table.add_row(*(escape(words.visible(text)) for text in _cells(row)))
    terminal.page.print(table)


def _cells(row: Term) -> Iterator[str]:
    yield row.digest[:12]
    yield f"{row.scope} {row.subject}".strip()
    yield row.use
    yield (
        f"takes back {row.withdraws[:12]}"
        if row.withdraws
        else row.says + (f" ({row.conditions})" if row.conditions else "")
    )
    yield " ".join(sorted(row.territories)) or "everywhere" + (
        f" but {' '.join(sorted(row.except_in))}" if row.except_in else ""
    )
    begins, ends = (_day(at) for at in (row.begins_us, row.ends_us))
    yield f"{begins} to {ends}" if begins or ends else "always"
    yield row.grantee or "anybody"
    yield row.document


def _day(at_us: int | None) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).date().isoformat() if at_us is not None else ""


def tell_decided(ledger: Ledger, asked: Asked, use: Use | None, json: bool) -> None:
    """Show what holds of each use, and by which row."""
    every = [replace(asked, use=one) for one in (Use if use is None else [use])]
    answers = [(one, ledger.decide(one), ledger.speaking(one)) for one in every]
    if json:
        lines.write(_told(one, held, rows) for one, held, rows in answers)
        return
    table = terminal.table("use", "is", "by", "row")
    for one, held, _ in answers:
        by = "nobody says anything" if held.by is None else held.document
        stance = held.stance + (f": {held.conditions}" if held.conditions else "")
        cells = (one.use, stance, by, held.by.digest[:12] if held.by is not None else "")
        table.add_row(*(escape(words.visible(text)) for text in cells))
    terminal.page.print(table)


def _told(asked: Asked, held: Decided, rows: list[Term]) -> dict[str, Any]:
    return {
        "kind": "decided",
        "use": asked.use,
        "recording": asked.recording or None,
        "label": asked.label or None,
        "stance": held.stance,
        "conditions": held.conditions or None,
        "document": held.by.document if held.by is not None else None,
        "rows": [{"digest": row.digest, **writing.loads(line_of(row))} for row in rows],
    }


def told_entry(entry: chain.Entry) -> Mapping[str, Any]:
    """Give an entry of the chain as one object."""
    return {
        "number": entry.number,
        "at": entry.day,
        "rows": entry.rows,
        "added": len(entry.added),
        "files": dict(entry.files),
        "key": entry.key,
    }


def tell_checked(found: Checked, json: bool, permitted_by: str) -> None:
    """Show contradictions, what says nothing, and how much was looked at."""
    if json:
        lines.write(_checked_lines(found, permitted_by))
        return
    table = terminal.table("where", "permits", "reserves", "what", "paths", right=("paths",))
    for one in found.contradictions[:_SHOWN]:
        cells = (
            one.path if one.agent == "*" else f"{one.path} to {one.agent}",
            f"{one.permits.where}: {one.permits.text}",
            f"{one.reserves.where}: {one.reserves.text}",
            ", ".join(sorted(one.deeds)),
            f"{one.paths:,}",
        )
        table.add_row(*(escape(words.visible(text)) for text in cells))
    if table.row_count:
        terminal.page.print(table)
    if len(found.contradictions) > _SHOWN:
        terminal.page.print(f"and {len(found.contradictions) - _SHOWN:,} more; --json lists them")
    for fault in found.faults[:_SHOWN]:
        terminal.say(words.visible(f"{fault.where}: {fault.why}"))
    forms = ", ".join(f"{name} ({n:,})" for name, n in found.says.items()) or "no form at all"
    n = words.counted(len(found.contradictions), "contradiction")
    terminal.page.print(f"{n} in {words.counted(found.paths, 'path')}; said in {escape(forms)}.")
    if found.passed_over:
        terminal.say(f"{found.passed_over:,} more paths were not looked at.")


def _checked_lines(found: Checked, permitted_by: str) -> Iterator[dict[str, Any]]:
    for one in found.contradictions:
        sides = {
            name: {"channel": side.channel, "where": side.where, "text": side.text}
            for name, side in (("permits", one.permits), ("reserves", one.reserves))
        }
        yield {
            "kind": "contradiction",
            "path": one.path,
            "paths": one.paths,
            "agent": one.agent,
            "deeds": sorted(one.deeds),
            **sides,
        }
    for fault in found.faults:
        yield {"kind": "fault", "where": fault.where, "why": fault.why}
    yield {
        "kind": "summary",
        "contradictions": len(found.contradictions),
        "faults": len(found.faults),
        "paths": found.paths,
        "passed_over": found.passed_over,
        "says": dict(found.says),
        "permitted_by": permitted_by or None,
    }
