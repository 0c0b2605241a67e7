"""How well does each of many simple laws explain the past, and how well does their mixture?

A composite law ("some person", "some copier") is a mixture of simple ones.  All that need be kept of
the past is one likelihood for each simple law; a mixture's likelihood is their average by its weights, and the
ratio of two mixtures' likelihoods is an e-process for the one below.  Likelihoods are scaled by a
common factor as they shrink, which no ratio sees.
"""

import numpy as np
from numba import njit

FLOOR = np.float32(1e-30)
"""No law is ruled out below this, relative to the best: rounding must not convict."""


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def scale(likelihood):  # type: ignore[no-untyped-def]
    """Scale likelihoods in place so that the best is 1.

    Parameters
    ----------
    likelihood : np.ndarray [shape=(laws,), float32]
    """
    best = FLOOR
    for x in likelihood:
        best = max(best, x)
    factor = np.float32(1.0) / best
    for i in range(len(likelihood)):
        likelihood[i] = max(likelihood[i] * factor, FLOOR)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def average(weights, likelihood):  # type: ignore[no-untyped-def]
    """Average likelihoods by weights.

    Parameters
    ----------
    weights, likelihood : np.ndarray [shape=(laws,), float32]

    Examples
    --------
    >>> average(np.array([0.25, 0.75], np.float32), np.array([1.0, 0.5], np.float32))
    0.625
    """
    total = np.float32(0.0)
    for i in range(len(weights)):
        total += weights[i] * likelihood[i]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def averages(weights, likelihood, out):  # type: ignore[no-untyped-def]
    """Average likelihoods by several weightings at once, into ``out``.

    Parameters
    ----------
    weights : np.ndarray [shape=(mixtures, laws), float32]
    likelihood : np.ndarray [shape=(laws,), float32]
    out : np.ndarray [shape=(mixtures,), float32]

    Examples
    --------
    >>> out = np.empty(2, np.float32)
    >>> averages(np.array([[0.25, 0.75], [1, 0]], np.float32), np.array([1.0, 0.5], np.float32), out)
    >>> out.tolist()
    [0.625, 1.0]
    """
    # Five sums at a time: one alone waits for each of its additions before the next may begin.
    k, n = 0, len(out)
    while k + 5 <= n:
        w0, w1, w2, w3, w4 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3], weights[k + 4]
        t0 = t1 = t2 = t3 = t4 = np.float32(0.0)
        for i in range(len(likelihood)):
            x = likelihood[i]
            t0 += w0[i] * x
            t1 += w1[i] * x
            t2 += w2[i] * x
            t3 += w3[i] * x
            t4 += w4[i] * x
        out[k], out[k + 1], out[k + 2], out[k + 3], out[k + 4] = t0, t1, t2, t3, t4
        k += 5
    while k < n:
        out[k] = average(weights[k], likelihood)
        k += 1
