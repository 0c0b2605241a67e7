"""What a copier does with its accounts, and how it answers what it sees: refusals, and accounts slowed or held.

A strategy decides; :mod:`riparian.sim.campaigns` lets its accounts live.  It makes events, never requests.

Orders
------
queue
    One shared list of work, the most played recording first.
shuffled
    One shared list, in random order over the whole catalogue.
artists, taste
    Each account takes whole artists; whole scenes of artists who are heard together.
list
    A catalogue that leaked elsewhere: what is played most there comes first, in an order that is not ours.
frame
    Each account fetches around one listener's playlist: the same artists, never the same recording.

Answers
-------
press, slower, wait, leave
    When it is slowed, an account goes on, halves its pace for good, asks for nothing until the restraint is
    over, or is left for another one.  An account on hold is left, but by those who wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.errors import InputError
from riparian.gate.economics import Kind, Shared
from riparian.gate.policy import Restraint

ORDERS: Final = ("queue", "shuffled", "artists", "taste", "list", "frame")
ANSWERS: Final = ("press", "slower", "wait", "leave")
EAGERNESS: Final = 2.0
"""An account that was refused nothing asks for that many times as much on the next day, up to its pace."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class View:
    """What a copier sees of its accounts at work, each [shape=(accounts,)].

    Parameters
    ----------
    age_days
        Days since it has the account.
    asked, served
        New recordings that the account asked for and got on the day before.
    restraint
        What is done about it, as it notices: ``gate.policy.Restraint``.
    slowed
        How often it was slowed so far.
    pace
        What it had made up its mind to ask for on the day before.
    """

    age_days: npt.NDArray[np.int64]
    asked: npt.NDArray[np.int64]
    served: npt.NDArray[np.int64]
    restraint: npt.NDArray[np.uint8]
    slowed: npt.NDArray[np.int64]
    pace: Floats


@dataclass(frozen=True, slots=True)
class Actions:
    """What it does today: which accounts it leaves, at which pace the others ask, and how many it opens."""

    leave: Bools
    pace: Floats
    open: int


@dataclass(frozen=True, slots=True)
class Strategy:
    """One copier's plan.

    Parameters
    ----------
    name, why
        How it is called, and what it hopes for.
    kind
        How it comes by its accounts.
    accounts
        How many are at work at a time; one that is left is replaced.
    per_day
        New recordings that an account asks for a day, at most, in the mean.
    order, answer
        See above.
    mimicry
        That share of plays are replays.
    lifelike
        Whether volume and newness vary from day to day as a person's do.
    duplicates
        That share of new fetches repeats what another of its accounts has.
    lifetime_days
        After so many days an account is left.
    per_card, per_device, per_cohort
        Accounts that share a means of payment, a device, a sign-up cohort.
    explorers
        Accounts of standing that only pretend to be listeners who like everything new, so that copiers look ordinary.
    retries
        Whether what one account was refused is asked for again, by whichever is next; else it is given up.
    unmarked
        Share of fetches for which a rendition without a mark is to be had.

    Raises
    ------
    InputError
        When a number is out of its range or a word unknown.

    Examples
    --------
    >>> Strategy("patient", per_day=40, order="shuffled", mimicry=0.5).kind
    <Kind.PAID: 'paid'>
    """

    name: str
    why: str = ""
    kind: Kind = Kind.PAID
    accounts: int = 10
    per_day: float = 200.0
    order: str = "queue"
    answer: str = "press"
    mimicry: float = 0.0
    lifelike: bool = False
    duplicates: float = 0.0
    lifetime_days: int = 365
    per_card: int = 1
    per_device: int = 1
    per_cohort: int = 1
    explorers: int = 0
    retries: bool = True
    unmarked: float = 0.0

    def __post_init__(self) -> None:
        if self.order not in ORDERS or self.answer not in ANSWERS:
            raise InputError(f"`{self.order}` `{self.answer}`, wanted one of {ORDERS} and one of {ANSWERS}")
        for name in ("mimicry", "duplicates", "unmarked"):
            if not 0 <= getattr(self, name) <= 0.95:
                raise InputError(f"`{name}` of {self.name} is {getattr(self, name)}, wanted a share from 0 to 0.95")
        for name in ("accounts", "per_day", "lifetime_days", "per_card", "per_device", "per_cohort"):
            if not 1 <= getattr(self, name) <= 100_000:
                raise InputError(f"`{name}` of {self.name} is {getattr(self, name)}, wanted 1 to 100,000")
        if not 0 <= self.explorers <= 100_000:
            raise InputError(f"`explorers` of {self.name} is {self.explorers}, wanted 0 to 100,000")

    @property
    def shared(self) -> Shared:
        """How many of its accounts have one thing in common."""
        return Shared(self.per_card, self.per_device, self.per_cohort)

    def act(self, view: View) -> Actions:
        """Decide what to do today.

        Examples
        --------
        >>> none, one = np.zeros(1, np.int64), np.ones(1, np.int64)
        >>> refused = View(one, 100 * one, 40 * one, none.astype(np.uint8), none, np.full(1, 100.0))
        >>> Strategy("patient", per_day=100).act(refused).pace.tolist()
        [40.0]
        """
        held = view.restraint == Restraint.HOLD
        slowed = view.restraint >= Restraint.SLOW
        gone = held & (self.answer != "wait")
        leave = (view.age_days >= self.lifetime_days) | gone | (slowed & (self.answer == "leave"))
        most = np.full(leave.shape, self.per_day)
        if self.answer == "slower":
            most = np.maximum(most * 0.5**view.slowed, 1.0)
        # Budgets are public: whoever was refused something asks for no more than it got.
        grown = np.minimum(view.pace * EAGERNESS + 1.0, most)
        pace = np.where(view.served < view.asked, np.minimum(np.maximum(view.served, 1.0), most), grown)
        if self.answer == "wait":
            # It remembers its pace, and takes it up again when the restraint is over.
            pace = np.where(slowed, 0.0, np.where(view.pace > 0, pace, most))
        return Actions(leave, pace, self.accounts - int((~leave).sum()))


