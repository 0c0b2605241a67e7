"""How sure is a sum of independent scores, one of two values in each cell?

Each cell adds one of two values, drawn by a known chance.  For any ``s`` above 0 the mean of ``exp(s x - k(s))`` over
the lot is exactly one, where ``k(s) = log(p exp(s up) + (1 - p) exp(s down))``; so the chance that the sum reaches a
height is at most ``exp(K(s) - s height)`` (Chernoff), and ``exp(s x - k(s))`` is a bet that is fair against the lot.
Fixing ``s`` beforehand for the height at which one will act gives, just there, the smallest of these bounds.

Source
------
Chernoff, H. (1952), A measure of asymptotic efficiency for tests of a hypothesis, theorem 1.  Grünwald, P. et al.
(2024), Safe testing, section 2.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_TILTS: Final = np.concatenate([np.linspace(1.0, 3.0, 21), np.geomspace(3.2, 12.0, 14)])


def _log_means(down: NDArray[np.float64], up: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ``k(s)`` for every ``s`` and cell; shape=(tilts, n)."""
    s = _TILTS[:, None]
    found: NDArray[np.float64] = np.logaddexp(np.log(p) + s * up, np.log1p(-p) + s * down)
    return found


def log_tail(down: NDArray[np.float64], up: NDArray[np.float64], p: NDArray[np.float64], height: float) -> float:
    """Bound the logarithm of the chance that a sum reaches a height; 0 or less.

    Parameters
    ----------
    down, up : np.ndarray [shape=(n,)]
        What a cell adds; any numbers.
    p : np.ndarray [shape=(n,)]
        Chance that it is ``up``; above 0, below 1.
    height
        Any.

    Examples
    --------
    >>> ones = np.ones(100)  # 80 heads or more of 100 have a chance of 5.6e-10
    >>> f"{np.exp(log_tail(-0.7 * ones, 0.7 * ones, 0.5 * ones, 60 * 0.7)):.1e}"
    '4.3e-09'
    """
    bounds = _log_means(down, up, p).sum(axis=1) - _TILTS * height
    return min(0.0, float(bounds.min()))


def tilted(
    down: NDArray[np.float64], up: NDArray[np.float64], p: NDArray[np.float64], needed_nats: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the fair bet that comes to so many nats at the lowest sum.

    Parameters
    ----------
    down, up, p : np.ndarray [shape=(n,)]
        As above.
    needed_nats
        At how many one will act; above 0.

    Returns
    -------
    down, up : np.ndarray [shape=(n,)]
        ``p exp(up) + (1 - p) exp(down)`` is one in each cell.

    Examples
    --------
    >>> p = np.full(100, 0.5)
    >>> down, up = tilted(np.log(np.full(100, 0.2)), np.log(np.full(100, 1.8)), p, 30.0)
    >>> bool(np.abs(p * np.exp(up) + (1 - p) * np.exp(down) - 1).max() < 1e-12)
    True
    """
    means = _log_means(down, up, p)
    at = int(np.argmin((needed_nats + means.sum(axis=1)) / _TILTS))
    return _TILTS[at] * down - means[at], _TILTS[at] * up - means[at]
