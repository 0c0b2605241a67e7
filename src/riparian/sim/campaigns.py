"""A copier's accounts day by day: opened, put to work on a list, refused, left, paid for.

Recordings are ranks of the whole catalogue of 86 million, the most played first.  The town's own shelf is the
head of it: there, artists and scenes are known.  What lies below has no artists here, so that nothing that looks
at artists or scenes learns anything from it; which favours the copier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riparian.accounts.people import PAIRS_MAX
from riparian.accounts.tally import DAYS
from riparian.gate.economics import CATALOGUE, LAWS, MONTH_DAYS, Kind, Ledger, Prices, longest, plays_share
from riparian.gate.policy import Restraint
from riparian.schema import DAY_US
from riparian.sim.copiers import BURSTY_PHI, IRREGULAR_CV, IRREGULAR_ZERO
from riparian.sim.holdings import Shelf
from riparian.sim.strategies import Strategy, View
from riparian.sim.streams import stream

Ints = npt.NDArray[np.int64]

BLOCKS: Final[Mapping[str, int]] = {"artists": 12, "taste": 120}
"""Places of the list that an account takes at a time, where accounts do not deal a list out one by one."""
_STRIDE: Final = 53_145_037
"""Prime to 86 million: multiples of it visit every recording once, in no order."""


@dataclass(frozen=True, slots=True)
class Head:
    """The most played recordings, of which artists and scenes are known.

    Parameters
    ----------
    artist
        Of each rank [shape=(recordings,)].
    by_artist, by_scene
        Ranks, artist after artist in no order of popularity, and scene after scene [shape=(recordings,)].
    first
        Where each artist begins in ``by_artist`` [shape=(artists + 1,)].
    """

    artist: Ints
    by_artist: Ints
    by_scene: Ints
    first: Ints

    @classmethod
    def of(cls, shelf: Shelf) -> "Head":
        """Take a town's shelf as the head of the catalogue."""
        row_of = shelf.chart["recording"]
        rank_of = np.empty(len(row_of), np.int64)
        rank_of[row_of] = np.arange(len(row_of))
        artist = shelf.tracks["artist"].astype(np.int64)
        first = np.append(shelf.artists["start"], len(artist))
        return cls(artist[row_of], rank_of, rank_of[shelf.scene_chart["recording"]], first)

    def artists_of(self, ranks: Ints) -> Ints:
        """Name the artist of each rank; each recording below the head has one of its own."""
        inside = ranks < len(self.artist)
        return np.where(inside, self.artist[np.where(inside, ranks, 0)], len(self.artist) + ranks)


def ranks_of(places: Ints, order: str, head: Head, turn: int) -> Ints:
    """Tell which recording stands at each place of a copier's list.

    Parameters
    ----------
    places
        From 0 on.
    order
        Of a strategy.
    turn
        Where a shuffled list begins.

    Examples
    --------
    >>> none = np.zeros(0, np.int64)
    >>> ranks_of(np.arange(3), "queue", Head(none, none, none, none), 0).tolist()
    [0, 1, 2]
    """
    if order == "shuffled":
        return ((places + turn) * _STRIDE) % CATALOGUE
    if order == "list":
        # What another service plays most is roughly what we play most: shuffled inside each doubling.
        octave = np.maximum(1, 2 ** np.floor(np.log2(np.maximum(places, 1))).astype(np.int64))
        return np.where(places < 1, places, octave + ((places - octave) * 5 + turn) % octave)
    known = {"artists": head.by_artist, "taste": head.by_scene}.get(order)
    if known is None:
        return places % CATALOGUE
    inside = places < len(known)
    return np.where(inside, known[np.where(inside, places, 0)], places) % CATALOGUE


