"""The origin of docs/how/hls.md runs as it stands there."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how" / "hls.md"


def test_the_origin_of_the_page_serves_what_it_grants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riparian-workspace").mkdir()
    (tmp_path / "riparian-workspace" / "policy.toml").write_text('mode = "enforce"\n')
    recording = tmp_path / "public/media/r-1"
    recording.mkdir(parents=True)
    (recording / "index.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n000.ts\n")
    (recording / "000.ts").write_bytes(b"sound")
    blocks = re.findall(r"^```python\n(import .*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    there: dict[str, Any] = {}
    exec(blocks[0], there)  # noqa: S102  what the page says is what is tested
    transport = httpx.ASGITransport(there["application"])

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            playlist = await client.get("/media/r-1/index.m3u8", headers={"X-Account": "a-1"})
            address = playlist.text.splitlines()[-1]
            return [await client.get(f"/media/r-1/{path}") for path in ("index.m3u8", "000.ts", address)]

    found = asyncio.run(ask())
    there["workspace"].close()
    assert [each.status_code for each in found] == [403, 403, 200]
    assert found[2].content == b"sound"
