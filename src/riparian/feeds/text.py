"""Logs in text: stretches of lines to coded chunks, whatever the layout of the lines.

A stretch is scanned once for the wanted values.  Lines that the scanner leaves are read again one by
one with the standard library, which gets their values or says why not; so the fast way and the slow
way agree, and a bad line costs its own time and not that of its neighbours.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.errors import InputError
from riparian.feeds.chunks import LINE_BYTES_MAX, REJECTS_MAX, TEXT_CHARS_MAX, Chunk, ReadOptions, Reject
from riparian.feeds.coding import Coded, Door, code_table, no_accesses
from riparian.feeds.fields import Plan, recognise
from riparian.feeds.layouts import Layout, recognise_layout, sample_columns, w3c_delimiter, w3c_fields
from riparian.feeds.scanners import BLANK, READ, SLOW, Spans, texts_at
from riparian.feeds.stretches import Cutter, Known, Stretch, new_parts

_FIELDS_LINE: Final = re.compile(rb"^#Fields:[^\n]*", re.MULTILINE)
_SHOWN: Final = ("at", "date", "time", "recording", "action", "status", "method")
_TOO_LONG: Final = f"longer than {LINE_BYTES_MAX >> 20} MiB, wanted a shorter line"


@dataclass(slots=True)
class TextLog:
    """One text log while it is read.

    Parameters
    ----------
    source
        As the operator named it.
    options, door
        How to read and to code.
    known
        Whether a digest was counted before.
    """

    source: str
    options: ReadOptions
    door: Door
    known: Known
    offset: int = 0
    line: int = 1
    layouts: list[tuple[int, Layout]] = field(default_factory=list)
    plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)

    def chunks(self, blocks: Iterable[bytes], *, grows: bool = True) -> Iterator[Chunk]:
        """Read the next bytes of the log, decompressed; ``grows`` when more may follow.

        Raises
        ------
        InputError
            When the format or a needed column is not recognised, or there is no line to read at all.
        """
        cutter = Cutter(self.options.chunk_bytes, grows, offset=self.offset, line=self.line)
        why_not = ""
        for stretch in cutter.cut(blocks):
            if stretch.rejects and not why_not:
                why_not = f"has no line shorter than {LINE_BYTES_MAX >> 20} MiB"
            why_not = stretch.broken or why_not
            for chunk in _only_rejects(stretch, self):
                if not self.known(chunk.digest):
                    yield chunk
            if not stretch.ends.size or (not self.layouts and not stretch.data.strip()):
                continue
            _learn(stretch, self)
            for digest, part in new_parts(stretch, self.known, cutter.extend):
                found = _Found()
                for segment, layout in _segments(part, self):
                    _code_part(segment, layout, self, found)
                yield found.chunk(digest, part, self.source)
        self.offset, self.line = cutter.offset, cutter.line
        if why_not and not self.layouts:
            raise InputError(
                f"`{self.source}` {why_not}, wanted a log in lines", hint="Leave it out, convert it or copy it again."
            )

    def learn(self, sample: bytes) -> None:
        """Know the layout, and which column is which, from lines that were seen elsewhere.

        Raises
        ------
        InputError
            When the format or a needed column is not recognised.
        """
        for stretch in Cutter(len(sample) + 1, grows=False).cut([sample]):
            if stretch.ends.size and stretch.data.strip():
                _learn(stretch, self)

    def plan(self, layout: Layout, data: bytes) -> Plan | None:
        """Say which column is which, once for each set of columns; None as long as there are no values."""
        if layout.columns not in self.plans:
            sample = sample_columns(layout, data)
            if not any(sample.values()):
                return None
            self.plans[layout.columns] = recognise(
                sample,
                source=self.source,
                mapping=self.options.map,
                given=self.door.gives,
                wanted=self.options.columns,
            )
        return self.plans[layout.columns]

    def layout_at(self, offset: int) -> Layout:
        """Give the layout of the lines at an offset."""
        return [layout for begin, layout in self.layouts if begin <= offset or begin == self.layouts[0][0]][-1]


@dataclass(slots=True)
class _Found:
    """What the lines of a part gave, before they are made a chunk."""

    tables: list[pa.Table] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    codes: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    n_rejected: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def reject(self, reject: Reject) -> None:
        self.n_rejected += 1
        if len(self.rejects) < REJECTS_MAX:
            self.rejects.append(reject)

    def drop(self, reason: str, n: int) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + n

    def take(self, coded: Coded) -> None:
        self.tables.append(coded.accesses)
        self.codes.append(coded.ids[0])
        self.names.extend(coded.ids[1])
        for reason, n in coded.dropped.items():
            self.drop(reason, n)

    def chunk(self, digest: bytes, part: Stretch, source: str) -> Chunk:
        accesses = pa.concat_tables(self.tables, promote_options="default") if self.tables else no_accesses()
        codes = np.concatenate(self.codes) if self.codes else np.zeros(0, np.uint64)
        self.rejects.sort(key=lambda reject: reject.line)
        return Chunk(
            digest=digest,
            source=source,
            offset=part.offset,
            n_lines=part.ends.size,
            accesses=accesses,
            ids=(codes, self.names),
            rejects=self.rejects,
            n_rejected=self.n_rejected,
            dropped=self.dropped,
        )


def _valid(part: Stretch) -> Stretch:
    # Bytes that are not UTF-8 become U+FFFD; line ends stay where they are among the lines.
    if part.data.isascii():
        return part
    try:
        part.data.decode("utf-8")
    except UnicodeDecodeError:
        data = part.data.decode("utf-8", "replace").encode()
        return replace(part, data=data, ends=np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")))
    return part


def _line(part: Stretch, i: int) -> bytes:
    lo = int(part.ends[i - 1]) + 1 if i else 0
    return part.data[lo : int(part.ends[i])].removesuffix(b"\r")


def _read_slowly(
    part: Stretch, layout: Layout, wanted: Sequence[str], spans: Spans, log: TextLog, found: _Found
) -> None:
    # Values of the lines that are read go behind the text; the spans then point there.
    more = bytearray()
    behind = len(part.data)
    for i in np.flatnonzero(spans.state == SLOW).tolist():
        raw = _line(part, i)
        if (layout.kind == "w3c" and raw.startswith(b"#")) or raw == layout.header:
            spans.state[i] = BLANK
            continue
        try:
            values = layout.values(raw.decode("utf-8", "replace"), wanted)
        except ValueError as error:
            text = raw[: 4 * TEXT_CHARS_MAX].decode("utf-8", "replace")[:TEXT_CHARS_MAX]
            found.reject(Reject(log.source, part.line + i, str(error), text))
            spans.state[i] = BLANK
            continue
        for column, value in enumerate(values):
            octets = b"" if value is None else value.encode("utf-8", "replace")
            spans.starts[column, i] = -1 if value is None else behind + len(more)
            spans.ends[column, i] = behind + len(more) + len(octets)
            more += octets
    if more:
        spans.data = np.concatenate([spans.data, np.frombuffer(bytes(more), dtype=np.uint8)])


def _headers_out(part: Stretch, layout: Layout, spans: Spans) -> None:
    if layout.header and (part.line == 1 or part.data.find(layout.header) >= 0):
        lengths = np.diff(part.ends, prepend=-1) - 1
        near = (lengths >= len(layout.header)) & (lengths <= len(layout.header) + 1)
        for i in np.flatnonzero(near & (spans.state != BLANK)).tolist():
            if _line(part, i) == layout.header:
                spans.state[i] = BLANK
    if layout.kind == "w3c":
        first = np.zeros(part.ends.size, dtype=np.int64)
        first[1:] = part.ends[:-1] + 1
        spans.state[spans.data[first] == ord("#")] = BLANK


def _shown(table: pa.Table, plan: Plan, row: int) -> str:
    # Whatever may name an account stays out of the rejects.
    parts = [f"{name}={table.column(plan.columns[name])[row].as_py()}" for name in _SHOWN if name in plan.columns]
    return " ".join(parts)[:TEXT_CHARS_MAX]


def reject_rows(coded: Coded, table: pa.Table, plan: Plan, source: str, lines: npt.NDArray[Any]) -> list[Reject]:
    """Say of rows without a time why they were rejected; ``lines`` gives the line of each row."""
    pairs = zip(coded.bad[:REJECTS_MAX].tolist(), coded.bad_because, strict=False)
    return [Reject(source, int(lines[row]), why, _shown(table, plan, row)) for row, why in pairs]


def _later_plan(part: Stretch, layout: Layout, log: TextLog) -> Plan | None:
    # The first thousand lines may be bad: look at the first good one.
    spans = layout.scan(part.data, part.ends, [])
    _headers_out(part, layout, spans)
    good = np.flatnonzero(spans.state == READ)
    if not good.size:
        return None
    i = int(good[0])
    return log.plan(layout, part.data[int(part.ends[i - 1]) + 1 if i else 0 :])


def _code_part(part: Stretch, layout: Layout, log: TextLog, found: _Found) -> None:
    part = _valid(part)
    plan = log.plan(layout, part.data) or _later_plan(part, layout, log)
    wanted = list(dict.fromkeys(plan.columns.values())) if plan else []
    spans = layout.scan(part.data, part.ends, wanted)
    _headers_out(part, layout, spans)
    _read_slowly(part, layout, wanted, spans, log, found)
    rows = np.flatnonzero(spans.state != BLANK)
    if plan is None:
        return
    table = pa.table([texts_at(spans, column, rows) for column in range(len(wanted))], names=wanted)
    coded = code_table(table, plan, log.door)
    found.take(coded)
    for reject in reject_rows(coded, table, plan, log.source, part.line + rows):
        found.reject(reject)
    found.n_rejected += max(coded.bad.size - REJECTS_MAX, 0)


def _segments(part: Stretch, log: TextLog) -> Iterator[tuple[Stretch, Layout]]:
    # A W3C log may name its fields anew in the middle.
    cuts = [begin - part.offset for begin, _ in log.layouts if part.offset < begin < part.offset + len(part.data)]
    first = 0
    for cut in [*cuts, len(part.data)]:
        last = int(np.searchsorted(part.ends, cut))
        if last > first:
            yield part.part(first, last), log.layout_at(part.offset + (int(part.ends[first - 1]) + 1 if first else 0))
        first = last


def _learn(stretch: Stretch, log: TextLog) -> None:
    if not log.layouts:
        layout = recognise_layout(stretch.data, source=log.source, wanted=log.options.format)
        log.layouts.append((stretch.offset, layout))
        # From the whole stretch: its first part may be a single line.
        log.plan(layout, stretch.data)
    if log.layouts[0][1].kind == "w3c":
        for found in _FIELDS_LINE.finditer(stretch.data):
            last = log.layouts[-1][1]
            after = stretch.data[found.end() : found.end() + 4096].splitlines()[1:3]
            fields = replace(w3c_fields(found.group()), delimiter=w3c_delimiter(after, last.delimiter))
            if fields != last:
                log.layouts.append((stretch.offset + found.start(), fields))
                log.plan(fields, stretch.data[found.start() :])


def _only_rejects(stretch: Stretch, log: TextLog) -> Iterator[Chunk]:
    found = _Found()
    for line, head in stretch.rejects:
        found.reject(Reject(log.source, line, _TOO_LONG, head.decode("utf-8", "replace")[:TEXT_CHARS_MAX]))
    if stretch.broken:
        found.reject(Reject(log.source, stretch.line + stretch.ends.size, stretch.broken))
    if found.n_rejected:
        told = repr([(reject.line, reject.reason, reject.text) for reject in found.rejects])
        empty = Stretch(told.encode(), np.zeros(0, np.int64), stretch.offset, stretch.line)
        yield found.chunk(empty.digest(), empty, log.source)
