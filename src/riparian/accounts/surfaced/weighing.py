"""How sure are the signals of each account, and why?

Five claims are looked at; the house joins them with its other questions by a union bound.  So each pays ``log2`` of a
share of its own here, fixed beforehand, and the largest of them is what :mod:`riparian.accounts.join` is handed as
*signals*.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts.surfaced.asked import CANARY, UNSURFACED, Asked
from riparian.accounts.surfaced.orders import FOUND, follows
from riparian.accounts.surfaced.rates import Declared, adopts, meets, passes_on
from riparian.accounts.surfaced.shown import Shown
from riparian.codes import label
from riparian.evidence import CLAIMS, GRID, Evidence, Row, Source, on_grid

VERSION: Final = "1"
SHARES: Final[Mapping[str, float]] = MappingProxyType(
    {"jitter": 0.4, "refusal": 0.4, "handle": 0.1, "unsurfaced": 0.05, "canary": 0.05}
)
"""What each signal is given of the mistakes that signals may make; sums to one."""

SIGNAL: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("claim", pa.string(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("bits_now", pa.float64(), nullable=False),
        pa.field("reached_us", pa.int64(), nullable=False),
        pa.field("raw", pa.float64(), nullable=False),
        pa.field("price", pa.float64(), nullable=False),
        pa.field("issuer", pa.uint64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("hits", pa.int64(), nullable=False),
    ]
)
"""One row an account and claim: ``bits`` is ``raw`` less ``price`` (of the search) less the price of the claim's share;
``n`` is how often was bet, ``hits`` how often it came true, ``issuer`` whose order or handle it was (0 where nobody's).
Accounts of which a signal never said anything have no row."""

_SAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "jitter": "{hits} of {n} recordings come last in the order shown to {issuer}, as they would in its queue",
        "refusal": "{hits} of {n} requests of elevated accounts that it repeats had been refused",
        "handle": "{hits} hours with handles that were given to others, last to {issuer}",
        "canary": "{hits} of {n} recordings are shown to nobody",
        "unsurfaced": "{hits} of {n} recordings had not been shown to it",
    }
)


def evidence(asked: Asked, shown: Shown, declared: Declared | None = None) -> pa.Table:
    """Tell what the signals say of each account, as a table with schema ``SIGNAL``.

    Parameters
    ----------
    shown
        The same secret with which the platform drew its lots.
    declared
        What is held of people where no lot decides.

    Examples
    --------
    >>> evidence(Asked.empty(), Shown(bytes(16))).num_rows
    0
    """
    people = declared or Declared()
    found = {
        "jitter": follows(asked, shown.secret),
        "refusal": adopts(asked, shown),
        "handle": passes_on(asked, people),
        "canary": meets(asked, CANARY, people.canary) if len(shown.canaries) else np.empty(0, FOUND),
        "unsurfaced": meets(asked, UNSURFACED, people.unsurfaced),
    }
    return pa.concat_tables([_table(claim, rows) for claim, rows in found.items()]).combine_chunks()


def best(signals: pa.Table) -> pa.Table:
    """Keep the row with the most bits of each account: what the union bound joins.

    Examples
    --------
    >>> best(SIGNAL.empty_table()).num_rows
    0
    """
    account, bits = signals["account"].to_numpy(), signals["bits"].to_numpy()
    order = np.lexsort((-bits, account))
    first = np.concatenate([[True], account[order][1:] != account[order][:-1]]) if len(order) else order.astype(bool)
    return signals.take(pa.array(order[first]))


def explain(signal: Mapping[str, Any]) -> Evidence:
    """Explain one row of :func:`evidence`, in steps that sum to its bits exactly.

    Parameters
    ----------
    signal
        A row with the columns of ``SIGNAL``.
    """
    claim = CLAIMS[signal["claim"]]
    issuer = label(signal["issuer"]) if signal["issuer"] else "nobody who is still known"
    says = _SAYS[claim.name].format(hits=signal["hits"], n=signal["n"], issuer=issuer)
    rows = [Row(says, signal["raw"])]
    if signal["price"]:
        rows.append(Row("price of having looked for whose order it is", -signal["price"]))
    rows.append(Row("price of five signals being looked at", -_share_price(claim.name)))
    return Evidence(
        claim=claim,
        subject=signal["account"],
        bits=signal["bits"],
        waterfall=tuple(rows),
        reached_us=signal["reached_us"],
        source=Source(claim.name, VERSION),
        facts={
            "bets": signal["n"],
            "hits": signal["hits"],
            "bits_now": signal["bits_now"],
            **({"issuer": signal["issuer"]} if signal["issuer"] else {}),
        },
    )


def _share_price(claim: str) -> float:
    return -on_grid(np.log2(SHARES[claim]))


def _table(claim: str, found: npt.NDArray[np.void]) -> pa.Table:
    found = found[found["most"] > 0]
    raw, price = _down(found["most"]), -_down(-found["price"])
    share = _share_price(claim)
    return pa.table(
        [
            np.ascontiguousarray(found["account"]),
            pa.array([claim] * len(found), pa.string()),
            raw - price - share,
            _down(found["now"]) - share,
            np.ascontiguousarray(found["reached_us"]),
            raw,
            price,
            *(np.ascontiguousarray(found[name]) for name in ("issuer", "n", "hits")),
        ],
        schema=SIGNAL,
    )


def _down(bits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.floor(bits * GRID) / GRID)
