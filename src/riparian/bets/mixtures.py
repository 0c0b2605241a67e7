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


@njit(cache=True, nogil=True)
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
    """Average likelihoods by weights, in double precision.

    Parameters
    ----------
    weights : np.ndarray [shape=(laws,), float64]
    likelihood : np.ndarray [shape=(laws,), float32]

    Examples
    --------
    >>> average(np.array([0.25, 0.75]), np.array([1.0, 0.5], np.float32))
    0.625
    """
    total = 0.0
    for i in range(len(weights)):
        total += weights[i] * likelihood[i]
    return total
