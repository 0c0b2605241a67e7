"""What does a gate forget when it is told to forget an account, and what can it not?

Its row goes: what is known of it, its budgets, its restraint.  Of what it had, one mixed code a recording is kept among
everybody's, which names neither; so the codes of the account with every recording that may be meant are made again,
and taken out.

What stays
----------
* The codes of recordings that nobody names: those that it was admitted to, that were fetched by nobody and are in no
  catalogue.
* Where the set is approximate, all its codes: a bit in there may be another account's, too.
* What its payment or device has drawn: others draw on that, under a code that names none of them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.gate.ledger import CODE
from riparian.gate.seen import APPROXIMATE, codes_of_pairs


def without(
    arrays: Mapping[str, NDArray[Any]], account: int, recordings: NDArray[np.uint64]
) -> dict[str, NDArray[Any]] | None:
    """Take an account out of what a gate has laid down.

    Parameters
    ----------
    arrays
        :meth:`riparian.gate.admit.Gate.arrays`.
    account
        Its code.
    recordings
        Codes of all that it may have had [shape=(recordings,)].

    Returns
    -------
    dict or None
        What is left, None where the gate kept nothing of it.

    Examples
    --------
    >>> from riparian.gate.admit import Gate, Kind
    >>> from riparian.gate.policy import Policy
    >>> gate = Gate.open(Policy())
    >>> answers = [gate.admit(account, 1, Kind.MEDIA, 0).status for account in (7, 8)]
    >>> left = without(gate.arrays(), 7, np.array([1, 2], np.uint64))
    >>> left["rows"][:, CODE].tolist(), left["seen.newest"].size
    ([8], 1)
    >>> without(left, 7, np.array([1, 2], np.uint64)) is None
    True
    """
    code, rows, seen = np.uint64(account), arrays["rows"], arrays["seen.newest"]
    others = rows[:, CODE] != code.astype(np.int64)
    unseen = np.ones(seen.size, np.bool_)
    if not arrays["seen.state"][APPROXIMATE]:
        unseen = ~np.isin(seen, codes_of_pairs(np.full(recordings.size, code), recordings))
    if others.all() and unseen.all():
        return None
    return {**arrays, "rows": rows[others], "seen.newest": seen[unseen]}
