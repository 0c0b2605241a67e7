"""How well does each of many simple laws explain the past, and how well does their mixture?

A composite law ("some person", "some copier") is a mixture of simple ones.  All that need be kept of
the past is one likelihood for each simple law; a mixture's likelihood is their average by its weights, and the
ratio of two mixtures' likelihoods is an e-process for the one below.  Likelihoods are scaled by a
common factor as they shrink, which no ratio sees.

Subjects lie in the rows of a matrix.  Kernels are told the ``row`` and take no slices: to count who holds one
costs as much as to work on it.
"""

import numpy as np
from numba import njit

FLOOR = np.float32(1e-30)
"""No law is ruled out below this, relative to all together: rounding must not convict."""


_FAST = {"nnan", "nsz", "reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_FAST)
def scale(likelihood, row):  # type: ignore[no-untyped-def]
    """Scale a subject's likelihoods in place so that they sum to 1.

    Parameters
    ----------
    likelihood : np.ndarray [shape=(subjects, laws), float32]

    Examples
    --------
    >>> past = np.array([[0.5, 1.5]], np.float32)
    >>> scale(past, 0)
    >>> past.tolist()
    [[0.25, 0.75]]
    """
    total = np.float32(0.0)
    for i in range(likelihood.shape[1]):
        total += likelihood[row, i]
    factor = np.float32(1.0) / max(total, FLOOR)
    for i in range(likelihood.shape[1]):
        likelihood[row, i] = max(likelihood[row, i] * factor, FLOOR)


@njit(cache=True, nogil=True)
def restart(likelihood, row):  # type: ignore[no-untyped-def]
    """Begin again: nothing has been seen, and every law explains it alike.

    Parameters
    ----------
    likelihood : np.ndarray [shape=(subjects, laws), float32]

    Examples
    --------
    >>> past = np.array([[0.25, 0.75]], np.float32)
    >>> restart(past, 0)
    >>> past.tolist()
    [[1.0, 1.0]]
    """
    for i in range(likelihood.shape[1]):
        likelihood[row, i] = 1.0


@njit(cache=True, nogil=True, fastmath=_FAST)
def multiply(likelihood, row, chances, seen):  # type: ignore[no-untyped-def]
    """Multiply into a subject's likelihoods, in place, what each law said of what was seen.

    Parameters
    ----------
    likelihood : np.ndarray [shape=(subjects, laws), float32]
    chances : np.ndarray [shape=(things to see, laws), float32]

    Examples
    --------
    >>> past = np.ones((1, 2), np.float32)
    >>> multiply(past, 0, np.array([[0.5, 0.5], [0.125, 0.375]], np.float32), 1)
    >>> past.tolist()
    [[0.25, 0.75]]
    """
    for i in range(likelihood.shape[1]):
        likelihood[row, i] *= chances[seen, i]
    scale(likelihood, row)


@njit(cache=True, nogil=True, fastmath=_FAST)
def average(weights, likelihood, row):  # type: ignore[no-untyped-def]
    """Average a subject's likelihoods by weights.

    Parameters
    ----------
    weights : np.ndarray [shape=(laws,), float32]
    likelihood : np.ndarray [shape=(subjects, laws), float32]

    Examples
    --------
    >>> average(np.array([0.25, 0.75], np.float32), np.array([[1.0, 0.5]], np.float32), 0)
    0.625
    """
    total = np.float32(0.0)
    for i in range(len(weights)):
        total += weights[i] * likelihood[row, i]
    return total


@njit(cache=True, nogil=True, fastmath=_FAST)
def averages(weights, likelihood, row, out, line):  # type: ignore[no-untyped-def]
    """Average a subject's likelihoods by several weightings at once, into a line of ``out``.

    Parameters
    ----------
    weights : np.ndarray [shape=(mixtures, laws), float32]
    likelihood : np.ndarray [shape=(subjects, laws), float32]
    out : np.ndarray [shape=(lines, mixtures), float32]

    Examples
    --------
    >>> out = np.empty((1, 2), np.float32)
    >>> averages(np.array([[0.25, 0.75], [1, 0]], np.float32), np.array([[1.0, 0.5]], np.float32), 0, out, 0)
    >>> out.tolist()
    [[0.625, 1.0]]
    """
    # Five sums at a time: one alone waits for each of its additions before the next may begin.
    k, n = 0, len(weights)
    while k + 5 <= n:
        t0 = t1 = t2 = t3 = t4 = np.float32(0.0)
        for i in range(weights.shape[1]):
            x = likelihood[row, i]
            t0 += weights[k, i] * x
            t1 += weights[k + 1, i] * x
            t2 += weights[k + 2, i] * x
            t3 += weights[k + 3, i] * x
            t4 += weights[k + 4, i] * x
        out[line, k], out[line, k + 1], out[line, k + 2], out[line, k + 3], out[line, k + 4] = t0, t1, t2, t3, t4
        k += 5
    while k < n:
        out[line, k] = average(weights[k], likelihood, row)
        k += 1
