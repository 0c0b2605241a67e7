"""From a data set, wherever it lies, to its items: Parquet, tars, tables, sound files -> ITEM, in batches."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from riparian.feeds.datasets.about import CARD, of_croissant
from riparian.feeds.datasets.items import Items, shaped
from riparian.feeds.datasets.parquet import parquet_items
from riparian.feeds.datasets.tars import tar_items
from riparian.feeds.dumps.columnar import PARQUET_MAGIC
from riparian.feeds.dumps.members import Member, is_sound, members
from riparian.feeds.dumps.naming_files import said_by
from riparian.feeds.dumps.read import sheets_in
from riparian.feeds.dumps.sheets import Reject
from riparian.feeds.dumps.streams import Stream, budget_of, is_squeezed, opened, unpacked
from riparian.feeds.dumps.tars import is_tar
from riparian.feeds.dumps.vocabulary import NOTHING_HELD, Vocabulary
from riparian.feeds.places import Place, expand
from riparian.metadata.datasets import ITEM

_HEAD_BYTES: Final = 1 << 16
_BLOCK: Final = 1 << 20
_FILES_AT_ONCE: Final = 4_096
_ASIDE: Final = (CARD, "LICENSE", "LICENSE.md", "LICENSE.txt", ".gitattributes")


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Some items of a data set, or something of it that cannot be read.

    Parameters
    ----------
    source
        The file, and what in it.
    form
        ``Parquet``, ``WebDataset``, ``files`` or what a list is written as.
    items
        Schema ``ITEM``, numbered over the whole data set.
    rejects
        What could not be read.
    """

    source: str
    form: str
    items: pa.Table
    rejects: Sequence[Reject] = ()


def read_items(
    sources: Sequence[str],
    vocabulary: Vocabulary = NOTHING_HELD,
    said: Mapping[str, str] | None = None,
    *,
    with_digests: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Read]:
    """Read every item of a data set.

    Parameters
    ----------
    sources
        As the operator names them.
    vocabulary
        Names of ours, to tell titles from artists.
    said
        Field to column, as the operator says, for every table that has such a column.
    with_digests
        Whether sound is read for its digest.
    progress
        Told how many files are done, and of how many.

    Raises
    ------
    InputError
        When a source does not exist.
    OutsideError
        When the storage behind an address fails.
    """
    asked = _Asked(vocabulary, dict(said or {}), with_digests)
    places = list(expand(sources))
    first = 0
    sounds: list[Place] = []
    for done, place in enumerate(places):
        if progress is not None:
            progress(done, len(places))
        if is_sound(place.name):
            sounds.append(place)
            if len(sounds) < _FILES_AT_ONCE:
                continue
            parts = _files(sounds, asked, first)
            sounds = []
        else:
            parts = _place(place, asked, first)
        for part in parts:
            first += part.items.num_rows
            yield part
    for part in _files(sounds, asked, first):
        first += part.items.num_rows
        yield part


@dataclass(frozen=True, slots=True)
class _Asked:
    vocabulary: Vocabulary
    said: dict[str, str]
    with_digests: bool


def _place(place: Place, asked: _Asked, first: int) -> Iterator[Read]:
    if Path(place.name).name in _ASIDE:
        return
    path = Path(place.name)
    with place.open() as raw:
        stream = opened(raw)
        head = stream.head(_HEAD_BYTES)
        if head.startswith(PARQUET_MAGIC) and path.is_file():
            yield from _parquet(path, asked, first)
            return
        budget = budget_of(path.stat().st_size if path.is_file() else 1 << 30)
        inner = unpacked(stream, budget) if is_squeezed(head) else stream
        if is_tar(inner.head(1024)):
            yield from _tar(place.name, inner, asked, first)
            return
    if head.lstrip()[:1] == b"{" and _is_croissant(place):
        return
    yield from _lists(place, asked, first)


def _is_croissant(place: Place) -> bool:
    with place.open() as raw:
        octets = raw.read(8 * _BLOCK)
    return b"mlcommons" in octets and of_croissant(octets.decode("utf-8", "replace")) is not None


def _parquet(path: Path, asked: _Asked, first: int) -> Iterator[Read]:
    try:
        for items in parquet_items(path, asked.vocabulary, asked.said, first, with_digests=asked.with_digests):
            first += items.num_rows
            yield Read(str(path), "Parquet", items)
    except ValueError as error:
        yield Read(str(path), "Parquet", ITEM.empty_table(), (Reject(str(path), 0, f"is damaged ({error})"),))


def _tar(name: str, stream: Stream, asked: _Asked, first: int) -> Iterator[Read]:
    for items in tar_items(stream, asked.vocabulary, asked.said, first, with_digests=asked.with_digests):
        first += items.num_rows
        yield Read(name, "WebDataset", items)
    if stream.broken:
        yield Read(name, "WebDataset", ITEM.empty_table(), (Reject(name, 0, stream.broken),))


def _lists(place: Place, asked: _Asked, first: int) -> Iterator[Read]:
    for member in members(place):
        if isinstance(member, Reject):
            yield Read(place.name, "", ITEM.empty_table(), (member,))
        else:
            for part in _member(member, asked, first):
                first += part.items.num_rows
                yield part


def _member(member: Member, asked: _Asked, first: int) -> Iterator[Read]:
    for sheet in sheets_in(member):
        if isinstance(sheet, Reject):
            yield Read(member.name, "", ITEM.empty_table(), (sheet,))
            continue
        made: Items | None = None
        for batch in sheet.batches:
            items = ITEM.empty_table()
            if batch.rows.height:
                there = {name: name for name in sheet.known if name in batch.rows.columns} | asked.said
                made = made or Items(batch.rows, asked.vocabulary, there, has_names=sheet.has_names)
                items = made.items(batch.rows, first)
            first += items.num_rows
            yield Read(sheet.source, sheet.form, items, batch.rejects)


def _files(places: Sequence[Place], asked: _Asked, first: int) -> Iterator[Read]:
    """Make items of sound files: names, and digests of what they hold."""
    if not places:
        return
    names = [place.name for place in places]
    said = [said_by(name) for name in names]
    digests: list[str | None] = []
    rejects = []
    for place in places:
        try:
            digests.append(_digest(place) if asked.with_digests else None)
        except OSError as error:
            digests.append(None)
            rejects.append(Reject(place.name, 0, f"cannot be read: {error.strerror}"))
    made = {
        "path": pl.Series(names, dtype=pl.String),
        "digest": pl.Series(digests, dtype=pl.String),
        **{
            name: pl.Series([(getattr(one, name) or None) if one else None for one in said], dtype=pl.String)
            for name in ("title", "artist", "album")
        },
    }
    yield Read("sound files", "files", shaped(made, len(names), first), rejects)


def _digest(place: Place) -> str:
    digest = hashlib.sha256()
    with place.open() as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
