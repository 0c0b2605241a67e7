"""New fetches agree with counts and accesses; a ring goes in the order of its list; scenes hold people apart."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.codes import RECORDING_KEY, codes_of
from riparian.schema import DAY_US, Action
from riparian.sim.copiers import parse_ring
from riparian.sim.events import each_day_coded, set_stage
from riparian.sim.fetches import each_day_fetched, fetches
from riparian.sim.holdings import Shelf, stock
from riparian.sim.town import TownSpec, days

RINGS = ("4x60:dup=0.3", "3x40:artists", "3x80:human=0.4", "5x30:taste")
SPEC = TownSpec(listeners=120, days=8, recordings=9_000, copiers=tuple(parse_ring(ring) for ring in RINGS))


def test_every_new_recording_of_the_counts_is_fetched_once_on_its_day() -> None:
    taken = fetches(SPEC)
    novel = days(SPEC).matrix("novel", SPEC.days)
    day = (taken["at_us"] - SPEC.start_us) // DAY_US
    again = np.zeros_like(novel)
    np.add.at(again, (taken["account"], day), 1)
    assert np.array_equal(again, novel)
    assert (np.diff(taken["at_us"]) >= 0).all()
    pairs = taken["account"].astype(np.int64) * SPEC.recordings + taken["recording"]
    assert len(np.unique(pairs)) == len(pairs)


@pytest.mark.slow
def test_the_accesses_first_meet_the_same_recordings_on_the_same_days() -> None:
    stage, key = set_stage(SPEC), bytes(16)
    account_of = {code: i for i, code in enumerate(codes_of(stage.account_ids, key).tolist())}
    row_of = {code: i for i, code in enumerate(codes_of(stage.recording_ids, RECORDING_KEY).tolist())}
    met: set[tuple[int, int]] = set()
    for coded, taken in zip(each_day_coded(stage, key), each_day_fetched(SPEC, stage.days), strict=True):
        media = coded.filter(pa.compute.is_in(coded["action"], pa.array([Action.PLAY, Action.DOWNLOAD], pa.uint8())))
        pairs = zip(media["account"].to_pylist(), media["recording"].to_pylist(), strict=True)
        new = {(account_of[account], row_of[recording]) for account, recording in pairs} - met
        assert new == set(zip(taken["account"].tolist(), taken["recording"].tolist(), strict=True))
        met |= new


def test_a_ring_goes_down_its_list_in_order_of_time() -> None:
    spec = TownSpec(listeners=0, days=4, recordings=5_000, copiers=(parse_ring("7x40"),))
    chart = stock(spec.seed, 5_000, days=4, weekday=spec.weekday).chart["recording"]
    taken = fetches(spec)["recording"]
    assert np.array_equal(taken, chart[: len(taken)])


def _scenes(shelf: Shelf, taken: np.ndarray[tuple[int], np.dtype[np.void]], account: int) -> list[int]:
    mine = taken["recording"][taken["account"] == account]
    scenes = np.bincount(shelf.artists["scene"][shelf.tracks["artist"][mine]], minlength=len(shelf.scenes))
    return [int(many) for many in scenes]


def test_an_account_of_a_taste_ring_keeps_to_its_scene() -> None:
    spec = TownSpec(listeners=0, days=3, recordings=20_000, copiers=(parse_ring("5x30:taste"),))
    shelf, taken = stock(spec.seed, 20_000, days=3, weekday=spec.weekday), fetches(spec)
    for account in range(5):
        assert sum(sorted(_scenes(shelf, taken, account))[-2:]) == sum(_scenes(shelf, taken, account))


def test_listeners_keep_mostly_to_a_few_scenes() -> None:
    spec = TownSpec(listeners=60, days=20, recordings=40_000)
    shelf, taken = stock(spec.seed, 40_000, days=20, weekday=spec.weekday), fetches(spec)
    shares = []
    for account in np.flatnonzero(np.bincount(taken["account"]) > 100):
        counts = sorted(_scenes(shelf, taken, int(account)))
        shares.append(sum(counts[-5:]) / sum(counts))
    assert 0.45 < np.median(shares) < 0.95


def test_what_a_ring_takes_as_listeners_would_is_not_taken_again_from_the_list() -> None:
    spec = TownSpec(listeners=0, days=6, recordings=5_000, copiers=(parse_ring("6x100:human=0.3"),))
    chart = stock(spec.seed, 5_000, days=6, weekday=spec.weekday).chart["recording"]
    taken = fetches(spec)
    place = np.empty(5_000, np.int64)
    place[chart] = np.arange(5_000)
    distinct = len(np.unique(taken["recording"]))
    assert 0.75 * len(taken) < distinct < len(taken)
    assert np.quantile(place[taken["recording"]], 0.6) < 0.75 * len(taken)


def test_a_day_without_new_fetches_is_empty() -> None:
    spec = TownSpec(listeners=0, days=3, recordings=500, copiers=(parse_ring("1x400:from=1"),))
    assert [len(day) > 0 for day in each_day_fetched(spec)] == [False, True, True]
