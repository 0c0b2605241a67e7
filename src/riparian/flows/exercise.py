"""The exercise: a policy against copiers that adapt, day by day, in a town of listeners.

Each day goes round once::

    asked = feed.live(day, told)            # everybody does what they do, knowing what came of yesterday
    refused = holds, slowing, budgets       # the gate answers every fetch of something new
    bits = tally and weigh, other sources   # the day closes, and is bet on
    told = refused, decide(bits, refusals)  # what is in force tomorrow

What is decided is decided by the rooms that decide in earnest; this loop only carries things from one to the other.
What was refused was asked for all the same, and counts as evidence.

Rules of the gate
-----------------
* An account on hold gets nothing that is new to it.
* An account that is slowed gets at most ``novelty_per_day`` new recordings a day.
* An account that is asked to show that a person is there does so: a copier pays for it.
* Where refusals by lot are on, a fiftieth of the new fetches of elevated accounts is refused (:class:`Refusals`).
* All other fetches of something new draw on the account's novelty budget, and for its first thirty days on the
  parent's (:mod:`riparian.gate.budgets`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts.join import ANSWER, join
from riparian.accounts.kinship import FETCH, Kin, accounts_table, candidates, follow
from riparian.accounts.people import People
from riparian.accounts.surfaced import Asked as Signals
from riparian.accounts.surfaced import Shown, best, refuses
from riparian.accounts.surfaced import evidence as signals
from riparian.accounts.surfaced import follow as follow_signals
from riparian.accounts.tally import Tally, enrol
from riparian.accounts.weigh import evidence, weigh
from riparian.catalogue.cells import Cells
from riparian.evidence import KINSHIP
from riparian.gate.budgets import Budgets, Parents, backfilling, charge_enforced, refusals
from riparian.gate.decide import DECISION, certify, decide_table
from riparian.gate.economics import Link
from riparian.gate.policy import Certainty, Policy, Restraint
from riparian.ports import Arrays, Asked, Reactive, Told
from riparian.schema import DAY_US

Progress = Callable[[str, int, int | None], None]
Ints = npt.NDArray[np.int64]


_NOBODY: Final = pa.table([[] for _ in ANSWER], schema=ANSWER)


class Source(Protocol):
    """One more question about accounts, beside what each does by itself."""

    def observe(self, day: int, asked: Asked, tally: Tally) -> pa.Table:
        """Take one more day in, after it was weighed, and answer (``accounts.join.ANSWER``) for all so far."""
        ...


class Kinship:
    """Who shares a list of work (:mod:`riparian.accounts.kinship`), asked every few days.

    Parameters
    ----------
    cells
        Works of the catalogue by the codes that the feed uses.
    accounts
        Accounts that clusters are singled out of, at least.
    every_days
        How often: whoever asks more often learns it sooner, and computes longer.
    """

    def __init__(self, cells: Cells, *, accounts: int, every_days: int = 7) -> None:
        self._cells, self._accounts, self._every = cells, accounts, every_days
        self._kin = Kin.empty()
        self._waiting: list[npt.NDArray[np.void]] = []
        self._played = np.zeros(0, [("plays", np.int64), ("novel", np.int64)])

    def observe(self, day: int, asked: Asked, tally: Tally) -> pa.Table:
        """See :class:`Source`."""
        opened = np.zeros(len(tally.accounts) - len(self._played), self._played.dtype)
        self._played = np.append(self._played, opened)
        for name in ("plays", "novel"):
            self._played[name][asked.days["slot"]] += asked.days[name]
        compared = candidates(self._played)[asked.slot]
        fetches = np.zeros(int(compared.sum()), FETCH)
        fetches["at_us"], fetches["account"] = asked.at_us[compared], tally.accounts[asked.slot[compared]]
        fetches["work"] = self._cells.find(asked.recording[compared])
        fetches["bits"] = tally.state["now"]["joined"][asked.slot[compared]]
        self._waiting.append(fetches[fetches["work"] >= 0])
        if day % self._every == self._every - 1:
            n = max(self._accounts, len(tally.accounts))
            self._kin = follow(self._kin, np.concatenate(self._waiting), self._cells, n)
            self._waiting = []
        found = accounts_table(self._kin)
        named = pa.array([KINSHIP.name] * len(found), pa.string())
        bits = found["bits"]
        return pa.table([found["account"], named, named, bits, bits, found["reached_us"]], schema=ANSWER)


class Refusals:
    """Refusals by lot, and who takes them over (:mod:`riparian.accounts.surfaced`), asked every few days.

    Parameters
    ----------
    secret
        That lots are drawn with, at least 16 bytes.
    elevated_bits
        Only accounts that ever had so many bits are refused anything, and watched.
    every_days
        How often is asked.
    """

    def __init__(self, secret: bytes, *, elevated_bits: float = 2.0, every_days: int = 7) -> None:
        self._shown = Shown(secret)
        self._elevated, self._every = elevated_bits, every_days
        self._asked = Signals.empty()
        self._waiting: list[Arrays] = []
        self._found = _NOBODY

    def refuse(self, asked: Asked, accounts: Arrays, bits: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Draw a lot for each fetch of an elevated account: True where it is refused."""
        rows = np.flatnonzero(bits[asked.slot] >= self._elevated)
        account, recording = accounts["account"][asked.slot[rows]], asked.recording[rows]
        elevated = np.ones(len(rows), np.bool_)
        columns = {"at_us": asked.at_us[rows], "account": account, "recording": recording, "elevated": elevated}
        self._waiting.append(columns)
        refused = np.zeros(len(asked.slot), np.bool_)
        refused[rows] = refuses(self._shown.secret, account, recording, share=self._shown.refused_share)
        return refused

    def observe(self, day: int, asked: Asked, tally: Tally) -> pa.Table:
        """See :class:`Source`."""
        del asked, tally
        if day % self._every == self._every - 1:
            columns = {name: np.concatenate([c[name] for c in self._waiting]) for name in self._waiting[0]}
            self._asked, self._waiting = follow_signals(self._asked, columns, self._shown), []
            told = best(signals(self._asked, self._shown))
            question = pa.array(["signals"] * len(told), pa.string())
            columns_told = [told[name] for name in ("claim", "bits", "bits_now", "reached_us")]
            self._found = pa.table([told["account"], question, *columns_told], schema=ANSWER)
        return self._found


