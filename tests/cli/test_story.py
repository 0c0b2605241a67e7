"""The pieces of the demo: a town whose gate hears, sound that is nobody's, a mirror on this machine, hours of people.

The whole of it is told by the README, which is run as it stands.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from typer.testing import CliRunner

from riparian import assembly, cli
from riparian.cli.story import library, office
from riparian.cli.story.telling import Teller, of
from riparian.cli.story.town import ACCOUNTS, CATALOGUE, SERVED, Lived, live
from riparian.errors import InputError, OutsideError
from riparian.flows.extraction import silent
from riparian.gate.policy import Restraint
from riparian.sim.copiers import parse_ring
from riparian.sim.music import RATE, song
from riparian.sim.town import TownSpec

DAYS = 4


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lived]:
    out = tmp_path_factory.mktemp("town")
    (out / "workspace").mkdir()
    (out / "workspace" / "policy.toml").write_text('mode = "enforce"\naccounts = 1000\n', encoding="utf-8")
    spec = TownSpec(20, DAYS, 3, copiers=(parse_ring("4x150:queue"),), recordings=20_000)
    given = assembly.Given(out / "workspace", catalogue=str(out / CATALOGUE), accounts=str(out / ACCOUNTS))
    return out, live(spec, out, given, silent)


@pytest.mark.slow
def test_a_ring_is_contained_by_what_the_logs_said_and_nobody_else_is(lived: tuple[Path, Lived]) -> None:
    _, told = lived
    assert (len(told.served), told.touched(Restraint.SLOW, ring=True)) == (4, 4)
    assert (told.touched(Restraint.SLOW, ring=False), told.refused) == (0, 0)
    assert 0 < told.taken < told.wanted
    assert told.touched(Restraint.HOLD, ring=True) <= 4


@pytest.mark.slow
def test_the_log_says_what_the_gate_answered(lived: tuple[Path, Lived]) -> None:
    out, told = lived
    logs = [pq.read_table(path) for path in sorted((out / "logs").glob("*.parquet"))]
    assert (len(logs), sum(map(len, logs))) == (DAYS, told.accesses)
    rows = [row for log in logs for row in log.select(["account", "recording", "status"]).to_pylist()]
    for account, recordings in told.served.items():
        got = [row["recording"] for row in rows if row["account"] == account and row["status"] == SERVED]
        assert tuple(dict.fromkeys(one for one in got if one)) == recordings
    assert {row["account"] for row in rows if row["status"] != SERVED} <= set(told.served)


@pytest.mark.parametrize("recording", ["r-0000001", "r-0017555", "é/..\n"])
def test_music_is_whole_and_is_that_of_its_name(recording: str) -> None:
    sound, again = song(recording, 3.0, seed=7), song(recording, 3.0, seed=7)
    assert sound.samples.shape == (1, 3 * RATE)
    assert (sound.samples == again.samples).all()
    assert 0.69 < np.abs(sound.samples).max() < 0.71
    assert (np.abs(sound.samples).reshape(-1, RATE // 2).max(axis=1) > 0.05).all(), "no silence: a mark needs sound"
    other = song(recording, 3.0, seed=8).samples[0]
    assert abs(np.corrcoef(sound.samples[0], other)[0, 1]) < 0.5


def test_what_was_heard_is_encoded_anew(tmp_path: Path) -> None:
    library.write_masters(["r-1"], tmp_path / "masters", seed=1)
    master = tmp_path / "masters" / "r-1.flac"
    assert soundfile.info(master).duration == library.SECONDS
    library.encode_anew(master.read_bytes(), tmp_path / "leak.mp3")
    assert abs(soundfile.info(tmp_path / "leak.mp3").duration - library.SECONDS) < 0.2
    assert (tmp_path / "leak.mp3").stat().st_size < library.BIT_RATE / 8 * library.SECONDS * 1.1


def test_a_mirror_serves_its_folder_on_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "Low Water.mp3").write_bytes(b"x")
    with library.mirror(tmp_path) as address:
        assert address.startswith("http://localhost:")
        assert "Low%20Water.mp3" in httpx.get(address, trust_env=False).text
        assert httpx.get(f"{address}Low%20Water.mp3", trust_env=False).content == b"x"
    with pytest.raises(httpx.TransportError):
        httpx.get(address, trust_env=False)


FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
WORKED = [
    pytest.param(FRIDAY + timedelta(hours=10), 1, FRIDAY + timedelta(hours=11), id="within a day"),
    pytest.param(FRIDAY + timedelta(hours=2), 1, FRIDAY + timedelta(hours=10), id="before anybody is there"),
    pytest.param(FRIDAY + timedelta(hours=16.5), 1, FRIDAY + timedelta(days=3, hours=9.5), id="over a weekend"),
    pytest.param(FRIDAY + timedelta(hours=20), 1, FRIDAY + timedelta(days=3, hours=10), id="after they went home"),
    pytest.param(FRIDAY + timedelta(hours=9), 17, FRIDAY + timedelta(days=4, hours=10), id="longer than a day"),
]


@pytest.mark.parametrize(("begun", "needed", "done"), WORKED)
def test_people_work_by_day(begun: datetime, needed: float, done: datetime) -> None:
    assert office.worked(begun, timedelta(hours=needed)) == done


@pytest.mark.parametrize("seed", range(5))
def test_hours_follow_one_another(seed: int) -> None:
    one, two = (office.hours(FRIDAY, signatures=n, seed=seed) for n in (1, 2))
    assert 0 <= one.found <= 6
    assert one.found < one.left < two.left < two.gone
    assert office.hours(FRIDAY, signatures=2, seed=seed) == two


def test_a_command_is_told_and_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(cli.app)
    (made,) = teller.run(tmp_path / "w", "exchange", "begin", "Reed Records")
    assert of("collection", [made]) == [made]
    assert "$ riparian exchange begin 'Reed Records' -w" in capsys.readouterr().out
    with pytest.raises(OutsideError, match="ended with 1, wanted one of"):
        teller.run(tmp_path / "w", "exchange", "peers")
    assert teller.run(tmp_path / "w", "exchange", "peers", ends=(1,)) == []


def test_a_demo_overwrites_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    ended = CliRunner().invoke(cli.app, ["demo", str(tmp_path)])
    assert isinstance(ended.exception, InputError)
    assert "holds something else" in ended.exception.message
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "x"
