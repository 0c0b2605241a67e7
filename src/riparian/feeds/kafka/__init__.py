"""How do accesses arrive through a log in partitions, over the protocol of Kafka?

::

    address      kafka://host:9092/topic?group=...: where the log is, and how it is read
    messages     what stands between two offsets of a partition --> one chunk, known by those offsets
    reading      partitions read on from the offsets that are kept with what was counted of them
    publishing   logs of any format put into a topic, each account in the partition of its bucket

Offsets are ours: they are kept with what was read, in one step, so that a message counts once whatever dies in
between.  What the broker believes that a group has read decides nothing.
"""

from riparian.feeds.kafka.address import SCHEME, Address, address_of, is_address
from riparian.feeds.kafka.messages import Messages

__all__ = ["SCHEME", "Address", "Messages", "address_of", "is_address"]
