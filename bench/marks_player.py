"""Do players that are not ours play what an edge puts together, without a gap?

A recording of fifteen seconds is marked, two accounts fetch it from an origin, and each plays it:

* hls.js in Chromium, as listeners do: its buffer has to be one stretch from beginning to end, with no event of a stall
  or a hole, and what it plays, recorded in the browser, no block of silence.  Then Chromium's own decoder is given what
  was fetched, and gives as many samples as there are, each as our own decoder gives it.
* FFmpeg, the program and the library: the same samples.

hls.js comes from its registry into a temporary folder, ``npm pack hls.js``; nothing of it is kept.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import sounds
import uvicorn
from measure import write
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.hls import Origin
from riparian.gate.admit import Gate
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge
from riparian.marks.code import Tier
from riparian.marks.embed import embed_pair
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import VARIANT_GROUPS, Layout, pattern
from riparian.marks.variants import tapered
from riparian.stores.variants.coding import Coded, Coding, decode, encode
from riparian.stores.variants.folder import write as write_folder

KEY: Final = MarkKey(bytes(range(32)), 1)
CODINGS: Final = ("aac:128", "flac")
ACCOUNTS: Final = ("a-0000001", "a-0000002")
SECONDS: Final = 15.37
_PATIENCE_S: Final = 120.0
_CHROMIUM: Final = (
    "chromium",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-timer-throttling",
    "--mute-audio",
)
_PAGE: Final = """<!doctype html><script src="/hls.js"></script><audio id="player"></audio><script>
const asked = new URLSearchParams(location.search), account = asked.get('account'), folder = asked.get('folder');
const events = [], heard = [], player = document.getElementById('player');
const tell = async (name, body) => fetch('/told?what=' + name, {method: 'POST', body});
const fetched = async path => (await fetch(path, {headers: {'X-Account': account}})).arrayBuffer();
const within = text => [...text.matchAll(/^[^#\\s].*$|URI="([^"]*)"/gm)].map(found => found[1] || found[0]);
async function decoded() {
  const list = new TextDecoder().decode(await fetched(folder + 'index.m3u8'));
  const parts = await Promise.all(within(list).map(name => fetched(folder + name)));
  const whole = await new Blob(parts).arrayBuffer();
  const sound = await new OfflineAudioContext(2, 1, RATE).decodeAudioData(whole);
  const both = new Float32Array(2 * sound.length);
  for (let i = 0; i < 2; i++) both.set(sound.getChannelData(i), i * sound.length);
  await tell('decoded', both.buffer);
}
async function played() {
  const context = new AudioContext({sampleRate: RATE});
  const source = context.createMediaElementSource(player), tap = context.createScriptProcessor(4096, 2, 2);
  tap.onaudioprocess = event => {
    if (!player.paused && !player.ended) heard.push(event.inputBuffer.getChannelData(0).slice());
  };
  source.connect(tap).connect(context.destination);
  const hls = new Hls({xhrSetup: xhr => xhr.setRequestHeader('X-Account', account)});
  hls.on(Hls.Events.ERROR, (_, error) => events.push(error.details));
  for (const name of ['stalled', 'error']) player.addEventListener(name, () => events.push(name));
  let begun = false, waits = 0;
  player.addEventListener('playing', () => { begun = true; });
  player.addEventListener('waiting', () => { if (begun && !player.ended) waits += 1; });
  let stretches = 0;
  player.addEventListener('timeupdate', () => { stretches = Math.max(stretches, player.buffered.length); });
  const end = new Promise(done => player.addEventListener('ended', done));
  hls.loadSource(folder + 'index.m3u8');
  hls.attachMedia(player);
  await new Promise(done => hls.on(Hls.Events.MANIFEST_PARSED, done));
  await player.play();
  await end;
  const last = player.buffered.length - 1;
  await tell('heard', await new Blob(heard).arrayBuffer());
  await tell('played', JSON.stringify({
    version: Hls.version, events, waits, stretches, from_s: player.buffered.start(0),
    to_s: player.buffered.end(last), at_s: player.currentTime, duration_s: player.duration,
  }));
}
decoded().then(played).catch(error => tell('played', JSON.stringify({events: [String(error)]})));
</script>"""

Samples = NDArray[np.float32]
Row = dict[str, object]


class Page:
    """An origin, with a page beside it that plays what it serves, and tells what came of it."""

    def __init__(self, origin: Origin, hls_js: bytes, rate: int) -> None:
        self.origin, self.hls_js, self.rate = origin, hls_js, rate
        self.told: dict[str, bytes] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection; see the ASGI specification."""
        path = scope.get("path", "")
        if path not in {"/page", "/hls.js", "/told"}:
            await self.origin(scope, receive, send)
            return
        body = b""
        if path == "/told":
            is_more = True
            while is_more:
                message = await receive()
                body, is_more = body + message.get("body", b""), message.get("more_body", False)
            self.told[scope["query_string"].decode().partition("=")[2]] = body
        kind = b"text/javascript" if path == "/hls.js" else b"text/html"
        page = _PAGE.replace("RATE", str(self.rate)).encode()
        content = {"/page": page, "/hls.js": self.hls_js}.get(path, b"")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": content})


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve an application; gives its URL."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def origin(folder: Path) -> Origin:
    """Make an origin that enforces, and knows the key of marks."""
    policy = parse_policy({"mode": "enforce"})
    edge = parse_edge({"account": "header:X-Account", "route": [{"path": "/media/{recording}/**", "kind": "media"}]})
    keys = Keys(bytes(16), ring=KeyRing(Key("k1", bytes(range(32)), 0), Key("k2", bytes(32), 0)))
    clocks = Clocks(lambda: time.time_ns() // 1000, time.monotonic)
    return Origin(folder, Door(Gate.open(policy), edge, policy, keys, clocks), marks=[KEY])


def prepared(sound: Sound, coding: Coding, home: Path) -> dict[str, Samples]:
    """Write renditions; gives what each account is to hear."""
    layout = Layout.at(sound.rate, VARIANT_GROUPS)
    each = layout.chunk_samples(sound.rate)
    tiles = pattern(KEY, "r-1", layout, layout.chunks(sound.seconds))
    both = [tapered(sound, side, layout) for side in embed_pair(sound, tiles, layout)]
    pair: list[Coded] = [encode(side, coding, each) for side in both]
    version = Version("r-1", "00" * 32, KEY.epoch, layout, Tier.MANY, 1.0)
    variants = write_folder((pair[0], pair[1]), version, home / "marked")
    (home / "marked/index.m3u8").write_text("#EXTM3U\n")
    cuts, wanted = pair[0].chunk_blocks(each), {}
    for account in ACCOUNTS:
        word = variants.word(KEY, account)
        blocks = [block for chunk, cut in enumerate(cuts) for block in pair[int(word[chunk] < 0)].blocks[cut]]
        wanted[account] = decode(pair[0].of(blocks)).samples
    return wanted


def in_browser(page: Page, url: str, account: str, folder: str) -> dict[str, Any]:
    """Let Chromium play, and give what it told."""
    page.told.clear()
    with tempfile.TemporaryDirectory() as profile:
        address = f"{url}/page?account={account}&folder={folder}"
        command = [*_CHROMIUM, f"--user-data-dir={profile}", "--remote-debugging-port=0", address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + _PATIENCE_S
            while "played" not in page.told and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            browser.terminate()
            browser.wait(20)
    told: dict[str, Any] = json.loads(page.told.get("played", b'{"events": ["no end"]}'))
    return told


def of_program(address: str, account: str, channels: int) -> Samples:
    """Let FFmpeg's program play."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-headers", f"X-Account: {account}\r\n", "-i", address]
    played = subprocess.run([*command, "-f", "f32le", "-"], check=True, capture_output=True)
    return np.frombuffer(played.stdout, "<f4").reshape(-1, channels).T


def of_library(address: str, account: str) -> Samples:
    """Let FFmpeg's library play, the one that PyAV brings."""
    with av.open(address, options={"headers": f"X-Account: {account}\r\n"}, timeout=20) as source:
        even = av.AudioResampler(format="fltp")
        parts = [each.to_ndarray() for frame in source.decode(audio=0) for each in even.resample(frame)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def compared(heard: Samples, wanted: Samples) -> Row:
    """Say how much comes before the sound and behind it, and how far the samples between are from ours."""
    n = min(heard.shape[1], wanted.shape[1])
    before = next((skip for skip in (0, 1024, 2112) if _is_near(heard[:, skip:], wanted, n)), -1)
    off = np.abs(heard[:, before : before + n] - wanted[:, : heard.shape[1] - before]).max() if before >= 0 else 2.0
    return {"before": before, "behind": heard.shape[1] - wanted.shape[1] - max(before, 0), "most_off": f"{off:.1e}"}


def _is_near(heard: Samples, wanted: Samples, n: int) -> bool:
    m = min(n, heard.shape[1], 1 << 16)
    return float(np.abs(heard[:, :m] - wanted[:, :m]).mean()) < 1e-3


def silent_blocks(heard: Samples) -> int:
    """Count the blocks of 128 samples, as a browser computes them, that are silence between others that are not."""
    blocks = np.abs(heard[: heard.size // 128 * 128].reshape(-1, 128)).max(axis=1) > 0
    sounding = np.flatnonzero(blocks)
    return int((~blocks[sounding[0] : sounding[-1]]).sum()) if sounding.size else int(blocks.size)


def rows(sound: Sound, hls_js: bytes, codings: tuple[str, ...]) -> Iterator[Row]:
    """Let each player play each codec for each account."""
    with tempfile.TemporaryDirectory() as folder:
        page = Page(origin(Path(folder)), hls_js, sound.rate)
        with served(page) as url:
            for text in codings:
                coding = Coding.named(text)
                wanted = prepared(sound, coding, Path(folder) / "media/r-1")
                place = f"/media/r-1/marked/{coding.name}/"
                for account in ACCOUNTS:
                    yield from _of_players(page, url, place, account, wanted[account])


def _of_players(page: Page, url: str, place: str, account: str, wanted: Samples) -> Iterator[Row]:
    base: Row = {"rendition": place.split("/")[-2], "account": account, "samples": wanted.shape[1]}
    address = f"{url}{place}index.m3u8"
    told = in_browser(page, url, account, place)
    decoded = np.frombuffer(page.told.get("decoded", b""), "<f4").reshape(2, -1)
    heard = np.frombuffer(page.told.get("heard", b""), "<f4")
    yield base | {
        "player": f"hls.js {told.get('version', '')} in Chromium",
        **compared(decoded, wanted),
        "stretches": told.get("stretches", 0),
        "events": len(told["events"]) + int(told.get("waits", 0)),
        "silent_blocks": silent_blocks(heard),
        "begins_s": f"{told.get('from_s', -1):.4f}",
        "ends_s": f"{told.get('to_s', -1):.4f}",
        "wanted_s": f"{wanted.shape[1] / page.rate:.4f}",
    }
    nothing = dict.fromkeys(("stretches", "events", "silent_blocks", "begins_s", "ends_s", "wanted_s"), "")
    command = [shutil.which("ffmpeg") or "", "-version"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[2]
    by_program = compared(of_program(address, account, wanted.shape[0]), wanted)
    yield base | {"player": f"ffmpeg {version.split('-')[0]}", **by_program, **nothing}
    yield base | {"player": f"PyAV {av.__version__}", **compared(of_library(address, account), wanted), **nothing}


def main() -> None:
    """Play, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hls", type=Path, default=None, help="hls.js's package, as `npm pack hls.js` gives it")
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    args = parser.parse_args()
    for program in ("chromium", "ffmpeg", "npm"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not on this machine")
    with tempfile.TemporaryDirectory() as folder:
        if args.hls is None:
            command = [shutil.which("npm") or "", "pack", "--silent", "hls.js"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        package = args.hls or next(Path(folder).glob("hls.js-*.tgz"))
        with tarfile.open(package) as packed:
            member = packed.extractfile("package/dist/hls.min.js")
            if member is None:
                raise SystemExit("the package of hls.js holds no dist/hls.min.js")
            hls_js = member.read()
    (_, sound) = next(iter(sounds.tracks(60, "folk")))
    sound = Sound(np.ascontiguousarray(sound.cut(0, SECONDS).samples), sound.rate)
    write(rows(sound, hls_js, CODINGS), args.out, "marks_player")


if __name__ == "__main__":
    main()
