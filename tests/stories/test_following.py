"""A log that grows while it is followed: what arrives is weighed, and counted once."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from riparian import assembly
from riparian.cli.follow import _grown, _Teller
from riparian.cli.logged import Log
from riparian.feeds.chunks import ReadOptions
from riparian.sim.copiers import parse_ring
from riparian.sim.events import events
from tests.stories.towns import small


@pytest.mark.slow
def test_a_log_is_followed_as_it_grows(tmp_path: Path) -> None:
    town = events(small(parse_ring("1x300:queue"), listeners=20, days=4))
    rows = town.accesses.select(["at", "account", "recording"]).drop_null()
    written = [json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in rows.to_pylist()]
    log, half = tmp_path / "access.ndjson", len(written) // 2
    log.write_text("".join(written[:half]))
    command = [sys.executable, "-m", "riparian.cli", "scan", str(log), "-w", str(tmp_path / "w"), "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert counts(child) == half
            with log.open("a") as file:
                file.writelines(written[half:])
            assert counts(child) == len(written)
            child.send_signal(signal.SIGINT)
            assert child.wait(timeout=120) == 0
        finally:
            child.kill()


def counts(child: subprocess.Popen[str]) -> int:
    """Read on to the next summary."""
    assert child.stdout is not None
    for line in child.stdout:
        told = json.loads(line)
        if told["kind"] == "summary":
            return int(told["accesses"])
    raise AssertionError("it ended before its summary")


def test_what_a_killed_scan_had_read_is_counted_though_nothing_new_arrives(tmp_path: Path) -> None:
    town = events(small(listeners=20, days=3))
    rows = town.accesses.select(["at", "account", "recording"]).drop_null()
    log = tmp_path / "access.ndjson"
    log.write_text("".join(json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in rows.to_pylist()))
    given = assembly.Given(tmp_path / "w")
    with assembly.house(given) as house:
        with house.world.scans.alone():
            for chunk in assembly.chunks(house, [str(log)], ReadOptions()):
                house.world.staging.add(chunk)
        assert house.world.staging.waiting() == len(rows)
        teller = _Teller(house, json=False, log=Log())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("riparian.cli.follow.time.sleep", interrupt)
            patch.setattr("riparian.cli.ladder.show", lambda *_: None)
            assert _grown(house, str(log), ReadOptions(), teller)
        assert [said["accesses"] for said in house.world.scans.summaries()] == [len(rows)]
        assert not house.world.staging.waiting()


def interrupt(_: float) -> None:
    raise KeyboardInterrupt
