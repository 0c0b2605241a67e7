"""Streaming histories that a town's listeners would receive."""

import json
from pathlib import Path

from riparian.sim.copiers import parse_ring
from riparian.sim.events import events
from riparian.sim.exports import write_exports
from riparian.sim.town import TownSpec

SPEC = TownSpec(listeners=12, days=6, recordings=4_000, copiers=(parse_ring("2x40"),))


def test_a_history_holds_every_play_of_its_account_and_nothing_else(tmp_path: Path) -> None:
    town = events(SPEC)
    folders = write_exports(town, tmp_path, listeners=3)
    place = town.truth["account"].to_pylist()
    for folder in folders:
        entries = [e for file in sorted(folder.glob("*.json")) for e in json.loads(file.read_text())]
        i = place.index(folder.name)
        mine = town.days.account == i
        assert len(entries) == town.days.plays[mine].sum() - town.days.downloads[mine].sum()
        assert len({(e["artistName"], e["trackName"]) for e in entries}) <= town.days.novel[mine].sum()
        assert set(entries[0]) == {"endTime", "artistName", "trackName", "msPlayed"}
        assert [e["endTime"] for e in entries] == sorted(e["endTime"] for e in entries)
    assert len(folders) == 3


def test_no_copier_is_written_and_no_more_than_there_are(tmp_path: Path) -> None:
    town = events(SPEC)
    names = {folder.name for folder in write_exports(town, tmp_path, listeners=100)}
    role = dict(zip(town.truth["account"].to_pylist(), town.truth["role"].to_pylist(), strict=True))
    assert {role[name] for name in names} == {"listener"}
    assert len(names) <= 12


def test_an_artist_never_has_two_recordings_of_one_title() -> None:
    catalogue = events(TownSpec(listeners=1, days=1, recordings=20_000)).catalogue
    pairs = list(zip(catalogue["artist"].to_pylist(), catalogue["title"].to_pylist(), strict=True))
    assert len(set(pairs)) == len(pairs)
