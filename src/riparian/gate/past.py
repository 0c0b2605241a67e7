"""What does a gate that begins have to know of the past?

A scan has counted what accounts had, and charged their budgets for it.  A gate keeps the same books with the same
arithmetic, so what a scan has left of a budget is what a gate starts with: nobody gets a burst because a gate is new.
What an account had before is handed over as it is (:meth:`riparian.gate.admit.Gate.backfill_tally`).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.gate.budgets import Budgets, Parents
from riparian.gate.deciding import CHARGE
from riparian.gate.ledger import parent_code
from riparian.gate.tokens import UNKNOWN_US, Ints


def charges_of(budgets: Budgets, parents: Parents, parent: NDArray[np.uint64]) -> Ints:
    """Write what a scan has left of budgets as charges, for :meth:`riparian.gate.admit.Gate.apply`.

    Parameters
    ----------
    budgets, parents
        As the scan keeps them.
    parent
        The parent of each account of the budgets, 0 where it has none [shape=(accounts,)].

    Returns
    -------
    np.ndarray
        [shape=(accounts, CHARGE)]

    Examples
    --------
    >>> from riparian.gate.admit import Gate, Kind
    >>> from riparian.gate.budgets import charge_served
    >>> from riparian.gate.policy import Mode, Policy
    >>> policy = Policy(mode=Mode.ENFORCE, novelty_burst=3, novelty_per_day=0)
    >>> budgets = Budgets.empty().joined(np.array([7], np.uint64))
    >>> _ = charge_served(budgets, np.zeros(2, np.int32), np.zeros(2, np.int64), novel=np.ones(2, bool), policy=policy)
    >>> gate = Gate.open(policy)
    >>> gate.apply(charges_of(budgets, Parents.empty(), np.zeros(1, np.uint64)))
    >>> [gate.admit(7, recording, Kind.MEDIA, 0).status for recording in (1, 2)]
    [200, 429]
    """
    charges = np.zeros((budgets.account.size, CHARGE), np.int64)
    own = (
        budgets.account.view(np.int64),
        budgets.created_us,
        budgets.level,
        budgets.at_us,
        budgets.rows_level,
        budgets.rows_at_us,
        budgets.price,
        _codes(parent).view(np.int64),
    )
    for column, values in enumerate(own, start=1):
        charges[:, column] = values
    charges[:, 10] = UNKNOWN_US
    if parents.parent.size:
        order = np.argsort(parents.parent, kind="stable")
        at = order[np.minimum(np.searchsorted(parents.parent, parent, sorter=order), parents.parent.size - 1)]
        known = (parents.parent[at] == parent) & (parent != 0)
        charges[known, 9] = parents.level[at[known]]
        charges[known, 10] = parents.at_us[at[known]]
    return charges


@njit(cache=True, nogil=True)
def _codes(parents):  # type: ignore[no-untyped-def]
    codes = np.zeros(parents.size, np.uint64)
    for i in range(parents.size):
        codes[i] = parent_code(parents[i])
    return codes
