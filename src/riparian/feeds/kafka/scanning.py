"""What does a topic hold now?  Read once, as a file is, from where it was read before up to its present end."""

import time
from collections.abc import Iterator

from riparian.errors import OutsideError
from riparian.feeds.chunks import Chunk
from riparian.feeds.kafka.address import Address
from riparian.feeds.kafka.messages import Messages
from riparian.feeds.kafka.reading import PATIENCE_S, Stored, Topic
from riparian.ports import Offsets


def read_topic(address: Address, messages: Messages, group: str, stored: Stored) -> Iterator[Chunk]:
    """Read each partition from where it goes on to where it ends now.

    Raises
    ------
    InputError
        When there is no such topic, it does not go on where it was read before, or its lines are of no known layout.
    OutsideError
        When the brokers refuse, or are silent for half a minute.
    """
    topic = Topic(address, group, stored)
    try:
        partitions = topic.partitions()
        ends = {number: high for number, (_, high) in topic.ends(partitions).items()}
        topic.take(partitions)
        heard_s = time.monotonic()
        while any(at < ends[number] for number, at in topic.reached().items()):
            batches = topic.poll(1.0)
            for number, batch in sorted(batches.items()):
                heard_s = time.monotonic()
                offsets = Offsets(address.log(number), batch.begin, batch.end)
                yield messages.chunk(offsets, batch.messages, lost=batch.lost)
            if time.monotonic() - heard_s > PATIENCE_S:
                raise OutsideError(
                    f"`{address.name}` was silent for {PATIENCE_S:.0f} s before its end"
                    f" ({topic.away or 'why is not told'})",
                    hint="See that its brokers run, then begin again: it goes on where it stopped.",
                )
        # What is gone for ever is told even where nothing follows it.
        for number, batch in sorted(topic.poll(0.0).items()):
            yield messages.chunk(Offsets(address.log(number), batch.begin, batch.end), batch.messages, lost=batch.lost)
    finally:
        topic.close()