@dataclass(frozen=True, slots=True)
class Rules:
    """What the exercise is played by.

    Parameters
    ----------
    policy
        Enforced, whatever its mode says: in shadow nobody would have anything to adapt to.
    people
        Whom the bets are placed against.
    link
        What makes new accounts share a budget.
    sources
        Questions beside those of ``accounts.weigh``.
    refusals
        Refusals by lot; None where the platform has none.
    """

    policy: Policy
    people: People
    link: Link = Link.PAYMENT
    sources: tuple[Source, ...] = ()
    refusals: Refusals | None = None


@dataclass(slots=True)
class Outcome:
    """What was done about each account, one row each in the order of the feed.

    Parameters
    ----------
    restraint
        The strongest that was ever in force.
    on_evidence
        The strongest that evidence alone wanted: budgets carry no bits.
    asked, refused
        Fetches of something new, and how many were not served.
    held_day
        First day on which it was held; -1 never.
    restrained_days
        Days on which anything was in force.
    bits
        The most that it ever had.
    """

    restraint: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    on_evidence: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    asked: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    refused: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    held_day: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    restrained_days: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    bits: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def grow(self, n: int) -> None:
        """Make room for accounts that were opened."""
        for name in (f.name for f in fields(self)):
            old = getattr(self, name)
            new = np.zeros(n - len(old), old.dtype) - (name == "held_day")
            setattr(self, name, np.append(old, new).astype(old.dtype))


