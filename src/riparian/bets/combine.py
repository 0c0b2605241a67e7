"""How may bits from several bets be joined, and what does a search cost?

There are two ways to join and no third.  Bets placed *in turn*, each knowing the last, add.  Bets
whose dependence is unknown *mix*: a mean of ``2**bits``, with weights fixed beforehand.
"""

import math
from collections.abc import Sequence


def in_turn(bits: Sequence[float]) -> float:
    """Add the bits of successive bets on one subject, each placed knowing the ones before.

    Examples
    --------
    >>> in_turn([3.0, -1.0, 2.5])
    4.5
    """
    return math.fsum(bits)


def mix_bits(bits: Sequence[float], weights: Sequence[float]) -> float:
    """Join bits of any dependence by a weighted mean of ``2**bits``.

    Parameters
    ----------
    bits
        Bits of each bet; a bet that abstains has 0.
    weights
        Fixed before any bet was placed; 0 or more, summing to one.

    Raises
    ------
    ValueError
        When lengths differ or the weights do not sum to one.

    Examples
    --------
    >>> mix_bits([10.0, 0.0], [0.5, 0.5]) < 10.0
    True
    >>> mix_bits([7.0, 7.0], [0.5, 0.5])
    7.0
    """
    if len(bits) != len(weights) or abs(math.fsum(weights) - 1.0) > 1e-9 or min(weights) < 0:
        raise ValueError(f"{len(weights)} weights sum to {math.fsum(weights)}, wanted {len(bits)} that sum to 1")
    top = max(bits)
    return top + math.log2(math.fsum(w * 2.0 ** (b - top) for b, w in zip(bits, weights, strict=True)))


def price_of_places(places: int) -> float:
    """Bits that looking in so many places costs.

    Examples
    --------
    >>> price_of_places(1024)
    10.0
    """
    return math.log2(places)


def price_of_subset(among: int, size: int) -> float:
    """Bits that singling out ``size`` of ``among`` subjects costs, size included.

    ``log2 C(N, k) + 2 log2 k + 1``: the last two terms are a prior over sizes that sums to at most one.

    Examples
    --------
    >>> round(price_of_subset(1_000_000, 1), 2)
    20.93
    """
    choose = math.lgamma(among + 1) - math.lgamma(size + 1) - math.lgamma(among - size + 1)
    return choose / math.log(2) + 2 * math.log2(size) + 1