BUILT_IN: Final = (
    Strategy("bulk", "as fast as it can, in order of popularity", accounts=5, per_day=500),
    Strategy("patient", "as slow as a listener, in order of popularity", per_day=40),
    Strategy("slower", "halves its pace each time it is slowed", accounts=5, per_day=500, answer="slower"),
    Strategy("stops", "stops when it is slowed and waits until that is over", per_day=100, answer="wait"),
    Strategy("mimic", "plays half of what it has again, and varies as a person does", per_day=60, mimicry=0.5,
             lifelike=True),
    Strategy("duplicates", "a third of its fetches repeat another account's", per_day=60, mimicry=0.25, lifelike=True,
             duplicates=0.33),
    Strategy("shuffled", "one list in random order, a quarter replays", per_day=100, order="shuffled", mimicry=0.25),
    Strategy("artists", "each account takes whole artists", per_day=60, order="artists", mimicry=0.25, lifelike=True),
    Strategy("tastes", "each account takes artists who are heard together", per_day=60, order="taste", mimicry=0.25,
             lifelike=True),
    Strategy("outside list", "follows a catalogue that leaked elsewhere", per_day=60, order="list", mimicry=0.25,
             lifelike=True),
    Strategy("devices", "six accounts a card and a device, each at full speed", per_day=100, order="shuffled",
             mimicry=0.25, per_card=6, per_device=6),
    Strategy("household", "sixty accounts a card and a device", kind=Kind.TRIAL, per_day=1000, order="shuffled",
             mimicry=0.25, accounts=60, per_card=60, per_device=60, lifetime_days=30),
    Strategy("a day each", "free accounts that are left after a day", kind=Kind.FREE, per_day=1000, order="shuffled",
             mimicry=0.25, lifetime_days=1),
    Strategy("a month each", "a month is paid, then another account", per_day=1000, order="shuffled", mimicry=0.25,
             lifetime_days=30),
    Strategy("trials", "left before the first invoice", kind=Kind.TRIAL, per_day=1000, order="shuffled", mimicry=0.25,
             lifetime_days=30),
    Strategy("free tier", "free accounts kept for as long as they last", kind=Kind.FREE, per_day=200,
             order="shuffled", mimicry=0.25, lifelike=True),
    Strategy("stolen", "accounts of standing, for as long as their owners do not notice", kind=Kind.STOLEN,
             per_day=2000, order="shuffled", mimicry=0.25),
    Strategy("unmarked", "takes renditions without a mark where it can", per_day=60, order="shuffled", mimicry=0.25,
             lifelike=True, unmarked=0.5),
    Strategy("frames", "fetches around listeners' playlists, so that they look like its accounts", kind=Kind.FREE,
             per_day=40, order="frame", mimicry=0.25, lifelike=True),
    Strategy("explorers", "pretends with other accounts that people are like it", per_day=100, order="shuffled",
             mimicry=0.25, explorers=20),
)  # fmt: skip
"""What every exercise rehearses when it names nothing else."""


def parse_strategy(mapping: Mapping[str, Any]) -> Strategy:
    """Make a strategy from a table of an exercise file.

    Raises
    ------
    InputError
        When a key is unknown, a value has another type or is out of range.

    Examples
    --------
    >>> parse_strategy({"name": "mine", "kind": "free", "per_day": 30}).per_day
    30.0
    """
    known = {f.name: f.default for f in fields(Strategy)}
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        if key not in known:
            raise InputError(f"`{key}` is no key of a strategy, wanted one of {', '.join(known)}")
        values[key] = _typed(key, value, known[key])
    if "name" not in values:
        raise InputError("a strategy without a `name`, wanted one")
    return Strategy(**values)


