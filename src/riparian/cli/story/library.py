"""How does a recording leave by way of players, and come back as a file on somebody's mirror?

The marked renditions are served as an origin serves them, each account its own; what an account of the ring heard is
recorded, encoded anew, and laid into a folder that is served on this machine alone.
"""

import asyncio
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import av
import httpx
import soundfile

from riparian import assembly
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.hls import Origin
from riparian.gate.admit import Gate
from riparian.gate.routes import parse_edge
from riparian.sim.music import song
from riparian.stores.keys import FolderKeys
from riparian.stores.mark_keys import FolderMarkKeys

SECONDS: Final = 80.0
"""Of each recording that sounds: a mark has about a bit a second."""
RENDITION: Final = "flac-16"
BIT_RATE: Final = 64_000
_EDGE: Final[Mapping[str, Any]] = {
    "account": "header:X-Account",
    "route": [{"path": "/media/{recording}/**", "kind": "media"}],
}
_NAMED: Final = re.compile(r'^(?:[^#\s].*$|#EXT-X-MAP:URI="[^"]*)', re.MULTILINE)


def write_masters(recordings: Iterable[str], folder: Path, *, seed: int) -> None:
    """Make the sound of recordings, as FLAC files that are called as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for recording in recordings:
        sound = song(recording, SECONDS, seed=seed)
        soundfile.write(folder / f"{recording}.flac", sound.samples.T, sound.rate)


class Player:
    """Streams from an origin in accounts' names; of one process.

    Parameters
    ----------
    given
        The workspace.
    public
        The folder of marked renditions.
    """

    def __init__(self, given: assembly.Given, public: Path) -> None:
        clocks = Clocks(lambda: time.time_ns() // 1000, time.monotonic)
        ring = FolderKeys(given.workspace).ring(time.time_ns() // 10**9)
        policy = assembly.read_policy(given)
        door = Door(Gate.open(policy), parse_edge(_EDGE), policy, Keys(b"\0" * 16, ring=ring), clocks)
        self._origin = Origin(public, door, marks=FolderMarkKeys(given.workspace).all())

    def heard(self, account: str, recording: str) -> bytes:
        """Give what an account is served of a recording, all segments in a row."""
        return asyncio.run(self._heard(account, f"/media/{recording}/marked/{RENDITION}/"))

    async def _heard(self, account: str, place: str) -> bytes:
        transport = httpx.ASGITransport(self._origin)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            playlist = await client.get(f"{place}index.m3u8", headers={"X-Account": account})
            playlist.raise_for_status()
            names = [name.rpartition('"')[2] for name in _NAMED.findall(playlist.text)]
            parts = [await client.get(place + name) for name in names]
        return b"".join(part.raise_for_status().content for part in parts)


def encode_anew(heard: bytes, out: Path) -> None:
    """Record what was heard as an MP3 of 64 kb/s: the mark has to live through it."""
    with av.open(BytesIO(heard), "r") as source, av.open(out, "w", format="mp3") as file:
        rate = int(source.streams.audio[0].rate)
        stream = file.add_stream("libmp3lame", rate=rate, layout="mono", options={"compression_level": "7"})
        stream.bit_rate = BIT_RATE
        even = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        for frame in source.decode(audio=0):
            for each in even.resample(frame):
                each.pts = None
                file.mux(stream.encode(each))
        file.mux(stream.encode(None))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: Any) -> None:
        del said


@contextmanager
def mirror(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine alone; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
