"""How are partitions of a topic read on, from where our own offsets say?

librdkafka fetches, we say from where: nothing is ever read from where a broker believes that we stand, and where the
topic does not go on there, reading stops with an error.  A broker that is away is waited for.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from riparian.errors import InputError, OutsideError
from riparian.feeds.kafka.address import Address
from riparian.feeds.kafka.messages import Message

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, TopicPartition

PATIENCE_S: Final = 30.0
BATCH_BYTES: Final = 16 << 20
_AT_ONCE: Final = 1000
_POLL_S: Final = 0.1

Stored = Callable[[int], int | None]
"""Where a partition goes on by what we keep; None when nothing of it was read."""


@dataclass(slots=True)
class Batch:
    """What came of one partition: offsets from ``begin`` up to ``end``, the first ``lost`` of them gone for ever."""

    begin: int
    end: int
    messages: list[Message] = field(default_factory=list)
    lost: int = 0


@contextmanager
def reaching(address: Address, what: str) -> Iterator[None]:
    """Turn what a client says of its brokers into ``OutsideError``; ``InputError`` where no client is installed."""
    try:
        from confluent_kafka import KafkaException  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise InputError(
            f"`{address.name}` needs the client confluent-kafka, which is not installed",
            hint="Install it: pip install 'riparian[kafka]'.",
        ) from error
    try:
        yield
    except KafkaException as error:
        raise failed(address, what, error.args[0] if error.args else error) from error


def failed(address: Address, what: str, error: object) -> OutsideError:
    """Say what failed and what to do about it."""
    said = error.str() if hasattr(error, "str") else str(error)
    return OutsideError(
        f"{what} `{address.name}` failed: {said}",
        hint="See that the brokers run and that settings= holds what they want of a client, then begin again:"
        " it goes on where it stopped.",
    )


class Topic:
    """A topic while it is read.

    Parameters
    ----------
    address
        Which, and how.
    group
        Names the group that shares its partitions out, where the address does not.
    stored
        Where each partition goes on.
    """

    def __init__(self, address: Address, group: str, stored: Stored) -> None:
        self.address, self._stored = address, stored
        self._at: dict[int, int] = {}
        self._batches: dict[int, Batch] = {}
        self._failed: Exception | None = None
        self.away = ""
        self.changes = 0
        """How often partitions were given to us or taken away."""
        with reaching(address, "connecting to"):
            from confluent_kafka import Consumer  # noqa: PLC0415 -- an extra

            told = {
                "client.id": "riparian",
                "log_level": 2,
                **address.settings,
                "bootstrap.servers": address.brokers,
                "group.id": address.group or group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "error_cb": self._hear,
            }
            self._consumer = Consumer(told)
            # Brokers answer a connection in turn: a question would wait until the messages asked for before it come.
            self._asks = Consumer(told)

    def partitions(self, *, named: bool = True) -> list[int]:
        """List the partitions that the topic has; of those that the address names, unless all are wanted.

        Raises
        ------
        InputError
            When there is no such topic, or it has no such partition.
        OutsideError
            When no broker answers.
        """
        with reaching(self.address, "asking about"):
            told = self._asks.list_topics(self.address.topic, timeout=PATIENCE_S).topics[self.address.topic]
        if told.error is not None or not told.partitions:
            raise InputError(
                f"there is no topic `{self.address.topic}` at `{self.address.brokers}`, wanted one that exists",
                hint="Create it with as many partitions as you will ever want workers.",
            )
        there = sorted(told.partitions)
        wanted = self.address.partitions if named else None
        if wanted is not None and (missing := sorted(set(wanted) - set(there))):
            raise InputError(
                f"`{self.address.topic}` has no partition {missing[0]}, wanted one of {len(there)}",
                hint="Count partitions from 0.",
            )
        return there if wanted is None else list(wanted)

    def ends(self, partitions: list[int]) -> dict[int, tuple[int, int]]:
        """Ask between which offsets each partition holds messages: the first, and the one after the last."""
        from confluent_kafka import TopicPartition  # noqa: PLC0415 -- an extra

        told = {}
        with reaching(self.address, "asking about"):
            for number in partitions:
                place = TopicPartition(self.address.topic, number)
                told[number] = self._asks.get_watermark_offsets(place, timeout=PATIENCE_S)
        return told

    def take(self, partitions: list[int]) -> None:
        """Read these partitions, and ask no group."""
        with reaching(self.address, "reading"):
            self._begin(partitions)

    def join(self) -> None:
        """Read what the group gives us from time to time."""
        with reaching(self.address, "reading"):
            self._consumer.subscribe([self.address.topic], on_assign=self._given, on_revoke=self._taken)

    def held(self) -> list[int]:
        """List the partitions that we read now."""
        return sorted(self._at)

    def reached(self) -> Mapping[int, int]:
        """Tell up to which offset each of them was given."""
        return dict(self._at)

    def rest(self) -> None:
        """Stay in the group, and fetch nothing for a moment."""
        with reaching(self.address, "reading"):
            places = self._consumer.assignment()
            self._consumer.pause(places)
            self._consumer.poll(0)
            self._consumer.resume(places)

    def poll(self, seconds: float) -> dict[int, Batch]:
        """Wait at most so long for messages, and give what came, by partition.

        Raises
        ------
        InputError
            When the topic does not go on where we stopped.
        OutsideError
            When the brokers refuse us; one that is away is waited for.
        """
        deadline_s, size = time.monotonic() + seconds, 0
        while True:
            left_s = deadline_s - time.monotonic()
            with reaching(self.address, "reading"):
                came = self._consumer.consume(_AT_ONCE, max(0.0, min(left_s, _POLL_S)))
            if self._failed is not None:
                raise self._failed
            for each in came:
                size += self._heard(each)
            if size >= BATCH_BYTES or left_s <= 0 or (self._batches and not came):
                break
        given, self._batches = self._batches, {}
        return given

    def close(self) -> None:
        """Leave the group and let the connections go."""
        self._consumer.close()
        self._asks.close()

    def _hear(self, error: "KafkaError") -> None:
        from confluent_kafka import KafkaError  # noqa: PLC0415 -- an extra

        if error.fatal() or error.code() in _named(KafkaError, "_AUTHENTICATION", "_SSL"):
            self._failed = failed(self.address, "reading", error)
        self.away = error.str()

    def _heard(self, each: Any) -> int:
        from confluent_kafka import KafkaError  # noqa: PLC0415 -- an extra

        error, number = each.error(), each.partition()
        if number not in self._at:
            return 0
        if error is not None:
            if error.code() in _named(KafkaError, "_PARTITION_EOF"):
                self._goes_up_to(number, each.offset())
            elif error.code() in _named(KafkaError, "_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"):
                self._begin([*self._at])
            else:
                raise failed(self.address, "reading", error)
            return 0
        if each.offset() < self._at[number]:
            return 0
        self._goes_up_to(number, each.offset() + 1)
        value = each.value()
        self._batches[number].messages.append(Message(each.offset(), value))
        self.away = ""
        return len(value or b"")

    def _goes_up_to(self, number: int, end: int) -> None:
        # Offsets without a message are marks of transactions: they are passed, and count as read.
        if end > self._at[number]:
            self._batches.setdefault(number, Batch(self._at[number], end)).end = end
            self._at[number] = end

    def _given(self, consumer: Any, places: "list[TopicPartition]") -> None:
        del consumer
        try:
            self._begin([place.partition for place in places])
        except Exception as error:  # noqa: BLE001 -- raised again by `poll`; a callback has nobody to raise to
            self._failed = error

    def _taken(self, consumer: Any, places: "list[TopicPartition]") -> None:
        del consumer
        self.changes += 1
        for place in places:
            self._at.pop(place.partition, None)
            self._batches.pop(place.partition, None)

    def _begin(self, partitions: list[int]) -> None:
        from confluent_kafka import TopicPartition  # noqa: PLC0415 -- an extra

        self.changes += 1
        self._at, self._batches = {}, {}
        ends = self.ends(partitions)
        for number in partitions:
            self._at[number] = self._from(number, *ends[number])
        self._consumer.assign([TopicPartition(self.address.topic, number, at) for number, at in self._at.items()])

    def _from(self, number: int, low: int, high: int) -> int:
        """Say where a partition is read on; what it no longer holds goes with the next batch, or is an error."""
        stored = self._stored(number)
        if stored is None:
            return low
        if stored > high:
            raise InputError(
                f"partition {number} of `{self.address.topic}` ends at {high:,}, and {stored:,} was read already,"
                " wanted the topic that was read before",
                hint="The topic was made anew, or an unclean election lost its end: read it under another name,"
                " or into another --workspace.",
            )
        if stored < low:
            if not self.address.skips_lost:
                raise InputError(
                    f"messages {stored:,} to {low - 1:,} of partition {number} of `{self.address.topic}` are gone,"
                    f" wanted to go on at {stored:,}",
                    hint="Its retention removed them before they were read: lengthen it. To go on without them, and"
                    " have them counted as rejected, write ?lost=skip behind the topic.",
                )
            self._batches[number] = Batch(stored, low, lost=low - stored)
            return low
        return stored


def _named(errors: Any, *names: str) -> set[int]:
    # librdkafka's own errors go by names with an underscore.
    return {getattr(errors, name) for name in names}
