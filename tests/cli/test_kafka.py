"""The commands over a topic: what an operator types, on a broker that runs, with a worker that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.flows.joined import evidence_of_all
from riparian.stores.memory import FixedClock
from riparian.stores.workspace import Workspace
from tests.feeds import brokers
from tests.feeds.brokers import Broker
from tests.feeds.renderings import ndjson
from tests.stories.partitioned import KEY, made
from tests.stories.test_partitioned import town

pytestmark = pytest.mark.slow

RIPARIAN = (sys.executable, "-m", "riparian.cli")
FACTS = town(600)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with brokers.run("tansu") as running:
        yield running


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "plays.ndjson"
    file.write_bytes(ndjson(FACTS))
    return file


@pytest.fixture(scope="module")
def whole(log: Path) -> Any:
    path = made(log.parent / "whole")
    scan(str(log), path)
    return evidence(path)


def scan(source: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*RIPARIAN, "scan", source, "--workspace", str(path), "--json"], check=True, capture_output=True, text=True
    )
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def evidence(path: Path) -> Any:
    workspace = Workspace.open(path)
    found = evidence_of_all(workspace.world(FixedClock(0)).findings.table).to_pylist()
    workspace.close()
    return found


def counted(path: Path) -> int:
    workspace = Workspace.open(path)
    summaries = workspace.world(FixedClock(0)).scans.summaries()
    workspace.close()
    return int(summaries[-1]["accesses"]) if summaries else 0


def test_a_topic_is_scanned_once_however_often_it_is_scanned(
    broker: Broker, log: Path, tmp_path: Path, whole: Any
) -> None:
    source, path = broker.topic("once"), made(tmp_path / "w")
    broker.publish(source, log, key=KEY)
    broker.send("once", 3, b"not a line", None)
    for _ in range(2):
        summary = scan(source, path)
        assert (summary["accesses"], summary["rejected"]) == (len(FACTS), 2)
        assert evidence(path) == whole


def test_a_worker_that_is_killed_is_gone_on_with(broker: Broker, log: Path, tmp_path: Path, whole: Any) -> None:
    source, path = broker.topic("killed"), made(tmp_path / "w")
    broker.publish(source, log, key=KEY)
    url = f"{source}?every=1&idle=1&partitions=0-3"
    for how in (signal.SIGKILL, signal.SIGTERM):
        worker = subprocess.Popen(
            [*RIPARIAN, "scan", "--follow", url, "--workspace", str(path)], stderr=subprocess.PIPE, text=True
        )
        deadline_s = time.monotonic() + 120
        while not (path / "partitions").exists() if how == signal.SIGKILL else counted(path) < len(FACTS):
            assert worker.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        os.kill(worker.pid, how)
        _, said = worker.communicate(timeout=120)
        assert worker.returncode == (-how if how == signal.SIGKILL else 0)
    assert "No longer following" in said
    assert evidence(path) == whole
