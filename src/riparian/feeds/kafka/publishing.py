"""How does a log get into a topic, so that every account stands in the partition of its bucket?

Within a partition the order of the log stays, so whoever reads the topic sees of each bucket what stands in the log, in
its order: the same evidence follows, to the last bit.  A producer of your own may choose partitions by any key of its
own that an account has; then what one account did stays in order, and two accounts that did something in the same
microsecond may change places.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from riparian.codes import BUCKETS, bucket_of, codes_of
from riparian.errors import InputError, OutsideError
from riparian.feeds.chunks import ReadOptions
from riparian.feeds.coding import Door
from riparian.feeds.columnar import is_columnar, open_columnar
from riparian.feeds.fields import Plan, recognise
from riparian.feeds.kafka.address import Address
from riparian.feeds.kafka.reading import PATIENCE_S, reaching
from riparian.feeds.places import expand
from riparian.feeds.scanners import SLOW, texts_at
from riparian.feeds.stretches import Cutter, Stretch
from riparian.feeds.text import TextLog
from riparian.feeds.unpack import blocks, peek

if TYPE_CHECKING:
    from confluent_kafka import Producer

LINES_BYTES: Final = 1 << 16
ROWS: Final = 8192
MESSAGE_BYTES: Final = 900_000
"""Brokers take a mebibyte, unless they are told otherwise, with what goes around it."""
_NEWLINE: Final = b"\n"

Partitions = npt.NDArray[np.int64]


def partitions_of(accounts: pa.Array | pa.ChunkedArray, key: bytes, partitions: int) -> Partitions:
    """Tell in which partition accounts stand: each partition holds as many buckets as the next, in their order.

    Parameters
    ----------
    accounts
        Identifiers, as in the log [shape=(n,)].
    key
        The workspace's secret.
    partitions
        How many the topic has.

    Examples
    --------
    >>> partitions_of(pa.array(["ada", "ben", "cleo"]), bytes(16), 4).tolist()
    [0, 0, 2]
    """
    return bucket_of(codes_of(accounts, key)).astype(np.int64) * partitions // BUCKETS


@dataclass(slots=True)
class _Sender:
    """Puts messages into a topic, and waits for the brokers where they are slower."""

    address: Address
    producer: "Producer"
    failed: Any = None
    n: int = 0

    def send(self, partition: int, value: bytes) -> None:
        while True:
            try:
                self.producer.produce(self.address.topic, value, partition=partition, on_delivery=self._delivered)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.n += 1
        self.producer.poll(0)

    def end(self) -> None:
        left = self.producer.flush(PATIENCE_S)
        if left or self.failed is not None:
            raise OutsideError(
                f"`{self.address.name}` did not take {left or 'all'} messages ({self.failed or 'it is silent'})",
                hint="See that its brokers run, and publish the log into a topic made anew.",
            )

    def _delivered(self, error: Any, message: Any) -> None:
        del message
        if error is not None:
            self.failed = error.str()


def publish(sources: Sequence[str], address: Address, *, key: bytes, options: ReadOptions | None = None) -> int:
    """Put logs into a topic, and say in how many messages.

    Parameters
    ----------
    sources
        As for :func:`riparian.feeds.access_log.read`.
    address
        A topic that exists.
    key
        The secret of the workspace that will read it.
    options
        Format and mapping, where they cannot be recognised.

    Raises
    ------
    InputError
        When a log is of no known format or does not name accounts, or the topic does not exist.
    OutsideError
        When the brokers do not take it.
    """
    options = options if options is not None else ReadOptions()
    with reaching(address, "writing to"):
        from confluent_kafka import Producer  # noqa: PLC0415 -- an extra

        settings = {"linger.ms": "20", "compression.type": "lz4", "enable.idempotence": "true", "log_level": "2"}
        sender = _Sender(address, Producer({**settings, **address.settings, "bootstrap.servers": address.brokers}))
        told = sender.producer.list_topics(address.topic, timeout=PATIENCE_S).topics[address.topic]
        if told.error is not None or not told.partitions:
            raise InputError(f"there is no topic `{address.topic}` at `{address.brokers}`", hint="Create it first.")
        for place in expand(sources):
            with closing(place.open()) as opened:
                head, raw = peek(opened)
                way = _columns if is_columnar(head) else _lines
                for partition, value in way(place.name, raw, head, (key, len(told.partitions), options)):
                    sender.send(partition, value)
        sender.end()
    return sender.n


_How = tuple[bytes, int, ReadOptions]


def _account(plan: Plan, source: str) -> str:
    for name in ("account", "session"):
        if name in plan.columns:
            return plan.columns[name]
    raise InputError(
        f"`{source}` names accounts in no column of its own, wanted one to choose partitions by",
        hint="Name it with --map account=column.",
    )


def _columns(source: str, raw: BinaryIO, head: bytes, how: _How) -> Iterator[tuple[int, bytes]]:
    key, partitions, options = how
    log = open_columnar(source, raw, head)
    sample = log.sample()
    account = _account(recognise(sample, source=source, mapping=options.map), source)
    for part in log.parts(list(sample), _never):
        if part.table is None:
            continue
        chosen = partitions_of(part.table[account], key, partitions)
        for partition in np.unique(chosen).tolist():
            rows = _plain(part.table.take(pa.array(np.flatnonzero(chosen == partition))))
            for first in range(0, len(rows), ROWS):
                for value in _written(rows.slice(first, ROWS)):
                    yield partition, value


def _plain(rows: pa.Table) -> pa.Table:
    # A dictionary would go along whole with each few rows of it.
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in rows.schema.types]
    return rows.cast(pa.schema([pa.field(name, kind) for name, kind in zip(rows.column_names, kinds, strict=True)]))


def _written(rows: pa.Table) -> Iterator[bytes]:
    """Write rows as one message, or as two where it would be larger than brokers take."""
    sink = io.BytesIO()
    with ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    if sink.tell() <= MESSAGE_BYTES or len(rows) < 2:
        yield sink.getvalue()
        return
    for half in (rows.slice(0, len(rows) // 2), rows.slice(len(rows) // 2)):
        yield from _written(half)


def _lines(source: str, raw: BinaryIO, head: bytes, how: _How) -> Iterator[tuple[int, bytes]]:
    del head
    key, partitions, options = how
    log = TextLog(source, options, Door(key, ()), _never)
    cutter = Cutter(options.chunk_bytes, grows=False)
    for stretch in cutter.cut(blocks(raw)):
        if not stretch.ends.size or not stretch.data.strip():
            continue
        if not log.layouts:
            log.learn(stretch.data)
        layout = log.layouts[0][1]
        if layout.kind == "w3c":
            raise InputError(
                f"`{source}` is a W3C log, wanted lines that stand by themselves", hint="Write it as JSON."
            )
        plan = log.plan(layout, stretch.data)
        chosen = _partitions_of_lines(stretch, log, None if plan is None else _account(plan, source), (key, partitions))
        yield from _batches(stretch, chosen, layout.header)


def _partitions_of_lines(stretch: Stretch, log: TextLog, account: str | None, how: tuple[bytes, int]) -> Partitions:
    n = stretch.ends.size
    if account is None:
        return np.zeros(n, np.int64)
    layout = log.layouts[0][1]
    spans = layout.scan(stretch.data, stretch.ends, [account])
    values = texts_at(spans, 0, np.arange(n))
    slow = np.flatnonzero(spans.state == SLOW).tolist()
    if slow:
        # What cannot be read goes along, to be rejected where it is read; it needs some partition.
        texts = values.to_pylist()
        for i in slow:
            texts[i] = _slowly(layout, _line(stretch, i), account)
        values = pa.array(texts, pa.large_string())
    return partitions_of(values, *how)


def _slowly(layout: Any, line: bytes, account: str) -> str | None:
    try:
        (value,) = layout.values(line.decode("utf-8", "replace"), [account])
    except ValueError:
        return None
    return None if value is None else str(value)


def _line(stretch: Stretch, i: int) -> bytes:
    lo = int(stretch.ends[i - 1]) + 1 if i else 0
    return stretch.data[lo : int(stretch.ends[i])].removesuffix(b"\r")


def _batches(stretch: Stretch, chosen: Partitions, header: bytes) -> Iterator[tuple[int, bytes]]:
    for partition in np.unique(chosen).tolist():
        lines = [_line(stretch, i) for i in np.flatnonzero(chosen == partition).tolist()]
        held: list[bytes] = []
        size = 0
        for line in lines:
            if line == header and header:
                continue
            if size + len(line) > LINES_BYTES and held:
                yield partition, _NEWLINE.join([header, *held] if header else held)
                held, size = [], 0
            held.append(line)
            size += len(line) + 1
        if held:
            yield partition, _NEWLINE.join([header, *held] if header else held)


def _never(digest: bytes) -> bool:
    del digest
    return False
