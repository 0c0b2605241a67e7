"""What monitors learn of a workspace: how it stands, what waits and what is late; also when it cannot be read."""

from pathlib import Path

import pytest

from riparian.assembly import Given
from riparian.cli import upkeep
from riparian.cli.upkeep import Looked, kept_of
from riparian.gate.appeals import appeal
from riparian.schema import DAY_US
from riparian.stores.memory import FixedClock, Memory
from tests.contracts.test_stores import NOW, commit, held, history


@pytest.mark.parametrize(
    ("days", "late"),
    [
        pytest.param(1, 0, id="the day after"),
        pytest.param(14, 1, id="on the day by which it is due"),
        pytest.param(90, 1, id="long after"),
    ],
)
def test_an_appeal_waits_and_is_late_once_its_day_is_there(tmp_path: Path, days: int, late: int) -> None:
    memory = Memory()
    world = memory.world(FixedClock(NOW))
    commit(world, held(5, until_us=NOW + 365 * DAY_US), held(6))
    world.decisions.record(appeal(history(world, 5), NOW, text="it was me"))
    kept = kept_of(memory.world(FixedClock(NOW + days * DAY_US)), tmp_path)
    assert (kept.is_readable, kept.free_bytes > 0) == (True, True)
    assert (kept.waiting, kept.late) == ({"proposals": 0, "appeals": 1}, {"proposals": 0, "appeals": late})


def test_a_workspace_that_was_never_scanned_has_never_been(tmp_path: Path) -> None:
    kept = Looked(Given(tmp_path))()
    assert (kept.is_readable, kept.scanned_us, kept.log_end_us, kept.rejected) == (True, 0, 0, 0)


def test_a_workspace_that_goes_bad_is_told_of_and_one_that_comes_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Looked(Given(tmp_path))
    assert looked().is_readable
    database = tmp_path / "riparian.sqlite"
    whole = database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    assert looked().is_readable, "it does not look again within seconds"
    monkeypatch.setattr(upkeep, "EVERY_S", 0.0)
    assert not looked().is_readable
    database.write_bytes(whole)
    assert looked().is_readable