class Campaign:
    """One strategy at work.

    Parameters
    ----------
    strategy, prices
        What it does; how long a trial and a stolen account last.
    head
        Of the catalogue.
    seed, number
        Same seed and number, same campaign.
    """

    def __init__(self, strategy: Strategy, prices: Prices, head: Head, *, seed: int, number: int) -> None:
        self.strategy = strategy
        self._life = min(strategy.lifetime_days, longest(prices, strategy.kind))
        self._head = head
        self._seed, self._number = seed, number
        rng = stream(seed, f"campaign/{number}/list")
        self._turn = int(rng.integers(CATALOGUE))
        self._place = 0
        self._again = np.zeros(0, np.int64)  # refused, and taken up before anything new
        self._blocks: dict[int, Ints] = {}
        self._got: list[Ints] = []
        self._library = np.zeros(0, np.int64)
        self.slot, self._age, self._asked, self._served, self._slowed, self._plays = np.zeros((6, 0), np.int64)
        self._before = np.zeros(0, np.uint8)
        self._pace = np.zeros(0)
        self._n_opened = self._days = self._months = self._step_ups = self._fetched = 0
        self._today = (np.zeros(0, np.int64), np.zeros(0, np.int64))

    def decide(self, restraint: npt.NDArray[np.uint8]) -> int:
        """Leave accounts and choose paces, seeing what is done about each account at work; returns how many to open."""
        slowed = (restraint >= Restraint.SLOW) & (self._before < Restraint.SLOW)
        self._slowed = self._slowed + slowed
        self._step_ups += int(((restraint == Restraint.STEP_UP) & (self._before != Restraint.STEP_UP)).sum())
        self._before = restraint
        view = View(self._age, self._asked, self._served, restraint, self._slowed, self._pace)
        actions = self.strategy.act(view)
        stay = ~(actions.leave | (self._age >= self._life))
        self._pace = actions.pace
        for name in ("slot", "_age", "_asked", "_served", "_slowed", "_plays", "_before", "_pace"):
            setattr(self, name, getattr(self, name)[stay])
        self._blocks = {slot: self._blocks[slot] for slot in self._blocks if slot in set(self.slot.tolist())}
        return self.strategy.accounts - len(self.slot)

    def open(self, slots: Ints) -> None:
        """Take new accounts up, which play for the first time today."""
        n = len(slots)
        none = np.zeros(n, np.int64)
        self.slot = np.append(self.slot, slots)
        for name in ("_age", "_asked", "_served", "_slowed", "_plays"):
            setattr(self, name, np.append(getattr(self, name), none))
        self._before = np.append(self._before, none.astype(np.uint8))
        self._pace = np.append(self._pace, np.full(n, self.strategy.per_day))
        self._n_opened += n

    def live(self, day: int, supply: Mapping[int, Ints]) -> tuple[npt.NDArray[np.void], Ints, Ints, Ints]:
        """Play a day.

        Parameters
        ----------
        day
            Days since 1970.
        supply
            What each account that frames a listener may fetch, by slot.

        Returns
        -------
        tuple
            Rows of ``DAYS``; slot, time and rank of each fetch of something new to its account, in order of time.
        """
        rng = stream(self._seed, f"campaign/{self._number}/day/{day}")
        self._age = self._age + 1
        self._days += len(self.slot)
        if self.strategy.kind is Kind.PAID:
            self._months += int(((self._age - 1) % MONTH_DAYS == 0).sum())
        plays, novel = self._volumes(rng)
        who = np.repeat(np.arange(len(self.slot)), novel)
        at_us = day * DAY_US + np.sort(rng.integers(0, DAY_US, len(who)))
        who = rng.permutation(who)
        ranks = self._take(who, rng, supply)
        had = ranks >= 0
        who, at_us, ranks = who[had], at_us[had], ranks[had]
        novel = np.bincount(who, minlength=len(self.slot))
        plays = np.maximum(plays, novel)
        rows = np.zeros(len(self.slot), DAYS)
        rows["slot"], rows["day"], rows["plays"], rows["novel"] = self.slot, day, plays, novel
        rows["fast"] = rows["silent"] = -1
        rows["pairs"], rows["ascents"] = self._order(who, ranks)
        self._plays = self._plays + plays
        self._asked = novel
        self._today = (who, ranks)
        return rows[plays > 0], self.slot[who], at_us, ranks

    def hear(self, refused: npt.NDArray[np.bool_]) -> None:
        """Learn which of today's fetches were refused."""
        who, ranks = self._today
        self._served = np.bincount(who[~refused], minlength=len(self.slot))
        if self.strategy.retries:
            self._take_up_again(who[refused], ranks[refused])
        got = ranks[~refused]
        self._fetched += len(got)
        self._got.append(got)
        self._library = np.append(self._library, got)[-50_000:]

    def _take_up_again(self, who: Ints, ranks: Ints) -> None:
        if self.strategy.order in BLOCKS:
            for slot, rank in zip(self.slot[who].tolist(), ranks.tolist(), strict=True):
                self._blocks[slot] = np.append(rank, self._blocks[slot])
        elif self.strategy.order != "frame":
            self._again = np.append(self._again, ranks)

    def ledger(self) -> Ledger:
        """Say what was opened, paid and got so far."""
        s = self.strategy
        self._got = [np.unique(np.concatenate([*self._got, np.zeros(0, np.int64)]))]
        distinct = self._got[0]
        shares = [plays_share(distinct, law) for law in LAWS]
        cards = 0 if s.kind in (Kind.FREE, Kind.STOLEN) else -(-self._n_opened // s.per_card)
        new = s.kind is not Kind.STOLEN
        return Ledger(
            name=s.name,
            kind=s.kind,
            opened=self._n_opened,
            explorers=s.explorers,
            account_days=self._days,
            months=self._months,
            cards=cards,
            devices=new * -(-self._n_opened // s.per_device),
            cohorts=new * -(-self._n_opened // s.per_cohort),
            step_ups=self._step_ups,
            fetched=self._fetched,
            distinct=len(distinct),
            plays_share=(min(shares), max(shares)),
            in_order=s.order in ("queue", "list"),
            shared=s.shared,
            unmarked=round(s.unmarked * len(distinct)),
        )

    def _volumes(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        s, n = self.strategy, len(self.slot)
        fresh = 1 - s.mimicry
        mean = self._pace / fresh
        chance = np.full(n, fresh)
        if s.lifelike:
            cv2 = (1 + IRREGULAR_CV**2) * (1 - IRREGULAR_ZERO) - 1
            mean = np.where(rng.random(n) < IRREGULAR_ZERO, 0.0, rng.standard_gamma(1 / cv2, n) * cv2 * mean / 0.9)
            if fresh < 1:
                chance = rng.beta(fresh * BURSTY_PHI, (1 - fresh) * BURSTY_PHI, n)
        plays = rng.poisson(np.minimum(mean, 20_000))
        novel = rng.binomial(plays, chance)
        # Nobody can play again what it has not had: the first play of an account is new.
        return plays, np.where((self._plays == 0) & (plays > 0), np.maximum(novel, 1), novel)

    def _take(self, who: Ints, rng: np.random.Generator, supply: Mapping[int, Ints]) -> Ints:
        s = self.strategy
        repeats = (rng.random(len(who)) < s.duplicates) if len(self._library) else np.zeros(len(who), bool)
        ranks = np.full(len(who), -1, np.int64)
        ranks[repeats] = rng.choice(self._library, int(repeats.sum())) if repeats.any() else 0
        fresh = np.flatnonzero(~repeats)
        if s.order == "frame":
            for place in range(len(self.slot)):
                mine = fresh[who[fresh] == place]
                given = supply.get(int(self.slot[place]), np.zeros(0, np.int64))[: len(mine)]
                ranks[mine[: len(given)]] = given
        elif s.order in BLOCKS:
            for place in range(len(self.slot)):
                mine = fresh[who[fresh] == place]
                ranks[mine] = self._from_blocks(int(self.slot[place]), len(mine))
        else:
            again, self._again = self._again[: len(fresh)], self._again[len(fresh) :]
            new = len(fresh) - len(again)
            places = self._place + np.arange(new)
            self._place += new
            ranks[fresh] = np.append(again, ranks_of(places, s.order, self._head, self._turn))
        return ranks

    def _from_blocks(self, slot: int, n: int) -> Ints:
        stock = self._blocks.get(slot, np.zeros(0, np.int64))
        if len(stock) < n:
            block = BLOCKS[self.strategy.order]
            more = -(-(n - len(stock)) // block) * block
            places = self._place + np.arange(more)
            self._place += more
            stock = np.append(stock, ranks_of(places, self.strategy.order, self._head, self._turn))
        self._blocks[slot] = stock[n:]
        return stock[:n]

    def _order(self, who: Ints, ranks: Ints) -> tuple[Ints, Ints]:
        """Count steps between new recordings of different artists, and those to a less played one."""
        order = np.argsort(who, kind="stable")
        who, ranks = who[order], ranks[order]
        artist = self._head.artists_of(ranks)
        differ = (who[1:] == who[:-1]) & (artist[1:] != artist[:-1])
        n = len(self.slot)
        pairs = np.bincount(who[1:][differ], minlength=n)
        down = np.bincount(who[1:][differ & (ranks[1:] > ranks[:-1])], minlength=n)
        kept = np.minimum(pairs, PAIRS_MAX)
        return kept, np.round(down * kept / np.maximum(pairs, 1)).astype(np.int64)
