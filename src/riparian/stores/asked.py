"""What does a server of shared budgets have to be told of a request, and under which keys?

A gate knows of its accounts what the operator and the evidence said: creation, plan, parent, restraint, exemption.  The
server knows what was counted.  :func:`facts` puts what the gate knows into 32 bytes a request (``RECORD``), beside
which the script needs nothing; what a restraint refuses is refused here, and the server never hears of it.

Keys
----
``prefix:{07}:a:00f3…`` is an account, ``prefix:{07}:p:00f3…`` a parent; ``prefix:since``, in a cluster
``prefix:{07}:since``, is since when all of these are remembered.  The number in braces is the bucket of the account's
or parent's code, which a cluster makes a slot of: one account is in one slot, and at most 64 machines share them.

Bounds
------
Lua counts in doubles.  Every number there is whole and below 2**53: :func:`terms` refuses a policy whose buckets are
larger.  Times before 1970 count as 1970, and times after the year 2112 as that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.errors import PolicyError
from riparian.gate.admit import RULES, Rule
from riparian.gate.budgets import parent_cap
from riparian.gate.ledger import (
    CODE,
    CREATED,
    EXEMPT_UNTIL,
    NOBODY,
    PARENT,
    PRICE,
    RESTRAINT,
    UNTIL,
    Rows,
    place,
)
from riparian.gate.limits import interval_us
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.gate.routes import Kind
from riparian.gate.seen import codes_of_pairs
from riparian.gate.tokens import PARENT_DAYS, UNKNOWN_US, Ints
from riparian.schema import DAY_US

LATEST_US: Final = 2**52
EXACT: Final = 2**53

ADMIT: Final = 0
REMEMBER: Final = 1
PEEK: Final = 2
DRAW: Final = 3

ASKED: Final = 1
EXEMPT: Final = 2
HAS_PARENT: Final = 4
PARENT_HERE: Final = 8
NO_PARENT_LEFT: Final = 16
MAY_PREVIEW: Final = 32

RECORD: Final = np.dtype(
    [
        ("flags", "u1"),
        ("op", "u1"),
        ("people", "u1"),
        ("slowed", "u1"),
        ("would", "u1"),
        ("unused", "V3"),
        ("mark", ">u4"),
        ("rows", "<u4"),
        ("now", "<f8"),
        ("created", "<f8"),
    ]
)
"""One request, as the script reads it."""

TOLD: Final = np.dtype([("code", "<u2"), ("wait", "<f8")])
"""One answer: the rule that refused (3 bits), the one that would have (3), flags; and microseconds to wait."""

WOULD: Final = 3
PREVIEW: Final = 64
MARKED: Final = 128
SLOWED: Final = 256
DREW: Final = 512

_BUCKET_SHIFT: Final = np.uint64(58)
_PERSON: Final = RULES.index(Rule.PERSON)
_SLOW: Final = int(Restraint.SLOW)
_ROWS_MOST: Final = 2**32 - 1
_FOUND: Final = 9

Codes = NDArray[np.uint64]
Request = tuple[int, int, Kind, int, int]
"""Account, recording, kind, time and rows."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of requests [each shape=(requests,)].

    Parameters
    ----------
    account
        Who asks.
    record
        For the script.
    parent
        The code of the parent that an account in its first thirty days draws on as well; 0 for none.
    action, rule
        The restraint that refuses it here, and whose word that is; 0 where none does.
    left_us
        How long the restraint lasts; 0 for ever, or where there is none.
    """

    account: Codes
    record: NDArray[np.void]
    parent: Codes
    action: Ints
    rule: Ints
    left_us: Ints


def facts(ledger: Rows, requests: Sequence[Request], *, shadowed: int, previews: bool) -> Facts:
    """Say what is known of requests.

    Parameters
    ----------
    ledger
        :attr:`riparian.gate.admit.Gate.ledger`.
    requests
        What is asked, as :meth:`riparian.gate.admit.Gate.admit` is [length=requests].
    shadowed
        One bit a rule that is computed and not applied.
    previews
        Whether media that are refused may be answered with a preview.
    """
    who, what, kinds, when, n_rows = zip(*requests, strict=True)
    account, recording = np.maximum(np.array(who, np.uint64), NOBODY), np.array(what, np.uint64)
    kind, now_us = np.array(kinds, np.uint8), np.clip(np.array(when, np.int64), 0, LATEST_US)
    record = np.zeros(account.size, RECORD)
    found = np.zeros((account.size, _FOUND), np.int64)
    _look_up(ledger, shadowed, account, now_us, found)
    flags, people, slowed, would, created, action, rule, left_us, parent = found.T
    asked, media = (recording != 0) & (kind != Kind.METADATA), kind == Kind.MEDIA
    record["flags"] = flags | np.where(asked, ASKED, 0) | np.where(media & previews, MAY_PREVIEW, 0)
    record["people"], record["slowed"], record["would"] = people, slowed, would
    record["mark"] = marks(account, recording)
    record["rows"] = np.clip(np.array(n_rows, np.int64), 0, _ROWS_MOST)
    record["now"] = now_us
    record["created"] = np.where(created == UNKNOWN_US, created, np.clip(created, -EXACT, EXACT))
    return Facts(account, record, parent.astype(np.uint64), action, rule, left_us)


def restraint(ledger: Rows, account: int, now_us: int, *, shadowed: int) -> tuple[int, int, int]:
    """Say which restraint refuses whatever an account asks, by which rule and for how long; 0 where none does."""
    found = np.zeros((1, _FOUND), np.int64)
    who = np.array([max(account, 1)], np.uint64)
    _look_up(ledger, shadowed, who, np.array([min(max(now_us, 0), LATEST_US)]), found)
    action, rule, left_us = found[0, 5:8].tolist()
    return action, rule, left_us


def marks(account: Codes, recording: Codes) -> NDArray[np.uint32]:
    """Make 30 bits of an account and a recording: six that say where they are kept, and 24 [shape=(pairs,)].

    Examples
    --------
    >>> bool((marks(np.full(9, 7, np.uint64), np.arange(9, dtype=np.uint64)) < 2**30).all())
    True
    """
    codes = codes_of_pairs(account, recording)
    field, rest = codes >> np.uint64(58), codes >> np.uint64(34) & np.uint64(0xFFFFFF)
    return (field << np.uint64(24) | rest).astype(np.uint32)


@njit(cache=True, nogil=True)
def _look_up(ledger, shadowed, account, now_us, found):  # type: ignore[no-untyped-def]
    # Flags, people, slowed by, would, created, action, its rule, how long it lasts, and parent.
    for i in range(account.size):
        found[i, 1], found[i, 4] = 1, UNKNOWN_US
        row, now = ledger[place(ledger, account[i])], now_us[i]
        if row[CODE] == 0:
            continue
        found[i, 1], found[i, 4] = DAY_US // row[PRICE], row[CREATED]
        exempt = now < row[EXEMPT_UNTIL]
        if exempt:
            found[i, 0] |= EXEMPT
        if row[PARENT] != 0 and row[CREATED] != UNKNOWN_US and now - row[CREATED] < PARENT_DAYS * DAY_US:
            found[i, 8] = row[PARENT]
            found[i, 0] |= HAS_PARENT
        restraint, by = row[RESTRAINT] & 7, row[RESTRAINT] >> 3
        over = row[UNTIL] != 0 and row[UNTIL] <= now
        if restraint == 0 or over or (exempt and by != _PERSON):
            continue
        found[i, 7] = max(row[UNTIL] - now, 0)
        if restraint == _SLOW:
            found[i, 2] = by
        elif (shadowed >> by) & 1:
            found[i, 3] = by
        else:
            found[i, 5], found[i, 6] = restraint, by


def terms(policy: Policy, *, idle_days: int, apart_us: int) -> NDArray[np.float64]:
    """Lay down a policy as the script reads it; the gate's time, the tenth, is 0.

    Parameters
    ----------
    policy
        Its budgets, limit and shadow rules.
    idle_days
        How long an account is remembered that asks for nothing; longer where a bucket takes longer to fill; 0 for ever.
    apart_us
        How far the clocks of server and gate may be apart; 0 where the gate's counts.

    Raises
    ------
    PolicyError
        When a bucket is too large to be counted exactly in a double.

    Examples
    --------
    >>> terms(Policy(novelty_burst=20_000), idle_days=0, apart_us=0)
    Traceback (most recent call last):
    riparian.errors.PolicyError: `novelty_burst` is 20000, wanted at most 17374 where gates share budgets
    """
    most = {"novelty_burst": EXACT // (parent_cap(Policy(novelty_burst=1))), "rows_burst": EXACT // DAY_US}
    for name, at_most in most.items():
        if getattr(policy, name) > at_most:
            raise PolicyError(
                f"`{name}` is {getattr(policy, name)}, wanted at most {at_most} where gates share budgets",
                hint="Lower it, or give each gate accounts of its own by consistent hashing.",
            )
    idle_s = 0
    if idle_days and policy.novelty_per_day and policy.rows_per_day:
        to_fill = policy.novelty_burst // policy.novelty_per_day, policy.rows_burst // policy.rows_per_day
        idle_s = (max(idle_days, *to_fill) + 1) * DAY_US // 1_000_000
    return np.array(
        [
            policy.novelty_burst,
            policy.novelty_per_day,
            policy.rows_burst,
            policy.rows_per_day,
            parent_cap(policy),
            interval_us(policy.requests_per_minute),
            policy.requests_burst,
            shadowed(policy),
            idle_s,
            0,
            apart_us,
        ],
        "<f8",
    )


def shadowed(policy: Policy) -> int:
    """Mark rules that are computed and not applied, one bit a rule.

    Examples
    --------
    >>> shadowed(Policy(mode=Mode.ENFORCE, shadow_rules="novelty")) == 1 << RULES.index(Rule.NOVELTY)
    True
    """
    rules = RULES if policy.mode is Mode.SHADOW else [rule for rule in RULES if rule in policy.shadowed]
    return sum(1 << RULES.index(rule) for rule in rules)


def buckets(codes: Codes) -> Ints:
    """Say in which bucket each code is [shape=(codes,)].

    Examples
    --------
    >>> buckets(np.array([1, 2**64 - 1], np.uint64)).tolist(), BUCKETS
    ([0, 63], 64)
    """
    return (codes >> _BUCKET_SHIFT).astype(np.int64)


def keys(prefix: str, letter: str, codes: Codes) -> list[str]:
    """Name accounts (letter ``a``) or parents (``p``) [shape=(codes,)].

    Examples
    --------
    >>> keys("riparian", "a", np.array([2**60], np.uint64))
    ['riparian:{04}:a:1000000000000000']
    """
    digits = codes.astype(">u8").tobytes().hex()
    parts = [f"{prefix}:{{{bucket:02}}}:{letter}:" for bucket in range(BUCKETS)]
    return [parts[b] + digits[16 * i : 16 * i + 16] for i, b in enumerate((codes >> _BUCKET_SHIFT).tolist())]


def packed(*args: bytes, named: Sequence[str]) -> bytes:
    r"""Write ``EVALSHA`` as it goes over the wire, many keys at once.

    Parameters
    ----------
    args
        The script's name; and, after the keys, its arguments.
    named
        The keys.

    Examples
    --------
    >>> packed(b"5ca1", b"", named=["k"])
    b'*5\r\n$7\r\nEVALSHA\r\n$4\r\n5ca1\r\n$1\r\n1\r\n$1\r\nk\r\n$0\r\n\r\n'
    """
    sha, *rest = [b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in args]
    n_keys = str(len(named))
    text = "".join([f"${len(word)}\r\n{word}\r\n" for word in (n_keys, *named)])
    return b"".join([b"*%d\r\n$7\r\nEVALSHA\r\n" % (2 + len(args) + len(named)), sha, text.encode(), *rest])
