"""The register of a town: identifiers, what the operator knows of each account, and the truth.

Identifiers say nothing of who is a copier, and an account keeps its own when others join the town.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.schema import ACCOUNT, DAY_US, TRUTH
from riparian.sim.streams import stream
from riparian.sim.town import Days, TownSpec

HONEST_SHARE: Final = 0.6
"""Share of standing listeners whom the operator has verified."""
PAYMENT_SHARED: Final = 4
"""Accounts of a ring that share a payment."""
_COPIERS_FROM: Final = 1 << 40


def account_ids(seed: int, listeners: int, accounts: int) -> pa.Array:
    """Write the identifiers of all accounts, listeners first.

    Examples
    --------
    >>> account_ids(1, 2, 3)[:2] == account_ids(1, 2, 2)
    True
    """
    place = np.arange(accounts, dtype=np.uint64)
    place = np.where(place < listeners, place, place + np.uint64(_COPIERS_FROM - listeners))
    return hex_ids("u-", scattered(place, seed))


def scattered(numbers: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """Scatter numbers over 64 bits, one to one; SplitMix64's mixing."""
    z = numbers * np.uint64(0x9E3779B97F4A7C15) + stream(seed, "register/ids").integers(1 << 63, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def account_table(spec: TownSpec, counts: Days, ids: pa.Array) -> pa.Table:
    """Write what an operator knows of its accounts, as an ``ACCOUNT`` table.

    Rings share a payment between four accounts and a sign-up cohort between all; listeners have their own payment and
    the cohort of the week in which they came.
    """
    n = counts.accounts
    # Made at the day's first moment, so that nobody plays before their account is there.
    created = spec.start_us + counts.created_day.astype(np.int64) * DAY_US
    listener = counts.role == "listener"
    payment = np.where(listener, np.arange(n), _COPIERS_FROM + np.arange(n) // PAYMENT_SHARED).astype(np.uint64)
    plan = np.where(counts.people > 1, "family", np.where(counts.streams > 1, "business", "single"))
    honest = listener & (counts.created_day < 0) & (stream(spec.seed, "register/honest").random(n) < HONEST_SHARE)
    weeks = (created // (7 * DAY_US)).astype(str)
    columns = {
        "account": ids,
        "created": pa.array(created, pa.timestamp("us", "UTC")),
        "plan": pa.array(plan),
        "streams": pa.array(counts.streams.astype(np.int16)),
        "payment": hex_ids("p-", scattered(payment, spec.seed)),
        "cohort": pa.array(np.strings.add("week-", weeks)),
        "honest": pa.array(honest, mask=~honest),
        "exempt_until": pa.nulls(n, pa.timestamp("us", "UTC")),
        "exempt_because": pa.nulls(n, pa.string()),
    }
    return pa.table(columns, schema=ACCOUNT)


def truth_table(counts: Days, ids: pa.Array) -> pa.Table:
    """Write who is who, as a ``TRUTH`` table."""
    columns = {
        "account": ids,
        "role": pa.array(counts.role),
        "persona": pa.array(counts.persona),
        "ring": pa.array(counts.ring, mask=counts.ring == ""),
    }
    return pa.table(columns, schema=TRUTH)


def hex_ids(prefix: str, numbers: npt.NDArray[np.uint64]) -> pa.Array:
    """Write numbers as identifiers of a prefix and sixteen hexadecimal digits.

    Examples
    --------
    >>> hex_ids("s-", np.array([255], np.uint64)).to_pylist()
    ['s-00000000000000ff']
    """
    digits = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), "u1").reshape(256, 2)
    head = np.frombuffer(prefix.encode(), "u1")
    text = np.empty((len(numbers), len(head) + 16), "u1")
    text[:, : len(head)] = head
    text[:, len(head) :] = digits[numbers.astype(">u8").view("u1").reshape(-1, 8)].reshape(-1, 16)
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * text.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))]
    return pa.Array.from_buffers(pa.string(), len(numbers), buffers)
