"""What do these files say that we hold?  The one door of documents about a catalogue.

::

    file, folder, archive -> release message, dump of MusicBrainz, table, sound file -> Holding, batch by batch

What a file is, is decided by its first bytes.  Archives are opened on the way, as those of lists that were found
(:mod:`riparian.feeds.dumps.members`).  What cannot be read is said in a batch, and the next file is read.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from riparian.catalogue.holdings import Document, Holding
from riparian.errors import InputError
from riparian.feeds import musicbrainz
from riparian.feeds.dumps.members import Member, is_sound, members
from riparian.feeds.dumps.read import sheets_in
from riparian.feeds.dumps.sheets import Reject
from riparian.feeds.held_files import held_file
from riparian.feeds.held_tables import holdings_of
from riparian.feeds.places import Place, expand
from riparian.feeds.unpack import Broken

Progress = Callable[[str, int, int | None], None]
_HEAD_BYTES: Final = 4096
_XML: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")


def read_holdings(sources: Sequence[str], progress: Progress | None = None) -> Iterator[Holding]:
    """Read every document in files, folders, globs and addresses, in order.

    Parameters
    ----------
    sources
        As the operator names them.
    progress
        Told the stage ``reading documents``, how many are done, and of how many.

    Raises
    ------
    InputError
        When a source does not exist.
    OutsideError
        When the storage behind an address fails.
    """
    places = list(expand(sources))
    for done, place in enumerate(places):
        if progress is not None:
            progress("reading documents", done, len(places))
        yield from _place(place)
    if progress is not None:
        progress("reading documents", len(places), len(places))


def _place(place: Place) -> Iterator[Holding]:
    if is_sound(place.name):
        yield _sound(place)
        return
    with ExitStack() as stack:
        tables: musicbrainz.Tables | None = None
        for member in members(place):
            if isinstance(member, Reject):
                yield _refused(member)
            elif is_sound(member.name):
                yield _refused(Reject(member.name, 0, "is a sound file in an archive, wanted it unpacked"))
            elif (name := musicbrainz.table_named(member.name)) is None or member.stream.head(1) == b"{":
                yield from _member(member)
            elif name:
                tables = tables or stack.enter_context(musicbrainz.Tables())
                yield from _laid_down(tables, name, member)
        if tables is not None:
            yield from tables.holdings(Document(place.name, "musicbrainz"))


def _sound(place: Place) -> Holding:
    path = Path(place.name)
    if place.seekable and path.is_file():
        return held_file(path)
    return _refused(Reject(place.name, 0, "is a sound file elsewhere, wanted one on this machine"))


def _refused(reject: Reject) -> Holding:
    where = f"{reject.source}:{reject.line}" if reject.line else reject.source
    return Holding(Document(reject.source, "table"), refused=((where, reject.reason),))


def _laid_down(tables: musicbrainz.Tables, name: str, member: Member) -> Iterator[Holding]:
    try:
        tables.take(name, member.stream)
        if member.stream.broken:
            yield _refused(Reject(member.name, 0, member.stream.broken))
    except ValueError as error:
        yield _refused(Reject(member.name, 0, f"is no table of MusicBrainz: {error}"))


def _member(member: Member) -> Iterator[Holding]:
    head = member.stream.head(_HEAD_BYTES)
    if not head.strip():
        return
    if head.lstrip()[:3].startswith(_XML) or head.startswith(_XML):
        yield from _message(member)
    elif musicbrainz.is_object(head):
        yield from musicbrainz.objects(member.stream, Document(member.name, "musicbrainz"))
    else:
        yield from _tables(member)
    if member.stream.broken:
        yield _refused(Reject(member.name, 0, member.stream.broken))


def _message(member: Member) -> Iterator[Holding]:
    from riparian.feeds.messages.read import read_message  # noqa: PLC0415 -- lxml, which only messages need

    try:
        said = read_message(member.name, member.whole())
    except InputError as error:
        yield _refused(Reject(member.name, 0, error.message))
        return
    except Broken as error:
        yield _refused(Reject(member.name, 0, str(error)))
        return
    if said is None:
        yield _refused(Reject(member.name, 0, "is XML of another kind, wanted a message of DDEX"))
    else:
        yield said


def _tables(member: Member) -> Iterator[Holding]:
    document, number = Document(member.name, "table", digest=_digest(member)), 0
    for sheet in sheets_in(member):
        if isinstance(sheet, Reject):
            yield replace(_refused(sheet), document=document, number=number)
            number += 1
            continue
        document = replace(document, kind="sqlite" if sheet.form == "SQLite" else "table")
        for said in holdings_of(sheet, document, number):
            yield said
            number = said.number + 1


def _digest(member: Member) -> str:
    """Give the digest of a file on the disk; of what lies in an archive, none."""
    if member.path is None:
        return ""
    with member.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
