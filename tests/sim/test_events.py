"""The accesses of a town: they realise the counts exactly, in order of time, no faster than heard."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.agents import with_platforms
from riparian.codes import RECORDING_KEY, codes_of
from riparian.schema import ACCESS, DAY_US, Action
from riparian.sim.atlas import LANDS
from riparian.sim.cast import cast_of
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Town, each_day, each_day_coded, events, set_stage
from riparian.sim.holdings import COUNTRIES
from riparian.sim.town import TownSpec, days
from riparian.sim.worlds import WORLDS

pytestmark = pytest.mark.slow

N_DAYS = 12
RINGS = ("4x60:dup=0.3", "3x40:artists:mimic=0.3", "3x80:random:bursty:irregular:mimic=0.5", "2x700:metadata")
SPEC = TownSpec(listeners=250, days=N_DAYS, recordings=9_000, copiers=tuple(parse_ring(ring) for ring in RINGS))


@pytest.fixture(scope="module")
def town() -> Town:
    return events(SPEC)


def countries() -> list[int]:
    """Whose catalogue an account is shown does not change when it travels."""
    return [int(c) for c in cast_of(SPEC, days(SPEC))["country"]]


def columns(town: Town) -> dict[str, list[object]]:
    return {name: town.accesses[name].to_pylist() for name in ("account", "recording", "action", "rows")} | {
        "day": ((town.accesses["at"].cast("int64").to_numpy() - SPEC.start_us) // DAY_US).tolist()
    }


def test_accesses_counted_again_give_the_counts(town: Town) -> None:
    """Brute force: one access after another, a set of what each account has met."""
    place = {account: i for i, account in enumerate(town.truth["account"].to_pylist())}
    plays, novel, downloads, rows = (np.zeros((len(place), N_DAYS), int) for _ in range(4))
    met: dict[int, set[object]] = {}
    c = columns(town)
    for account, recording, action, n_rows, day in zip(
        c["account"], c["recording"], c["action"], c["rows"], c["day"], strict=True
    ):
        i = place[str(account)], day
        rows[i] += n_rows or 0  # type: ignore[index]
        if action in ("play", "download"):
            seen = met.setdefault(i[0], set())
            plays[i] += 1  # type: ignore[index]
            novel[i] += recording not in seen  # type: ignore[index]
            downloads[i] += action == "download"  # type: ignore[index]
            seen.add(recording)
    for name, counted in (("plays", plays), ("novel", novel), ("downloads", downloads), ("rows", rows)):
        assert np.array_equal(counted, town.days.matrix(name, N_DAYS)), name


@pytest.mark.slow
@pytest.mark.parametrize("world", sorted(WORLDS))
def test_every_world_can_be_played(world: str) -> None:
    stage = set_stage(TownSpec(listeners=150, days=15, recordings=20_000, world=world))
    coded = pa.concat_tables(each_day_coded(stage, bytes(16)))
    fetched = coded.filter(pa.compute.is_in(coded["action"], pa.array([Action.PLAY, Action.DOWNLOAD], pa.uint8())))
    assert len(fetched) == stage.days.plays.sum()
    assert len(fetched.group_by(["account", "recording"]).aggregate([])) == stage.days.novel.sum()


def test_one_seed_plays_the_same_town_and_another_seed_another(town: Town) -> None:
    small = TownSpec(listeners=30, days=3, recordings=2_000)
    other = TownSpec(listeners=30, days=3, recordings=2_000, seed=2)
    assert events(small).accesses.equals(events(small).accesses)
    assert events(small).catalogue.equals(events(small).catalogue)
    assert not events(small).accesses.equals(events(other).accesses)
    assert town.days.plays.sum() == days(SPEC).plays.sum()


def test_a_ring_that_joins_leaves_listeners_as_they_were() -> None:
    alone = events(TownSpec(listeners=40, days=4, recordings=3_000))
    joined = events(TownSpec(listeners=40, days=4, recordings=3_000, copiers=(parse_ring("3x50"),)))
    mine = pa.compute.is_in(joined.accesses["account"].cast("string"), alone.truth["account"])
    kept = joined.accesses.filter(mine)
    for name in alone.accesses.column_names:
        assert kept[name].to_pylist() == alone.accesses[name].to_pylist(), name
    assert joined.accounts.slice(0, 40).equals(alone.accounts)
    assert joined.truth.slice(0, 40).equals(alone.truth)
    assert joined.catalogue.equals(alone.catalogue)


def test_time_runs_forward_inside_the_period(town: Town) -> None:
    at = town.accesses["at"].cast("int64").to_numpy()
    assert (np.diff(at) >= 0).all()
    assert at[0] >= SPEC.start_us
    assert at[-1] < SPEC.start_us + N_DAYS * DAY_US


def test_nobody_receives_plays_faster_than_they_are_heard(town: Town) -> None:
    """One lane a person: an account never has more plays under way than its plan allows."""
    accesses = town.accesses
    at, media = accesses["at"].cast("int64").to_numpy(), accesses["media_ms"].fill_null(0).to_numpy()
    account, action = accesses["account"].to_pylist(), accesses["action"].to_pylist()
    streams = dict(zip(town.truth["account"].to_pylist(), town.days.streams.tolist(), strict=True))
    role = dict(zip(town.truth["account"].to_pylist(), town.truth["role"].to_pylist(), strict=True))
    under_way: dict[str, list[int]] = {}
    for i in range(len(at)):
        if action[i] == "play" and role[account[i]] == "listener":
            running = [end for end in under_way.get(account[i], []) if end > at[i]]
            running.append(int(at[i]) + int(media[i]) * 1000)
            under_way[account[i]] = running
            assert len(running) <= streams[account[i]]


def test_recordings_are_out_and_available_where_they_are_played(town: Town) -> None:
    catalogue = {row["recording"]: row for row in town.catalogue.to_pylist()}
    role = dict(zip(town.truth["account"].to_pylist(), town.truth["role"].to_pylist(), strict=True))
    home = dict(zip(town.truth["account"].to_pylist(), (COUNTRIES[c] for c in countries()), strict=True))
    for row in town.accesses.slice(0, 20_000).to_pylist():
        if row["recording"] is None or role[row["account"]] == "copier":
            continue
        held = catalogue[row["recording"]]
        assert held["released"] <= row["at"].date()
        assert not held["markets"] or home[row["account"]] in held["markets"].split()
        assert row["country"] in LANDS


def test_a_queue_goes_down_the_chart_and_its_accounts_share_nothing() -> None:
    town = events(TownSpec(listeners=0, days=5, recordings=5_000, copiers=(parse_ring("4x50"),)))
    popularity = dict(
        zip(town.catalogue["recording"].to_pylist(), town.catalogue["popularity"].to_pylist(), strict=True)
    )
    fetched: dict[str, list[str]] = {}
    for account, recording in zip(*(town.accesses[n].to_pylist() for n in ("account", "recording")), strict=True):
        fetched.setdefault(account, []).append(recording)
    assert len(set().union(*fetched.values())) == sum(len(one) for one in fetched.values())
    for one in fetched.values():
        assert all(popularity[a] >= popularity[b] for a, b in pairwise(one))


def test_readers_of_metadata_go_in_identifier_order_and_leave_nothing_out(town: Town) -> None:
    ring = [i for i, name in enumerate(town.days.ring) if name == "ring-4"]
    ids = town.truth["account"].take(pa.array(ring)).to_pylist()
    mine = pa.compute.is_in(town.accesses["account"].cast("string"), pa.array(ids))
    pages = town.accesses.filter(mine).to_pylist()
    assert {row["action"] for row in pages} == {"metadata"}
    for account in ids:
        for day in _by_day(pages, account).values():
            assert all(a < b for a, b in pairwise(day))
    starts = sorted(row["recording"] for row in pages)
    assert len(set(starts)) == len(starts)


def _by_day(pages: list[dict[str, object]], account: str) -> dict[object, list[str]]:
    days_of: dict[object, list[str]] = {}
    for row in pages:
        if row["account"] == account:
            days_of.setdefault(row["at"].date(), []).append(str(row["recording"]))  # type: ignore[attr-defined]
    return days_of


def test_coded_days_are_what_a_reader_would_make_of_the_written_ones() -> None:
    stage = set_stage(TownSpec(listeners=20, days=3, recordings=2_000, copiers=(parse_ring("1x300:metadata"),)))
    key = bytes(range(16))
    for written, coded in zip(each_day(stage), each_day_coded(stage, key), strict=True):
        assert set(coded.column_names) <= set(ACCESS.names)
        assert np.array_equal(written["at"].cast("int64").to_numpy(), coded["at_us"].to_numpy())
        for name, with_key in (
            ("account", key),
            ("device", key),
            ("session", key),
            ("network", key),
            ("recording", RECORDING_KEY),
        ):
            assert np.array_equal(codes_of(written[name], with_key), coded[name].to_numpy()), name
        agents = with_platforms(codes_of(written["agent"], key), written["agent"])
        assert np.array_equal(agents, coded["agent"].to_numpy())
        for name in ("lat", "lon"):
            assert np.array_equal(written[name].to_numpy(), coded[name].to_numpy()), name


def test_the_popular_are_heard_more() -> None:
    town = events(TownSpec(listeners=400, days=10, recordings=20_000))
    heard = (
        town.accesses.group_by("recording")
        .aggregate([("recording", "count")])
        .sort_by([("recording_count", "descending")])
    )
    counts = heard["recording_count"].to_numpy()
    assert 0.05 < counts[:200].sum() / counts.sum() < 0.5
    assert len(heard) > 10_000
