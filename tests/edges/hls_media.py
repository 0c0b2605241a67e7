"""A few seconds of a tone as HLS, made by ffmpeg's own muxer, and an origin that serves them on a free port."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import uvicorn

SECONDS = 5
RATE_HZ = 44_100
_SAMPLES = 1024


def tone(folder: Path, kind: str, *, seconds: int = SECONDS, pitch_hz: float = 440.0) -> None:
    """Write `index.m3u8` and segments of a second, as `mpegts` or `fmp4`."""
    folder.mkdir(parents=True)
    segments = folder / ("%03d.m4s" if kind == "fmp4" else "%03d.ts")
    options = {
        "hls_time": "1",
        "hls_playlist_type": "vod",
        "hls_segment_type": kind,
        "hls_segment_filename": str(segments),
    }
    with av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as out:
        stream = out.add_stream("aac", rate=RATE_HZ)
        stream.layout = "mono"
        for i in range(seconds * RATE_HZ // _SAMPLES):
            at_s = (np.arange(_SAMPLES) + i * _SAMPLES) / RATE_HZ
            wave = (0.3 * np.sin(2 * np.pi * pitch_hz * at_s)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, i * _SAMPLES, Fraction(1, RATE_HZ)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def played(url: str, *, account: str = "", **options: str) -> tuple[float, float]:
    """Play to the end as a listener does; give the seconds that were heard, and their pitch."""
    if account:
        options["headers"] = f"X-Account: {account}\r\n"
    with av.open(url, options=options, timeout=20) as source:
        waves = [frame.to_ndarray()[0] for frame in source.decode(audio=0)]
    heard = np.concatenate(waves)
    loudest = int(np.argmax(np.abs(np.fft.rfft(heard))))
    return heard.size / RATE_HZ, loudest * RATE_HZ / heard.size


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve an application; gives its URL."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
