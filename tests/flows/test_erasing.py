"""Who is forgotten is nowhere, and everybody else is where they would be had the account never been seen."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riparian.accounts.tally import account_mask
from riparian.codes import bucket_of
from riparian.feeds.chunks import Chunk
from riparian.flows.erasing import erase
from riparian.flows.extraction import about, scan
from riparian.flows.rings import about_ring, rings_of
from riparian.gate.policy import Policy
from riparian.ports import SHARED, World
from riparian.sim.copiers import parse_ring
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import Played, played, small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def town() -> Played:
    return played(small(parse_ring("6x60:queue"), listeners=40, days=17), policy=Policy(accounts=20_000))


def kept(town: Played, chunks: tuple[Chunk, ...]) -> tuple[Memory, World]:
    memory = Memory()
    world = memory.world(FixedClock(town.end_us))
    world.catalogue.keep(town.recordings)
    scan(world, chunks, town.terms)
    return memory, world


def without(chunk: Chunk, account: int) -> Chunk:
    left = chunk.accesses.filter(pc.not_equal(chunk.accesses["account"], pa.scalar(account, pa.uint64())))
    return replace(chunk, accesses=left)


def codes_in(array: npt.NDArray[Any]) -> set[int]:
    """Gather every 64-bit code in an array, whichever field it stands in."""
    if array.dtype.names:
        return set().union(*(codes_in(array[name]) for name in array.dtype.names))
    return set(array.ravel().tolist()) if array.dtype == np.uint64 else set()


def everywhere(memory: Memory) -> set[int]:
    found: set[int] = set()
    for drawer in memory.kept.values():
        for array in drawer.arrays.values():
            found |= codes_in(array)
        for table in drawer.tables.values():
            for column in table.columns:
                values = column.combine_chunks()
                values = values.flatten() if pa.types.is_list(values.type) else values
                if values.type == pa.uint64():
                    found |= set(values.to_pylist())
    found |= set(memory.ids) | {event.account for event in memory.events}
    return found | set(memory.decisions["account"].to_pylist())


def of_everybody(memory: Memory, bucket: int) -> dict[str, npt.NDArray[Any]]:
    arrays = dict(memory.kept[bucket].arrays)
    return arrays | {"seen": np.sort(arrays["seen"])}


@pytest.mark.parametrize("who", ["a member of a ring", "a listener"])
def test_nothing_is_left_of_an_account_and_all_of_the_others(town: Played, who: str) -> None:
    member = min(town.copiers)
    memory, world = kept(town, town.chunks)
    listeners = sorted(set(memory.ids) - town.copiers)
    alone = [a for a in listeners if bucket_of(np.array([a], np.uint64)) == bucket_of(np.array([member], np.uint64))]
    gone = member if who == "a member of a ring" else (alone or listeners)[0]
    bucket = int(bucket_of(np.array([gone], np.uint64))[0])
    assert gone in everywhere(memory)
    recordings = memory.kept[SHARED].arrays["recordings"]
    masked = account_mask(np.array([gone], np.uint64))[0]
    assert np.isin(memory.kept[bucket].arrays["seen"] ^ masked, recordings).any()

    assert erase(world, gone)
    assert gone not in everywhere(memory)
    assert not np.isin(memory.kept[bucket].arrays["seen"] ^ masked, recordings).any()
    never, _ = kept(town, tuple(without(chunk, gone) for chunk in town.chunks))
    if bucket in never.kept:
        wanted, found = of_everybody(never, bucket), of_everybody(memory, bucket)
        assert wanted.keys() == found.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert not erase(world, gone)


def test_rings_go_on_without_who_was_forgotten_and_so_do_scans(town: Played) -> None:
    memory, world = kept(town, town.chunks[:-1])
    (ring,) = rings_of(world)["ring"].to_pylist()
    gone, *rest = sorted(town.copiers)
    assert erase(world, gone)
    assert [member.account for member in about_ring(world, town.terms, ring).members if member.account == gone] == []
    late = tuple(without(chunk, gone) for chunk in town.chunks[-1:])
    scan(world, late, town.terms)
    assert gone not in everywhere(memory)
    assert {a for accounts in rings_of(world)["accounts"].to_pylist() for a in accounts} == set(rest)
    for account in rest:
        explained = about(world, town.terms, account).evidence
        assert explained.bits == sum(row.bits for row in explained.waterfall)


def test_a_ring_that_loses_all_but_one_is_none(town: Played) -> None:
    memory, world = kept(town, town.chunks)
    for account in sorted(town.copiers)[1:]:
        assert erase(world, account)
    assert len(rings_of(world)) == 0
    assert memory.kept[SHARED].arrays["kin.members"].size == 0
