"""Whereabouts: who is where, on which device, behind which address, and that nobody flies faster than an aircraft."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest

from riparian.sim.copiers import parse_ring
from riparian.sim.events import Stage, each_day_coded, set_stage
from riparian.sim.town import TownSpec

pytestmark = pytest.mark.slow

RINGS = ("20x60:devices=2", "6x60:churn", "6x60:proxies", "4x60")
SPEC = TownSpec(listeners=1_500, days=21, recordings=9_000, copiers=tuple(parse_ring(ring) for ring in RINGS))


@pytest.fixture(scope="module")
def stage() -> Stage:
    return set_stage(SPEC)


@pytest.fixture(scope="module")
def accesses(stage: Stage) -> pl.DataFrame:
    found = pl.from_arrow(pa.concat_tables(each_day_coded(stage, bytes(16))))
    assert isinstance(found, pl.DataFrame)

    return found


def ring(stage: Stage, name: str) -> pa.Array:
    from riparian.codes import codes_of  # noqa: PLC0415 -- only here

    return codes_of(stage.account_ids.filter(pa.array(stage.days.ring == name)), bytes(16)).tolist()


def distinct(accesses: pl.DataFrame, stage: Stage, name: str, column: str) -> list[int]:
    mine = accesses.filter(pl.col("account").is_in(ring(stage, name)))
    return mine.group_by("account").agg(pl.col(column).n_unique())[column].to_list()


def test_a_farm_is_on_its_few_devices(accesses: pl.DataFrame, stage: Stage) -> None:
    mine = accesses.filter(pl.col("account").is_in(ring(stage, "ring-1")))
    assert mine["device"].n_unique() == 2
    assert set(distinct(accesses, stage, "ring-1", "device")) == {2}


def test_who_churns_is_a_new_device_every_day_and_who_does_not_is_one(accesses: pl.DataFrame, stage: Stage) -> None:
    assert set(distinct(accesses, stage, "ring-2", "device")) == {21}
    assert set(distinct(accesses, stage, "ring-4", "device")) == {1}


def test_proxies_are_in_many_cities_and_a_copier_without_is_at_home(accesses: pl.DataFrame, stage: Stage) -> None:
    assert min(distinct(accesses, stage, "ring-3", "country")) > 30
    assert set(distinct(accesses, stage, "ring-4", "country")) == {1}
    assert set(distinct(accesses, stage, "ring-4", "network")) == {1}


def test_thousands_share_a_carrier_and_families_a_speaker(accesses: pl.DataFrame) -> None:
    behind = accesses.group_by("network").agg(pl.col("account").n_unique().alias("n"))["n"]
    on = accesses.group_by("device").agg(pl.col("account").n_unique().alias("n"))["n"]
    assert behind.max() > 50  # type: ignore[operator]
    speakers = on.filter((on > 1) & (on != 20))
    assert speakers.max() == 5
    assert len(speakers) > 50


def kilometres(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    lat, lon = np.radians(rows["lat"].to_numpy()), np.radians(rows["lon"].to_numpy())
    chord = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    return np.asarray(2 * 6371 * np.arcsin(np.sqrt(np.clip(chord, 0, 1))), np.float64)


def test_who_travels_without_roaming_or_a_private_network_flies_no_faster_than_aircraft(
    stage: Stage, accesses: pl.DataFrame
) -> None:
    """Seen on airlines, in hotels and at home only; half an hour and 100 km for being elsewhere in one city."""
    from riparian.codes import codes_of  # noqa: PLC0415 -- only here

    firsts, lives = stage.wandering.firsts, stage.wandering.lives
    network = codes_of(stage.networks, bytes(16))
    homely = np.concatenate([network[: firsts[1]], network[firsts[5] : firsts[7]]])
    travels = np.flatnonzero((lives["trips"] > 0) & (lives["private"] == 0))[:40]
    codes = codes_of(stage.account_ids, bytes(16))
    for account in codes[travels].tolist():
        rows = accesses.filter((pl.col("account") == account) & pl.col("network").is_in(homely.tolist()))
        hours = np.diff(rows["at_us"].to_numpy()) / 3.6e9
        assert (kilometres(rows) <= 100 + 810 * (hours + 0.5)).all()


def test_a_ring_that_joins_moves_nobody() -> None:
    alone = set_stage(TownSpec(listeners=60, days=3, recordings=3_000))
    joined = set_stage(
        TownSpec(listeners=60, days=3, recordings=3_000, copiers=(parse_ring("3x50:devices=1:proxies"),))
    )
    before, after = (pl.from_arrow(pa.concat_tables(each_day_coded(s, bytes(16)))) for s in (alone, joined))
    assert isinstance(before, pl.DataFrame)
    assert isinstance(after, pl.DataFrame)
    assert after.filter(pl.col("account").is_in(before["account"].unique().to_list())).equals(before)
