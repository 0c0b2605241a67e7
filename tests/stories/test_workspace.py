"""A log becomes decisions in a folder: read twice, rotated, killed, or kept in memory, it comes to the same."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from riparian.codes import BUCKETS
from riparian.flows.extraction import scan
from riparian.ports import World
from riparian.sim.copiers import parse_ring
from riparian.sim.events import events
from riparian.stores.memory import FixedClock, Memory
from riparian.stores.workspace import Workspace
from tests.stories.towns import played, small

pytestmark = pytest.mark.slow

SPEC = small(parse_ring("1x300:queue"), listeners=60, days=6)


def riparian(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "riparian.cli", *map(str, words)]


def lines(*words: str | Path) -> list[dict[str, Any]]:
    ended = subprocess.run(riparian(*words, "--json"), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def told(workspace: Path, *logs: Path) -> dict[str, Any]:
    """Scan, and keep what must not depend on when it was done."""
    found = lines("scan", *logs, "--workspace", workspace)
    accounts = [{k: v for k, v in line.items() if k not in ("since", "until", "pseudonym")} for line in found[:-1]]
    summary = {k: v for k, v in found[-1].items() if k not in ("as_of_us", "begun_us", "generation")}
    # Equal bits stand in the order of pseudonyms, which every workspace has its own of.
    return {"accounts": sorted(accounts, key=lambda line: str(line["account"])), "summary": summary}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One town's accesses as lines of JSON."""
    path = tmp_path_factory.mktemp("town") / "access.ndjson"
    table = events(SPEC).accesses.select(["at", "account", "recording", "action"])
    with path.open("w", encoding="utf-8") as file:
        for row in table.to_pylist():
            file.write(json.dumps({**row, "at": row["at"].isoformat()}) + "\n")
    return path


@pytest.mark.slow
def test_a_log_read_again_zipped_or_rotated_changes_nothing(log: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    first = told(workspace, log)
    assert first["summary"]["accesses"] == log.read_bytes().count(b"\n")
    assert told(workspace, log) == first
    zipped = tmp_path / "access.ndjson.1.gz"
    zipped.write_bytes(gzip.compress(log.read_bytes()))
    assert told(workspace, zipped) == first


@pytest.mark.slow
def test_a_scan_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    log = tmp_path / "accesses.parquet"
    pq.write_table(events(small(parse_ring("1x300:queue"), listeners=300, days=8)).accesses, log, row_group_size=20_000)
    whole = told(tmp_path / "whole", log)
    for files in (2, 5, 20, 60):
        workspace = tmp_path / f"killed-{files}"
        with subprocess.Popen(riparian("scan", log, "--workspace", workspace), stdout=subprocess.DEVNULL) as child:
            # Killed without warning once so many files are there: while reading, or in the midst of the buckets.
            while child.poll() is None and sum(len(names) for _, _, names in os.walk(workspace)) < files:
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
        assert told(workspace, log) == whole


def everything(world: World) -> dict[str, Any]:
    """All that a world keeps, bit for bit."""
    names = ("alone", "answers", "fetches", "rings", "kin", "refusals", "timeline", "days", "totals", "draws")
    kept: dict[str, Any] = {"decisions": world.decisions.table(), "summaries": world.scans.summaries()}
    kept |= {name: world.findings.table(name) for name in names}
    for bucket in range(BUCKETS + 1):
        for name, array in (world.tallies.load(bucket) or {}).items():
            kept[f"{bucket}/{name}"] = (array.dtype, array.shape, array.tobytes())
    return kept


def test_a_world_in_memory_and_one_in_a_folder_keep_the_same_bits(tmp_path: Path) -> None:
    town = played(SPEC)
    memory = Memory()
    in_memory = memory.world(FixedClock(town.end_us))
    workspace = Workspace.open(tmp_path / "workspace")
    in_folder = workspace.world(FixedClock(town.end_us))
    try:
        for chunks in (town.chunks[:3], town.chunks[3:]):
            found = [scan(world, chunks, town.terms) for world in (in_memory, in_folder)]
            assert found[0].summary == found[1].summary
            assert found[0].exposure.equals(found[1].exposure)
        assert everything(in_memory) == everything(in_folder)
        codes = np.array(sorted(town.copiers), np.uint64)
        assert in_memory.vault.ids_of(codes) == in_folder.vault.ids_of(codes) != [None]
    finally:
        workspace.close()
