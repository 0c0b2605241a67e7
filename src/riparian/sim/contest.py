"""Listeners and copiers in one town, day by day, each seeing what came of the day before.

The listeners are those of :mod:`riparian.sim.town`, counted by day, with the recordings that are new to them; they do
as they always do.  Copiers begin after a while, when histories are known, and adapt
(:mod:`riparian.sim.campaigns`).  Several copiers live side by side and know nothing of one another.

A stolen account is a listener's own: its owner plays on, and what the copier does is added.  Where
no listener is left to rob, an account of standing without a history stands in.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from riparian.accounts.people import PAIRS_MAX
from riparian.accounts.tally import DAYS
from riparian.catalogue.cells import Cells
from riparian.codes import RECORDING_KEY, codes_of
from riparian.gate.budgets import HISTORY_DAYS
from riparian.gate.economics import Kind, Ledger, Prices
from riparian.ports import Arrays, Asked, Told
from riparian.schema import DAY_US
from riparian.sim.campaigns import Campaign, Head
from riparian.sim.events import Stage
from riparian.sim.holdings import recording_ids, recording_table
from riparian.sim.strategies import Strategy
from riparian.sim.streams import stream
from riparian.sim.tallied import ended_days

QUIET_DAYS: Final = HISTORY_DAYS
"""The copiers begin on this day: what accounts have had before is known by then, and costs nobody anything."""
STANDING_DAYS: Final = 400
"""Age of an account of standing that has no history in the town."""
LISTENERS_COHORT: Final = 4
"""Listeners who sign up from one network at one time: a hall of residence, an office."""
EXPLORER_PLAYS: Final = 60.0
EXPLORER_NEW: Final = 0.9
"""What an account plays a day that pretends to be a listener who likes everything new, and how much of it is new."""
FRAMED_MOST: Final = 400
"""Recordings around a playlist that are looked at on a day."""

Ints = npt.NDArray[np.int64]


class Contest:
    """A town that answers back; see ``ports.Reactive``.

    Parameters
    ----------
    stage
        The town's listeners and catalogue, as many days as there will be in all.
    strategies
        One campaign each.
    prices
        How long trials and stolen accounts last.
    seed
        Same stage, seed and answers: same days.

    Examples
    --------
    >>> from riparian.sim.events import set_stage
    >>> from riparian.sim.town import TownSpec
    >>> stage = set_stage(TownSpec(listeners=20, days=30, recordings=20_000))
    >>> contest = Contest(stage, [Strategy("bulk", accounts=2)], Prices(), seed=1)
    >>> asked, n = contest.live(0, None), len(contest.accounts()["account"])
    >>> n, bool((asked.days["novel"] <= asked.days["plays"]).all())
    (20, True)
    """

    def __init__(self, stage: Stage, strategies: Sequence[Strategy], prices: Prices, *, seed: int) -> None:
        self.first_day = stage.spec.start_us // DAY_US
        self.head = Head.of(stage.shelf)
        self.campaigns = [Campaign(s, prices, self.head, seed=seed, number=i) for i, s in enumerate(strategies)]
        self._stage, self._seed = stage, seed
        self._n = n = stage.spec.listeners
        by_day = np.argsort(stage.days.day, kind="stable")
        self._rows = ended_days(stage.days, first_day=self.first_day)
        self._at = stage.rows["at"][by_day]
        self._ends = np.searchsorted(self._rows["day"], self.first_day + np.arange(stage.spec.days + 1))
        self._created = stage.spec.start_us + stage.days.created_day.astype(np.int64) * DAY_US
        self._streams = stage.days.streams.astype(np.int64)
        self._card = np.arange(1, n + 1, dtype=np.uint64)
        self._device = self._card.copy()
        self._cohort = (np.argsort(np.argsort(-self._created)) // LISTENERS_COHORT + 1).astype(np.uint64)
        self._believed = np.ones(n, np.bool_)
        self._owner = np.full(n, -1, np.int64)  # the campaign that uses it
        self._played = np.zeros(n, np.int64)
        self._fetched_by = np.zeros(0, np.int64)
        self._explorers = np.zeros(0, np.int64)
        self._victim: dict[int, int] = {}
        self._near: dict[int, Ints] = {}
        self._given: dict[int, Ints] = {}

    def cells(self) -> Cells:
        """Cut the head of the catalogue into cells, by the codes that fetches of this town carry."""
        n = len(self.head.artist)
        made = Cells.of(recording_table(self._stage.shelf, self._stage.spec.start_us))
        row_of = np.empty(n, np.int64)
        row_of[self.head.by_artist] = np.arange(n)
        works = made.find(codes_of(recording_ids(n), RECORDING_KEY)[row_of])
        return replace(made, codes=np.arange(1, n + 1, dtype=np.uint64), works=works)

    @property
    def owner(self) -> Ints:
        """Which campaign each account belongs to or was stolen by; -1 is a listener's own [shape=(accounts,)]."""
        return self._owner

    @property
    def victims(self) -> Ints:
        """Listeners who were framed."""
        return np.unique(np.fromiter(self._victim.values(), np.int64, len(self._victim)))

    def ledgers(self) -> list[Ledger]:
        """Say what each copier opened, paid and got so far."""
        return [campaign.ledger() for campaign in self.campaigns]

    def accounts(self) -> Arrays:
        """See ``ports.Reactive``."""
        return {
            "account": np.arange(1, len(self._created) + 1, dtype=np.uint64),
            "created_us": self._created,
            "streams": self._streams,
            "card": self._card,
            "device": self._device,
            "cohort": self._cohort,
            "believed": self._believed,
        }

    def live(self, day: int, told: Told | None) -> Asked:
        """See ``ports.Reactive``; days count from 0."""
        restraint = np.zeros(len(self._owner), np.uint8)
        if told is not None:
            restraint = told.restraint
            self.end(told)
        parts = [self._listen(day)]
        by = [np.full(len(parts[0][1]), -1, np.int64)]
        if day >= QUIET_DAYS:
            if day == QUIET_DAYS:
                self._pretend()
            for number, campaign in enumerate(self.campaigns):
                self._open(number, campaign.decide(restraint[campaign.slot]), day)
                parts.append(campaign.live(self.first_day + day, self._around(campaign, day)))
                by.append(np.full(len(parts[-1][1]), number, np.int64))
                if campaign.strategy.order == "frame":
                    self._give(parts[-1][1], parts[-1][3])
        rows, slot, at_us, ranks = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(at_us, kind="stable")
        self._fetched_by = np.concatenate(by)[order]
        recording = (ranks[order] + 1).astype(np.uint64)
        lived = self._merged(np.append(rows, self._explore(day)))
        return Asked(lived, slot[order].astype(np.int32), at_us[order], recording)

    def end(self, told: Told) -> None:
        """See ``ports.Reactive``."""
        for number, campaign in enumerate(self.campaigns):
            campaign.hear(told.refused[self._fetched_by == number])

    def _listen(self, day: int) -> tuple[npt.NDArray[np.void], Ints, Ints, Ints]:
        today = slice(self._ends[day], self._ends[day + 1])
        rows, novel = self._rows[today], self._rows["novel"][today].astype(np.int64)
        start = np.cumsum(novel) - novel
        places = np.repeat(self._at[today] - start, novel) + np.arange(novel.sum())
        ranks = self.head.by_artist[self._stage.pool[places]]
        rng = stream(self._seed, f"contest/times/{day}")
        at_us = (self.first_day + day) * DAY_US + rng.integers(0, DAY_US, len(ranks))
        return rows, np.repeat(rows["slot"], novel).astype(np.int64), at_us, ranks

    def _open(self, number: int, n: int, day: int) -> None:
        campaign = self.campaigns[number]
        rng = stream(self._seed, f"contest/open/{number}/{day}")
        slots = np.zeros(0, np.int64)
        if campaign.strategy.kind is Kind.STOLEN:
            old = self._created[: self._n] < self._stage.spec.start_us - STANDING_DAYS * DAY_US
            free = np.flatnonzero((self._owner[: self._n] < 0) & old & ~np.isin(np.arange(self._n), self.victims))
            slots = rng.permutation(free)[: min(n, len(free) // 2)]
            self._owner[slots] = number
        new = self._enter(number, n - len(slots), day)
        slots = np.append(slots, new)
        if campaign.strategy.order == "frame":
            listeners = np.flatnonzero(self._owner[: self._n] < 0)
            chosen = rng.choice(listeners, len(slots)) if len(listeners) else slots
            self._victim |= dict(zip(slots.tolist(), chosen.tolist(), strict=True))
        campaign.open(slots)

    def _enter(self, number: int, n: int, day: int, *, standing: bool = False, believed: bool = False) -> Ints:
        strategy = self.campaigns[number].strategy
        standing = standing or strategy.kind is Kind.STOLEN
        index = int((self._owner == number).sum()) + np.arange(n)
        own = np.uint64((number + 1) << 40)

        def codes(shared: int, *, known: bool = True) -> npt.NDArray[np.uint64]:
            return (index // shared).astype(np.uint64) + own if known else np.zeros(n, np.uint64)

        created = (self.first_day + day - STANDING_DAYS * standing) * DAY_US
        paid = strategy.kind in (Kind.PAID, Kind.TRIAL)
        self._created = np.append(self._created, np.full(n, created, np.int64))
        self._streams = np.append(self._streams, np.ones(n, np.int64))
        self._card = np.append(self._card, codes(strategy.per_card, known=paid and not standing))
        self._device = np.append(self._device, codes(strategy.per_device))
        self._cohort = np.append(self._cohort, codes(strategy.per_cohort))
        self._believed = np.append(self._believed, np.full(n, believed, np.bool_))
        self._owner = np.append(self._owner, np.full(n, number, np.int64))
        self._played = np.append(self._played, np.zeros(n, np.int64))
        return np.arange(len(self._owner) - n, len(self._owner))

    def _pretend(self) -> None:
        for number, campaign in enumerate(self.campaigns):
            new = self._enter(number, campaign.strategy.explorers, 0, standing=True, believed=True)
            self._explorers = np.append(self._explorers, new)

    def _explore(self, day: int) -> npt.NDArray[np.void]:
        rng = stream(self._seed, f"contest/explorers/{day}")
        rows = np.zeros(len(self._explorers), DAYS)
        rows["slot"], rows["day"] = self._explorers, self.first_day + day
        rows["plays"] = 1 + rng.poisson(EXPLORER_PLAYS, len(rows))
        rows["novel"] = rng.binomial(rows["plays"], EXPLORER_NEW)
        rows["pairs"] = np.minimum(rows["novel"] * 0.9, PAIRS_MAX).astype(np.int64)
        rows["ascents"] = rng.binomial(rows["pairs"], 0.5)
        rows["fast"] = rows["silent"] = -1
        return rows

    def _around(self, campaign: Campaign, day: int) -> dict[int, Ints]:
        """List for each account that frames a listener what is around that listener's playlist, and not on it."""
        if campaign.strategy.order != "frame":
            return {}
        for slot in campaign.slot.tolist():
            heard = self._heard(self._victim[slot], day)
            near = np.setdiff1d(self._near.get(slot, heard[:0]), heard)
            if len(near) < campaign.strategy.per_day and len(heard):
                artists = np.unique(self.head.artist[heard[-FRAMED_MOST:]]).tolist()
                by, first = self.head.by_artist, self.head.first
                around = np.concatenate([by[first[artist] : first[artist + 1]] for artist in artists])
                near = np.setdiff1d(around, np.append(heard, self._given.get(slot, heard[:0])))[:FRAMED_MOST]
            self._near[slot] = near
        return {slot: self._near[slot] for slot in campaign.slot.tolist()}

    def _heard(self, victim: int, day: int) -> Ints:
        """List what was new to a listener up to a day, in order of time."""
        days, rows = self._stage.days, self._stage.rows
        first, end = np.searchsorted(days.account, (victim, victim + 1))
        lived = rows[first:end][days.day[first:end] <= day] if victim < self._n else rows[:0]
        if not len(lived):
            return np.zeros(0, np.int64)
        return self.head.by_artist[self._stage.pool[int(lived["at"][0]) : int(lived["at"][-1] + lived["novel"][-1])]]

    def _give(self, slots: Ints, ranks: Ints) -> None:
        for slot in np.unique(slots).tolist():
            taken = ranks[slots == slot]
            self._given[slot] = np.append(self._given.get(slot, taken[:0]), taken)
            self._near[slot] = np.setdiff1d(self._near[slot], taken)

    def _merged(self, rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        """Make one row of what an owner and a copier did on the same account, and tell what it played before."""
        slots, index = np.unique(rows["slot"], return_inverse=True)
        if len(slots) < len(rows):
            one = np.zeros(len(slots), DAYS)
            one["slot"], one["day"], one["fast"], one["silent"] = slots, rows["day"][0], -1, -1
            for name in ("plays", "novel", "rows", "pairs", "ascents"):
                one[name] = np.bincount(index, weights=rows[name])
            kept = np.minimum(one["pairs"], PAIRS_MAX)
            one["ascents"] = np.round(one["ascents"] * kept / np.maximum(one["pairs"], 1))
            one["pairs"] = kept
            rows = one
        rows = rows.copy()
        rows["plays_before"] = self._played[rows["slot"]]
        self._played[rows["slot"]] += rows["plays"]
        return rows
