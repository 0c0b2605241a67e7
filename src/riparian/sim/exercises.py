"""An exercise as a file: who lives in the town, what they meet, who comes to copy, and what it costs them.

Flat TOML with up to three tables and any number of strategies, all of them optional; an unknown key is an error::

    listeners = 1000
    days = 90
    strategies = ["bulk", "free tier"]     # built-in ones; all of them when none is named
    link = "payment"                       # what makes new accounts share a budget
    kinship = true                         # whether accounts are compared with one another
    refusals = false                       # whether elevated accounts are refused something by lot

    [policy]                               # as in policy.toml
    accounts = 20_000

    [prices]
    month = 11.0

    [[strategy]]
    name = "mine"
    kind = "trial"
    per_day = 90
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from riparian.errors import InputError, PolicyError
from riparian.gate.economics import LONGEST_DAYS, Link, Prices
from riparian.gate.policy import Policy, parse_policy
from riparian.sim.strategies import BUILT_IN, Strategy, parse_strategy

ACCOUNTS: Final = 20_000
"""Accounts among which the default exercise shares its tolerated mistakes, as the measurements of the town do."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is rehearsed.

    Parameters
    ----------
    name
        How it is called.
    listeners, days
        Listeners in the town; days on which copiers are at work, after four quiet weeks.
    policy, link, prices
        What copiers meet, and what they pay.
    strategies
        What they do.
    kinship
        Whether accounts are compared with one another; without, an exercise takes a tenth of the time.
    refusals
        Whether a fiftieth of what elevated accounts ask for is refused by lot, to see who takes that over.

    Examples
    --------
    >>> len(Exercise("default").strategies) == len(BUILT_IN)
    True
    """

    name: str
    listeners: int = 1000
    days: int = 90
    policy: Policy = field(default_factory=lambda: Policy(accounts=ACCOUNTS))
    link: Link = Link.PAYMENT
    prices: Prices = field(default_factory=Prices)
    strategies: tuple[Strategy, ...] = BUILT_IN
    kinship: bool = True
    refusals: bool = False

    def __post_init__(self) -> None:
        if self.listeners < 1 or not 1 <= self.days <= 10 * LONGEST_DAYS or not self.strategies:
            raise InputError(
                f"an exercise of {self.listeners} listeners, {self.days} days and {len(self.strategies)} strategies,"
                " wanted at least one of each and at most ten years"
            )


def find_exercise(name: str) -> Exercise | None:
    """Look up what ships: ``default``, or the default with one strategy alone.

    Examples
    --------
    >>> [s.name for s in find_exercise("free tier").strategies]
    ['free tier']
    """
    if name == "default":
        return Exercise(name)
    alone = tuple(strategy for strategy in BUILT_IN if strategy.name == name)
    return Exercise(name, strategies=alone) if alone else None


def parse_exercise(mapping: Mapping[str, Any], *, name: str) -> Exercise:
    """Read an exercise file.

    Raises
    ------
    PolicyError
        When a key is unknown or a value has another type.
    InputError
        When a strategy or a number is not what it should be.

    Examples
    --------
    >>> exercise = parse_exercise({"days": 60, "strategies": ["bulk"], "strategy": [{"name": "mine"}]}, name="x")
    >>> exercise.days, [s.name for s in exercise.strategies]
    (60, ['bulk', 'mine'])
    """
    known = ("listeners", "days", "strategies", "link", "kinship", "refusals", "policy", "prices", "strategy")
    for key in mapping:
        if key not in known:
            raise PolicyError(f"`{key}` is no key of an exercise, wanted one of {', '.join(known)}")
    values: dict[str, Any] = {key: _whole(key, mapping[key]) for key in ("listeners", "days") if key in mapping}
    if "policy" in mapping:
        values["policy"] = parse_policy({"accounts": ACCOUNTS, **_table("policy", mapping["policy"])})
    if "prices" in mapping:
        values["prices"] = _prices(_table("prices", mapping["prices"]))
    values |= {key: _truth(key, mapping[key]) for key in ("kinship", "refusals") if key in mapping}
    if "link" in mapping:
        values["link"] = _link(mapping["link"])
    strategies = _named(mapping.get("strategies", []))
    strategies += tuple(parse_strategy(_table("strategy", table)) for table in mapping.get("strategy", []))
    if strategies:
        values["strategies"] = strategies
    return Exercise(name, **values)


def _named(names: object) -> tuple[Strategy, ...]:
    if not isinstance(names, list):
        raise PolicyError(f"`strategies` is `{names}`, wanted a list of names")
    by_name = {strategy.name: strategy for strategy in BUILT_IN}
    for name in names:
        if name not in by_name:
            raise InputError(f"no strategy is called `{name}`, wanted one of {', '.join(by_name)}")
    return tuple(by_name[name] for name in names)


def _whole(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise PolicyError(f"`{key}` is `{value}`, wanted a whole number")
    return value


def _truth(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(f"`{key}` is `{value}`, wanted true or false")
    return value


def _table(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyError(f"`{key}` is `{value}`, wanted a table")
    return value


def _link(value: object) -> Link:
    if value not in list(Link):
        raise PolicyError(f"`link` is `{value}`, wanted one of {', '.join(Link)}")
    return Link(str(value))


def _prices(mapping: Mapping[str, Any]) -> Prices:
    known = {f.name: f.type for f in fields(Prices)}
    for key, value in mapping.items():
        if key not in known:
            raise PolicyError(f"`{key}` is no key of the prices, wanted one of {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PolicyError(f"`{key}` is `{value}`, wanted a number")
    return Prices(**mapping)
