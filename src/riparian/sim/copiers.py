"""Rings of accounts that fetch a catalogue: how many, how fast, in which order, how well disguised.

Orders
------
queue
    The ring shares one list of work, the most played recording first; nobody fetches what another has.
artists
    Each account takes whole artists from one list of artists.
random
    One shared list in random order.
taste
    Each account takes whole scenes, in random order inside: artists that belong together, as a persona would.

Disguises
---------
mimicry
    That share of an account's plays are replays of its own earlier recordings.
duplicates
    That share of new fetches repeats what another account of the ring already has.
human
    That share of new fetches is what a listener with the account's own favourites would take, whatever the others have.
bursty
    The new share of a day varies as a person's does: beta-binomial with the same mean.
irregular
    Volume varies as a person's does, with days off.

Devices and places
------------------
Each account has a device of its own, and a home, unless
devices
    The ring has so many devices; each account takes any of them, another every day.
churn
    Each account is a device that was never seen before, every day.
proxies
    Each account comes through homes of other people in many cities, another every ten minutes.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.errors import InputError
from riparian.sim.counts import DayCounts, Ints
from riparian.sim.streams import stream

ORDERS: Final = ("queue", "artists", "random", "taste")
KINDS: Final = ("media", "metadata")
BURSTY_PHI: Final = 3.6
"""Dispersion of a person's daily novelty, which a bursty copier imitates."""
IRREGULAR_CV: Final = 0.95
IRREGULAR_ZERO: Final = 0.10
"""A person's median variation of daily volume and share of days without a play."""
MOST_DEVICES: Final = 100_000
PAGE_ROWS: Final = 50
"""Metadata rows that one page returns."""
DIFFERENT_ARTIST: Final[dict[str, float]] = {"queue": 0.995, "artists": 0.11, "random": 0.999, "taste": 0.97}
"""Chance that two consecutive new fetches are by different artists; measured on the event level."""
SPEC_FORM: Final = (
    "ACCOUNTSxPERDAY[:queue|artists|random|taste]"
    "[:dup=F][:human=F][:mimic=F][:bursty][:irregular][:metadata][:from=DAY]"
    "[:devices=N][:churn][:proxies]"
)


@dataclass(frozen=True, slots=True)
class CopierSpec:
    """One ring of copiers.

    Parameters
    ----------
    accounts
        Accounts in the ring, at least one.
    per_day
        Mean plays a day of each account; for ``kind="metadata"``, mean rows a day.
    order
        One of ``queue``, ``artists``, ``random``, ``taste``.
    duplicates, mimicry, human
        Shares in 0..1, below one.
    bursty, irregular
        Whether novelty and volume vary as a person's do.
    start_day
        Day of the town on which the accounts are made and begin.
    kind
        ``media`` fetches recordings; ``metadata`` pages through the catalogue in identifier order.
    devices, churn, proxies
        Devices that the ring shares (0: one of its own for each account); whether devices change every day; whether
        it comes from many cities.

    Raises
    ------
    InputError
        When a number is out of its range or a word unknown.
    """

    accounts: int
    per_day: float
    order: str = "queue"
    duplicates: float = 0.0
    mimicry: float = 0.0
    bursty: bool = False
    irregular: bool = False
    start_day: int = 0
    kind: str = "media"
    human: float = 0.0
    devices: int = 0
    churn: bool = False
    proxies: bool = False

    def __post_init__(self) -> None:
        if self.accounts < 1 or not self.per_day > 0 or self.per_day > 1e7:
            raise InputError(
                f"a ring of {self.accounts} accounts at {self.per_day} a day, wanted at least one account"
                " and a pace above zero"
            )
        for name, share in (("dup", self.duplicates), ("mimic", self.mimicry), ("human", self.human)):
            if not 0 <= share < 1:
                raise InputError(f"`{name}` is {share}, wanted a share from 0 to below 1")
        if self.order not in ORDERS or self.kind not in KINDS:
            raise InputError(f"`{self.order}` `{self.kind}`, wanted one of {ORDERS} and one of {KINDS}")
        if self.start_day < 0:
            raise InputError(f"`from` is {self.start_day}, wanted a day from 0 on")
        if not 0 <= self.devices <= MOST_DEVICES or (self.devices and self.churn):
            raise InputError(
                f"`devices` is {self.devices}, wanted 0 to {MOST_DEVICES:,}, and none beside `churn`",
                hint="Write a ring as in 20x300:devices=2 or 20x300:churn",
            )


