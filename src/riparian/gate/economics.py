"""What does it cost to carry a catalogue off, account by account?

A copier buys accounts, keeps each for ``L`` days and gets ``l(L)`` recordings out of it.  It pays what opening
an account costs, and the subscription for as long as it keeps it.  So a recording costs

    (sign-up + subscription(L)) / l(L)

and the copier chooses how it pays (:class:`Kind`) and ``L``.  Nothing here is evidence, and nothing is measured: it
is arithmetic on a policy and on prices, which are assumptions that an operator should replace.

How many recordings an account yields
-------------------------------------
* The budget lets an account of standing have ``burst + per_day * L`` recordings in ``L`` days; a new one begins with
  half of the burst and earns the other half while it is a newcomer (:func:`by_budget`, the rule of
  :mod:`riparian.gate.budgets`).
* New accounts that share a parent have in their first 30 days, all together, what six accounts would
  (:func:`by_parent`).
* An account that is held for good after ``h`` recordings yields at most ``h``, however long it would have lived.
* Under a limit of ``r`` plays a day it is ``r * L`` (:func:`by_limit`).

How many fetches a target takes
-------------------------------
* Accounts that share one list never fetch the same recording twice.  A share ``d`` of duplicates makes it
  ``1 / (1 - d)`` times as many fetches.
* Accounts that draw without a list of their own accord, each on its own, need ``-ln(1 - f) / f`` times as many for a
  share ``f`` of the catalogue: 1.01 for 1 %, 1.39 for half, 5.5 for 99.6 %.

Popularity
----------
Plays follow a Zipf-Mandelbrot law over 256 million recordings, ``share(rank) ~ (rank + q) ** -s``.  Two anchors fix
``s`` and ``q``: 86 million recordings are 99.6 % of plays (reported), and 210,000 are 50, 60 or 70 % (assumed: the
report says "most").  Hence three laws (:data:`LAWS`), and a range wherever the second anchor matters.

When a ring is found
--------------------
A ring of ``A`` accounts among ``N`` that shares one list in order is found after about ``log2(e N / A) / b`` fetches an
account at ``b`` bits a fetch (:func:`ring_fetches`), whatever its pace.  Shuffled over ``M`` recordings, the
same ring must first have met itself by chance: ``sqrt(2 M price / 1.44) / A`` (:func:`shuffled_fetches`).

Symbols
-------
L, l   days that an account is kept; recordings that it yields by then
f, d   share of the catalogue that is wanted; share of fetches that are duplicates
s, q   exponent and shift of the Zipf-Mandelbrot law
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import PolicyError
from riparian.gate.policy import Policy
from riparian.gate.tokens import HOUSEHOLD, NEWCOMER_DAYS, PARENT_DAYS

CATALOGUE: Final = 86_000_000
"""Recordings of the catalogue that everybody knows of."""
EVERYTHING: Final = 256_000_000
"""Recordings of which it is the most played part."""
LAWS: Final = ((1.78, 1.5e5), (1.70, 7.9e4), (1.62, 3.5e4))
"""Exponent and shift for 50, 60 and 70 % of plays in the 210,000 most played recordings; that anchor is assumed."""
MONTH_DAYS: Final = 30
LONGEST_DAYS: Final = 365
"""A copier that must keep an account for longer than this has lost interest, or the catalogue has changed."""
BITS_A_FETCH: Final = 0.33
"""Bits that a fetch of a shared list in order is worth, as measured on real listeners; 1.44 would be ideal."""


class Kind(StrEnum):
    """How an account comes into a copier's hands."""

    FREE = "free"
    TRIAL = "trial"
    PAID = "paid"
    STOLEN = "stolen"


