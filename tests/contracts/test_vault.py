"""What is promised of forgetting several people at once holds in memory and in a folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riparian.codes import BUCKETS, codes_of
from riparian.gate.decide import to_table
from riparian.ports import SHARED, World
from riparian.stores.memory import FixedClock, Memory
from riparian.stores.workspace import Workspace
from tests.contracts.test_stores import NOW, commit, held, piece, stage, without


@pytest.fixture(params=["memory", "folder"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield Memory().world(FixedClock(NOW))
        return
    workspace = Workspace.open(tmp_path / "w")
    yield workspace.world(FixedClock(NOW))
    workspace.close()


def test_several_are_forgotten_at_once_and_the_others_are_where_they_were(world: World) -> None:
    names = ["anna", "béla", "cleo", "dora"]
    codes = codes_of(pa.array(names, pa.string()), world.vault.key)
    gone, stays = codes[:3].tolist(), int(codes[3])
    rows = {"at_us": [1, 2, 3, 4], "account": codes.tolist(), "recording": [1, 1, 2, 3]}
    with world.scans.alone():
        stage(world, piece(b"one", rows, ids=(codes, names)))
        scan = world.scans.begin(b"")
        for bucket in range(BUCKETS):
            own = np.unique(scan.columns(bucket)["account"])
            if own.size:
                table = pa.table({"account": pa.array(own), "n": pa.array(np.ones(own.size, np.int64))})
                scan.save(bucket, {"account": own}, {"evidence": table})
        rings = pa.table({"accounts": pa.array([[gone[0], gone[1], stays], [*gone, stays, 9]], pa.list_(pa.uint64()))})
        scan.save(SHARED, {"account": codes}, {"rings": rings})
        scan.commit(to_table([held(code) for code in codes.tolist()]), {})
        stage(world, piece(b"two", rows))
    assert world.vault.erase_all(gone, without)
    assert world.vault.ids_of(codes) == [None, None, None, "dora"]
    assert world.decisions.table()["account"].to_pylist() == [stays]
    assert {event.account for event in world.decisions.log()} == {stays}
    found = world.findings.table("evidence")
    assert found is not None
    assert found["account"].to_pylist() == [stays]
    tallies = [world.tallies.load(drawer) for drawer in (*range(BUCKETS), SHARED)]
    assert [a for tally in tallies if tally for a in tally["account"].tolist()] == [stays, stays]
    rings_left = world.findings.table("rings")
    assert rings_left is None or rings_left["accounts"].to_pylist() == [[stays, 9]], "one alone is no ring"
    assert world.staging.waiting() == 1
    assert not world.vault.erase_all(gone, without)


def test_nobody_is_nobody(world: World) -> None:
    commit(world, held(5))
    assert not world.vault.erase_all([], without)
    assert world.decisions.table()["account"].to_pylist() == [5]
