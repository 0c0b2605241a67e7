"""Is a tenant without a part in a leak ever named? A million who had none are asked about.

A hundred and four lists leak, each of one to eight of ten thousand tenants and mixed in one of four ways, under a key
of its own and with half of what is read wrong in every fourth of them; everybody else had no part.  At ``bits`` at
most ``2**-bits`` of them may come by the law: ``expected`` is that many, ``allowed`` what a mean of so many explains
with 99 %, ``innocents`` how many did.  ``needed`` is what a trace asks for among ten thousand at one mistake in 10^9
lists.

    python bench/guarantee_canaries.py [--lists 104] [--tenants 10000] [--cells 400]
"""

import math

import numpy as np
from measure import allowance, options, write
from numpy.typing import NDArray

from riparian.metadata.canaries.code import CanaryKey, bits, cells, chances, seeds
from riparian.metadata.canaries.issue import SECONDS
from riparian.metadata.canaries.read import Told
from riparian.metadata.canaries.rows import KIND
from riparian.metadata.canaries.trace import Bets

MISTAKES = 1e-9
LEVELS = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0)
_OF_ROWS = 8


def main() -> None:
    """Write ``canaries_innocents.csv``."""
    asked = options(__doc__, lists=104, tenants=10_000, cells=400)
    needed = math.log2(asked.tenants / MISTAKES)
    innocents, caught = [], 0
    for number in range(asked.lists):
        rng = np.random.default_rng(number)
        key = CanaryKey(rng.bytes(32), 1)
        who = rng.choice(asked.tenants, 1 + number % 8, replace=False)
        found = weighed(key, leaked(key, asked.cells, who, number, rng), asked.tenants, needed)
        caught += bool((found[who] >= needed).any())
        innocents.append(np.delete(found, who))
    every = np.concatenate(innocents)
    told = [
        {
            "bits": round(level, 1),
            "asked": every.size,
            "expected": round(every.size * 2**-level, 4),
            "allowed": allowance(every.size * 2**-level),
            "innocents": int((every >= level).sum()),
            "lists": asked.lists,
            "caught": caught,
        }
        for level in (*LEVELS, needed)
    ]
    for row in told:
        print(row)
    write(told, asked.out, "canaries_innocents")


def leaked(key: CanaryKey, n: int, who: NDArray[np.int64], number: int, rng: np.random.Generator) -> Told:
    """Mix the lists of some tenants."""
    of = [cells(key, kind, [str(i) for i in range(size)]) for kind, size in ((SECONDS, n), (KIND, n // _OF_ROWS))]
    ids, kind = np.concatenate(of), np.repeat([0, 1], [one.size for one in of])
    has = bits(key, seeds(key, [f"t-{i}" for i in who.tolist()]), ids)
    share = has.mean(axis=0)
    way = number % 4
    coin = rng.random(ids.size)
    chosen = [share > coin, share > 0.5, np.where((share > 0) & (share < 1), share < 0.5, share == 1), coin < 0.5][way]
    value = np.where((share == 0) | (share == 1), share == 1, chosen) if way else chosen
    wrong = rng.random(ids.size) < (0.5 if number % 4 == 3 else 0.02)
    soft = np.where(value ^ wrong, 2.0, -2.0)
    is_row, is_there = kind == 1, has.any(axis=0) & (rng.random(ids.size) < 0.5)
    soft[is_row] = np.where(is_there, 4.0, -4.0)[is_row]
    return Told(ids, soft, chances(key, ids), kind, (SECONDS, KIND), (), n, n, 0.5, "")


def weighed(key: CanaryKey, told: Told, tenants: int, needed: float) -> NDArray[np.float64]:
    """Give everybody's bits in the first round."""
    bets = Bets.of(told, np.zeros((0, told.cells.size), bool), (needed + 1) * math.log(2))
    of = seeds(key, [f"t-{i}" for i in range(tenants)])
    return bets.weigh(key, of, told.cells) / math.log(2) - 1


if __name__ == "__main__":
    main()
