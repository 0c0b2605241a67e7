"""Agents: the platform that real players and browsers name, and nothing else of them."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.agents import APPLE, LINUX, WINDOWS, platform_of, platforms, with_platforms
from riparian.codes import codes_of

AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148": APPLE,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.1 Safari/605.1.15": APPLE,
    "AppleCoreMedia/1.0.0.21A329 (Apple TV; U; CPU OS 19_0 like Mac OS X; en_us)": APPLE,
    "Player/8.9 CFNetwork/1494.0.7 Darwin/23.4.0": APPLE,
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36": LINUX,
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": LINUX,
    "Mozilla/5.0 (X11; CrOS x86_64 15000.0.0) AppleWebKit/537.36 Chrome/140.0": LINUX,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": WINDOWS,
    "ExoPlayerLib/2.19 (Linux;Android 14)": LINUX,
    "Speaker/2.1": 0,
    "an iPhone that says Android": 0,
    "": 0,
}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_names_its_platform_or_none(agent: str) -> None:
    assert platform_of(agent) == AGENTS[agent]


TEXTS = pa.array([*AGENTS, None])


@pytest.mark.parametrize("texts", [TEXTS, TEXTS.dictionary_encode()], ids=["texts", "dictionary"])
def test_codes_keep_the_platform_and_stay_pseudonyms(texts: pa.Array) -> None:
    codes = codes_of(TEXTS, bytes(16))
    marked = with_platforms(codes, pa.chunked_array([texts]))
    assert platforms(marked).tolist() == [*AGENTS.values(), 0]
    assert np.array_equal(marked >> np.uint64(2), codes >> np.uint64(2))
    assert marked[-1] == marked[-2] == 0


def test_no_agents_at_all_are_no_codes() -> None:
    assert len(with_platforms(np.empty(0, np.uint64), pa.array([], pa.string()))) == 0
