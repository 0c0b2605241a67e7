"""What do all questions about an account come to, and what carries it?

What an account does by itself, with whom it keeps step, which signals it follows, its devices, places
and taste are asked separately: each has a clock and a filtration of its own, and some are no bets
but ranks.  Their mean would be worth nothing then; a union bound asks for nothing but each one's own promise.

Hypothesis
----------
Null: the null of every question.  Each promises that its bits ever reach ``b`` with chance at most
``2**-b``, whether it is an e-process (Ville) or ``-log2`` of a p-value that holds at any time.  Then

    bits of the account = max over questions of (bits of the question + log2 of its weight)

ever reach ``b`` with chance at most ``sum(weight) * 2**-b = 2**-b``, under any dependence.

Symbols
-------
w    weight of a question; fixed before any account is seen, sum one
price  ``-log2 w``, rounded up to the grid of bits, so that rows sum exactly and never favour the claim

A bet that is opened again after an answer counts from ``bits_open = log2(sum w 2**bits_now)``: each
question then starts at a fortune of which it may lose its share of the price, and the shares sum to one.

Fails when
----------
Weights are chosen knowing who has how many bits.  A question that abstains keeps its weight: it may speak tomorrow.

Source
------
Boole's inequality; Ville (1939); Vovk & Wang (2021), *E-values: calibration, combination and applications*.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.bets.calibrate import adjust
from riparian.evidence import GRID, Evidence, Row
from riparian.schema import JOINED

ALONE: Final = "alone"
WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {ALONE: 0.6, "kinship": 0.2, "signals": 0.1, "devices": 0.04, "places": 0.03, "taste": 0.03}
)
"""How much of the tolerated mistakes each question may make; of questions with equal bits the first is named."""

PRICES: Final[Mapping[str, float]] = MappingProxyType(
    {question: math.ceil(-math.log2(w) * GRID) / GRID for question, w in WEIGHTS.items()}
)
PRICE: Final = "one of several questions, weights fixed beforehand"

ANSWER: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("claim", pa.string(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("bits_now", pa.float64(), nullable=False),
        pa.field("reached_us", pa.int64(), nullable=False),
    ]
)
"""What a question other than ``alone`` says of an account, before its price: the most bits ever and those
today (the most again where a question keeps no others); at most one row a question and account."""

Array = npt.NDArray[np.float64]


def join(alone: pa.Table, answers: pa.Table) -> pa.Table:
    """Join what accounts do by themselves with what the other questions say.

    Parameters
    ----------
    alone
        ``schema.EVIDENCE``, one row an account.
    answers
        ``ANSWER``; accounts that ``alone`` does not have are passed over.

    Returns
    -------
    pa.Table
        ``schema.JOINED``, in the order of ``alone``.

    Examples
    --------
    >>> from riparian.schema import EVIDENCE
    >>> alone = pa.table([[7, 9], ["person"] * 2, [3.0, 3.0], [3.0, 3.0], [0, 0], [5, 5]], schema=EVIDENCE)
    >>> found = pa.table([[9], ["kinship"], ["kinship"], [20.0], [20.0], [4]], schema=ANSWER)
    >>> join(alone, found).select(["account", "claim", "bits", "reached_us"]).to_pylist()[1]
    {'account': 9, 'claim': 'kinship', 'bits': 17.677734375, 'reached_us': 4}
    """
    most, now = (alone[name].to_numpy() - PRICES[ALONE] for name in ("bits", "bits_now"))
    opened = WEIGHTS[ALONE] * np.exp2(_finite(alone["bits_now"].to_numpy())) + (1.0 - WEIGHTS[ALONE])
    claim, reached = alone["claim"].combine_chunks(), alone["reached_us"].to_numpy().copy()
    for question in WEIGHTS:
        asked = answers.filter(pc.equal(answers["question"], question)) if question != ALONE else answers.slice(0, 0)
        if not len(asked):
            continue
        at = pc.index_in(asked["account"], value_set=alone["account"].combine_chunks())
        asked, rows = asked.filter(pc.is_valid(at)), pc.drop_null(at).to_numpy()
        bits, bits_now = _on_grid(asked["bits"].to_numpy()), _on_grid(asked["bits_now"].to_numpy())
        opened[rows] += WEIGHTS[question] * (np.exp2(_finite(bits_now)) - 1.0)
        now[rows] = np.maximum(now[rows], bits_now - PRICES[question])
        better = bits - PRICES[question] > most[rows]
        most[rows[better]] = bits[better] - PRICES[question]
        reached[rows[better]] = asked["reached_us"].to_numpy()[better]
        claim = _put(claim, rows[better], asked["claim"].filter(pa.array(better)))
    columns = [alone["account"], claim, most, now, reached, alone["as_of_us"], np.maximum(np.log2(opened), now)]
    return pa.table(columns, schema=JOINED)


def e_bits(alone: pa.Table, answers: pa.Table) -> Array:
    """Turn what all questions say into one e-value an account, in bits: their weighted mean.

    What an account does by itself is an e-process and enters as it stands today; of the other questions only the
    most they ever said is kept, which passes an adjuster first.

    Parameters
    ----------
    alone, answers
        As :func:`join` takes them.

    Returns
    -------
    np.ndarray [shape=(accounts,)]
        Bits in the order of ``alone``: what :mod:`riparian.bets.ebh` ranks.

    Examples
    --------
    >>> from riparian.schema import EVIDENCE
    >>> alone = pa.table([[7, 9], ["person"] * 2, [3.0, 3.0], [3.0, 3.0], [0, 0], [5, 5]], schema=EVIDENCE)
    >>> found = pa.table([[9], ["kinship"], ["kinship"], [20.0], [20.0], [4]], schema=ANSWER)
    >>> e_bits(alone, found).round(2).tolist()
    [2.38, 10.1]
    """
    money = WEIGHTS[ALONE] * np.exp2(_finite(alone["bits_now"].to_numpy())) + (1.0 - WEIGHTS[ALONE])
    at = pc.index_in(answers["account"], value_set=alone["account"].combine_chunks())
    known = answers.filter(pc.is_valid(at))
    for row, question, bits in zip(
        pc.drop_null(at).to_pylist(), known["question"].to_pylist(), known["bits"].to_pylist(), strict=True
    ):
        money[row] += WEIGHTS[question] * (2.0 ** adjust(min(bits, 1000.0)) - 1.0)
    return np.asarray(np.log2(money), np.float64)


def priced(question: str, evidence: Evidence) -> Evidence:
    """Take the price of being one of several questions off a question's evidence, as its last row.

    Examples
    --------
    >>> from riparian.evidence import PERSON, Source
    >>> alone = Evidence(PERSON, 7, 3.5, (Row("volume", 3.5),), 0, Source("person", "1"))
    >>> [(row.label, row.bits) for row in priced("alone", alone).waterfall][1]
    ('one of several questions, weights fixed beforehand', -0.7373046875)
    """
    price = PRICES[question]
    facts = dict(evidence.facts) | {"question": question}
    if isinstance(now := facts.get("bits_now"), float):
        facts["bits_now"] = now - price
    return replace(
        evidence,
        bits=evidence.bits - price,
        waterfall=(*evidence.waterfall, Row(PRICE, -price)),
        facts=facts,
    )


def strongest_first(evidence: Mapping[str, Evidence]) -> Sequence[Evidence]:
    """Price the evidence of each question and order it: the first is what the account's bits are, to the last digit."""
    each = [priced(question, evidence[question]) for question in WEIGHTS if question in evidence]
    return sorted(each, key=lambda e: -e.bits)


def _on_grid(bits: Array) -> Array:
    return np.asarray(np.floor(np.maximum(bits, -GRID * GRID) * GRID) / GRID, np.float64)


def _finite(bits: Array) -> Array:
    # Beyond a thousand bits a fortune is no longer a number; the maximum below stands in for it.
    return np.minimum(bits, 1000.0)


def _put(column: pa.Array, rows: npt.NDArray[np.int64], values: pa.Array) -> pa.Array:
    if not len(rows):
        return column
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    order = np.argsort(rows)
    return pc.replace_with_mask(column, pa.array(mask), values.take(pa.array(order)).combine_chunks())