class Link(StrEnum):
    """What makes new accounts share a budget.

    ``payment`` is what ships: the means of payment, and where there is none the device.  ``any`` takes whichever
    of payment, device and sign-up cohort joins the most accounts; ``none`` knows no parents.
    """

    NONE = "none"
    PAYMENT = "payment"
    DEVICE = "device"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Prices:
    """What things cost a copier, USD.  All of them are assumptions: an operator knows its own subscription.

    Parameters
    ----------
    identity
        A name, a mailbox and a telephone number that pass a sign-up.
    month
        A month's subscription, paid at its beginning (132 a year).
    card
        A means of payment that nobody has used here before, for a trial or a subscription.
    device
        A device, or the look of one, that nobody has used here before.
    cohort
        A sign-up from a network, and at a time, of its own.
    stolen
        The password of an account of standing that somebody else pays for.
    stolen_days
        How long such an account stays in other hands before its owner notices.
    trial_days
        How long a trial lasts; a copier leaves before the first invoice.
    step_up
        Proof that a person is there, bought once for each time that it is asked for.

    Examples
    --------
    >>> Prices(month=-1)
    Traceback (most recent call last):
    riparian.errors.PolicyError: `month` is -1, wanted a price from 0 on
    """

    identity: float = 0.25
    month: float = 11.0
    card: float = 2.0
    device: float = 0.05
    cohort: float = 0.05
    stolen: float = 3.0
    stolen_days: int = 14
    trial_days: int = 30
    step_up: float = 0.5

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            least = 1 if name.endswith("_days") else 0
            if not (math.isfinite(value) and value >= least):
                raise PolicyError(
                    f"`{name}` is {value}, wanted a {'number of days' if least else 'price'} from {least} on"
                )


@dataclass(frozen=True, slots=True)
class Shared:
    """How many accounts share one means of payment, one device, and one sign-up cohort."""

    card: int = 1
    device: int = 1
    cohort: int = 1

    def under(self, link: Link, kind: Kind) -> int:
        """Count the accounts of a kind that draw on one parent.

        Examples
        --------
        >>> [Shared(card=6, device=60).under(link, Kind.PAID) for link in Link]
        [0, 6, 60, 60]
        """
        has_card = kind in (Kind.PAID, Kind.TRIAL)
        card = self.card if has_card else 0
        return {
            Link.NONE: 0,
            Link.PAYMENT: card or self.device,
            Link.DEVICE: self.device,
            Link.ANY: max(card, self.device, self.cohort),
        }[link]


