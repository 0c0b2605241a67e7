"""A request path becomes an action and a recording; the first pattern that fits wins."""

import tomllib
from importlib import resources
from pathlib import Path

import pyarrow as pa
import pytest

from riparian.errors import InputError
from riparian.feeds.patterns import match_paths, parse_patterns, shipped_patterns
from riparian.schema import Action
from tests.feeds.renderings import START, chunks

R = "GBAYE0601498"
SHIPPED: dict[str, tuple[Action | None, list[str | None]]] = {
    f"/hls/{R}/128k/seg_12.ts": (Action.SEGMENT, [R]),
    f"/eu-1/audio/{R}/aac/chunk-00017.m4s": (Action.SEGMENT, [R]),
    f"/dash/{R}/init.mp4": (Action.SEGMENT, [R]),
    f"/dash/{R}/manifest.mpd": (Action.PLAY, [R]),
    f"/hls/{R}/128k/playlist.m3u8?token=1": (Action.PLAY, [R]),
    f"/x/{R}/seg_4.m4s": (Action.SEGMENT, [R]),
    f"/p/{R}.m3u8": (Action.PLAY, [R]),
    f"/audio/{R}.ogg": (Action.PLAY, [R]),
    f"https://cdn.example/audio/{R}.ogg": (Action.PLAY, [R]),
    f"/v1/tracks/{R}": (Action.METADATA, [R]),
    f"/v1/tracks/{R}/stream?quality=high": (Action.PLAY, [R]),
    f"/v1/tracks/{R}/download": (Action.DOWNLOAD, [R]),
    "/v1/tracks?ids=a,b,c": (Action.METADATA, ["a", "b", "c"]),
    "/v1/tracks?market=GB&ids=a%2Cb": (Action.METADATA, ["a", "b"]),
    "/v1/search?q=blue&limit=50": (Action.SEARCH, [None]),
    f"/widevine/license/{R}": (Action.LICENCE, [R]),
    f"/widevine/license?track={R}": (Action.LICENCE, [R]),
    "/audio/caf%C3%A9%201.mp3": (Action.PLAY, ["café 1"]),
    "/logo.png": (None, []),
    "/": (None, []),
    "": (None, []),
}


@pytest.mark.parametrize("path", SHIPPED)
def test_shipped_patterns_know_usual_paths(path: str) -> None:
    action, recordings = SHIPPED[path]
    found = match_paths(shipped_patterns(), pa.array([path]))
    assert found.action.tolist() == [action] * len(recordings) if action else not found.action.size
    assert found.unmatched == (action is None)
    if recordings and "recording" in found.columns:
        assert found.columns["recording"].to_pylist() == recordings


def test_every_shipped_pattern_is_the_first_to_fit_its_example() -> None:
    text = resources.files("riparian.feeds").joinpath("patterns.toml").read_text(encoding="utf-8")
    patterns = shipped_patterns()
    for place, entry in enumerate(tomllib.loads(text)["pattern"]):
        earlier = match_paths(patterns[:place], pa.array([entry["example"]]))
        assert earlier.unmatched == 1, entry["name"]


def test_rows_come_from_the_request() -> None:
    found = match_paths(shipped_patterns(), pa.array(["/search?q=a&limit=50", "/tracks?ids=a,b", "/tracks?limit=20"]))
    assert found.rows.tolist() == [0, 1, 1, 2]
    assert found.columns["rows"].to_pylist() == ["50", "1", "1", "20"]


MINE = """
[[pattern]]
name = "mine"
path = "/{account}/play/{recording}/{number}.bin"
action = "segment"
media_ms = 6000
example = "/u1/play/r1/3.bin"
"""


def test_an_operators_patterns_come_first_and_may_name_the_account(tmp_path: Path) -> None:
    patterns, log = tmp_path / "mine.toml", tmp_path / "log"
    patterns.write_text(MINE, encoding="utf-8")
    log.write_text(
        "".join(
            f'h - - [{START:%d/%b/%Y:%H:%M:%S} +0000] "GET /u{i}/play/r1/{i}.bin HTTP/1.1" 200 5\n' for i in range(4)
        )
    )
    found = chunks(log, patterns=str(patterns))
    rows = [row for chunk in found for row in chunk.accesses.to_pylist()]
    assert [row["position_ms"] for row in rows] == [0, 6_000, 12_000, 18_000]
    assert {row["media_ms"] for row in rows} == {6_000}
    assert [name for chunk in found for name in chunk.ids[1]] == ["u0", "u1", "u2", "u3"]


WRONG = {
    "no TOML": ("[[pattern", "is not TOML"),
    "a misspelt key": ('[[pattern]]\npth = "/a"\naction = "play"', "has the key `pth`"),
    "neither path nor regex": ('[[pattern]]\naction = "play"', "has neither"),
    "both": ('[[pattern]]\npath = "/a"\nregex = "^/a$"\naction = "play"', "has both"),
    "an unknown field": ('[[pattern]]\npath = "/{user}"\naction = "play"', "names `user`"),
    "an unknown action": ('[[pattern]]\npath = "/{recording}"\naction = "steal"', "has the action `steal`"),
    "no expression": ("[[pattern]]\nregex = '(?P<recording>'\naction = \"play\"", "is no regular expression"),
    "look-around": ("[[pattern]]\nregex = '(?=a)(?P<recording>x)'\naction = \"play\"", "is no regular expression"),
    "its own example": ('[[pattern]]\npath = "/{recording}"\naction = "play"\nexample = "b"', "does not fit its own"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_pattern_is_refused(name: str) -> None:
    text, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        parse_patterns(text, "mine.toml")


def test_refused_and_unknown_requests_are_counted_and_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log"
    when = f"[{START:%d/%b/%Y:%H:%M:%S} +0000]"
    lines = [
        f'h - u1 {when} "GET /audio/r1.ogg HTTP/1.1" 200 5 "-" "x"',
        f'h - u1 {when} "GET /audio/r2.ogg HTTP/1.1" 403 5 "-" "x"',
        f'h - u1 {when} "GET /audio/r3.ogg HTTP/1.1" 503 5 "-" "x"',
        f'h - u1 {when} "HEAD /audio/r4.ogg HTTP/1.1" 200 5 "-" "x"',
        f'h - u1 {when} "GET /logo.png HTTP/1.1" 200 5 "-" "x"',
        f'h - - {when} "GET /audio/r5.ogg HTTP/1.1" 200 5 "-" "x"',
    ]
    log.write_text("\n".join(lines) + "\n")
    found = chunks(log, chunk_bytes=1 << 20)
    assert sum(chunk.accesses.num_rows for chunk in found) == 1
    told: dict[str, int] = {}
    for chunk in found:
        for reason, n in chunk.dropped.items():
            told[reason] = told.get(reason, 0) + n
    assert told == {"refused": 2, "not a fetch": 1, "no known path": 1, "no account": 1}
