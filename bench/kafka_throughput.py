"""What does it cost a core to read accesses from a topic, beside reading them from Parquet, and to share the work out?

CPU seconds, user and system, of all processes that scan one town's log: from the file, from a topic in one go, and
followed by 1, 2 and 4 workers until everything is counted.  The start of each process, with its catalogue, is in it.

    python bench/kafka_throughput.py [--listeners 150] [--days 20]

Writes docs/bench/kafka-throughput.csv: way, workers, cpu_s, rows_per_cpu_s, share of what Parquet gives.
"""

import argparse
import csv
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faults_kafka import KEY, PARTITIONS, broker, look, workspace

from riparian import assembly
from riparian.feeds.kafka import address_of
from riparian.feeds.kafka.publishing import publish

OUT = Path(__file__).parent.parent / "docs" / "bench" / "kafka-throughput.csv"
PATIENCE_S = 300.0
_SCAN = (sys.executable, "-m", "riparian.cli", "scan")


def cpu_s() -> float:
    """Tell what all processes that we waited for have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def once(source: str, given: assembly.Given) -> float:
    """Scan in one go, and give the CPU seconds."""
    before = cpu_s()
    tables = ["--catalogue", str(given.catalogue), "--workspace", str(given.workspace)]
    subprocess.run([*_SCAN, source, *tables], check=True, capture_output=True)
    return cpu_s() - before


def followed(source: str, given: assembly.Given, workers: int, rows: int) -> float:
    """Follow until everything is counted, and give the CPU seconds of all workers."""
    before = cpu_s()
    tables = ["--catalogue", str(given.catalogue), "--workspace", str(given.workspace)]
    running = []
    for i in range(workers):
        held = ",".join(str(number) for number in range(PARTITIONS) if number % workers == i)
        command = [*_SCAN, "--follow", f"{source}?every=5&idle=600&partitions={held}", *tables]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    begun_s = time.monotonic()
    while look(given)[1].get("accesses") != rows and time.monotonic() - begun_s < PATIENCE_S:
        time.sleep(1.0)
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        process.wait()
    return cpu_s() - before


def main() -> None:
    """Run, print and write the table."""
    parser = argparse.ArgumentParser()
    for name, value in (("listeners", 150), ("days", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    made = []
    with tempfile.TemporaryDirectory() as folder, broker() as servers:
        town = Path(folder) / "town"
        form = ["--listeners", str(options.listeners), "--days", str(options.days), "--seed", "1"]
        subprocess.run([sys.executable, "-m", "riparian.cli", "simulate", str(town), *form], check=True)
        log, catalogue = town / "accesses.parquet", str(town / "catalogue.parquet")
        rows = pq.read_metadata(log).num_rows
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 2})
        admin.create_topics([NewTopic("plays", PARTITIONS, 1)])["plays"].result(30)
        source = f"kafka://{servers}/plays"
        publish([str(log)], replace(address_of(source), settings={"batch.num.messages": "1"}), key=KEY)

        def given(name: str) -> assembly.Given:
            return assembly.Given(workspace(Path(folder) / name), None, None, catalogue)

        made.append(("Parquet, scanned", 1, once(str(log), given("file"))))
        made.append(("topic, scanned", 1, once(source, given("topic"))))
        for workers in (1, 2, 4):
            made.append(("topic, followed", workers, followed(source, given(f"by-{workers}"), workers, rows)))
            print(*made[-1], flush=True)
    with OUT.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["way", "workers", "rows", "cpu_s", "rows_per_cpu_s", "of_parquet"])
        for way, workers, used_s in made:
            table.writerow([way, workers, rows, round(used_s, 1), round(rows / used_s), round(made[0][2] / used_s, 2)])
            print(way, workers, round(used_s, 1), round(made[0][2] / used_s, 2))


if __name__ == "__main__":
    main()
