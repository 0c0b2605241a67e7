"""Is the mean of bounded values as small as claimed?

A gambler stakes part of a fortune on each value being above the claimed mean, more when past values
were.  Under the claim the fortune has mean at most one, however long it goes on, so its logarithm is
bits; and every claimed mean whose fortune grew past ``1/alpha`` is outside a confidence bound.

Symbols
-------
m   claimed mean
x   value scaled to [0, 1]
l   stake: fortune is multiplied by ``1 + l (x - m)``, with ``0 <= l < 1/m``

Fails when
----------
The order of the values was chosen knowing them: hand them over in an order fixed beforehand.

Source
------
Waudby-Smith & Ramdas (2024), *Estimating means of bounded random variables by betting*, section 4
(fortune) and theorem 3 (inversion); the stakes are their predictable plug-in, one-sided.
"""

import math
from typing import cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STAKE_MAX = 0.75


def mean_bits(values: Array, mean: float, *, cap: float) -> float:
    """Bits against the claim that the mean of ``values`` is at most ``mean``.

    Parameters
    ----------
    values : np.ndarray [shape=(n,), between 0 and ``cap``]
    mean
        The claim, in (0, cap).

    Raises
    ------
    ValueError
        When a value or the claim is out of range.

    Examples
    --------
    >>> fair = np.tile([0.0, 2.0], 500)
    >>> mean_bits(fair, 1.0, cap=2.0) < 3
    True
    >>> mean_bits(fair, 0.5, cap=2.0) > 30
    True
    """
    if not 0 < mean < cap:
        raise ValueError(f"the claimed mean is {mean}, wanted 0 < mean < {cap}")
    if len(values) and (values.min() < 0 or values.max() > cap):
        raise ValueError(f"values go from {values.min()} to {values.max()}, wanted 0 to {cap}")
    x, m = values / cap, mean / cap
    fortune = np.cumsum(np.log1p(_stakes(x, m) * (x - m)))
    return float(fortune[-1] / math.log(2)) if len(x) else 0.0


def upper_bound_mean(values: Array, *, cap: float, alpha: float = 0.05) -> float:
    """Upper confidence bound of the mean: above the true one with chance at least ``1 - alpha``.

    The gambler now bets on values being *below* the claim.

    Parameters
    ----------
    values : np.ndarray [shape=(n,), between 0 and ``cap``]
    alpha
        Chance that the bound is wrong.

    Examples
    --------
    >>> bound = upper_bound_mean(np.tile([0.0, 2.0], 500), cap=2.0)
    >>> 1.0 < bound < 1.15
    True
    >>> upper_bound_mean(np.empty(0), cap=2.0)
    2.0
    """
    x = values / cap
    low, high = 0.0, 1.0
    for _ in range(40):
        m = (low + high) / 2
        fortune = np.cumsum(np.log1p(_stakes(1 - x, 1 - m) * (m - x))) if len(x) else np.zeros(1)
        low, high = (low, m) if fortune.max() >= math.log(1 / alpha) else (m, high)
    return float(high * cap)


def _stakes(x: Array, m: float) -> Array:
    """Predictable stakes: each knows only the values before it."""
    n = len(x)
    seen = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(x)) / (seen + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2)) / (seen + 1)
    before_mean = np.concatenate([[0.5], mean[:-1]]) if n else mean
    before_spread = np.concatenate([[0.25], spread[:-1]]) if n else spread
    kelly = (before_mean - m) / (before_spread + (before_mean - m) ** 2)
    return cast(Array, np.clip(kelly, 0.0, _STAKE_MAX / max(m, 1e-12)))
