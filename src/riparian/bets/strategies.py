"""In what way did those who mixed their copies choose, where we have no name for it?

Learned from the copy and the chances of bits alone, by expectation and maximisation: with so many accounts, how often
the copy has +1 where none, one, ... all of them have.  Nobody's bits are looked at, so that a bet on what was learned
is as fair as one on what was fixed beforehand (:mod:`riparian.bets.channels`).

Source
------
Furon, T. and Pérez-Freire, L. (2009), EM decoding of Tardos traitor tracing codes.  Charpentier, A. et al. (2009),
Expectation maximization decoding of Tardos probabilistic fingerprinting code.
"""

from typing import Final

import numpy as np

from riparian.bets.channels import SIXTEENTHS, SURE_NATS, Cells, Fitted, log_binomial

_STEPS: Final = 60
_BEFORE: Final = 1.0
"""How many cells the guess before any is worth: each account's bits by lot."""
_NEVER: Final = 0.02


def fit(cells: Cells, accounts: int) -> Fitted:
    """Learn how so many accounts chose.

    Parameters
    ----------
    cells
        Of one copy, nobody known.
    accounts
        1 or more.

    Examples
    --------
    >>> from riparian.bets.channels import MANY
    >>> rng = np.random.default_rng(1)
    >>> chance = np.array(MANY, np.uint8)[rng.integers(16, size=4000)]
    >>> has = (rng.random((3, 4000)) < chance / 16).sum(axis=0)
    >>> most = np.where(has >= 2, 3.0, -3.0).astype(np.float32)
    >>> learned = fit(Cells.of(most[:, None], chance[:, None]), 3)
    >>> learned.chances[1] < 0.2, learned.chances[2] > 0.8
    (True, True)
    """
    t = np.tanh(np.clip(cells.soft, -SURE_NATS, SURE_NATS))[:, None]
    table = np.exp([log_binomial(accounts, max(chance, 1)) for chance in range(SIXTEENTHS)])
    share = table[cells.chance]
    guess = np.clip(np.arange(accounts + 1) / accounts, _NEVER, 1 - _NEVER)
    q = guess
    for _ in range(_STEPS):
        likely = 1 + (2 * q - 1) * t
        after = share * likely
        after /= after.sum(axis=1, keepdims=True)
        is_up = q * (1 + t) / likely
        q = ((after * is_up).sum(axis=0) + _BEFORE * guess) / (after.sum(axis=0) + _BEFORE)
    return Fitted(tuple(q.tolist()), f"{accounts} accounts: as learned")
