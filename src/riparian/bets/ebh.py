"""Of many subjects with e-values, which make a list of which no more than a given share is wrong?

Sort by bits.  The list is as long as it can be while its ``k``-th entry has at least ``log2(n / (rate * k))``
bits; then the mean share of wrong entries (over lists, an empty one counting as zero) is at most ``rate``, whatever
the e-values have to do with one another.

Symbols
-------
n    subjects looked at, listed or not
k    length of the list
rate  share of wrong entries that is tolerated in the mean: the false discovery rate

Fails when
----------
Bits are not those of e-values: a running maximum, a rank or a p-value passes a calibrator first
(:mod:`riparian.bets.calibrate`).  A promise about the list is none about any one entry of it.

Source
------
Wang & Ramdas (2022), *False discovery rate control with e-values*, JRSS B 84(3), definition 1 and theorem 2.
"""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def e_bh(bits: Array, *, rate: float) -> npt.NDArray[np.bool_]:
    """Choose the list.

    Parameters
    ----------
    bits : np.ndarray [shape=(n,)]
        ``log2`` of an e-value for each subject.
    rate
        In (0, 1).

    Returns
    -------
    np.ndarray [shape=(n,), bool]
        Who is on it.

    Raises
    ------
    ValueError
        When the rate is not between 0 and 1.

    Examples
    --------
    >>> e_bh(np.array([9.0, 0.0, 6.0, 5.5]), rate=0.05).tolist()
    [True, False, True, True]
    >>> e_bh(np.array([9.0, 0.0, 6.0, 5.5]), rate=0.01).tolist()
    [True, False, False, False]
    """
    if not 0 < rate < 1:
        raise ValueError(f"the rate is {rate}, wanted 0 < rate < 1")
    return list_rates(bits) <= rate


def list_rates(bits: Array) -> Array:
    """Tell for each subject the smallest rate at which it is on the list.

    Examples
    --------
    >>> list_rates(np.array([9.0, 0.0, 6.0, 5.5])).round(4).tolist()
    [0.0078, 1.0, 0.0295, 0.0295]
    """
    n = len(bits)
    if not n:
        return np.empty(0)
    order = np.argsort(-bits, kind="stable")
    wanted = math.log2(n) - np.log2(np.arange(1, n + 1)) - bits[order]
    # Whoever is behind makes the list longer, and so may bring those before it in at a smaller rate.
    least = np.minimum.accumulate(wanted[::-1])[::-1]
    rates = np.empty(n)
    rates[order] = np.exp2(np.minimum(least, 0.0))
    return rates
