"""How may a copy have come of the copies of several accounts?

Whoever has copies of several accounts can mix them, cell by cell or stretch by stretch.  A *channel* is one way of
mixing, by so many accounts; it says how likely each reading is for either bit of one of them.  What we name an account
by is how much likelier its bit makes the reading than *no* bit would, cell after cell:

    e(x) = f(reading | x) / (p f(reading | +1) + (1 - p) f(reading | -1))

Whatever the reading is, and whether or not the copy came about as the channel says, ``p e(+1) + (1 - p) e(-1) = 1``:
for an account that had no part in the copy, whose bits are a lot of their own, the mean of ``e`` over that lot is
exactly one, and so is that of any product over cells and of any mean over channels.

The weights of such a mean may follow the copy, since no account's word is in it: a channel that makes the reading
likelier by the biases alone (a minority's choice looks other than a majority's) gets more.  Half of the weight stays
where it was beforehand.

Where some accounts are known, the channel is that of the others given those accounts' bits: the same formula.

Symbols
-------
l   soft value of a cell: half a log-likelihood ratio; nats
p   chance that a bit is +1, in whole sixteenths, so that a bit is an exact comparison
y   what the mixed copy has in a cell: -1, 1, or for a mean of copies what lies between
q   mean of y given an account's bit x
t   tanh(l), so that f(l | q) is as 1 + q t
k   amplitude squared: f(l | y) is normal of mean k y and variance k, and so as exp(y l - k y y / 2)

Source
------
Furon, T. and Desoubeaux, M. (2014), Tardos codes for real.  Meerwald, P. and Furon, T. (2012), Toward practical joint
decoding of binary Tardos fingerprinting codes (conditioning on accounts already found).  Laarhoven, T. (2014),
Capacities and capacity-achieving decoders for various fingerprinting games.  Tardos, G. (2008), Optimal probabilistic
fingerprint codes, section 2.  Nuida, K. et al. (2009), An improvement of discrete Tardos fingerprinting codes: few
chances suffice.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

SIXTEENTHS: Final = 16
MANY: Final = (1, 1, 2, 2, 2, 8, 8, 8, 8, 8, 8, 14, 14, 14, 15, 15)
"""Chances of bits against those who mix several copies, in sixteenths, each as often as it stands here."""

SURE_NATS: Final = 4.0
"""No channel takes a bit as surer than this, 1 in 3,000: one bit that was heard wrongly costs 8 nats, not 40."""
_STANDS: Final = 1 / 2


class Way(StrEnum):
    """How copies are mixed."""

    LOT = "by lot, cell by cell"
    MEAN = "their mean"
    MOST = "what most of them have"
    FEWEST = "what fewest of them have"
    COIN = "by a coin where they differ"


@dataclass(frozen=True, slots=True)
class Channel:
    """A way of mixing, by a number of accounts.

    Examples
    --------
    >>> Channel(Way.LOT, 1).name, Channel(Way.MEAN, 5).name
    ('one account', '5 accounts: their mean')
    """

    way: Way
    accounts: int

    @property
    def name(self) -> str:
        """How a person is told of it."""
        return "one account" if self.accounts == 1 else f"{self.accounts} accounts: {self.way}"


ONE: Final = Channel(Way.LOT, 1)
BANK: Final = (
    ONE,
    *(Channel(Way.LOT, n) for n in (2, 3, 5, 8, 13, 21, 34, 55)),
    *(Channel(Way.MEAN, n) for n in (2, 3, 5, 8, 13, 21)),
    *(Channel(way, n) for way in (Way.MOST, Way.FEWEST, Way.COIN) for n in (3, 5, 8, 13)),
)
"""Every channel that is weighed."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A way of choosing in every cell one of the accounts' bits, given by its chances.

    Parameters
    ----------
    chances
        That the copy has +1 where 0, 1, ... all of the accounts have; 0 to 1.
    name
        How a person is told of it.

    Examples
    --------
    >>> Fitted((0.0, 0.9, 1.0), "mostly up").accounts
    2
    """

    chances: tuple[float, ...]
    name: str

    @property
    def accounts(self) -> int:
        """How many."""
        return len(self.chances) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of one copy.

    Parameters
    ----------
    soft : np.ndarray [shape=(n,), float64]
        Half log-likelihood ratios, nats.
    chance : np.ndarray [shape=(n,), int64]
        That a bit is +1; sixteenths, 1 to 15.
    known
        How many accounts are known to have had a part.
    ups : np.ndarray [shape=(n,), int64]
        How many of those have +1.
    """

    soft: NDArray[np.float64]
    chance: NDArray[np.int64]
    known: int
    ups: NDArray[np.int64]

    @classmethod
    def of(cls, soft: NDArray[np.float32], chance: NDArray[np.uint8], known: NDArray[np.int8] | None = None) -> "Cells":
        """Give the cells of a reading; ``known`` has the words [shape=(accounts, chunks, groups)] of known accounts."""
        flat = soft.astype(np.float64).ravel()
        words = np.empty((0, flat.size), np.int8) if known is None else known.reshape(len(known), flat.size)
        return cls(flat, chance.astype(np.int64).ravel(), len(words), (words > 0).sum(axis=0, dtype=np.int64))


