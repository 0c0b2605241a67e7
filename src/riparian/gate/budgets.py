"""How much that is new to it may an account still fetch?

A listener comes back to things; whoever carries a catalogue off has no reason to.  So recordings that an
account has had before are free, and those new to it draw on a token bucket.  This is arithmetic, not
evidence: it needs no statistics, accuses nobody, and caps even an account that imitates a listener perfectly.

Rules
-----
* A recording new to the account is allowed if and only if a whole token is there.
* An account of standing starts at ``novelty_burst`` tokens and earns ``novelty_per_day``, up to the burst.
* A new account starts at half of the burst and earns the other half, on top, in its first seven days: 1000,
  and 143 a day, to 2000.  So in its first year no account gets more than 2000 + 40 * 365 = 16,600 recordings
  new to it.  An account whose creation is not known is of standing.
* A plan that plays several streams at once is paid for by several people: from three streams on a recording
  costs half a token, from five on a third; so a family plan gets up to three times as many.
* An account made a week or more before the log, or nobody knows when, has a history that the log does not
  show, and would be charged for what it has long had.  So for the log's first 28 days its recordings are
  remembered and not charged (:func:`backfilling`): the set of what an account has had may only ever err in
  the listener's favour.
* For its first thirty days an account draws on its *parent* as well (payment, else device), so that new
  accounts are no way round.  A parent is sized for a household of six: it starts at six times what one
  account may hold on its thirtieth day and earns six times ``novelty_per_day``; six new accounts at full
  speed never meet it.
* Rows of metadata draw on a bucket of their own; a response is allowed if and only if all its rows are there.
* Whatever is refused costs nothing.  A clock that goes back earns nothing.

Whole numbers only
------------------
A level is counted in units of 1/86,400,000,000 token, so that ``r`` tokens a day are ``r`` units a
microsecond, and every quantity above is a whole number of units in 64 bits.  Nothing is rounded twice: it
makes no difference how often one looks, and no drift ever lets one recording more through.

Shadow and enforced
-------------------
A log shows what was *served*.  :func:`charge_served` counts what would have been refused; the account had it
all the same, and the next time it is a repeat.  In :func:`charge_enforced` a refused recording is not had, and
asking for it again is new again, until it is allowed.

A scan goes bucket by bucket, and a household's accounts are in many buckets: it charges the accounts first,
collects what new accounts drew (:func:`draws`), and charges the parents at the end, in the order of time
(:func:`charge_parents`).  Where all accounts are at one place, :func:`charge_enforced` asks both at once.

Fails when
----------
Many accounts with distinct payments and devices share the work: then the cap is per account, and only
evidence sees them.  Accounts that were bought come with standing, and with 28 free days when the log is new.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.gate import tokens
from riparian.gate.decide import REFUSAL
from riparian.gate.policy import Policy
from riparian.gate.tokens import HOUSEHOLD, PARENT_DAYS, UNKNOWN_US, Ints
from riparian.schema import DAY_US

HISTORY_DAYS: Final = 28
"""After how many days of a log an account older than it has shown what it had."""
OLDER_DAYS: Final = 7
"""An account made that long before the log has a history that the log does not show."""

_TOLD: Final = 4  # refused in this spell, since, last, refused ever
_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class Budgets:
    """Token buckets of accounts, one row each; charging changes the arrays in place.

    Parameters
    ----------
    account
        Whose row it is [shape=(accounts,)].
    created_us
        When the account was made [shape=(accounts,)]; ``UNKNOWN_US`` where not known.
    level, at_us
        Units of 1/86,400,000,000 recording, and when there were so many [shape=(accounts,)].
    rows_level, rows_at_us
        The same in rows of metadata.
    price
        Units that a recording costs [shape=(accounts,)].
    told, rows_told
        Refused in the latest spell, since, last, refused ever [shape=(accounts, 4)].

    Examples
    --------
    >>> budgets = Budgets.empty().joined(np.array([7], np.uint64))
    >>> slot, at_us = np.zeros(2001, np.int32), np.zeros(2001, np.int64)
    >>> refused = charge_served(budgets, slot, at_us, novel=np.ones(2001, bool), policy=Policy())
    >>> int(refused.sum()), refusals(budgets)["refused"].to_pylist()
    (1, [1])
    """

    account: NDArray[np.uint64]
    created_us: Ints
    level: Ints
    at_us: Ints
    rows_level: Ints
    rows_at_us: Ints
    price: Ints
    told: Ints
    rows_told: Ints

    @classmethod
    def empty(cls) -> "Budgets":
        """Make budgets of nobody."""
        none = (np.zeros(0, np.int64) for _ in range(6))
        told = (np.zeros((0, _TOLD), np.int64) for _ in range(2))
        return cls(np.zeros(0, np.uint64), *none, *told)

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Budgets":
        """Take up what :meth:`arrays` laid down."""
        return cls(**{f.name: arrays[f.name].copy() for f in fields(cls)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Lay the state down as named arrays, for a store."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def joined(
        self, accounts: NDArray[np.uint64], created_us: Ints | None = None, streams: NDArray[Any] | None = None
    ) -> "Budgets":
        """Add rows at the end for accounts that have none.

        Parameters
        ----------
        accounts
            Every account, those with rows first and in their order, as a tally has them [shape=(accounts,)].
        created_us
            When each was made [shape=(accounts,)]; what was not known before is taken up.
        streams
            Streams that each plan plays at once [shape=(accounts,)]; one where not given.
        """
        n, new = self.account.size, accounts.size - self.account.size
        if new < 0 or not np.array_equal(accounts[:n], self.account):
            raise ValueError("accounts are in another order than before, wanted new ones at the end")
        unknown, zero = np.full(new, UNKNOWN_US, np.int64), np.zeros(new, np.int64)
        untold = np.zeros((new, _TOLD), np.int64)
        created = np.concatenate((self.created_us, unknown))
        if created_us is not None:
            created = np.where(created == UNKNOWN_US, created_us, created).astype(np.int64)
        return Budgets(
            accounts.astype(np.uint64),
            created,
            np.concatenate((self.level, zero)),
            np.concatenate((self.at_us, unknown)),
            np.concatenate((self.rows_level, zero)),
            np.concatenate((self.rows_at_us, unknown)),
            prices(streams if streams is not None else np.ones(accounts.size)),
            np.concatenate((self.told, untold)),
            np.concatenate((self.rows_told, untold)),
        )


@dataclass(frozen=True, slots=True)
class Parents:
    """Token buckets of payments or devices; charging changes the arrays in place.

    Parameters
    ----------
    parent, level, at_us
        Code, units, and when there were so many [shape=(parents,)].
    account, told
        Accounts that drew on any, and what was refused them [shape=(accounts,), (accounts, 4)].
    """

    parent: NDArray[np.uint64]
    level: Ints
    at_us: Ints
    account: NDArray[np.uint64]
    told: Ints

    @classmethod
    def empty(cls) -> "Parents":
        """Make buckets of no parent."""
        codes, none = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return cls(codes, none, none.copy(), codes.copy(), np.zeros((0, _TOLD), np.int64))

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Parents":
        """Take up what :meth:`arrays` laid down."""
        return cls(**{f.name: arrays[f.name].copy() for f in fields(cls)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Lay the state down as named arrays, for a store."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def joined(self, parents: NDArray[np.uint64], accounts: NDArray[np.uint64]) -> "Parents":
        """Add rows for parents and accounts that have none; 0 is "not given" and has none."""
        parent, account = _with_new(self.parent, parents), _with_new(self.account, accounts)
        new = parent.size - self.parent.size
        untold = np.zeros((account.size - self.account.size, _TOLD), np.int64)
        return Parents(
            parent,
            np.concatenate((self.level, np.zeros(new, np.int64))),
            np.concatenate((self.at_us, np.full(new, UNKNOWN_US, np.int64))),
            account,
            np.concatenate((self.told, untold)),
        )


@dataclass(frozen=True, slots=True)
class Draws:
    """What new accounts drew from their own budgets, to be charged to their parents [each shape=(draws,)]."""

    account: NDArray[np.uint64]
    parent: NDArray[np.uint64]
    at_us: Ints


def _with_new(known: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    new = np.setdiff1d(codes, known)
    return np.concatenate((known, new[new != 0]))


def _rows_of(known: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.int32]:
    rows = np.full(codes.size, -1, np.int32)
    given = codes != 0
    if given.any():
        order = np.argsort(known, kind="stable")
        rows[given] = order[np.searchsorted(known, codes[given], sorter=order)]
    return rows


def backfilling(budgets: Budgets, slot: NDArray[np.int32], at_us: Ints, *, log_start_us: int) -> NDArray[np.bool_]:
    """Mark fetches by which an account older than the log only makes its history known.

    Parameters
    ----------
    budgets, slot, at_us
        As of :func:`charge_served`.
    log_start_us
        When the first log that was ever counted begins.

    Examples
    --------
    >>> budgets = Budgets.empty().joined(np.array([7], np.uint64))
    >>> backfilling(budgets, np.zeros(2, np.int32), np.array([0, 28 * DAY_US]), log_start_us=0).tolist()
    [True, False]
    """
    older = budgets.created_us < log_start_us - OLDER_DAYS * DAY_US
    return older[slot] & (at_us < log_start_us + HISTORY_DAYS * DAY_US)


def charge_served(
    budgets: Budgets, slot: NDArray[np.int32], at_us: Ints, *, novel: NDArray[np.bool_], policy: Policy
) -> NDArray[np.bool_]:
    """Charge fetches that were all served, and say which a budget would have refused.

    Parameters
    ----------
    budgets
        Changed in place.
    slot
        The row of each fetch's account [shape=(accesses,)].
    at_us
        UTC; in the order of time for each account [shape=(accesses,)].
    novel
        Whether it is a fetch of a recording new to the account [shape=(accesses,)]; others are free.
    policy
        ``novelty_burst`` and ``novelty_per_day`` count.

    Returns
    -------
    np.ndarray
        [shape=(accesses,)], True where refused.
    """
    return np.asarray(
        tokens.served(
            slot,
            at_us,
            novel,
            policy.novelty_burst,
            policy.novelty_per_day,
            budgets.created_us,
            budgets.level,
            budgets.at_us,
            budgets.price,
            budgets.told,
        )
    )


def charge_rows(
    budgets: Budgets, slot: NDArray[np.int32], at_us: Ints, *, rows: NDArray[Any], policy: Policy
) -> NDArray[np.bool_]:
    """Charge responses of metadata for their rows, and say which are refused whole.

    Parameters
    ----------
    budgets
        Changed in place.
    slot
        The row of each response's account [shape=(accesses,)].
    at_us
        UTC; in the order of time for each account [shape=(accesses,)].
    rows
        Rows returned; 0 or less is free [shape=(accesses,)].
    policy
        ``rows_burst`` and ``rows_per_day`` count.
    """
    return np.asarray(
        tokens.responses(
            slot,
            at_us,
            rows,
            policy.rows_burst,
            policy.rows_per_day,
            budgets.rows_level,
            budgets.rows_at_us,
            budgets.rows_told,
        )
    )


def draws(
    budgets: Budgets,
    slot: NDArray[np.int32],
    at_us: Ints,
    *,
    charged: NDArray[np.bool_],
    parent: NDArray[np.uint64],
) -> Draws:
    """Collect what accounts in their first thirty days drew, for :func:`charge_parents`.

    Parameters
    ----------
    budgets, slot, at_us
        As charged.
    charged
        Novel and not refused [shape=(accesses,)].
    parent
        The code of each *account's* parent, 0 where it has none [shape=(accounts,)].
    """
    rows = np.flatnonzero(charged)
    slots = slot[rows]
    created = budgets.created_us[slots]
    # Age is taken where creation is known; the difference would leave 64 bits elsewhere.
    age = at_us[rows] - np.where(created == UNKNOWN_US, 0, created)
    young = (created != UNKNOWN_US) & (parent[slots] != 0) & (age < PARENT_DAYS * DAY_US)
    slots = slots[young]
    return Draws(budgets.account[slots], parent[slots], at_us[rows[young]])


def charge_parents(parents: Parents, gathered: list[Draws], *, policy: Policy) -> tuple[Parents, NDArray[np.bool_]]:
    """Charge parents for what was drawn in all buckets, in the order of time.

    Parameters
    ----------
    parents
        As of the last scan; changed in place and grown.
    gathered
        The draws of every bucket.
    policy
        ``novelty_burst`` and ``novelty_per_day`` count.

    Returns
    -------
    tuple
        The grown parents, and for each draw, as gathered, whether it was refused.
    """
    if not gathered:
        return parents, np.zeros(0, bool)
    account, parent, at_us = (np.concatenate([getattr(d, f.name) for d in gathered]) for f in fields(Draws))
    grown = parents.joined(parent, account)
    order = np.lexsort((account, at_us))
    refused = np.zeros(account.size, bool)
    refused[order] = tokens.drawn(
        _rows_of(grown.parent, parent[order]),
        _rows_of(grown.account, account[order]),
        at_us[order],
        parent_cap(policy),
        HOUSEHOLD * policy.novelty_per_day,
        grown.level,
        grown.at_us,
        grown.told,
    )
    return grown, refused


def charge_enforced(
    budgets: Budgets,
    slot: NDArray[np.int32],
    at_us: Ints,
    *,
    novel: NDArray[np.bool_],
    recording: NDArray[np.uint64],
    policy: Policy,
    unhad: NDArray[np.uint64] | None = None,
    parents: Parents | None = None,
    parent: NDArray[np.uint64] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Charge fetches as a gate that refuses does: what is refused is not had, and is asked for anew.

    Parameters
    ----------
    budgets, slot, at_us, novel
        As of :func:`charge_served`: ``novel`` marks the first time that an account *asks* for a recording.
        With parents, all accesses are in the order of time.
    recording
        Its code [shape=(accesses,)].
    policy
        ``novelty_burst`` and ``novelty_per_day`` count.
    unhad
        What was refused and not had since, as the last call returned it.
    parents, parent
        Buckets, joined with every code; and the code of each *account's* parent [shape=(accounts,)].

    Returns
    -------
    tuple
        Refused [shape=(accesses,)], and what has been refused and not had since.
    """
    shared = parents if parents is not None else Parents.empty()
    none = np.full(slot.size, -1, np.int32)
    up = none if parent is None else _rows_of(shared.parent, parent)[slot]
    # Zero stands in the set from the beginning, which gives an empty one its type.
    waiting = np.union1d(np.zeros(1, np.uint64), unhad if unhad is not None else np.zeros(0, np.uint64))
    refused, waiting = tokens.enforced(
        slot,
        at_us,
        novel,
        _pairs(budgets.account[slot], recording),
        waiting,
        up,
        policy.novelty_burst,
        policy.novelty_per_day,
        (budgets.created_us, budgets.level, budgets.at_us, budgets.price),
        budgets.told,
        parent_cap(policy),
        shared.level,
        shared.at_us,
    )
    return refused, waiting


