"""From a master to whom a copy was issued, where an edge chooses between two renditions.

A recording is marked once, for everybody.  Three accounts stream it from an origin; one of them records what it hears
and passes it on as an MP3.  Whoever holds the master and the key says which, among a thousand accounts, and wrongly
once in ten thousand such copies.
"""

import asyncio
import io
import math
import re
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import httpx
import numpy as np
import pyarrow as pa
import pytest

from riparian.audio.forms import Form, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.edges.hls import Origin
from riparian.flows.deliver import Master
from riparian.flows.variants import Prepared, Task, make
from riparian.marks.align import Master as Ground
from riparian.marks.code import seeds
from riparian.marks.detect import detect
from riparian.marks.search import Heard
from riparian.marks.trace import Candidates, Traced, trace
from riparian.stores.variants.coding import Coding
from riparian.stores.variants.pressing import press
from tests.edges.marked_media import KEY, stereo
from tests.edges.wires import EDGE, a_door

ACCOUNTS = [f"a-{i:04}" for i in range(1000)]
LISTENERS = ("a-0007", "a-0042", "a-0815")
NEEDED_BITS = math.log2(len(ACCOUNTS) / 1e-4)
PLACE = "/media/r-1/marked/aac-128/"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def master() -> Sound:
    return stereo(60.0)


@pytest.fixture(scope="module")
def prepared(master: Sound, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Prepared]:
    folder = tmp_path_factory.mktemp("public")
    task = Task(Master(Path("r-1.wav"), "r-1", "00" * 32), KEY, 1.0, folder / "media/r-1")
    recorded = Recorded(master, Written(Form.WAV, "16"))
    (one,) = make(lambda _: recorded, lambda _: "00" * 32, partial(press, [Coding.named("aac:128")], 6), task)
    return folder, one


@pytest.fixture(scope="module")
def downloads(prepared: tuple[Path, Prepared]) -> dict[str, bytes]:
    """Fetch as players do: the playlist, and what it names."""
    door, _ = a_door(edge={**EDGE, "route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    app = Origin(prepared[0], door, marks=[KEY])

    async def stream(account: str) -> bytes:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            playlist = await client.get(f"{PLACE}index.m3u8", headers={"X-Account": account})
            names = re.findall(r'^(?:[^#\s].*$|#EXT-X-MAP:URI="[^"]*)', playlist.text, re.MULTILINE)
            parts = [await client.get(PLACE + name.rpartition('"')[2]) for name in names]
            assert {part.status_code for part in parts} == {200}
            return b"".join(part.content for part in parts)

    return {account: asyncio.run(stream(account)) for account in LISTENERS}


def heard(raw: bytes, form: str | None = None) -> Sound:
    with av.open(io.BytesIO(raw), "r", format=form) as source:
        rate, even = int(source.streams.audio[0].rate), av.AudioResampler(format="fltp")
        parts = [each.to_ndarray() for frame in source.decode(audio=0) for each in even.resample(frame)]
    return Sound(np.ascontiguousarray(np.concatenate(parts, axis=1), np.float32), rate)


def as_mp3(sound: Sound, bit_rate: int) -> Sound:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=sound.rate, layout="stereo")
        stream.bit_rate = bit_rate
        for at in range(0, sound.samples.shape[1], 1152):
            part = np.ascontiguousarray(sound.samples[:, at : at + 1152])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = sound.rate, at, Fraction(1, sound.rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return heard(file.getvalue(), "mp3")


def traced(copy: Sound, ground: Ground, prepared: Prepared) -> Traced:
    version = prepared.variants.version
    reading = detect(copy, ground, KEY, version.recording, version.layout, strength=version.strength)
    accounts = pa.array(ACCOUNTS)
    candidates = Candidates(np.arange(len(ACCOUNTS), dtype=np.uint64), lambda key: seeds(key, accounts))
    return trace([Heard(reading, KEY, version.tier)], candidates, needed_bits=NEEDED_BITS, at_us=0)


def test_three_listeners_have_three_copies_of_one_length(downloads: dict[str, bytes], master: Sound) -> None:
    assert len(set(downloads.values())) == 3
    assert len({len(raw) for raw in downloads.values()}) == 1
    for raw in downloads.values():
        assert 0 <= heard(raw).samples.shape[1] - master.samples.shape[1] < 1024


def test_at_ingest_every_bit_is_heard_through_the_rendition_s_own_codec(prepared: tuple[Path, Prepared]) -> None:
    _, one = prepared
    # But for the last chunk, which is a tenth of a second.
    assert (one.distances[:-1] > 0).all()
    assert np.median(one.distances) >= 2
    assert one.join_db <= 0


def test_who_passed_a_copy_on_is_named_and_nobody_else(
    downloads: dict[str, bytes], master: Sound, prepared: tuple[Path, Prepared]
) -> None:
    leaker = LISTENERS[1]
    found = traced(as_mp3(heard(downloads[leaker]), 64_000), Ground(master), prepared[1])
    assert [ACCOUNTS[named.candidate] for named in found.named] == [leaker]
    assert found.named[0].evidence.bits >= NEEDED_BITS


def test_of_the_master_itself_nobody_is_named(master: Sound, prepared: tuple[Path, Prepared]) -> None:
    assert traced(as_mp3(master, 64_000), Ground(master), prepared[1]).named == ()
