"""How many mistakes a year may this house make, and what follows from that?

An operator states tolerances; bits follow.  With ``n`` bets opened in a year (accounts, times the restarts
of a year) and ``t`` mistakes tolerated a year, a restraint wants
``log2(n / t)`` bits: by Ville's inequality an honest account ever reaches ``b`` bits with chance at
most ``2**-b``, so that ``n`` of them reach it ``n * 2**-b = t`` times in the mean.  That is all of
threshold policy; no number of bits can be set by hand.

The file is flat TOML, a dozen lines, every one of them optional; an unknown key is an error.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum
from typing import Any, Final

from riparian.errors import PolicyError
from riparian.gate.routes import Kind


class Mode(StrEnum):
    """Whether decisions are only recorded, or carried out."""

    SHADOW = "shadow"
    ENFORCE = "enforce"


class Certainty(StrEnum):
    """Whose word counts for bits: the declared shares of people, or a head count of honest accounts."""

    DECLARED = "declared"
    CERTIFIED = "certified"


class Instead(StrEnum):
    """What is answered where a recording new to the account is refused."""

    TOO_MANY = "429"
    PREVIEW = "preview"


class Down(StrEnum):
    """What an edge does with a kind of request while no gate answers."""

    LIMIT = "limit"
    CLOSE = "close"


RULES: Final = ("evidence", "novelty", "parent", "rows", "limit")
"""The rules that ``shadow_rules`` may name; a person's word is not among them."""


class Restraint(IntEnum):
    """What is done, from nothing to most; no number of bits ends an account, only a person does."""

    ALLOW = 0
    SLOW = 1
    STEP_UP = 2
    HOLD = 3
    END = 4


LADDER: Final = (Restraint.SLOW, Restraint.STEP_UP, Restraint.HOLD)
"""The rungs that evidence climbs, and where it stops."""