def parse_ring(text: str) -> CopierSpec:
    """Read a ring as the command line writes it.

    Parameters
    ----------
    text
        ``ACCOUNTSxPERDAY`` and options after colons: an order, ``dup=F``, ``human=F``, ``mimic=F``,
        ``bursty``, ``irregular``, ``metadata``, ``from=DAY``, ``devices=N``, ``churn``, ``proxies``.

    Raises
    ------
    InputError
        When the text has another form; the hint shows the form.

    Examples
    --------
    >>> parse_ring("20x300:artists:dup=0.1:bursty")
    CopierSpec(accounts=20, per_day=300.0, order='artists', duplicates=0.1, mimicry=0.0, bursty=True, \
irregular=False, start_day=0, kind='media', human=0.0, \
devices=0, churn=False, proxies=False)
    """
    head, *options = text.strip().split(":")
    accounts, _, per_day = head.partition("x")
    try:
        given: dict[str, Any] = {"accounts": int(accounts), "per_day": float(per_day)}
        for option in options:
            given |= _option(option)
    except (ValueError, KeyError) as error:
        raise InputError(f"ring `{text}`, wanted `{SPEC_FORM}`", hint="Write a ring as in 20x300:queue") from error
    return CopierSpec(**given)


_WORDS: Final[dict[str, dict[str, object]]] = {
    **{order: {"order": order} for order in ORDERS},
    "bursty": {"bursty": True},
    "irregular": {"irregular": True},
    "metadata": {"kind": "metadata"},
    "churn": {"churn": True},
    "proxies": {"proxies": True},
}
_NUMBERS: Final[dict[str, tuple[str, type]]] = {
    "dup": ("duplicates", float),
    "human": ("human", float),
    "mimic": ("mimicry", float),
    "from": ("start_day", int),
    "devices": ("devices", int),
}


def _option(text: str) -> dict[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        return _WORDS[name]
    field, number = _NUMBERS[name]
    return {field: number(value)}


def ring_days(spec: CopierSpec, days: int, recordings: int, *, seed: int, name: str) -> DayCounts:
    """Count what a ring does each day; it stops when the catalogue is through.

    Parameters
    ----------
    days, recordings
        Length of the period and size of the catalogue.
    seed, name
        The town's seed and this ring's name, which open its streams.
    """
    shape = (days, spec.accounts)
    volume = _volumes(spec, shape, stream(seed, f"{name}/volume"))
    volume[: spec.start_day] = 0
    zero = np.zeros(shape, np.int32)
    if spec.kind == "metadata":
        rows = _capped(volume, recordings)
        return DayCounts(zero, zero, zero, rows, zero, zero)
    novel = _novelties(spec, volume, stream(seed, f"{name}/novelty"))
    capped = _capped(novel, recordings)
    through = np.cumsum(capped.sum(axis=1, dtype=np.int64)) - capped.sum(axis=1) >= recordings
    plays = np.where(through[:, None] | (np.cumsum(capped, axis=0) == 0), 0, volume - (novel - capped))
    rng = stream(seed, f"{name}/order")
    pairs = rng.binomial(np.maximum(capped - 1, 0), DIFFERENT_ARTIST[spec.order]).astype(np.int32)
    # What is not from the list goes back up the chart, and the next step goes down again.
    repeats = 1 - (1 - spec.duplicates) * (1 - spec.human)
    ascending = 1 - repeats + repeats**2 / 2 if spec.order == "queue" else 0.5
    ascents = rng.binomial(pairs, ascending).astype(np.int32)
    return DayCounts(plays.astype(np.int32), capped, zero, zero, pairs, ascents)


def _volumes(spec: CopierSpec, shape: tuple[int, int], rng: np.random.Generator) -> Ints:
    if not spec.irregular:
        return rng.poisson(spec.per_day, shape).astype(np.int32)
    mean = spec.per_day / (1 - IRREGULAR_ZERO)
    cv2 = (1 + IRREGULAR_CV**2) * (1 - IRREGULAR_ZERO) - 1
    shape_parameter = 1 / max(cv2 - 1 / mean, 0.05)
    drawn = rng.poisson(rng.standard_gamma(shape_parameter, shape) * (mean / shape_parameter))
    return np.where(rng.random(shape) < IRREGULAR_ZERO, 0, drawn).astype(np.int32)


def _novelties(spec: CopierSpec, plays: Ints, rng: np.random.Generator) -> Ints:
    fresh = 1 - spec.mimicry
    if fresh >= 1:
        return plays.copy()
    chance: npt.NDArray[np.float64] = np.full(plays.shape, fresh)
    if spec.bursty:
        chance = rng.beta(fresh * BURSTY_PHI, (1 - fresh) * BURSTY_PHI, plays.shape)
    novel = rng.binomial(plays, chance)
    first = np.cumsum(np.cumsum(plays > 0, axis=0), axis=0) == 1
    return np.where(first & (plays > 0), np.maximum(novel, 1), novel).astype(np.int32)


def _capped(counts: Ints, total: int) -> Ints:
    """Let the running sum over (day, account) stop at the total."""
    running = np.minimum(np.cumsum(counts.ravel().astype(np.int64)), total)
    return np.diff(running, prepend=0).astype(np.int32).reshape(counts.shape)