def _typed(key: str, value: object, default: object) -> object:
    if key == "kind":
        if value not in list(Kind):
            raise InputError(f"`kind` is `{value}`, wanted one of {', '.join(Kind)}")
        return Kind(str(value))
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = str if key == "name" else type(default)
    if type(value) is not wanted:
        raise InputError(f"`{key}` of a strategy is `{value}`, wanted {wanted.__name__}")
    return value


Evaluate = Callable[[Sequence[Strategy]], Sequence[float]]
"""What a thousand recordings cost each of some strategies, USD."""

_CHOICES: Final[Mapping[str, tuple[Any, ...]]] = {
    "per_day": (20.0, 40.0, 60.0, 90.0, 140.0, 200.0, 350.0, 600.0, 1000.0, 2000.0),
    "order": ("queue", "shuffled", "artists", "taste", "list"),
    "answer": ANSWERS,
    "mimicry": (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75),
    "lifelike": (False, True),
    "duplicates": (0.0, 0.1, 0.2, 0.33),
    "lifetime_days": (1, 2, 4, 7, 14, 30, 60, 120, 240, 365),
    "per_card": (1, 2, 6, 12),
    "per_device": (1, 2, 6, 12),
    "per_cohort": (1, 6, 24),
}


def search(
    evaluate: Evaluate,
    rng: np.random.Generator,
    *,
    budget: int,
    start: Sequence[Strategy] = (),
    kinds: Sequence[Kind] = tuple(Kind),
    round_size: int = 20,
    told: Callable[[int], None] = lambda _: None,
) -> dict[Strategy, float]:
    """Look for the cheapest plan with accounts of each kind: known ones, some at random, then changes in small steps.

    Parameters
    ----------
    evaluate
        Rehearses several at once.
    budget
        How many plans are tried in all; after the first third of them the best so far are changed.
    start
        Plans to try first.
    round_size
        How many are rehearsed together.
    told
        Is told how many were tried so far.

    Returns
    -------
    dict
        Every plan that was tried, and what a thousand recordings cost it.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> tried = search(lambda plans: [p.per_day for p in plans], rng, kinds=(Kind.FREE,), budget=90)
    >>> min(tried.values())
    20.0
    """
    first = [plan for plan in dict.fromkeys(start) if plan.order != "frame" and plan.kind in kinds][:budget]
    tried = dict(zip(first, evaluate(first), strict=True)) if first else {}
    told(len(tried))
    while len(tried) < budget:
        size = min(round_size, budget - len(tried))
        drawn = set()
        for i in range(size):
            kind = kinds[i % len(kinds)]
            leaders = sorted((s for s in tried if s.kind is kind), key=lambda s: (tried[s], repr(s)))[:3]
            drawn.add(_drawn(rng, kind, leaders if 3 * len(tried) >= budget else ()))
        plans = [plan for plan in sorted(drawn, key=repr) if plan not in tried]
        if not plans:
            break
        tried |= dict(zip(plans, evaluate(plans), strict=True))
        told(len(tried))
    return tried


def finalists(tried: Mapping[Strategy, float]) -> list[Strategy]:
    """Choose for each kind of account the cheapest plan that shuffles and the cheapest that does not.

    A search rehearses a few accounts of each plan, which no question across accounts can tell apart; a ring that keeps
    an order is another matter.

    Examples
    --------
    >>> tried = {Strategy("a", order="shuffled"): 2.0, Strategy("b"): 1.0, Strategy("c", duplicates=0.1): 3.0}
    >>> [plan.name for plan in finalists(tried)]
    ['a', 'b']
    """
    chosen = []
    for kind in Kind:
        for shuffled in (True, False):
            mine = [plan for plan in tried if plan.kind is kind and (plan.order == "shuffled") is shuffled]
            chosen += sorted(mine, key=lambda plan: (tried[plan], repr(plan)))[:1]
    return chosen


def _drawn(rng: np.random.Generator, kind: Kind, leaders: Sequence[Strategy]) -> Strategy:
    names = list(_CHOICES)
    plan = Strategy("found", "found by a search", kind=kind)
    if leaders:
        plan = replace(leaders[int(rng.integers(len(leaders)))], name=plan.name, why=plan.why)
        names = [names[i] for i in rng.choice(len(names), int(rng.integers(1, 4)), replace=False)]
    chosen = {name: _CHOICES[name][int(rng.integers(len(_CHOICES[name])))] for name in names}
    return replace(plan, **chosen)
