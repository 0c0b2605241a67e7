"""From files that were found to rows: members -> sheets -> roles -> LISTED, in batches, with what could not be read."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import pyarrow as pa

from riparian.errors import InputError
from riparian.feeds.dumps import listings, objects, torrents
from riparian.feeds.dumps.columnar import columnar_sheet, is_columnar
from riparian.feeds.dumps.databases import MAGIC as SQLITE
from riparian.feeds.dumps.databases import database_sheets
from riparian.feeds.dumps.delimited import LOOKED_LINES, cut_of, delimited_sheet
from riparian.feeds.dumps.lines import Lines, wide_encoding
from riparian.feeds.dumps.listings import Named
from riparian.feeds.dumps.members import Member, is_sound, members
from riparian.feeds.dumps.naming_files import DASH
from riparian.feeds.dumps.roles import LINE, Roles, roles_of
from riparian.feeds.dumps.rows import Reader
from riparian.feeds.dumps.sheets import BATCH_ROWS, Batch, Reject, Sheet, framed
from riparian.feeds.dumps.vocabulary import NOTHING_HELD, Vocabulary
from riparian.feeds.places import Place, expand
from riparian.feeds.unpack import Broken
from riparian.schema import LISTED

VERSION: Final = "1"
"""Another one when the same list is read to other rows."""
_HEAD_BYTES: Final = 1 << 16
_BINARY: Final = 0.05
_DASHED: Final = 0.5
_IN_LISTINGS: Final = ("path", "added", "duration_ms", LINE)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a dump.

    Parameters
    ----------
    source
        The file, and what in it.
    form
        What it is: ``delimited text``, ``JSON``, ``SQLite`` ...
    rows
        Schema LISTED, every column there, null where nothing is said; numbered over the whole dump.
    rejects
        What could not be read, or says nothing that could be looked for: some of it.
    n_rejected
        How many of these there are.
    roles
        Which column is which.
    """

    source: str
    form: str
    rows: pa.Table
    rejects: Sequence[Reject] = ()
    n_rejected: int = 0
    roles: Roles = field(default_factory=lambda: Roles({}))

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """Field to its column, and how that is known."""
        return {name: (role.column, role.why) for name, role in self.roles.of.items()}


def state_of(sources: Sequence[str], said: Mapping[str, str]) -> str:
    """Name a list by its files as they are, and by how its columns are said to be called.

    Of a file these are path, size and time; of an object in storage address, size and beginning.

    Raises
    ------
    InputError
        When a source does not exist.
    OutsideError
        When the storage behind an address cannot be reached.
    """
    seen = hashlib.sha256(f"{VERSION} {sorted(said.items())}".encode())
    for place in expand(sources):
        seen.update(f"\n{place.name} {_as_it_is(place)}".encode("utf-8", "replace"))
    return seen.hexdigest()[:16]


def _as_it_is(place: Place) -> str:
    path = Path(place.name)
    if not place.seekable:
        # What comes through a pipe comes once, and is another list every time.
        return secrets.token_hex(8)
    if path.is_file():
        stat = path.stat()
        return f"{stat.st_size} {stat.st_mtime_ns}"
    with place.open() as raw:
        return f"{hashlib.sha256(raw.read(_HEAD_BYTES)).hexdigest()} {raw.seek(0, 2)}"


def read_dump(
    sources: Sequence[str], vocabulary: Vocabulary = NOTHING_HELD, said: Mapping[str, str] | None = None
) -> Iterator[Part]:
    """Read every list in files, folders, globs and addresses.

    Parameters
    ----------
    sources
        As the operator names them.
    vocabulary
        Names of ours, to tell titles from artists.
    said
        Field to column, as the operator says, for every sheet that has such a column.

    Raises
    ------
    InputError
        When a source does not exist, or no sheet has a column that the operator names.
    OutsideError
        When the storage behind an address fails.
    """
    said = said or {}
    wrong = next((name for name in said if name not in LISTED.names or name == "row"), None)
    if wrong is not None:
        fields = ", ".join(name for name in LISTED.names if name != "row")
        raise InputError(f"`--map {wrong}=...` is no field, wanted one of {fields}", hint="Write --map title=COLUMN.")
    missing = set(said)
    first = 0
    for place in expand(sources):
        for sheet in sheets(place):
            for part in _parts(sheet, vocabulary, said, first):
                first += part.rows.num_rows
                missing -= {name for name, role in part.roles.of.items() if role.column == said.get(name)}
                yield part
    if missing:
        name = min(missing)
        raise InputError(
            f"`--map {name}={said[name]}` names no column of any list, wanted one that is there",
            hint="Leave it out to see which columns there are.",
        )