def _key(unit: str, doc: str) -> dict[str, str]:
    return {"unit": unit, "doc": doc}


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator states; the reference page of the policy file is made from the fields' metadata.

    Raises
    ------
    PolicyError
        When a value is out of range, or the ladder is upside down: whoever tolerates more wrongful
        holds than wrongful step-ups would hold accounts on less evidence than they are questioned on.

    Examples
    --------
    >>> Policy().wrongful_holds_per_year
    2.0
    >>> Policy(wrongful_holds_per_year=5.0)
    Traceback (most recent call last):
    riparian.errors.PolicyError: `wrongful_holds_per_year` is 5.0 and `wrongful_step_ups_per_year` is 4.0, wanted
    holds to be tolerated no more often than step-ups
    """

    mode: Mode = field(
        default=Mode.SHADOW,
        metadata=_key(
            "`shadow` or `enforce`",
            "`shadow` computes and records every decision and applies none; `enforce` lets edges act on them.",
        ),
    )
    wrongful_holds_per_year: float = field(
        default=2.0,
        metadata=_key(
            "holds a year", "Honest accounts that may be held by mistake in a year, in the mean, all accounts together."
        ),
    )
    wrongful_step_ups_per_year: float = field(
        default=4.0,
        metadata=_key("step-ups a year", "Honest accounts that may be asked to prove themselves by mistake in a year."),
    )
    wrongful_slows_per_year: float = field(
        default=8.0,
        metadata=_key(
            "slows a year", "Honest accounts that may be slowed by mistake in a year, on evidence (not by a budget)."
        ),
    )
    accounts: int = field(
        default=0,
        metadata=_key("accounts", "Accounts that the tolerances are shared among; 0 counts those seen in the logs."),
    )
    restarts_per_year: int = field(
        default=1,
        metadata=_key(
            "restarts a year",
            "How often in a year all bets are opened again, which bounds how long an account's past is cover for"
            " whoever takes it over; each doubling wants one bit more of everybody.",
        ),
    )
    certainty: Certainty = field(
        default=Certainty.DECLARED,
        metadata=_key(
            "`declared` or `certified`",
            "`declared` counts bits under the declared shares of kinds of listener; `certified` counts no more of them"
            " than the accounts believed honest can vouch for, which with few such accounts may restrain nobody, ever.",
        ),
    )
    longest_hold_days: int = field(
        default=14, metadata=_key("days", "How long a hold or a step-up lasts unless a person extends it.")
    )
    longest_slow_days: int = field(default=7, metadata=_key("days", "How long an account stays slowed."))
    novelty_burst: int = field(
        default=2000,
        metadata=_key(
            "recordings", "Recordings new to it that an account of standing may fetch at once; repeats are free."
        ),
    )
    novelty_per_day: int = field(default=40, metadata=_key("recordings a day", "How fast that allowance grows back."))
    rows_burst: int = field(default=20_000, metadata=_key("rows", "Rows of metadata that an account may read at once."))
    rows_per_day: int = field(default=2000, metadata=_key("rows a day", "How fast that allowance grows back."))
    streams_per_plan: int = field(
        default=1,
        metadata=_key("streams", "Streams that a plan may play at once, where the accounts table does not say."),
    )
    shadow_rules: str = field(
        default="",
        metadata=_key(
            "names",
            "Rules that are computed and not applied while others are, separated by commas: some of `evidence`,"
            " `novelty`, `parent`, `rows`, `limit`.",
        ),
    )
    refused: Instead = field(
        default=Instead.TOO_MANY,
        metadata=_key(
            "`429` or `preview`",
            "What is answered where a recording new to the account is refused: `429`, or a short `preview` of it."
            " Licences and keys are answered `429` either way.",
        ),
    )
    requests_per_minute: int = field(
        default=600,
        metadata=_key("requests a minute", "How many requests an account may make to what asks the gate, in the mean."),
    )
    requests_burst: int = field(
        default=300, metadata=_key("requests", "How many of them it may make at once after a pause.")
    )
    grant_s: int = field(
        default=60,
        metadata=_key(
            "seconds", "How long a grant lasts, from 30 to 120; an edge that verifies alone is told no sooner."
        ),
    )
    media_open_s: int = field(
        default=60,
        metadata=_key(
            "seconds",
            "How long media under a grant that was valid stays open after its end while no gate answers, at most"
            " 3,600; 0 closes it with the grant.",
        ),
    )
    metadata_down: Down = field(
        default=Down.LIMIT,
        metadata=_key(
            "`limit` or `close`",
            "What becomes of metadata while no gate answers: `limit` serves it under `down_per_minute`, `close` refuses"
            " it.",
        ),
    )
    bulk_down: Down = field(
        default=Down.CLOSE,
        metadata=_key("`limit` or `close`", "The same for bulk endpoints. Licences and keys always close."),
    )
    down_per_minute: int = field(
        default=30,
        metadata=_key("requests a minute", "What an account may ask for of each of these while no gate answers."),
    )

    forget_after_days: int = field(
        default=0,
        metadata=_key(
            "days",
            "How long after its last access an account is kept; `riparian retain` forgets it then. 0 keeps everybody"
            " until `riparian erase`.",
        ),
    )
    wrongful_traces_per_year: float = field(
        default=1e-5,
        metadata=_key(
            "traces a year",
            "How often in a year a copy may be traced to an account that had no part in it, in the mean, all copies"
            " together.",
        ),
    )
    copies_traced_per_year: int = field(
        default=10_000,
        metadata=_key(
            "copies a year",
            "Copies that may be traced in a year, which the tolerance is shared among; beyond it, none is.",
        ),
    )
    copies_traced_per_day: int = field(
        default=200,
        metadata=_key(
            "copies a day",
            "Copies that may be traced in 24 hours, so that nobody learns from answers how to hide a mark.",
        ),
    )
    wrong_copies_per_thousand: float = field(
        default=1.0,
        metadata=_key(
            "copies in a thousand",
            "Of a thousand files of which it is said that they hold sound of ours, how many may hold none, from above 0"
            " to 100.",
        ),
    )

    def __post_init__(self) -> None:
        for rate in _TOLERANCES:
            value = getattr(self, rate)
            if not (math.isfinite(value) and value > 0):
                raise PolicyError(f"`{rate}` is {value}, wanted a number above 0")
        _require_count("accounts", self.accounts, least=0, most=_ACCOUNTS_MAX)
        for count in ("novelty_per_day", "rows_per_day"):
            _require_count(count, getattr(self, count), least=0)
        _require_count("restarts_per_year", self.restarts_per_year, least=1, most=_RESTARTS_MAX)
        for count in ("longest_hold_days", "longest_slow_days", "streams_per_plan"):
            _require_count(count, getattr(self, count), least=1)
        for count in ("novelty_burst", "rows_burst", "requests_per_minute", "requests_burst", "down_per_minute"):
            _require_count(count, getattr(self, count), least=1)
        _require_count("forget_after_days", self.forget_after_days, least=0, most=_DAYS_MAX)
        _require_count("grant_s", self.grant_s, least=30, most=120)
        _require_count("media_open_s", self.media_open_s, least=0, most=_OPEN_MAX_S)
        for count in ("copies_traced_per_year", "copies_traced_per_day"):
            _require_count(count, getattr(self, count), least=1)
        if not 0 < self.wrong_copies_per_thousand <= _WRONG_COPIES_MOST:
            raise PolicyError(
                f"`wrong_copies_per_thousand` is {self.wrong_copies_per_thousand}, wanted a number above 0, at most 100"
            )
        _require_rules(self.shadow_rules)
        _require_ladder(self)

    def down(self, kind: Kind) -> Down:
        """Say what becomes of a kind of request while nobody can decide; media are not closed as long as grants hold.

        Examples
        --------
        >>> Policy().down(Kind.METADATA), Policy().down(Kind.LICENCE)
        (<Down.LIMIT: 'limit'>, <Down.CLOSE: 'close'>)
        """
        return {Kind.METADATA: self.metadata_down, Kind.BULK: self.bulk_down}.get(kind, Down.CLOSE)

    @property
    def shadowed(self) -> frozenset[str]:
        """The rules of ``shadow_rules``.

        Examples
        --------
        >>> sorted(Policy(shadow_rules="rows, limit").shadowed)
        ['limit', 'rows']
        """
        return frozenset(name.strip() for name in self.shadow_rules.split(",")) - {""}


_TOLERANCES: Final = (
    "wrongful_holds_per_year",
    "wrongful_step_ups_per_year",
    "wrongful_slows_per_year",
    "wrongful_traces_per_year",
)
# A bucket is counted in whole units of 1/86,400,000,000 token in 64 bits: ten million tokens fit.
_MOST: Final = 10_000_000
_ACCOUNTS_MAX: Final = 2**53
_RESTARTS_MAX: Final = 52
_DAYS_MAX: Final = 36_500
_OPEN_MAX_S: Final = 3600
_WRONG_COPIES_MOST: Final = 100.0


def _require_count(name: str, value: int, *, least: int, most: int = _MOST) -> None:
    if not least <= value <= most:
        raise PolicyError(f"`{name}` is {value}, wanted a whole number from {least} to {most}")


def _require_rules(names: str) -> None:
    for name in (each.strip() for each in names.split(",") if each.strip()):
        if name not in RULES:
            wanted = ", ".join(f"`{rule}`" for rule in RULES)
            raise PolicyError(f"`shadow_rules` is `{names}`, wanted some of {wanted}", hint=f"Remove {name}.")


def _require_ladder(policy: Policy) -> None:
    holds, step_ups, slows = (tolerated(policy, r) for r in (Restraint.HOLD, Restraint.STEP_UP, Restraint.SLOW))
    if holds > step_ups:
        raise PolicyError(
            f"`wrongful_holds_per_year` is {holds} and `wrongful_step_ups_per_year` is {step_ups},"
            " wanted holds to be tolerated no more often than step-ups",
            hint="Raise wrongful_step_ups_per_year, or lower wrongful_holds_per_year.",
        )
    if step_ups > slows:
        raise PolicyError(
            f"`wrongful_step_ups_per_year` is {step_ups} and `wrongful_slows_per_year` is {slows},"
            " wanted step-ups to be tolerated no more often than slows",
            hint="Raise wrongful_slows_per_year, or lower wrongful_step_ups_per_year.",
        )


def tolerated(policy: Policy, restraint: Restraint) -> float:
    """Look up how many mistakes of a kind are tolerated in a year.

    Examples
    --------
    >>> tolerated(Policy(), Restraint.SLOW), tolerated(Policy(), Restraint.END)
    (8.0, 0.0)
    """
    if restraint is Restraint.END:
        return 0.0
    if restraint is Restraint.HOLD:
        return policy.wrongful_holds_per_year
    if restraint is Restraint.STEP_UP:
        return policy.wrongful_step_ups_per_year
    if restraint is Restraint.SLOW:
        return policy.wrongful_slows_per_year
    return math.inf


def threshold_bits(policy: Policy, restraint: Restraint, n_accounts: int) -> float:
    """Derive the bits that a restraint wants: ``log2(n / tolerated)``.

    Parameters
    ----------
    policy
        What is tolerated; its ``accounts``, when given, stands in for fewer seen.
    restraint
        Any but ``ALLOW``, which wants nothing.
    n_accounts
        Accounts; each has as many bets opened in a year as the policy has restarts.

    Returns
    -------
    float
        Bits; never below 1, since no bits are no evidence, however few the accounts.  Infinite for ``END``.

    Examples
    --------
    >>> round(threshold_bits(Policy(), Restraint.HOLD, 20_000), 2)
    13.29
    >>> round(threshold_bits(Policy(wrongful_holds_per_year=50, wrongful_step_ups_per_year=50,
    ...     wrongful_slows_per_year=50), Restraint.HOLD, 40_000_000), 2)
    19.61
    >>> round(threshold_bits(Policy(restarts_per_year=4), Restraint.HOLD, 20_000), 2)
    15.29
    """
    if restraint is Restraint.ALLOW:
        return -math.inf
    if restraint is Restraint.END:
        return math.inf
    n_bets = max(n_accounts, policy.accounts, 1) * policy.restarts_per_year
    return max(1.0, math.log2(n_bets / tolerated(policy, restraint)))


def trace_bits(policy: Policy, n_candidates: int) -> float:
    """Derive the bits by which a copy is traced to an account: ``log2(candidates * copies / tolerated)``.

    Parameters
    ----------
    policy
        What is tolerated, and among how many copies a year that is shared.
    n_candidates
        Accounts that the copy may have been issued to.

    Examples
    --------
    Of a million candidates, one copy is wrongly traced to anybody at all with a chance of at most ``2**-b`` times a
    million, which is one in a thousand million:

    >>> bits = trace_bits(Policy(), 1_000_000)
    >>> round(bits, 2), round(1e6 * 2**-bits * 1e9, 3)
    (49.83, 1.0)
    >>> round(trace_bits(Policy(), 20), 2)
    34.22
    """
    n_bets = max(n_candidates, 1) * policy.copies_traced_per_year
    return max(1.0, math.log2(n_bets / policy.wrongful_traces_per_year))


def copy_error(policy: Policy) -> float:
    """Derive how likely it may be, at most, that what is said to be a copy is none.

    Examples
    --------
    >>> copy_error(Policy())
    0.001
    """
    return policy.wrong_copies_per_thousand / 1000


def parse_policy(mapping: Mapping[str, Any]) -> Policy:
    """Make a policy from the keys of its file.

    Raises
    ------
    PolicyError
        When a key is unknown, a value has the wrong type, or the policy contradicts itself.

    Examples
    --------
    >>> parse_policy({"mode": "enforce", "wrongful_holds_per_year": 1}).wrongful_holds_per_year
    1.0
    >>> parse_policy({"wrongfull_holds_per_year": 1})
    Traceback (most recent call last):
    riparian.errors.PolicyError: `wrongfull_holds_per_year` is no key of the policy, wanted one of `mode`, ...
    """
    defaults = {f.name: f.default for f in fields(Policy)}
    values: dict[str, Any] = {}
    for name, value in mapping.items():
        if name not in defaults:
            raise _unknown(name, list(defaults))
        values[name] = _typed(name, value, defaults[name])
    return Policy(**values)


def _unknown(name: str, known: list[str]) -> PolicyError:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    wanted = ", ".join(f"`{k}`" for k in known)
    hint = f"Write {nearest[0]} in the place of {name}." if nearest else f"Remove {name}."
    return PolicyError(f"`{name}` is no key of the policy, wanted one of {wanted}", hint=hint)


def _typed(name: str, value: object, default: object) -> object:
    if isinstance(default, StrEnum):
        kinds = [str(kind) for kind in type(default)]
        if value not in kinds:
            raise PolicyError(f"`{name}` is `{value}`, wanted " + " or ".join(f"`{kind}`" for kind in kinds))
        return type(default)(value)
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise PolicyError(f"`{name}` is `{value}`, wanted text")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63:
        if isinstance(default, float):
            return float(value)
        if float(value).is_integer():
            return int(value)
    wanted = "a number" if isinstance(default, float) else "a whole number"
    raise PolicyError(f"`{name}` is `{value}`, wanted {wanted}")
