"""The origins of docs/how/hls.md and docs/how/ab-delivery.md run as they stand there."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from riparian.stores.mark_keys import FolderMarkKeys
from tests.edges.marked_media import marked

HOW = Path(__file__).parents[2] / "docs" / "how"


def block_of(page: str) -> str:
    text = (HOW / page).read_text(encoding="utf-8")
    found = re.search(r"^```python\n((?:import|from) .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_origin_of_the_page_serves_what_it_grants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riparian-workspace").mkdir()
    (tmp_path / "riparian-workspace" / "policy.toml").write_text('mode = "enforce"\n')
    recording = tmp_path / "public/media/r-1"
    recording.mkdir(parents=True)
    (recording / "index.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n000.ts\n")
    (recording / "000.ts").write_bytes(b"sound")
    there: dict[str, Any] = {}
    exec(block_of("hls.md"), there)  # noqa: S102  what the page says is what is tested
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


@pytest.mark.slow
def test_the_origin_of_the_page_about_marks_serves_each_account_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = tmp_path / "riparian-workspace"
    workspace.mkdir()
    (workspace / "policy.toml").write_text('mode = "enforce"\n')
    FolderMarkKeys(workspace, lambda n: bytes(range(n))).current()
    marked(tmp_path / "public/media/r-1", ["aac:96"])
    there: dict[str, Any] = {}
    for page in ("hls.md", "ab-delivery.md"):
        exec(block_of(page), there)  # noqa: S102  what the page says is what is tested
    transport = httpx.ASGITransport(there["application"])

    async def ask(account: str) -> bytes:
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            place = "/media/r-1/marked/aac-96/"
            playlist = await client.get(f"{place}index.m3u8", headers={"X-Account": account})
            segment = next(line for line in playlist.text.splitlines() if line.startswith("000.m4s"))
            return (await client.get(place + segment)).content

    found = [asyncio.run(ask(account)) for account in ("a-1", "a-2", "a-3", "a-4")]
    there["workspace"].close()
    assert len(set(found)) > 1
    assert len({len(each) for each in found}) == 1
