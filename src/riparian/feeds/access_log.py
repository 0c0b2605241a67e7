"""Access logs of any usual format, as chunks of coded accesses.

::

    for chunk in read(["logs/", "old/access.log.gz"], options=ReadOptions(), key=key, known=staging.known):
        staging.add(chunk)

The same stretch of a log is given once, however often, under whatever name and in whatever
compression it is read: ``known`` says which digests were counted before, and what this reading gave
is remembered.  A source that cannot be read is one :class:`Reject` with line 0, as long as another can
be; when nothing at all is usable, :func:`read` ends with one :class:`InputError`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, Final

import numpy as np

from riparian.errors import InputError, OutsideError
from riparian.feeds.chunks import FORMATS, Chunk, ReadOptions, Reject
from riparian.feeds.coding import Door, code_table, no_accesses
from riparian.feeds.columnar import is_columnar, open_columnar
from riparian.feeds.exports import is_history, read_history
from riparian.feeds.fields import check_map, recognise
from riparian.feeds.geography import Geography
from riparian.feeds.patterns import parse_patterns, shipped_patterns
from riparian.feeds.places import Place, expand
from riparian.feeds.sessions import read_sessions
from riparian.feeds.tables import read_bytes
from riparian.feeds.text import TextLog, reject_rows
from riparian.feeds.unpack import Broken, blocks, is_packed, peek

__all__ = ["FORMATS", "Chunk", "ReadOptions", "Reject", "read"]

_COLUMNAR: Final = ("parquet", "arrow")
_HEAD_BYTES: Final = 1 << 16


@dataclass(slots=True)
class _Reading:
    """One call of :func:`read`: what it may use, and what it has met."""

    options: ReadOptions
    door: Door
    counted: Callable[[bytes], bool]
    given: set[bytes] = field(default_factory=set)
    accesses: int = 0
    lines: int = 0
    was_known: bool = False
    reasons: Counter[str] = field(default_factory=Counter)

    def known(self, digest: bytes) -> bool:
        """Say whether a stretch was counted before, in another reading or earlier in this one."""
        if digest in self.given or self.counted(digest):
            self.was_known = True
            return True
        return False

    def note(self, chunk: Chunk) -> Chunk:
        """Remember a chunk that is about to be given."""
        self.given.add(chunk.digest)
        self.accesses += chunk.accesses.num_rows
        self.lines += chunk.n_lines
        self.reasons.update(chunk.dropped)
        self.reasons.update(reject.reason for reject in chunk.rejects)
        return chunk


def _read_columnar(place: Place, raw: BinaryIO, head: bytes, reading: _Reading) -> Iterator[Chunk]:
    if not raw.seekable():
        raise InputError(
            f"`{place.name}` is Parquet or Arrow in a stream, wanted a file that can be read from its end",
            hint="Save it to a file first.",
        )
    log = open_columnar(place.name, raw, head)
    options = reading.options
    plan = recognise(
        log.sample(),
        source=place.name,
        mapping=options.map,
        given=reading.door.gives,
        wanted=options.columns,
    )
    columns = list(dict.fromkeys(plan.columns.values()))
    for part in log.parts(columns, reading.known):
        if part.table is None:
            continue
        coded = code_table(part.table, plan, reading.door)
        yield Chunk(
            digest=part.digest,
            source=place.name,
            offset=part.offset,
            n_lines=part.n_rows,
            accesses=coded.accesses,
            ids=coded.ids,
            rejects=reject_rows(coded, part.table, plan, place.name, part.offset + 1 + np.arange(part.n_rows)),
            n_rejected=coded.bad.size,
            dropped=coded.dropped,
        )


def _begin(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Look at the first block of a stream without losing it, nor the error that it may end in."""
    try:
        first = next(stream, b"")
    except Broken as error:
        return b"", _broken(error)
    return first, chain((first,), stream)


def _broken(error: Broken) -> Iterator[bytes]:
    yield b""
    raise error


def _read_place(place: Place, reading: _Reading) -> Iterator[Chunk]:
    with closing(place.open()) as opened:
        head, raw = peek(opened)
        wanted = reading.options.format
        if wanted in _COLUMNAR or (wanted == "auto" and is_columnar(head)):
            yield from _read_columnar(place, raw, head, reading)
            return
        first, stream = _begin(blocks(raw))
        if wanted == "history" or (wanted == "auto" and is_history(first[:_HEAD_BYTES])):
            yield from read_history(place, stream, door=reading.door, known=reading.known)
        else:
            grows = not is_packed(head) and "://" not in place.name
            log = TextLog(place.name, reading.options, reading.door, reading.known)
            yield from log.chunks(stream, grows=grows)


def _unreadable(place: Place, error: InputError) -> Chunk:
    reject = Reject(place.name, 0, error.message)
    digest = b"unreadable " + place.name.encode()
    return Chunk(digest, place.name, 0, 0, no_accesses(), rejects=[reject], n_rejected=1)


def _nothing_usable(reading: _Reading) -> InputError:
    told = "; ".join(f"{count:,}: {reason}" for reason, count in reading.reasons.most_common(3))
    return InputError(
        f"no access found in {reading.lines:,} lines ({told or 'the logs are empty'}), wanted at least one",
        hint="Look at the first lines of the log; --format, --map field=column and --patterns say how to read it.",
    )


def read(
    sources: Sequence[str],
    *,
    options: ReadOptions,
    key: bytes,
    known: Callable[[bytes], bool] = lambda _: False,
) -> Iterator[Chunk]:
    """Read access logs.

    Parameters
    ----------
    sources
        Files, globs, folders, addresses with ``://``, and ``-`` for the standard input.
    options
        Format, mapping, patterns, sessions.
    key
        The workspace's secret, 16 bytes.
    known
        Whether the chunk with this digest was counted before.

    Raises
    ------
    InputError
        When a source does not exist, an option is wrong, or nothing at all is usable.
    OutsideError
        When a disk or a store behind an address fails.
    """
    if options.format not in FORMATS:
        raise InputError(
            f"`{options.format}` is no format, wanted one of {', '.join(FORMATS)}", hint="Correct --format."
        )
    check_map(options.map)
    reading = _Reading(options, door_of(options, key), known)
    first_error: InputError | None = None
    for place in expand(sources):
        try:
            for chunk in _read_place(place, reading):
                yield reading.note(chunk)
        except InputError as error:
            first_error = first_error or error
            yield reading.note(_unreadable(place, error))
        except OSError as error:
            raise OutsideError(f"`{place.name}` cannot be read: {error}", hint="Try again.") from error
    if not reading.accesses and not reading.was_known:
        raise first_error or _nothing_usable(reading)


def door_of(options: ReadOptions, key: bytes) -> Door:
    """Make what is needed to let a log in: patterns and sessions are read here.

    Raises
    ------
    InputError
        When the patterns, the sessions table or a database of places cannot be read.
    """
    own = (
        parse_patterns(read_bytes(options.patterns).decode("utf-8", "replace"), options.patterns)
        if options.patterns
        else ()
    )
    sessions = read_sessions(options.sessions, key) if options.sessions else None
    geography = Geography.opened(options.places) if options.places else None
    patterns = (*own, *shipped_patterns())
    return Door(key, patterns, sessions, options.columns, options.refusals, geography=geography)