def rehearse(feed: Reactive, rules: Rules, *, days: int, first_day: int, progress: Progress | None = None) -> Outcome:
    """Let a town and a policy go round for some days.

    Parameters
    ----------
    feed
        Who lives, and adapts.
    rules
        What they meet.
    days, first_day
        How long, and the first day since 1970.
    progress
        Is told how far it is.
    """
    gate = _Gate(rules, first_day)
    told: Told | None = None
    for day in range(days):
        if progress is not None:
            progress("living days", day, days)
        asked = feed.live(day, told)
        told = gate.answer(day, asked, feed.accounts())
    if told is not None:
        feed.end(told)
    return gate.outcome


def parents_of(accounts: Arrays, link: Link) -> npt.NDArray[np.uint64]:
    """Tell which budget each account draws on while it is new; 0 for none.

    Parameters
    ----------
    accounts
        ``card``, ``device``, ``cohort`` [each shape=(accounts,)].
    link
        What joins them.

    Examples
    --------
    >>> codes = {"card": [1, 2, 0], "device": [3, 3, 3], "cohort": [4, 5, 6]}
    >>> accounts = {name: np.array(column, np.uint64) for name, column in codes.items()}
    >>> [len(set(parents_of(accounts, link).tolist())) for link in (Link.NONE, Link.PAYMENT, Link.DEVICE, Link.ANY)]
    [1, 3, 1, 1]
    """
    none = np.zeros(len(accounts["device"]), np.uint64)
    # Codes of a card and of a device may be equal numbers: two bits tell them apart.
    card, device, cohort = (
        np.where(accounts[name] > 0, accounts[name] * np.uint64(4) + np.uint64(kind), none)
        for kind, name in enumerate(("card", "device", "cohort"))
    )
    if link is Link.NONE:
        return none
    if link is Link.DEVICE:
        return device
    if link is Link.PAYMENT:
        return np.where(card > 0, card, device)
    best, most = none, np.zeros(len(none), np.int64)
    for code in (card, device, cohort):
        _, index, counts = np.unique(code, return_inverse=True, return_counts=True)
        many = np.where(code > 0, counts[index], 0)
        best, most = np.where(many > most, code, best), np.maximum(many, most)
    return best


