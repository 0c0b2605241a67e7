"""What stands behind a source of accesses: files, addresses, or a log in partitions?"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

from riparian.assembly.world import House
from riparian.feeds import access_log, kafka
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.flows.workers import Pace, Worker
from riparian.stores.workspace import Workspace

_GROUP_CHARS = 12


def read(house: House, logs: Sequence[str], options: ReadOptions) -> Iterator[Chunk]:
    """Read logs, passing over what the workspace knows."""
    staging, key = house.world.staging, house.world.vault.key
    options = wanted_of(house, options)
    plain = [log for log in logs if not kafka.is_address(log)]
    # What is wrong with an address is said before anything is read.
    addresses = [kafka.address_of(log) for log in logs if kafka.is_address(log)]
    each = [_topic(house, address, options) for address in addresses]
    if plain:
        each.append(access_log.read(plain, options=options, key=key, known=staging.known))
    return chain.from_iterable(each)


def wanted_of(house: House, options: ReadOptions) -> ReadOptions:
    """Say what is wanted of a log: refusals, where somebody looks for those that somebody else takes over."""
    return replace(options, refusals=house.terms.signals is not None)


def group_of(house: House) -> str:
    """Name the group of all who read for one workspace."""
    return f"riparian-{hashlib.sha256(b'group ' + house.world.vault.key).hexdigest()[:_GROUP_CHARS]}"


def _topic(house: House, address: kafka.Address, options: ReadOptions) -> Iterator[Chunk]:
    from riparian.feeds.kafka.scanning import read_topic  # noqa: PLC0415 -- an extra, and few need it

    staging, world = house.world.staging, house.world
    messages = kafka.Messages(options, access_log.door_of(options, world.vault.key), world.clock.now_us)

    def stored(partition: int) -> int | None:
        reached = staging.reached(address.log(partition))
        return None if reached is None else reached.offset

    yield from read_topic(address, messages, group_of(house), stored)


@contextmanager
def worker(house: House, address: kafka.Address, options: ReadOptions) -> Iterator[Worker]:
    """Follow a log in partitions, as one of several or alone.

    Raises
    ------
    InputError
        When there is no such topic.
    OutsideError
        When no broker answers.
    """
    from riparian.feeds.kafka.following import Following  # noqa: PLC0415 -- an extra, and few need it

    world, workspace = house.world, Workspace.open(house.folder)
    shares = workspace.shares()
    options = wanted_of(house, options)
    messages = kafka.Messages(options, access_log.door_of(options, world.vault.key), world.clock.now_us)

    def stored(partition: int) -> int | None:
        log = address.log(partition)
        reached = world.staging.reached(log)
        return shares.reached(log, None if reached is None else reached.offset)

    messages.sample = shares.learnt(address.topic)
    following = Following(
        address, group_of(house), stored, messages, lambda sample: shares.learnt(address.topic, sample)
    )
    try:
        yield Worker(world, house.terms, following, shares, time.monotonic, Pace(address.every_s, address.idle_s))
    finally:
        following.close()
        workspace.close()