ALONE: Final = Shared()
WIDEST: Final = Shared(card=12, device=12, cohort=24)
"""As much as a copier shares where nothing is joined; more saves it next to nothing."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a copier did, as counted: in a rehearsal, or by a formula.

    Parameters
    ----------
    name, kind
        Of the strategy and of its accounts.
    opened, account_days
        Accounts opened or bought, and the days that all of them were kept.
    explorers
        Accounts of standing bought beside these, which copy nothing.
    months
        Months of subscription begun.
    cards, devices, cohorts, step_ups
        Of each, how many were needed.
    fetched, distinct
        New recordings that accounts got, and different ones among them.
    plays_share
        Share of all plays that fall on these: least and most under the three laws of popularity.
    in_order
        Whether the most played recordings are taken first.
    shared
        What its accounts had in common.
    unmarked
        Different recordings got in a rendition without a mark.
    """

    name: str
    kind: Kind
    opened: int = 0
    explorers: int = 0
    account_days: int = 0
    months: int = 0
    cards: int = 0
    devices: int = 0
    cohorts: int = 0
    step_ups: int = 0
    fetched: int = 0
    distinct: int = 0
    plays_share: tuple[float, float] = (0.0, 0.0)
    in_order: bool = False
    shared: Shared = ALONE
    unmarked: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What a target costs: accounts opened, years that they were kept, and money."""

    accounts: float
    account_years: float
    money: float


def coverage(recordings: float, law: tuple[float, float], *, of: float = EVERYTHING) -> float:
    """Tell the share of plays that falls on the most played recordings.

    Parameters
    ----------
    recordings
        How many, from the top.
    law
        Exponent and shift.
    of
        All there are.

    Examples
    --------
    >>> [round(coverage(CATALOGUE, law), 3) for law in LAWS]
    [0.996, 0.996, 0.996]
    >>> [round(coverage(210_000, law), 2) for law in LAWS]
    [0.5, 0.6, 0.7]
    """
    s, q = law
    return -math.expm1((1 - s) * math.log1p(recordings / q)) / -math.expm1((1 - s) * math.log1p(of / q))


def most_played(share: float, law: tuple[float, float], *, of: float = EVERYTHING) -> float:
    """Tell how many of the most played recordings make up a share of plays; the inverse of :func:`coverage`.

    Examples
    --------
    >>> [round(most_played(0.5, law), -3) for law in LAWS]
    [213000.0, 133000.0, 71000.0]
    """
    s, q = law
    inside = share * -math.expm1((1 - s) * math.log1p(of / q))
    return q * math.expm1(math.log1p(-inside) / (1 - s))


def plays_share(ranks: NDArray[np.int64], law: tuple[float, float]) -> float:
    """Tell the share of plays that falls on recordings, each known by its rank: 0 is the most played.

    Examples
    --------
    >>> abs(plays_share(np.arange(210_000), LAWS[0]) - coverage(210_000, LAWS[0])) < 1e-6
    True
    """
    s, q = law
    whole = -math.expm1((1 - s) * math.log1p(EVERYTHING / q))
    return float(((1 + (ranks + 0.5) / q) ** -s).sum() * (s - 1) / q / whole)


def fetches(recordings: float, *, duplicates: float = 0.0, catalogue: float = CATALOGUE, alone: bool = False) -> float:
    """Count the fetches that it takes to have so many different recordings.

    Parameters
    ----------
    recordings
        Different recordings wanted, at most the catalogue.
    duplicates
        Share of fetches that repeat what another account has.
    alone
        Each account draws of its own accord: there is no list, and nobody knows what others have.

    Examples
    --------
    >>> [round(fetches(f * CATALOGUE, alone=True) / (f * CATALOGUE), 2) for f in (0.01, 0.5, 0.996)]
    [1.01, 1.39, 5.54]
    """
    if alone:
        return -math.log1p(-min(recordings / catalogue, 1 - 1 / catalogue)) * catalogue
    return recordings / (1 - duplicates)


def by_budget(policy: Policy, days: float, *, aged: bool = False) -> float:
    """Count the recordings new to it that the novelty budget lets one account have.

    Parameters
    ----------
    policy
        ``novelty_burst`` and ``novelty_per_day`` count.
    days
        How long it is kept; it asks for more than it gets all the time.
    aged
        Whether the account is of standing.

    Examples
    --------
    >>> by_budget(Policy(), 365), by_budget(Policy(), 14, aged=True)
    (16600.0, 2560.0)
    """
    burst = policy.novelty_burst * (1.0 if aged else 0.5 + min(days, NEWCOMER_DAYS) / (2 * NEWCOMER_DAYS))
    return burst + policy.novelty_per_day * days


def by_parent(policy: Policy, days: float) -> float:
    """Count what new accounts of one parent may have together in their first days, at most thirty.

    Examples
    --------
    >>> by_parent(Policy(), 30) / by_budget(Policy(), 30)
    6.0
    """
    held = policy.novelty_burst * (0.5 + min(PARENT_DAYS, NEWCOMER_DAYS) / (2 * NEWCOMER_DAYS))
    return HOUSEHOLD * (held + policy.novelty_per_day * min(days, PARENT_DAYS))


def by_limit(per_day: float, days: float) -> float:
    """Count what a limit on plays a day lets one account have, which is the house rule that everybody begins with.

    Examples
    --------
    >>> by_limit(500, 365)
    182500
    """
    return per_day * days


def per_account(policy: Policy, days: int, kind: Kind, shared: Shared = ALONE, *, link: Link = Link.PAYMENT) -> float:
    """Count what one of many accounts of a copier yields under a policy, when nothing but arithmetic stops it.

    Parameters
    ----------
    days
        How long each is kept.
    kind
        Stolen accounts are of standing.
    shared, link
        What its accounts have in common, and what of it makes them share a budget.

    Examples
    --------
    >>> alone = per_account(Policy(), 30, Kind.TRIAL)
    >>> [round(per_account(Policy(), 30, Kind.TRIAL, Shared(card=n)) / alone, 2) for n in (1, 6, 60)]
    [1.0, 1.0, 0.1]
    """
    if kind is Kind.STOLEN:
        return by_budget(policy, days, aged=True)
    own, together = by_budget(policy, days), shared.under(link, kind)
    if not together:
        return own
    # What the thirtieth day brings later is the account's own again.
    young = min(days, PARENT_DAYS)
    return own - max(0.0, by_budget(policy, young) - by_parent(policy, young) / together)


def price(prices: Prices, kind: Kind, days: int, shared: Shared = ALONE) -> float:
    """Tell what one account costs that is kept so many days, USD.

    Examples
    --------
    >>> [round(price(Prices(), kind, 14), 2) for kind in Kind]
    [0.35, 2.35, 13.35, 3.0]
    """
    if kind is Kind.STOLEN:
        return prices.stolen
    opened = prices.identity + prices.device / shared.device + prices.cohort / shared.cohort
    if kind is Kind.FREE:
        return opened
    opened += prices.card / shared.card
    return opened if kind is Kind.TRIAL else opened + prices.month * math.ceil(days / MONTH_DAYS)


def longest(prices: Prices, kind: Kind) -> int:
    """Tell how many days an account of a kind can be kept at all."""
    return {Kind.TRIAL: prices.trial_days, Kind.STOLEN: prices.stolen_days}.get(kind, LONGEST_DAYS)


def cheapest(
    prices: Prices, kind: Kind, yields: Callable[[int], float], *, shared: Shared = ALONE, most_days: int = LONGEST_DAYS
) -> tuple[int, float]:
    """Find how long a copier keeps its accounts, and what a recording then costs it.

    Parameters
    ----------
    yields
        Recordings that an account yields that is kept so many days: :func:`per_account`, :func:`by_limit`, or either
        cut at what it has when it is held.
    most_days
        The copier wants to be done by then.

    Returns
    -------
    tuple
        Days, and USD a recording.

    Examples
    --------
    >>> prices = Prices()
    >>> limit = {kind: cheapest(prices, kind, lambda days: by_limit(500, days))[1] for kind in Kind}
    >>> budget = {kind: cheapest(prices, kind, lambda days: per_account(Policy(), days, kind))[1] for kind in Kind}
    >>> [(str(kind), round(budget[kind] / limit[kind], 1)) for kind in (Kind.FREE, Kind.STOLEN)]
    [('free', 11.0), ('stolen', 2.7)]
    """
    last = min(most_days, longest(prices, kind))
    costs = {days: price(prices, kind, days, shared) / yields(days) for days in range(1, last + 1)}
    best = min(costs, key=lambda days: (costs[days], days))
    return best, costs[best]


def money(ledger: Ledger, prices: Prices) -> float:
    """Add up what a copier paid, USD.

    Examples
    --------
    >>> money(Ledger("monthly", Kind.PAID, opened=2, months=2, cards=2, devices=2, cohorts=2), Prices())
    26.7
    """
    opened = prices.stolen if ledger.kind is Kind.STOLEN else prices.identity
    parts = (
        opened * ledger.opened,
        prices.stolen * ledger.explorers,
        prices.month * ledger.months,
        prices.card * ledger.cards,
        prices.device * ledger.devices,
        prices.cohort * ledger.cohorts,
        prices.step_up * ledger.step_ups,
    )
    return math.fsum(parts)


def scaled(ledger: Ledger, prices: Prices, wanted: float) -> Bill:
    """Tell what so many different recordings cost at the rate of a ledger; nothing got costs infinitely much.

    Examples
    --------
    >>> ledger = Ledger("monthly", Kind.PAID, opened=2, account_days=60, months=2, cards=2, distinct=5_400)
    >>> bill = scaled(ledger, Prices(), 860_000)
    >>> round(bill.accounts), round(bill.account_years, 1), round(bill.money)
    (319, 26.2, 4220)
    """
    times = wanted / ledger.distinct if ledger.distinct else math.inf
    return Bill(ledger.opened * times, ledger.account_days * times / 365.0, money(ledger, prices) * times)


def ring_fetches(accounts: float, population: float, *, bits_a_fetch: float = BITS_A_FETCH) -> float:
    """Count the fetches of each account after which a ring that shares a list in order is found.

    Examples
    --------
    >>> round(ring_fetches(1_000, 1e8))
    55
    """
    return math.log2(math.e * population / accounts) / bits_a_fetch


def shuffled_fetches(accounts: float, population: float, *, catalogue: float = CATALOGUE) -> float:
    """Count the same for a ring that goes through its list in random order: it must first miss a chance meeting.

    Examples
    --------
    >>> round(shuffled_fetches(1_000, 1e8)), round(shuffled_fetches(50, 1e8))
    (1468, 7311)
    """
    price_bits = accounts * math.log2(math.e * population / accounts)
    return math.sqrt(2 * catalogue * price_bits / 1.44) / accounts
