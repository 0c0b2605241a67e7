"""May this request be served?

The gate asks nobody and does no statistics: what evidence said was decided before, and lies in the gate as a restraint
with an end.  Beside it there is only arithmetic.

Rules, in this order
--------------------
1. A restraint: who is held or was ended by a person is answered 403, who is asked to prove who it is, 401.
2. The limit: who asks too fast is answered 429 (:mod:`riparian.gate.limits`).
3. A recording that the account never had, asked for as media, as a licence or in bulk, is refused while the account
   is slowed, or when its novelty budget or its parent's is empty (:mod:`riparian.gate.budgets`): 429, or a preview.
   Repeats are served.
4. Rows of metadata that the budget of rows does not hold: 429.

* What is refused costs nothing and is not had: a refused request leaves the gate as it was.  A preview costs a request.
* Who is exempt is refused by the limit only, or by a person; what it fetches is had, and costs nothing.
* In shadow mode, and for the rules in ``shadow_rules``, everything is computed and counted, and the answer is that of
  a gate without the rule; ``would`` says which rule came first.  As in a scan, what would have been refused costs
  nothing and is had all the same.
* Once more than half of what an account may hold is used, ``marked_only`` says that no unmarked full-length
  rendition is to be served to it.
* Whoever was never enrolled is of standing.  All requests that name no account (0) are one account's; a request that
  names no recording (0) is charged none; fewer than no rows are none.
* A clock that goes back earns nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import CustodyError, InputError
from riparian.gate import deciding, ledger
from riparian.gate.budgets import parent_cap, prices
from riparian.gate.limits import interval_us
from riparian.gate.policy import Instead, Mode, Policy, Restraint
from riparian.gate.routes import Kind
from riparian.gate.seen import Seen, codes_of_pairs, codes_of_tally
from riparian.gate.tokens import LATEST_US, UNKNOWN_US, Ints

__all__ = ["Answer", "Gate", "Kind", "Rule"]

VERSION: Final = "gate/1"


class Rule(StrEnum):
    """What refuses a request, or in shadow would have."""

    NONE = "none"
    EVIDENCE = "evidence"
    NOVELTY = "novelty"
    PARENT = "parent"
    ROWS = "rows"
    LIMIT = "limit"
    PERSON = "person"


RULES: Final = tuple(Rule)
"""Rules by their number in :meth:`Gate.admit_many`."""

_status: Callable[[int], int] = deciding.status_of.py_func
_KINDS: Final = tuple(range(len(Kind)))
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered, and why.

    Parameters
    ----------
    status
        200 served, 401 prove who you are, 403 held or ended, 429 slowed, out of budget or too fast.
    action
        What is done; ``ALLOW`` where the request is served in full.
    rule
        What refused it.
    retry_after_s
        Seconds, rounded up, after which it may be served; 0 where that is not known or it is served.
    until_us
        The same as a time; for a restraint, its end; 0 where it has none or the request is served.
    would
        In shadow, the rule that would have refused; the status is 200 then.
    preview
        Whether a short preview is to be served in the place of the whole (the status is 200).
    marked_only
        Whether only a marked rendition may be served in full length.
    """

    status: int
    action: Restraint = Restraint.ALLOW
    rule: Rule = Rule.NONE
    retry_after_s: int = 0
    until_us: int = 0
    would: Rule = Rule.NONE
    preview: bool = False
    marked_only: bool = False