class _Gate:
    """All that is remembered from day to day."""

    def __init__(self, rules: Rules, first_day: int) -> None:
        self.rules = rules
        self.first_day = first_day
        self.outcome = Outcome()
        self.tally = Tally.empty(rules.people)
        self.budgets, self.parents = Budgets.empty(), Parents.empty()
        self.decisions = DECISION.empty_table()
        self.restraint = np.zeros(0, np.uint8)

    def answer(self, day: int, asked: Asked, accounts: Arrays) -> Told:
        """Serve or refuse a day's fetches, weigh the day, and decide about tomorrow."""
        n = len(accounts["account"])
        enrol(self.tally, accounts["account"][len(self.tally.accounts) :])
        self.outcome.grow(n)
        self.restraint = np.append(self.restraint, np.zeros(n - len(self.restraint), np.uint8))
        refused = self._serve(asked, accounts)
        self.outcome.asked += np.bincount(asked.slot, minlength=n)
        self.outcome.refused += np.bincount(asked.slot[refused], minlength=n)
        weigh(self.tally, asked.days)
        sources = (*self.rules.sources, *([self.rules.refusals] if self.rules.refusals is not None else []))
        answers = [source.observe(day, asked, self.tally) for source in sources]
        self._decide(day, asked, pa.concat_tables([_NOBODY, *answers]), accounts)
        return Told(refused, self.restraint.copy())

    def _serve(self, asked: Asked, accounts: Arrays) -> npt.NDArray[np.bool_]:
        policy, slot = self.rules.policy, asked.slot
        self.budgets = self.budgets.joined(accounts["account"], accounts["created_us"], accounts["streams"])
        parent = parents_of(accounts, self.rules.link)
        self.parents = self.parents.joined(parent, accounts["account"][:0])
        nth = _nth(slot)
        refused = (self.restraint[slot] == Restraint.HOLD) | (
            (self.restraint[slot] == Restraint.SLOW) & (nth >= policy.novelty_per_day)
        )
        if self.rules.refusals is not None:
            refused |= self.rules.refusals.refuse(asked, accounts, self.outcome.bits)
        start_us = self.first_day * DAY_US
        charged = ~refused & ~backfilling(self.budgets, slot, asked.at_us, log_start_us=start_us)
        over, _ = charge_enforced(
            self.budgets,
            slot[charged],
            asked.at_us[charged],
            novel=np.ones(int(charged.sum()), np.bool_),
            recording=asked.recording[charged],
            policy=policy,
            parents=self.parents,
            parent=parent,
        )
        refused[np.flatnonzero(charged)[over]] = True
        return np.asarray(refused, np.bool_)

    def _decide(self, day: int, asked: Asked, answers: pa.Table, accounts: Arrays) -> None:
        policy, now_us = self.rules.policy, (self.first_day + day + 1) * DAY_US
        active = pa.array(accounts["account"][asked.days["slot"]])
        joined = join(evidence(self.tally), answers)
        certified = self._certified(joined, accounts)
        rows = pc.is_in(joined["account"], value_set=active)
        spent = refusals(self.budgets)
        recent = pc.greater(spent["last_us"], now_us - policy.longest_slow_days * DAY_US)
        mine = pc.is_in(self.decisions["account"], value_set=active)
        # Of who did nothing today nothing is decided: what was, goes on to its end.
        decided = decide_table(
            joined.filter(rows),
            policy,
            now_us,
            n_accounts=len(accounts["account"]),
            certified_bits=None if certified is None else certified[rows.to_numpy()],
            refusals=spent.filter(pc.and_(recent, pc.is_in(spent["account"], value_set=active))),
            current=self.decisions.filter(mine),
        )
        self.decisions = pa.concat_tables([self.decisions.filter(pc.invert(mine)), decided])
        self._note(day, joined["bits"].to_numpy(), now_us)

    def _certified(self, joined: pa.Table, accounts: Arrays) -> npt.NDArray[np.float64] | None:
        if self.rules.policy.certainty is not Certainty.CERTIFIED:
            return None
        bits = joined["bits"].to_numpy()
        return certify(bits, bits[accounts["believed"]])

    def _note(self, day: int, bits: npt.NDArray[np.float64], now_us: int) -> None:
        told, out = self.decisions, self.outcome
        slot = (told["account"].to_numpy() - 1).astype(np.int64)
        running = (told["until_us"].to_numpy() > now_us) & (told["restraint"].to_numpy() > 0)
        slot, restraint = slot[running], told["restraint"].to_numpy()[running]
        proved = told["bits"].to_numpy()[running] >= told["threshold_bits"].to_numpy()[running]
        self.restraint[:] = 0
        self.restraint[slot] = restraint
        out.restraint = np.maximum(out.restraint, self.restraint)
        out.on_evidence[slot[proved]] = np.maximum(out.on_evidence[slot[proved]], restraint[proved])
        out.restrained_days += self.restraint > 0
        out.held_day = np.where((self.restraint == Restraint.HOLD) & (out.held_day < 0), day, out.held_day)
        out.bits = np.maximum(out.bits, bits)


def _nth(slot: npt.NDArray[np.int32]) -> Ints:
    """Count for each fetch how many its account asked for before it today."""
    order = np.argsort(slot, kind="stable")
    ordered = slot[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    nth = np.empty(len(slot), np.int64)
    nth[order] = np.arange(len(slot)) - np.repeat(first, np.diff(np.append(first, len(slot))))
    return nth
