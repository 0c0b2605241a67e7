"""A recording that outlasts its grant, at Envoy: it plays to its end, and nobody is sent in a circle."""

import time
from pathlib import Path

import pytest

from riparian.edges.envoy import Authz
from tests.edges.envoy_server import patient, running
from tests.edges.hls_media import SECONDS, played, tone
from tests.edges.test_nginx_renewal import fetches, files

pytestmark = pytest.mark.slow

PATH = "/media/r1/1.m4s"


def test_a_recording_that_outlasts_its_grant_plays_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "files/media/r1"
    tone(folder, "mpegts")
    playlist = folder / "index.m3u8"
    with files(tmp_path / "files") as at, running(tmp_path, files=f"http://127.0.0.1:{at}", changed=patient) as edge:
        # It is fetched once, and its grant ends while the second segment is played.
        grant, ends_s = edge.grant(over_s=2), time.time() + 2
        playlist.write_text(playlist.read_text().replace(".ts\n", f".ts?g={grant}\n"))
        seconds, pitch_hz = played(f"{edge.url}/media/r1/index.m3u8?g={edge.grant()}", account="a1")
        assert time.time() > ends_s
        assert seconds == pytest.approx(SECONDS, abs=0.2)
        assert pitch_hz == pytest.approx(440, abs=2)
        n_segments = len(list(folder.glob("*.ts")))
        asked = [line["status"] for line in edge.log(n_segments + 2)]
        assert sorted(asked) == [200] * (n_segments + 1) + [307]
        assert fetches(tmp_path / "access.log", tmp_path / "log.json") == n_segments


@pytest.mark.parametrize("authz", ["http", "grpc"])
def test_a_clock_that_is_ahead_sends_nobody_in_a_circle(tmp_path: Path, authz: Authz) -> None:
    with running(tmp_path, policy={"grant_s": 30}, authz=authz, changed=patient, behind_s=40) as edge:
        # By the clock of the gate it has not ended: served, and nobody is sent anywhere.
        told = edge.get(f"{PATH}?g={edge.grant(over_s=-5)}", "a1")
        assert (told.status_code, told.headers["x-riparian-because"]) == (200, "none")
        # The fresh one has ended here before it was issued: it leads nowhere else.
        for over_s in (60, 600):
            moved = edge.get(f"{PATH}?g={edge.grant(over_s=-over_s)}", "a1")
            assert moved.status_code == 307
            again = edge.get(moved.headers["location"], "a1")
            assert (again.status_code, again.headers["x-riparian-because"]) == (200, "none")