def _parts(sheet: Sheet | Reject, vocabulary: Vocabulary, said: Mapping[str, str], first: int) -> Iterator[Part]:
    if isinstance(sheet, Reject):
        yield Part(sheet.source, "", LISTED.empty_table(), (sheet,), 1)
        return
    reader, roles = None, Roles({})
    for batch in sheet.batches:
        if reader is None and batch.rows.height:
            there = {name: name for name in sheet.known if name in batch.rows.columns}
            there |= {name: column for name, column in said.items() if column in batch.rows.columns}
            roles = roles_of(batch.rows, vocabulary, there, has_names=sheet.has_names)
            reader = Reader(sheet.source, roles)
        rows, rejects, n = LISTED.empty_table(), list(batch.rejects), len(batch.rejects)
        if reader is not None and batch.rows.height:
            rows, more, dropped = reader.listed(batch.rows, first)
            rejects, n = rejects + more, n + dropped
        first += rows.num_rows
        yield Part(sheet.source, sheet.form, rows, tuple(rejects), n, roles)


def sheets(place: Place) -> Iterator[Sheet | Reject]:
    """Give every table in a place; each is read before the next one is asked for."""
    names: list[str] = []
    for member in members(place):
        if isinstance(member, Reject):
            yield member
        elif is_sound(member.name):
            names.append(member.name)
            if len(names) == BATCH_ROWS:
                yield _named_sheet(place.name, names)
                names = []
        else:
            yield from sheets_in(member)
            if member.stream.broken:
                yield Reject(member.name, 0, member.stream.broken)
    if names:
        yield _named_sheet(place.name, names)


def _named_sheet(source: str, names: list[str]) -> Sheet:
    return Sheet(source, "sound files", iter([Batch(framed({"path": names}))]), known=_IN_LISTINGS)


def sheets_in(member: Member) -> Iterator[Sheet | Reject]:
    """Give every table in a file that is no archive; each is read before the next one is asked for."""
    head = member.stream.head()
    if not head.strip():
        return
    try:
        if head.startswith(SQLITE):
            yield from database_sheets(member.name, member.path or member.whole())
        elif is_columnar(head):
            yield columnar_sheet(member.name, member.path or member.whole(), head)
        elif torrents.is_torrent(head):
            files = [Named(path) for path, _ in torrents.files_of(member.whole())]
            yield _listing_sheet(member.name, "torrent", iter(files))
        else:
            yield _text_sheet(member, head)
    except (Broken, ValueError) as error:
        yield Reject(member.name, 0, f"cannot be read: {str(error)[:160]}")


def _text_sheet(member: Member, head: bytes) -> Sheet | Reject:
    encoding, mark = wide_encoding(head)
    if encoding == "utf-8" and sum(octet < 9 or 13 < octet < 28 for octet in head[:4096]) > _BINARY * len(head[:4096]):
        return Reject(member.name, 0, "is no list of a known kind")
    text = head[mark:].decode(encoding, "replace")
    if objects.is_json(text) and not objects.is_lines(text):
        return objects.document_sheet(member.name, member.stream)
    lines = Lines(member.stream)
    if objects.is_json(text):
        return objects.line_sheet(member.name, lines)
    if listings.is_page(text):
        return _listing_sheet(member.name, "web page", listings.linked_files(lines))
    if text.lstrip().startswith("<?xml"):
        return Reject(member.name, 0, "is XML, wanted a list", text[:200])
    return _lines_sheet(member.name, lines)


def _lines_sheet(source: str, lines: Lines) -> Sheet:
    taken = iter(lines)
    first = list(islice(taken, LOOKED_LINES))
    form = listings.form_of(first)
    if form:
        return _listing_sheet(source, form, listings.named_files(form, _chained(first, taken)))
    some = [line for line in first if line.strip()]
    dashes = sum(DASH.search(line) is not None for line in some) / max(1, len(some))
    cut = cut_of(first)
    if cut is not None and not (dashes > _DASHED and cut.delimiter == ","):
        return delimited_sheet(source, lines, _chained(first, taken), cut)
    return Sheet(source, "lines", _line_batches(source, _chained(first, taken), lines), has_names=False)


def _chained(first: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from rest


def _line_batches(source: str, texts: Iterator[str], lines: Lines) -> Iterator[Batch]:
    while True:
        some = list(islice(texts, BATCH_ROWS))
        cut = tuple(Reject(source, at, "a line that is too long", text[:200]) for at, text in lines.cut)
        lines.cut.clear()
        if some or cut:
            yield Batch(framed({"line": [line for line in some if line.strip()]}), cut)
        if len(some) < BATCH_ROWS:
            return


def _listing_sheet(source: str, form: str, files: Iterator[Named]) -> Sheet:
    return Sheet(source, form, _named_batches(files), known=_IN_LISTINGS)


def _named_batches(files: Iterator[Named]) -> Iterator[Batch]:
    while some := list(islice((one for one in files if is_sound(one.path) or one.said), BATCH_ROWS)):
        columns = {
            "path": [one.path or None for one in some],
            "added": [one.added or None for one in some],
            "duration_ms": [one.seconds or None for one in some],
            LINE: [one.said or None for one in some],
        }
        yield Batch(framed({name: values for name, values in columns.items() if any(values)}))