class Gate:
    """All that one worker knows of its accounts; one thread uses it.

    Examples
    --------
    >>> gate = Gate.open(Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=1))
    >>> gate.admit(7, 1, Kind.MEDIA, 0).status, gate.admit(7, 1, Kind.MEDIA, 0).status
    (200, 200)
    >>> answer = gate.admit(7, 2, Kind.MEDIA, 0)
    >>> answer.status, answer.rule, answer.retry_after_s
    (429, <Rule.NOVELTY: 'novelty'>, 86400)
    >>> gate.judge(np.array([7], np.uint64), [Restraint.HOLD], [0], [Rule.PERSON])
    >>> gate.admit(7, 1, Kind.MEDIA, 0).status
    403
    """

    __slots__ = ("_answers", "_at", "_charges", "_decide", "_rows", "_seen", "_terms", "_where", "policy")

    def __init__(self, policy: Policy, seen: Seen, rows: ledger.Rows, *, noting: bool) -> None:
        self.policy = policy
        self._rows = rows
        self._terms = _terms(policy, seen, rows)
        seen.state = self._terms
        self._seen = seen
        self._charges = np.zeros((_NOTES if noting else 0, deciding.CHARGE), np.int64)
        self._answers = _answers(noting=noting)
        self._where = np.zeros(deciding.ADDRESSES, np.int64)
        self._at = self._where.ctypes.data
        self._decide: Callable[..., int] = _compiled()
        self._moved()

    @classmethod
    def open(cls, policy: Policy, *, approximate: bool = False, noting: bool = False) -> "Gate":
        """Open a gate that knows nobody.

        Parameters
        ----------
        policy
            Its mode, budgets, limit, and what it answers.
        approximate
            Whether what accounts had is remembered approximately (:mod:`riparian.gate.seen`).
        noting
            Whether charges are noted, for :meth:`take_charges`.
        """
        return cls(policy, Seen.empty(approximate=approximate), ledger.empty(), noting=noting)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], policy: Policy, *, noting: bool = False) -> "Gate":
        """Take up what :meth:`arrays` laid down.

        Raises
        ------
        CustodyError
            When another version of Riparian laid it down, or it does not fit together.
        """
        found = str(arrays["version"].item()) if "version" in arrays else "none"
        if found != VERSION or arrays["rows"].shape[1:] != (ledger.COLUMNS,):
            raise CustodyError(
                f"the gate's state is of version `{found}`, wanted `{VERSION}`",
                hint="Start the gate with an empty state, and let it be filled from the workspace.",
            )
        seen = Seen.from_arrays({name: arrays[f"seen.{name}"] for name in ("newest", "older", "state")})
        return cls(policy, seen, ledger.refilled(arrays["rows"]), noting=noting)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Lay everything down as named arrays, for a store; the counts are not part of it."""
        return {
            "version": np.array([VERSION]),
            "rows": ledger.held(self._rows),
            **{f"seen.{name}": array for name, array in self._seen.arrays().items()},
        }

    @property
    def ledger(self) -> ledger.Rows:
        """What is known and counted of accounts, to be read and not kept: whoever is new may move it.

        See :mod:`riparian.gate.ledger` [shape=(places, COLUMNS)].
        """
        return self._rows

    @property
    def n_bytes(self) -> int:
        """Bytes of memory that rows and the set of what was had take."""
        return self._rows.nbytes + self._seen.n_bytes

    def enrol(
        self,
        codes: NDArray[np.uint64],
        created_us: Ints | None = None,
        streams: NDArray[Any] | None = None,
        parents: NDArray[np.uint64] | None = None,
    ) -> None:
        """Tell of accounts what the operator knows of them.

        Parameters
        ----------
        codes
            Pseudonyms [shape=(accounts,)].
        created_us
            When each was made, ``UNKNOWN_US`` where not known; what was known before stays [shape=(accounts,)].
        streams
            Streams that each plan plays at once; as the policy has it where not given [shape=(accounts,)].
        parents
            Payment or device that new accounts share, 0 for none [shape=(accounts,)].
        """
        n = codes.size
        created = np.full(n, UNKNOWN_US, np.int64) if created_us is None else np.asarray(created_us, np.int64)
        each = np.full(n, self.policy.streams_per_plan) if streams is None else streams
        up = np.zeros(n, np.uint64) if parents is None else np.asarray(parents, np.uint64)
        self._make_room(n + int(np.count_nonzero(up)))
        deciding.enrol(self._rows, self._terms, np.asarray(codes, np.uint64), created, prices(each), up)

    def backfill(self, accounts: NDArray[np.uint64], recordings: NDArray[np.uint64]) -> None:
        """Let it be known what accounts had before, at no charge [each shape=(pairs,)]."""
        named = recordings != 0
        self._seen.add(codes_of_pairs(np.maximum(accounts[named], ledger.NOBODY), recordings[named]))
        self._moved()

    def backfill_tally(self, pairs: NDArray[np.uint64]) -> None:
        """Let it be known what a scan has counted, ``Tally.arrays()["seen"]`` [shape=(pairs,)]."""
        self._seen.add(codes_of_tally(pairs))
        self._moved()

    def exempt(self, codes: NDArray[np.uint64], until_us: Sequence[int] | Ints) -> None:
        """Let accounts be until a time [each shape=(accounts,)]."""
        self._make_room(codes.size)
        deciding.exempt_until(self._rows, self._terms, np.asarray(codes, np.uint64), np.asarray(until_us, np.int64))

    def judge(
        self,
        codes: NDArray[np.uint64],
        restraints: Sequence[int] | NDArray[Any],
        until_us: Sequence[int] | Ints,
        rules: Sequence[str],
        *,
        full: bool = False,
    ) -> None:
        """Put accounts under restraints, from now on.

        Parameters
        ----------
        codes
            Pseudonyms [shape=(accounts,)].
        restraints
            A :class:`Restraint` each; ``ALLOW`` lifts what there was [shape=(accounts,)].
        until_us
            When each ends by itself, 0 for never [shape=(accounts,)].
        rules
            What each is by, a :class:`Rule` or its name [shape=(accounts,)].
        full
            Whether these are all there are, so that every other account's is lifted.

        Raises
        ------
        InputError
            When a restraint or a rule is none; nothing has changed then.
        """
        numbers = np.asarray(restraints, np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() <= max(Restraint):
            raise InputError(f"`restraint` is {numbers.max()}, wanted one from 0 to {int(max(Restraint))}")
        by = _numbers(rules)
        self._make_room(codes.size)
        if full:
            self._rows[:, ledger.RESTRAINT] = 0
        deciding.restrain(
            self._rows,
            self._terms,
            np.asarray(codes, np.uint64),
            np.where(numbers == 0, 0, numbers | by << 3),
            np.asarray(until_us, np.int64),
        )

    def admit(self, account: int, recording: int, kind: Kind, now_us: int, rows: int = 0) -> Answer:
        """Answer one request.

        Parameters
        ----------
        account, recording
            Codes, unsigned and of 64 bits; 0 where the request names none.
        kind
            What is asked for.
        now_us
            UTC.
        rows
            Rows of metadata asked for.

        Raises
        ------
        OverflowError
            When a number is none of 64 bits; nothing has changed then.
        """
        code = self._decide(self._at, account, recording, _KINDS[kind], now_us, rows)
        answer: Answer | None = self._answers[code]
        if answer is not None:
            return answer
        if code == deciding.GROW:
            self._grow()
            return self.admit(account, recording, kind, now_us, rows)
        return self._answer(code, now_us)

    def admit_many(
        self,
        account: NDArray[np.uint64],
        recording: NDArray[np.uint64],
        kind: NDArray[np.uint8],
        now_us: Ints,
        rows: Ints,
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Answer requests in their order, as :meth:`admit` would [each shape=(requests,)].

        Returns
        -------
        tuple
            Statuses, and the numbers of the rules that refused, places in ``RULES``.
        """
        status, rules = np.zeros(account.size, np.uint16), np.zeros(account.size, np.uint8)
        begin = 0
        while begin < account.size:
            begin = deciding.decide_many(
                self._at,
                account,
                recording,
                kind,
                now_us,
                rows,
                status,
                rules,
                self._charges,
                begin,
            )
            self._settle()
            if begin < account.size:
                self._grow()
        return status, rules

    def counts(self) -> dict[tuple[Kind, Rule, bool], int]:
        """Count answers since the gate was opened, by what refused and whether that was applied.

        A request counts once: under the rule that refused it; else, in shadow, under the one that would have; else
        under ``NONE``.
        """
        counts: dict[tuple[Kind, Rule, bool], int] = {}
        each = self._terms[deciding.COUNTS :]
        for code in np.flatnonzero(each).tolist():
            applied, would = RULES[code & 7], RULES[code >> deciding.WOULD & 7]
            shadow = applied is Rule.NONE and would is not Rule.NONE
            key = (Kind(code >> deciding.KIND), would if shadow else applied, not shadow)
            counts[key] = counts.get(key, 0) + int(each[code])
        return counts

    def take_charges(self) -> Ints:
        """Give what was charged since the last time, for a journal, and forget it [shape=(charges, CHARGE)]."""
        n = int(self._terms[deciding.N_CHARGES])
        if n == 0:
            return self._charges[:0]
        self._terms[deciding.N_CHARGES] = 0
        return self._charges[:n].copy()

    def apply(self, charges: Ints) -> None:
        """Put charges back that a gate before this one has noted; twice is as good as once."""
        begin = 0
        while True:
            tables = self._rows, self._seen.newest, self._seen.older
            begin = deciding.take_up(*tables, self._terms, charges, begin)
            self._settle()
            if begin == len(charges):
                return
            self._grow()

    def _answer(self, code: int, now_us: int) -> Answer:
        if code & deciding.CHARGED and len(self._charges):
            deciding.note(self._rows, self._terms, self._charges)
            if self._terms[deciding.N_CHARGES] == len(self._charges):
                self._grow()
        if code & deciding.SETTLED:
            self._settle()
        plain = _plain(code)
        if plain.rule is Rule.NONE:
            return plain
        wait = int(self._terms[deciding.WAIT])
        until = min(max(now_us, 0), LATEST_US) + wait if wait else 0
        return Answer(plain.status, plain.action, plain.rule, -(-wait // _MICRO), until, preview=plain.preview)

    def _grow(self) -> None:
        if self._seen.full():
            self._seen.grow()
        if self._terms[deciding.N_CHARGES] == len(self._charges) > 0:
            self._charges = np.concatenate((self._charges, np.zeros_like(self._charges)))
        self._make_room(2)

    def _make_room(self, more: int) -> None:
        self._rows = ledger.with_room(self._rows, int(self._terms[deciding.N_ROWS]), more)
        self._terms[deciding.MOST_ROWS] = ledger.room(self._rows)
        self._moved()

    def _settle(self) -> None:
        if self._seen.settle():
            self._moved()

    def _moved(self) -> None:
        # After whatever may have put another table in the place of one.
        self._where[:] = deciding.addresses(self._rows, self._seen.newest, self._seen.older, self._terms)


_NOTES: Final = 1024


def _compiled() -> Any:
    # One signature, so that a code of 64 bits and a small one are the same to it.
    if not deciding.decide_at.signatures:
        deciding.decide_at.compile(deciding.SIGNATURE)
        deciding.decide_at.disable_compile()
    return deciding.decide_at


def _terms(policy: Policy, seen: Seen, rows: ledger.Rows) -> Ints:
    terms = np.zeros(deciding.TERMS, np.int64)
    terms[: seen.state.size] = seen.state
    terms[deciding.N_ROWS] = len(ledger.held(rows))
    terms[deciding.MOST_ROWS] = ledger.room(rows)
    terms[deciding.BURST], terms[deciding.PER_DAY] = policy.novelty_burst, policy.novelty_per_day
    terms[deciding.ROWS_BURST], terms[deciding.ROWS_PER_DAY] = policy.rows_burst, policy.rows_per_day
    terms[deciding.PARENT_CAP] = parent_cap(policy)
    terms[deciding.INTERVAL], terms[deciding.REQUESTS] = interval_us(policy.requests_per_minute), policy.requests_burst
    shadowed = RULES if policy.mode is Mode.SHADOW else [rule for rule in RULES if rule in policy.shadowed]
    terms[deciding.SHADOWED] = sum(1 << RULES.index(rule) for rule in shadowed)
    terms[deciding.PREVIEWS] = policy.refused is Instead.PREVIEW
    return terms


def _plain(code: int) -> Answer:
    return Answer(
        _status(code),
        Restraint(code >> deciding.ACTION & 7),
        RULES[code & 7],
        would=RULES[code >> deciding.WOULD & 7],
        preview=bool(code & deciding.PREVIEW),
        marked_only=bool(code & deciding.MARKED),
    )


def _answers(*, noting: bool) -> list[Answer | None]:
    # Answers that need nothing but their number are made beforehand; the last place, which is GROW's, holds none.
    answers: list[Answer | None] = [None] * deciding.ANSWERS
    charged = (0,) if noting else (0, deciding.CHARGED)
    for kind, would, marked, charge in product(range(len(Kind)), range(len(RULES)), (0, deciding.MARKED), charged):
        code = kind << deciding.KIND | would << deciding.WOULD | marked | charge
        answers[code] = _plain(code)
    return answers


def _numbers(rules: Sequence[str]) -> Ints:
    numbers = {str(rule): number for number, rule in enumerate(RULES)}
    unknown = set(rules) - set(numbers)
    if unknown:
        raise InputError(f"`rule` is `{min(unknown)}`, wanted one of " + ", ".join(f"`{rule}`" for rule in RULES))
    return np.array([numbers[rule] for rule in rules], np.int64)