def prices(streams: NDArray[Any]) -> Ints:
    """Price a recording for plans of so many streams, in units [shape=(accounts,)]."""
    each = np.array([tokens.price.py_func(n) for n in range(128)], np.int64)
    return np.asarray(each[np.clip(streams, 0, 127).astype(np.int64)])


def parent_cap(policy: Policy) -> int:
    """Say what a parent may hold at most, in units."""
    return HOUSEHOLD * int(tokens.most.py_func(PARENT_DAYS * DAY_US, policy.novelty_burst))


def _pairs(account: NDArray[np.uint64], recording: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (recording + _SEED) * _MIX
    return (account ^ (mixed ^ (mixed >> np.uint64(31)))) * _MIX


def refusals(budgets: Budgets) -> pa.Table:
    """Tell what was refused to whom (``REFUSAL``); who was never refused anything has no row."""
    return pa.concat_tables(
        [_told(budgets.account, budgets.told, "novelty"), _told(budgets.account, budgets.rows_told, "rows")]
    )


def parent_refusals(parents: Parents) -> pa.Table:
    """Tell what parents refused to which account (``REFUSAL``)."""
    return _told(parents.account, parents.told, "parent")


def _told(account: NDArray[np.uint64], told: Ints, budget: str) -> pa.Table:
    rows = np.flatnonzero(told[:, 3])
    spell, since_us, last_us, ever = told[rows].T
    return pa.table([account[rows], [budget] * rows.size, spell, since_us, last_us, ever], schema=REFUSAL)
