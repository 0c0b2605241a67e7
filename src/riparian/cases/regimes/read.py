"""What does the file of a regime say, and is it whole?"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from riparian.cases.facts import Addressee
from riparian.cases.notice import Element, Kind
from riparian.cases.steps import Step
from riparian.errors import InputError, PolicyError


class Unit(StrEnum):
    """In what a clock counts."""

    BUSINESS_DAYS = "business_days"
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Clock:
    """A time with a number, from something that was received.

    Parameters
    ----------
    least, most
        Before how many units nothing may happen, and after how many it is over; None where nobody says.
    legal
        Whether a law says this number.  A policy, and what is reckoned from a law, is not.
    rolls
        Whether an end that is no business day waits for the next.
    lapses
        Whether nothing is left to be done when it is over, as with a time in which somebody may complain.
    kinds
        The letters that begin it.
    begins, ends
        The steps of a notice after which it runs, and by which it stops; none for a clock that no notice begins.
    whose
        Who has to act, or may.
    checked
        What of this could not be read again at the source.
    """

    name: str
    unit: Unit
    legal: bool
    whose: str
    what: str
    source: str
    least: int | None = None
    most: int | None = None
    rolls: bool = False
    lapses: bool = False
    kinds: tuple[Kind, ...] = (Kind.TAKEDOWN,)
    begins: tuple[Step, ...] = ()
    ends: tuple[Step, ...] = ()
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """What is to be done without a number of days, in the words that are used."""

    name: str
    says: str
    whose: str
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Regime:
    """A law, or the policy of a host.

    Parameters
    ----------
    law
        Whether it is one.
    calendar, zone
        With which its days are counted where nobody says otherwise (:mod:`riparian.cases.calendars`).
    zones
        Country, as two letters, to zone, where the country of the addressee decides.
    under
        The law under which a policy stands.
    addressees
        Whose policy it is: keys of addressees.
    asks, counter_asks
        What a notice and a counter-notice have to have.
    read, review
        When it was last read, and when it is to be read again.
    checked
        What could not be read again at the source.
    """

    key: str
    title: str
    law: bool
    calendar: str
    zone: str
    asks: tuple[Element, ...]
    counter_asks: tuple[Element, ...]
    source: str
    read: date
    review: date
    checked: str
    clock: tuple[Clock, ...]
    duty: tuple[Duty, ...] = ()
    under: str = ""
    addressees: tuple[str, ...] = ()
    zones: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def named(self, clock: str) -> Clock:
        """Find one of its clocks.

        Raises
        ------
        InputError
            When it has no such clock; the hint gives the words of the law where there is no number.

        Examples
        --------
        >>> REGIMES["dmca"].named("restore").most
        14
        >>> REGIMES["dmca"].named("remove")
        Traceback (most recent call last):
        riparian.errors.InputError: `dmca` says no number of days for `remove`, wanted one of restore, action, ...
        """
        for one in self.clock:
            if one.name == clock:
                return one
        wanted = f"wanted one of {', '.join(one.name for one in self.clock)}"
        for duty in self.duty:
            if duty.name == clock:
                raise InputError(
                    f"`{self.key}` says no number of days for `{clock}`, {wanted}",
                    hint=f"{duty.source}: {duty.whose} {duty.what}, {duty.says}.",
                )
        raise InputError(f"`{self.key}` has no clock `{clock[:40]}`, {wanted}")


def parse_regime(key: str, said: Mapping[str, Any]) -> Regime:
    """Make a regime of what its file says.

    Raises
    ------
    PolicyError
        When a field is missing, unknown or of another type, when a clock counts nothing, and when a policy calls one
        of its clocks legal.

    Examples
    --------
    >>> parse_regime("x", {"title": "X"})
    Traceback (most recent call last):
    riparian.errors.PolicyError: the regime `x` has no `law`, wanted title, law, calendar, zone, asks, ...
    """
    where = f"the regime `{key}`"
    given = _fields(Regime, {"key": key, **said}, where)
    clocks = tuple(_clock(one, where) for one in given.pop("clock"))
    duties = tuple(Duty(**_fields(Duty, one, f"a duty of {where}")) for one in given.pop("duty", ()))
    regime = Regime(**{**given, "clock": clocks, "duty": duties, "zones": MappingProxyType(given.get("zones", {}))})
    names = [*(one.name for one in clocks), *(one.name for one in duties)]
    twice = next((one for one in names if names.count(one) > 1), "")
    if twice:
        raise PolicyError(f"{where} has `{twice}` twice, wanted each name once")
    legal = next((one.name for one in clocks if one.legal), "")
    if legal and not regime.law:
        raise PolicyError(f"{where} is a policy and calls `{legal}` legal, wanted that only in a law")
    if regime.review <= regime.read:
        raise PolicyError(f"{where} is to be read again on {regime.review}, wanted a day after {regime.read}")
    return regime


def _clock(said: Mapping[str, Any], where: str) -> Clock:
    clock = Clock(**_fields(Clock, said, f"a clock of {where}"))
    where = f"`{clock.name}` of {where}"
    numbers = [one for one in (clock.least, clock.most) if one is not None]
    if not numbers or min(numbers) < 0 or numbers != sorted(numbers):
        raise PolicyError(f"{where} counts from {clock.least} to {clock.most}, wanted a number, the least first")
    if clock.rolls and clock.most is None:
        raise PolicyError(f"{where} rolls and has no end, wanted `most`")
    if bool(clock.begins) < bool(clock.ends):
        raise PolicyError(f"{where} ends with a step and begins with none, wanted both or neither")
    return clock


def _fields(cls: Any, said: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {one.name: one for one in fields(cls)}
    unknown = sorted(set(said) - known.keys())
    if unknown:
        raise PolicyError(f"{where} has `{unknown[0][:40]}`, wanted only {', '.join(known)}")
    needed = [name for name, one in known.items() if one.default is MISSING and one.default_factory is MISSING]
    missing = next((name for name in needed if name not in said), "")
    if missing:
        raise PolicyError(f"{where} has no `{missing}`, wanted {', '.join(one for one in needed if one != 'key')}")
    return {name: _typed(known[name].type, one, f"`{name}` of {where}") for name, one in said.items()}


_LISTS: Final[Mapping[Any, type]] = {
    tuple[str, ...]: str,
    tuple[Element, ...]: Element,
    tuple[Kind, ...]: Kind,
    tuple[Step, ...]: Step,
}
_PLAIN: Final[Mapping[Any, type]] = {str: str, bool: bool, date: date, int | None: int, Mapping[str, str]: dict}


def _typed(hint: Any, said: Any, where: str) -> Any:
    if hint in (tuple[Clock, ...], tuple[Duty, ...]):
        return said
    try:
        if hint in _LISTS and isinstance(said, list):
            return tuple(_LISTS[hint](one) for one in said)
        if hint is Unit:
            return Unit(said)
    except ValueError as error:
        raise PolicyError(f"{where} is not known, wanted what the program knows: {error}") from None
    if type(said) is _PLAIN.get(hint):
        return said
    raise PolicyError(f"{where} is `{str(said)[:60]}`, wanted another type")


def _read() -> Mapping[str, Regime]:
    found = sorted(
        (one for one in files(__package__).iterdir() if one.name.endswith(".toml")), key=lambda one: one.name
    )
    keyed = {one.name.removesuffix(".toml"): one.read_text("utf-8") for one in found}
    return MappingProxyType({key: parse_regime(key, tomllib.loads(text)) for key, text in keyed.items()})


REGIMES: Final = _read()
"""By key, as in ``dmca``, ``dsa``, ``github``."""

GENERIC: Final = "generic"
"""The regime of hosts that have no policy of their own here."""


def regime_of(key: str) -> Regime:
    """Find a regime.

    Raises
    ------
    InputError
        When there is none.

    Examples
    --------
    >>> regime_of("dsa").law, regime_of("github").law
    (True, False)
    """
    try:
        return REGIMES[key]
    except KeyError:
        raise InputError(f"`{key[:40]}` is no regime, wanted one of {', '.join(REGIMES)}") from None


def policies_of(addressee: Addressee | None, regimes: Mapping[str, Regime] = REGIMES) -> tuple[Regime, ...]:
    """Give the policies by which an addressee goes: its own, and what we do with everybody.

    Examples
    --------
    >>> from riparian.cases.facts import Layer
    >>> [one.key for one in policies_of(Addressee("github", "GitHub", Layer.HOST))]
    ['github', 'generic']
    """
    own = [one for one in regimes.values() if addressee is not None and addressee.key in one.addressees]
    return (*own, regimes[GENERIC])
