"""Small damages to a sound file, the same for the same seed: what a fuzzer finds first, without a fuzzer."""

import random
from collections.abc import Callable
from typing import Final

_ODD: Final = (
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\t",
    b" ",
    b"-",
    b"9",
    b"\xc3",
)


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _insert(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place:place] = rng.choice(_ODD) * rng.choice((1, 1, 2, 300))


def _remove(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    del data[place : place + rng.choice((1, 7, 100))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place:place] = data[place : place + rng.randrange(200)]


def _tear(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


_DAMAGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip,
    _insert,
    _insert,
    _remove,
    _repeat,
    _tear,
)


def mutate(data: bytes, seed: int) -> bytes:
    """Damage a file in one to four places."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    damaged = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        if damaged:
            rng.choice(_DAMAGES)(damaged, rng)
    return bytes(damaged)
