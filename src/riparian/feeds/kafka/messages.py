"""What do the messages between two offsets of a partition hold?

A message is one or more lines of a log in text, or a small file in Parquet or Arrow (file or stream): whatever
:mod:`riparian.feeds.access_log` reads.  Each stands for itself, and a bad one costs no other:

* lines that cannot be read are rejected one by one, as in a file, and so are those of what is no text at all;
* a message that is empty, compressed or damaged is one reject;
* a reject's ``line`` is the offset of its message and one, as lines are counted from 1.

The layout of lines is learnt once for a topic, from a *sample*, so that whoever reads any part of it reads it alike.  A
header, as CSV has, may stand at the top of each message.  Layouts in which a line says how to read the next ones (W3C)
are refused: what a message means must not depend on another.
"""

import hashlib
import io
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from riparian.errors import InputError
from riparian.feeds.chunks import DIGEST_BYTES, REJECTS_MAX, Chunk, ReadOptions, Reject
from riparian.feeds.coding import Coded, Door, code_table, no_accesses
from riparian.feeds.columnar import ARROW_MAGIC, is_columnar, open_columnar
from riparian.feeds.fields import recognise
from riparian.feeds.seen import Seen
from riparian.feeds.text import TextLog, reject_rows
from riparian.feeds.unpack import MAGIC_BYTES, is_packed
from riparian.ports import Offsets
from riparian.schema import DAY_US

SAMPLE_BYTES: Final = 1 << 18
MESSAGE_BYTES_MAX: Final = 64 << 20
"""A longer message is rejected unread; brokers refuse one of more than 1 MiB unless they are told otherwise."""

