"""How is a topic followed, by one of several workers?"""

from collections.abc import Callable, Mapping, Sequence

from riparian.feeds.chunks import Chunk
from riparian.feeds.kafka.address import Address
from riparian.feeds.kafka.messages import Message, Messages
from riparian.feeds.kafka.reading import Stored, Topic
from riparian.ports import Offsets

Learnt = Callable[[bytes], bytes]
"""Offers a sample of the topic, and gives the one that all workers learn from."""


class Following:
    """``ports.partitioned.Partitions`` over a topic.

    Parameters
    ----------
    address, group, stored
        As for :class:`riparian.feeds.kafka.reading.Topic`.
    messages
        Reads what comes.
    learnt
        Keeps what layouts are learnt from.
    """

    def __init__(self, address: Address, group: str, stored: Stored, messages: Messages, learnt: Learnt) -> None:
        self._address, self._messages, self._learnt = address, messages, learnt
        self._topic = Topic(address, group, stored)
        self._all = self._topic.partitions()
        if address.partitions is not None:
            self._topic.take(self._all)
            # Whoever reads some of them still knows of all.
            self._all = self._topic.partitions(named=False)
        else:
            self._topic.join()

    @property
    def away(self) -> str:
        """Why no broker answers; empty when one does."""
        return self._topic.away

    def log(self, partition: int) -> str:
        """See ``ports.partitioned.Partitions``."""
        return self._address.log(partition)

    def all(self) -> Sequence[int]:
        """See ``ports.partitioned.Partitions``."""
        return self._all

    def held(self) -> Sequence[int]:
        """See ``ports.partitioned.Partitions``."""
        return self._topic.held()

    def ends(self) -> Mapping[int, tuple[int, int]]:
        """See ``ports.partitioned.Partitions``."""
        return self._topic.ends(self._all)

    def poll(self, seconds: float, *, rests: bool = False) -> Sequence[Chunk]:
        """See ``ports.partitioned.Partitions``."""
        if rests:
            self._topic.rest()
            return ()
        return [
            self._chunk(Offsets(self.log(number), batch.begin, batch.end), batch.messages, batch.lost)
            for number, batch in sorted(self._topic.poll(seconds).items())
        ]

    def close(self) -> None:
        """Leave the group."""
        self._topic.close()

    def _chunk(self, offsets: Offsets, messages: Sequence[Message], lost: int) -> Chunk:
        if not self._messages.sample:
            self._messages.sample = self._learnt(self._messages.learn(messages, offsets.log))
        return self._messages.chunk(offsets, messages, lost=lost)
