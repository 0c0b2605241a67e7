"""What are the rows of a text with delimiters, and when is a text one?

A quote that is never closed would make one cell of all that follows: after :data:`RECORD_LINES_MAX` lines, or at the
end, the line that opened it is read as if quotes meant nothing, and the lines after it are read again.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from riparian.feeds.dumps.lines import Lines
from riparian.feeds.dumps.naming import is_a_name, is_value
from riparian.feeds.dumps.sheets import BATCH_ROWS, COLUMNS_MAX, SHOWN_CHARS, Batch, Reject, Sheet, framed, names_of

RECORD_LINES_MAX: Final = 64
DELIMITERS: Final = ("\t", "\x1f", "<SEP>", ";", "|", ",")
LOOKED_LINES: Final = 200
_ALIKE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Cut:
    """How a text is cut: by what, into how many, and what share of its lines is."""

    delimiter: str
    columns: int
    alike: float


def cut_of(lines: Sequence[str]) -> Cut | None:
    """Say by what lines are cut into columns, if they are.

    Examples
    --------
    >>> cut_of(["title,artist", '"Yes, yes",A', "No,B"])
    Cut(delimiter=',', columns=2, alike=1.0)
    >>> cut_of(["Adele - Hello", "Tyler, The Creator, Kali Uchis - See You Again"]) is None
    True
    """
    some = [line for line in lines[:LOOKED_LINES] if line.strip()]
    found = []
    for delimiter in DELIMITERS:
        try:
            counts = Counter(len(row) for row in records(iter(some), delimiter) if isinstance(row, list))
        except csv.Error:
            continue
        columns, times = counts.most_common(1)[0] if counts else (0, 0)
        alike = times / max(1, counts.total())
        if columns >= 2 and alike >= _ALIKE:
            found.append(Cut(delimiter, min(columns, COLUMNS_MAX), alike))
    return max(found, key=lambda cut: (round(cut.alike, 1), cut.delimiter in "\t\x1f<SEP>", cut.columns), default=None)


class _Unclosed(Exception):  # noqa: N818 -- caught in this module
    pass


class _Fed:
    # Lines for the csv module, kept until a record is complete.
    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.again: deque[str] = deque()
        self.since: list[str] = []
        self.ended = False

    def __iter__(self) -> "_Fed":
        return self

    def __next__(self) -> str:
        if len(self.since) >= RECORD_LINES_MAX:
            raise _Unclosed
        if self.again:
            line = self.again.popleft()
        else:
            try:
                line = next(self._lines)
            except StopIteration:
                self.ended = True
                raise
        self.since.append(line)
        return line


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == "\x1f":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter)


def records(lines: Iterator[str], delimiter: str) -> Iterator[list[str] | str]:
    r"""Give the cells of every record, and as it stands what is none.

    Examples
    --------
    >>> list(records(iter(['a,"b', 'c",d', 'e,"f', "g,h"]), ","))
    [['a', 'b\nc', 'd'], ['e', '"f'], ['g', 'h']]
    """
    single = delimiter if len(delimiter) == 1 else "\x1f"
    fed = _Fed(f"{line.replace(delimiter, single)}\n" for line in lines)
    while True:
        reader = _reader(fed, single)
        try:
            for row in reader:
                if fed.ended and len(fed.since) > 1 and sum(line.count('"') for line in fed.since) % 2:
                    raise _Unclosed  # noqa: TRY301 -- as from within the reader
                fed.since.clear()
                yield row
        except (_Unclosed, csv.Error):
            first, *others = fed.since
            fed.again.extendleft(reversed(others))
            fed.since.clear()
            first = first.rstrip("\n")
            yield first.split(single) if len(first) < csv.field_size_limit() else first
            continue
        return


def delimited_sheet(source: str, lines: Lines, taken: Iterator[str], cut: Cut) -> Sheet:
    """Read a text with delimiters; ``taken`` gives every line of ``lines``."""
    rows = records(taken, cut.delimiter)
    begun = [row for row in islice(rows, LOOKED_LINES) if not isinstance(row, list) or any(row)]
    head = next((row for row in begun if isinstance(row, list) and len(row) >= 2), [])
    below = [row for row in begun if isinstance(row, list) and row is not head]
    has_names = is_header(head, below)
    if has_names:
        begun.remove(head)
    width = len(head) if has_names else cut.columns
    names = names_of(head[:COLUMNS_MAX] if has_names else [""] * width)
    return Sheet(source, "delimited text", _batches(source, names, chain(begun, rows), lines), has_names)


def is_header(head: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Say whether a first row names the columns rather than being a row of them.

    Examples
    --------
    >>> is_header(["Track Name", "Length"], [["Hello", "3:12"]]), is_header(["Hello", "3:12"], [["Skyfall", "4:46"]])
    (True, False)
    """
    if any(is_value(cell) for cell in head):
        return False
    if any(is_a_name(cell) for cell in head):
        return True
    return any(
        sum(is_value(row[place]) for row in below if place < len(row)) > len(below) / 2 for place in range(len(head))
    ) and bool(below)


def _batches(source: str, names: list[str], rows: Iterable[list[str] | str], lines: Lines) -> Iterator[Batch]:
    width, at = len(names), 0
    rows = iter(rows)
    while some := list(islice(rows, BATCH_ROWS)):
        kept: list[list[str]] = []
        rejects: list[Reject] = []
        for row in some:
            at += 1
            if isinstance(row, str):
                rejects.append(Reject(source, at, "a cell that is too long", row[:SHOWN_CHARS]))
            elif len(row) == width:
                kept.append(row)
            elif len(row) < width or not any(row[width:]):
                kept.append((row + [""] * (width - len(row)))[:width])
            else:
                why = f"{len(row)} cells, wanted {width}"
                rejects.append(Reject(source, at, why, "|".join(row)[:SHOWN_CHARS]))
        rejects += [Reject(source, n, "a line that is too long", text[:SHOWN_CHARS]) for n, text in lines.cut]
        lines.cut.clear()
        columns = zip(*kept, strict=True) if kept else [() for _ in names]
        yield Batch(framed(dict(zip(names, columns, strict=True))), tuple(rejects))
    late = [Reject(source, n, "a line that is too long", text[:SHOWN_CHARS]) for n, text in lines.cut]
    if late:
        lines.cut.clear()
        yield Batch(framed({name: [] for name in names}), tuple(late))