_STREAM: Final = b"\xff\xff\xff\xff"
_EMPTY: Final = "the message is empty, wanted lines, Parquet or Arrow"
_PACKED: Final = "the message is compressed, wanted it plain: producers compress batches of messages by themselves"
_LONG: Final = f"the message has more than {MESSAGE_BYTES_MAX >> 20} MiB, wanted a shorter one"
_LOST: Final = "no longer in the topic: its retention removed it before it was read"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its offset, and what it holds; None for a tombstone."""

    offset: int
    value: bytes | None


@dataclass(slots=True)
class _Found:
    """What messages gave so far."""

    source: str
    tables: list[pa.Table] = field(default_factory=list)
    codes: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    n_rejected: int = 0
    n_lines: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def take(self, made: Chunk | Coded) -> None:
        self.tables.append(made.accesses)
        self.codes.append(made.ids[0])
        self.names.extend(made.ids[1])
        for reason, n in made.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + n

    def reject(self, offset: int, reason: str, text: str = "", *, n: int = 1) -> None:
        self.n_rejected += n
        if len(self.rejects) < REJECTS_MAX:
            self.rejects.append(Reject(self.source, offset + 1, reason, text))


@dataclass(slots=True)
class Messages:
    """Reads the messages of one topic.

    Parameters
    ----------
    options, door
        How to read and to code.
    now_us
        The time: an access of more than a day later has a wrong clock, and dates nothing.
    sample
        Lines from which the layout is learnt; empty as long as none were seen.
    """

    options: ReadOptions
    door: Door
    now_us: Callable[[], int]
    sample: bytes = b""

    def chunk(self, offsets: Offsets, messages: Sequence[Message], *, lost: int = 0) -> Chunk:
        """Read what stands between two offsets.

        Parameters
        ----------
        offsets
            From where to where, whether or not there is a message at each.
        messages
            What was there, in order.
        lost
            How many before the first of them are no longer there.

        Raises
        ------
        InputError
            When the layout of lines is not known and cannot be recognised.
        """
        found = _Found(offsets.log)
        if lost:
            found.n_lines += lost
            found.reject(offsets.begin, f"{lost:,} messages from here are {_LOST}", n=lost)
        for kind, run in groupby(messages, key=lambda message: _kind(message.value)):
            together = list(run)
            if kind == "lines":
                self._lines(together, found)
            else:
                for one in together:
                    self._single(one, kind, found)
        # Whoever reads on may be somebody else: each chunk names everybody in it.
        self.door = replace(self.door, seen=Seen())
        said = f"{offsets.log} {offsets.begin} {offsets.end}"
        accesses = pa.concat_tables(found.tables, promote_options="default") if found.tables else no_accesses()
        return Chunk(
            digest=hashlib.sha256(said.encode()).digest()[:DIGEST_BYTES],
            source=offsets.log,
            offset=offsets.begin,
            n_lines=found.n_lines,
            accesses=accesses,
            ids=(np.concatenate(found.codes) if found.codes else np.zeros(0, np.uint64), found.names),
            rejects=found.rejects,
            n_rejected=found.n_rejected,
            dropped=found.dropped,
            offsets=replace(offsets, latest_us=_latest(accesses, self.now_us() + DAY_US)),
        )

    def learn(self, messages: Sequence[Message], source: str) -> bytes:
        """Choose lines from which the layout is learnt; none where there are none.

        Raises
        ------
        InputError
            When none is recognised in them, or one that messages cannot have.
        """
        lines = [_text(message) for message in messages if _kind(message.value) == "lines"]
        return _learnt_from(b"".join(lines), source, self.options, self.door) if lines else b""

    def _lines(self, messages: Sequence[Message], found: _Found) -> None:
        texts = [_text(message) for message in messages]
        data = b"".join(texts)
        if not self.sample:
            self.sample = _learnt_from(data, found.source, self.options, self.door)
        firsts = np.cumsum([1, *(text.count(b"\n") for text in texts[:-1])]).tolist()
        log = TextLog(found.source, self.options, self.door, _never)
        log.learn(self.sample)
        for made in log.chunks([data], grows=False):
            found.take(made)
            found.n_lines += made.n_lines
            for reject in made.rejects:
                offset = messages[bisect_right(firsts, reject.line) - 1].offset
                found.reject(offset, reject.reason, reject.text)
            found.n_rejected += made.n_rejected - len(made.rejects)

    def _single(self, message: Message, why_not: str, found: _Found) -> None:
        if why_not != "columns":
            found.n_lines += 1
            found.reject(message.offset, why_not)
            return
        try:
            for coded, n_rows, rejects in self._tables(message, found.source):
                found.n_lines += n_rows
                found.take(coded)
                for reject in rejects:
                    found.reject(message.offset, reject.reason, reject.text)
                found.n_rejected += coded.bad.size - len(rejects)
        except InputError as error:
            found.n_lines += 1
            found.reject(message.offset, error.message)

    def _tables(self, message: Message, source: str) -> list[tuple[Coded, int, list[Reject]]]:
        value = message.value or b""
        try:
            # All of a message or nothing: a damaged end takes its beginning with it.
            return list(self._coded(value, source))
        except (pa.ArrowException, OSError, MemoryError, TypeError, ValueError, KeyError, OverflowError) as error:
            said = str(error).splitlines()
            raise InputError(
                f"a damaged message in Parquet or Arrow ({(said or [type(error).__name__])[0][:120]})"
            ) from error

    def _coded(self, value: bytes, source: str) -> Iterator[tuple[Coded, int, list[Reject]]]:
        if value.startswith(_STREAM):
            value = _as_file(value)
        log = open_columnar(source, io.BytesIO(value), value[:8])
        plan = recognise(
            log.sample(),
            source=source,
            mapping=self.options.map,
            given=self.door.gives,
            wanted=self.options.columns,
        )
        for part in log.parts(list(dict.fromkeys(plan.columns.values())), _never):
            if part.table is not None:
                coded = code_table(part.table, plan, self.door)
                rows = np.arange(part.n_rows)
                yield coded, part.n_rows, reject_rows(coded, part.table, plan, source, rows)


def _text(message: Message) -> bytes:
    return (message.value or b"").removesuffix(b"\n") + b"\n"


def _learnt_from(data: bytes, source: str, options: ReadOptions, door: Door) -> bytes:
    end = data.rfind(b"\n", 0, SAMPLE_BYTES) + 1
    sample = data[: end or len(data)]
    log = TextLog(source, options, door, _never)
    log.learn(sample)
    if log.layouts and log.layouts[0][1].kind == "w3c":
        raise InputError(
            f"`{source}` holds a W3C log, whose lines say how others are read, wanted lines that stand by themselves",
            hint="Have the sender write JSON.",
        )
    return sample if log.layouts and log.plan(log.layouts[0][1], sample) is not None else b""


def _latest(accesses: pa.Table, until_us: int) -> int:
    at_us = accesses["at_us"].to_numpy()
    return int(at_us[at_us <= until_us].max(initial=0))


def _kind(value: bytes | None) -> str:
    """Tell ``lines`` and ``columns``; or why it is neither."""
    if value is None or not value.strip():
        return _EMPTY
    if len(value) > MESSAGE_BYTES_MAX:
        return _LONG
    if is_columnar(value[:8]) or value.startswith(_STREAM):
        return "columns"
    return _PACKED if is_packed(value[:MAGIC_BYTES]) else "lines"


def _as_file(value: bytes) -> bytes:
    sink = io.BytesIO()
    with ipc.open_stream(value) as stream, ipc.new_file(sink, stream.schema) as file:
        for batch in stream:
            # Neither offsets nor text are to be trusted before they are looked at.
            batch.validate(full=True)
            file.write_batch(batch)
    made = sink.getvalue()
    return made if made.startswith(ARROW_MAGIC) else b""


def _never(digest: bytes) -> bool:
    del digest
    return False