def log_e(channel: Channel | Fitted, cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Give what either bit of an account adds in each cell, and how well the channel explains the copy without it.

    Parameters
    ----------
    channel
        Of at least as many accounts as are known; where it is of fewer, of as many, but a fitted one then says nothing.
        Where all are known, nobody's bit adds anything.
    cells
        Of one copy.

    Returns
    -------
    down, up : np.ndarray [shape=(n,)]
        Natural logarithms of ``e(-1)`` and ``e(+1)``.
    marginal
        Logarithm of the reading's likelihood, to a constant that is the same for all channels.

    Examples
    --------
    >>> cells = Cells.of(np.array([[2.0], [-0.5]], np.float32), np.array([[8], [2]], np.uint8))
    >>> down, up, _ = log_e(Channel(Way.LOT, 3), cells)
    >>> np.round(np.exp([down, up]), 3).tolist()
    [[0.679, 1.029], [1.321, 0.8]]
    >>> p = cells.chance / 16
    >>> bool(np.abs(p * np.exp(up) + (1 - p) * np.exp(down) - 1).max() < 1e-14)
    True
    """
    if isinstance(channel, Channel):
        channel = Channel(channel.way, max(channel.accounts, cells.known))
    elif channel.accounts < cells.known:
        channel = Fitted((0.5,) * (cells.known + 1), channel.name)
    of_way = _of_mean if isinstance(channel, Channel) and channel.way is Way.MEAN else _of_choice
    # One account is asked about, and the rest of those that are not known are drawn by lot: none of either if -1.
    down, up, base = of_way(channel, channel.accounts - cells.known - 1, cells)
    p = cells.chance / SIXTEENTHS
    either = np.log(p * np.exp(up) + (1 - p) * np.exp(down))
    return down - either, up - either, float((either + base).sum())


def _of_choice(
    channel: Channel | Fitted, rest: int, cells: Cells
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the likelihoods of a cell's reading where the copy has one of the accounts' bits."""
    chosen = 2 * _chance_up(channel) - 1
    # Of the accounts that are not known, ``m`` have +1: a table by chance and by how many of the known ones have.
    q = np.zeros((2, SIXTEENTHS, cells.known + 1))
    for chance in np.unique(cells.chance).tolist():
        share = np.exp(log_binomial(max(rest, 0), chance))
        for x in (0, 1):
            for ups in range(cells.known + 1):
                has = ups + min(x, rest + 1)
                q[x, chance, ups] = share @ chosen[has : has + share.size]
    t = np.tanh(np.clip(cells.soft, -SURE_NATS, SURE_NATS))
    down, up = (np.log1p(q[x, cells.chance, cells.ups] * t) for x in (0, 1))
    squared = amplitude_squared(1, cells)
    size = np.abs(cells.soft)
    log_cosh = size + np.log1p(np.exp(-2 * size)) - math.log(2)
    return down, up, _of_noise(cells.soft, squared) + log_cosh - squared / 2


def _of_mean(
    channel: Channel | Fitted, rest: int, cells: Cells
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give those of a cell of a mean of copies, over what the others may have there."""
    squared = amplitude_squared(channel.accounts, cells)
    table = np.array([log_binomial(max(rest, 0), max(chance, 1)) for chance in range(SIXTEENTHS)])
    weight = table[cells.chance]
    both = []
    for x in (0, 1):
        has = cells.ups[:, None] + min(x, rest + 1) + np.arange(max(rest, 0) + 1)
        y = 2 * has / channel.accounts - 1
        both.append(logsumexp(weight + y * cells.soft[:, None] - squared * y * y / 2, axis=1))
    return both[0], both[1], _of_noise(cells.soft, squared)


def _of_noise(soft: NDArray[np.float64], squared: float) -> NDArray[np.float64]:
    """Give what the density of a reading has beside ``exp(y l - k y y / 2)``; nothing where nothing is told."""
    if not squared:
        return np.zeros_like(soft)
    return np.where(soft == 0, 0.0, -soft * soft / (2 * squared) - math.log(squared) / 2)


def learned(prior: NDArray[np.float64], explained: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithms of weights that follow a copy: half of each stays, half goes to what explains the copy.

    Parameters
    ----------
    prior : np.ndarray [shape=(n,)]
        Weights that were fixed beforehand and sum to one.
    explained : np.ndarray [shape=(n,)]
        Logarithm of how likely each makes the copy, by chances of bits alone; to a constant.

    Examples
    --------
    >>> np.exp(learned(np.array([0.25, 0.75]), np.array([0.0, 50.0]))).round(3).tolist()
    [0.125, 0.875]
    """
    fixed = np.log(prior)
    follows = fixed + explained
    mixed: NDArray[np.float64] = np.logaddexp(
        np.log(_STANDS) + fixed, np.log1p(-_STANDS) + follows - logsumexp(follows)
    )
    return mixed


def amplitude_squared(accounts: int, cells: Cells) -> float:
    """Learn k from how large soft values are: their mean square is ``k k E[y y] + k``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y = rng.choice([-1, 1], (5, 4000)).mean(axis=0)
    >>> soft = (4 * y + 2 * rng.standard_normal(4000)).astype(np.float32)[:, None]
    >>> round(amplitude_squared(5, Cells.of(soft, np.full((4000, 1), 8, np.uint8))), 1)
    3.9
    """
    p = cells.chance / SIXTEENTHS
    told = cells.soft != 0
    if not told.any():
        return 0.0
    spread = float(((2 * p - 1) ** 2 + 4 * p * (1 - p) / accounts)[told].mean())
    square = float((cells.soft[told] ** 2).mean())
    return (math.sqrt(1 + 4 * spread * square) - 1) / (2 * spread)


def _chance_up(channel: Channel | Fitted) -> NDArray[np.float64]:
    """Give the chance that the mixed copy has +1, by how many of the accounts have; shape=(accounts + 1,)."""
    if isinstance(channel, Fitted):
        return np.array(channel.chances)
    part = np.arange(channel.accounts + 1) / channel.accounts
    if channel.way is Way.LOT:
        return part
    most = 0.5 + 0.5 * np.sign(part - 0.5)
    choice = {Way.MOST: most, Way.FEWEST: 1 - most, Way.COIN: np.full_like(part, 0.5)}[channel.way]
    choice[0], choice[-1] = 0.0, 1.0
    return choice


@lru_cache(maxsize=1024)
def log_binomial(n: int, sixteenths: int) -> NDArray[np.float64]:
    """Give the logarithms of the chances of 0 to n successes; shape=(n + 1,)."""
    m, p = np.arange(n + 1), sixteenths / SIXTEENTHS
    ways = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    logs: NDArray[np.float64] = ways + m * np.log(p) + (n - m) * np.log1p(-p)
    return logs
