"""What is a p-value, a rank or a past maximum worth in bits?

None of these is an e-value: a p-value of 1/1000 does not carry 10 bits, and a maximum over time
has already been looked at.  A calibrator or adjuster pays for that; nothing else turns them into bits.

Source
------
Vovk & Wang (2021), *E-values: calibration, combination and applications*, equation 2;
Dawid, de Rooij, Shafer, Shen, Vereshchagin & Vovk (2011), *Insuring against loss of evidence*.
"""

import math

import numpy as np
import numpy.typing as npt


def calibrate(p: float) -> float:
    """Bits of a p-value: ``log2((1 - p + p ln p) / (p ln(p)**2))``, the mean over all power calibrators.

    Parameters
    ----------
    p
        In (0, 1]; super-uniform under the null.

    Raises
    ------
    ValueError
        When ``p`` is outside (0, 1].

    Examples
    --------
    >>> round(calibrate(1 / 1000), 2)
    4.38
    >>> calibrate(1.0)
    -1.0
    """
    if not 0 < p <= 1:
        raise ValueError(f"p is {p}, wanted 0 < p <= 1")
    if p > 1 - 1e-4:
        return -1.0
    log_p = math.log(p)
    return math.log2((1 - p + p * log_p) / (p * log_p * log_p))


def adjust(running_max_bits: float) -> float:
    """Bits that remain of the largest value that an e-process ever had: ``log2((e - 1 - ln e) / ln(e)**2)``.

    Needed when a bet that is valid only in its own filtration is stopped on what others saw.

    Examples
    --------
    >>> adjust(10.0) < 10.0
    True
    >>> adjust(0.0)
    -1.0
    """
    log_e = max(running_max_bits, 0.0) * math.log(2)
    if log_e < 1e-3:
        return -1.0
    if log_e > 600:
        return running_max_bits - 2 * math.log2(log_e)
    return math.log2((math.expm1(log_e) - log_e) / (log_e * log_e))


def conformal_p(nulls_at_least: int, nulls: int) -> float:
    """Rank one subject among exchangeable nulls: ``(1 + nulls at least as extreme) / (1 + nulls)``.

    Examples
    --------
    >>> conformal_p(0, 85)
    0.011627906976744186
    """
    return (1 + nulls_at_least) / (1 + nulls)


def certified_bits(nulls_at_least: npt.ArrayLike, nulls: int) -> npt.NDArray[np.float64]:
    """Bits of restraint that real people vouch for: ``-log2`` of the rank, at most ``log2(n + 1)``.

    Parameters
    ----------
    nulls_at_least
        How many nulls are at least as extreme as each subject [any shape].

    This is not an e-value.  It is compared with a threshold once, where the chance of crossing is what
    is promised; it is never mixed or added.

    Examples
    --------
    >>> certified_bits([0, 85], 85).round(2).tolist()
    [6.43, 0.0]
    """
    return np.asarray(np.log2(nulls + 1.0) - np.log2(np.asarray(nulls_at_least) + 1.0), np.float64)
