"""How does what documents say come into the catalogue, and are the files still what they must be?

Batches are taken many at a time, each lot in one transaction.  Whoever interrupts it gives the same command again: what
was taken is read once more, and not taken again.  A scrub goes on where it was left, for days if need be; nobody waits
for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pyarrow as pa

from riparian.catalogue.holdings import PLAYED, Document, Holding
from riparian.errors import InputError
from riparian.flows.extraction import Progress, silent
from riparian.ports.catalogue import Entry, Holdings, Looked, Master, Scrub, Taken

LOT_ROWS: Final = 65_536
LOT_BATCHES: Final = 4_096
"""What is taken at once."""
_FILES: Final = 64
_SAID_EVERY: Final = 1 << 26


def add(
    holdings: Holdings,
    said: Iterable[Holding],
    *,
    at_us: int | None = None,
    progress: Progress = silent,
) -> Taken:
    """Take whatever is read; what was read before something goes wrong is taken.

    Parameters
    ----------
    said
        Batches, those of one document one after another.
    at_us
        When whatever says no date is said; now, if none is given.
    """
    taken, lot = Taken(), _Lot()
    try:
        for holding in said:
            lot.put(holding)
            if lot.is_full:
                taken = _take(holdings, lot, taken, at_us, progress)
        lot.end()
    finally:
        taken = _take(holdings, lot, taken, at_us, progress)
        holdings.settle()
    return taken


@dataclass(slots=True)
class _Lot:
    """What is taken next, and which document it is in."""

    batches: list[Holding] = field(default_factory=list)
    ended: list[Document] = field(default_factory=list)
    at: Document | None = None
    rows: int = 0

    def put(self, holding: Holding) -> None:
        if self.at is not None and self.at != holding.document:
            self.ended.append(self.at)
        self.at = holding.document
        self.batches.append(holding)
        tables = (holding.recordings, holding.identifiers, holding.titles, holding.tracks, holding.played)
        self.rows += sum(len(table) for table in tables)

    def end(self) -> None:
        if self.at is not None:
            self.ended.append(self.at)

    @property
    def is_full(self) -> bool:
        return self.rows >= LOT_ROWS or len(self.batches) >= LOT_BATCHES

    def clear(self) -> None:
        self.batches, self.ended, self.rows = [], [], 0


def _take(holdings: Holdings, lot: _Lot, taken: Taken, at_us: int | None, progress: Progress) -> Taken:
    if not lot.batches and not lot.ended:
        return taken
    taken = taken.plus(holdings.take(*lot.batches, ended=lot.ended, at_us=at_us))
    lot.clear()
    progress("recordings taken", taken.recordings, None)
    return taken


def snapshot(table: pa.Table, on: date, document: Document) -> Holding:
    """Make a batch of how much recordings were played, as counted on a day.

    Parameters
    ----------
    table
        Schema ``RECORDING``, with a ``popularity``.

    Raises
    ------
    InputError
        When it has none.
    """
    if "popularity" not in table.column_names or not len(table["popularity"].drop_null()):
        raise InputError(
            f"`{document.name}` does not say how much anything is played, wanted a column such as plays",
            hint="Name the column plays, streams or popularity.",
        )
    counted = table.filter(table["popularity"].is_valid())
    n = len(counted)
    columns = [counted["recording"], pa.array([on] * n, pa.date32()), pa.array(["plays"] * n), counted["popularity"]]
    return Holding(document, played=pa.table(columns, schema=PLAYED))


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what JSON can say of a row of the catalogue; what is not known is left out.

    Examples
    --------
    >>> plain_row({"recording": "r-1", "released": date(2002, 5, 1), "album": None})
    {'recording': 'r-1', 'released': '2002-05-01'}
    """
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in row.items()
        if value is not None
    }


def plain_entry(entry: Entry) -> dict[str, Any]:
    """Give what JSON can say of all that is known of a recording; kind ``recording``."""
    parts = {name: [plain_row(row) for row in rows] for name, rows in entry.parts.items()}
    return {"kind": "recording", "held": entry.is_held, **plain_row(entry.recording), **parts}


def day_of(text: str) -> date | None:
    """Read a day that somebody wrote; None where nothing is written.

    Raises
    ------
    InputError
        When it is none.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"`{text}` is no day, wanted one as in 2026-03-25") from error


def verify(
    holdings: Holdings,
    look: Callable[[Master, Callable[[int], None]], Looked],
    now_us: Callable[[], int],
    *,
    anew: bool = False,
    progress: Progress = silent,
) -> Scrub:
    """Look at every file, or go on where the last scrub was left; :meth:`Holdings.amiss` says what was found.

    Parameters
    ----------
    look
        Reads one, and tells how many bytes it read.
    now_us
        The time.
    anew
        Whether a scrub that was left is not gone on with.
    """
    scrub = holdings.scrub(now_us(), anew=anew)
    total, done, read = scrub.done + scrub.left, scrub.done, 0

    def has_read(n: int) -> None:
        nonlocal read
        if (read + n) // _SAID_EVERY > read // _SAID_EVERY:
            progress("files looked at", done, total)
        read += n

    progress("files looked at", done, total)
    while some := holdings.unseen(_FILES):
        looked = []
        try:
            for master in some:
                looked.append(look(master, has_read))
                done += 1
                progress("files looked at", done, total)
        finally:
            holdings.keep_looked(looked, now_us())
    return Scrub(scrub.begun_us, done, 0, scrub.nowhere)


__all__ = ["LOT_BATCHES", "LOT_ROWS", "add", "day_of", "plain_entry", "plain_row", "snapshot", "verify"]
