"""How do several gates share one budget, where the edge cannot send an account always to the same gate?

Sending it to the same gate (consistent hashing) is nearly always better: nothing to ask, nothing to fail.  Where that
cannot be, :class:`SharedGate` decides as :class:`riparian.gate.admit.Gate` does, with what is counted in a Valkey (or
Redis) server: one script for all decisions that wait at the moment, atomic, with the same whole-number arithmetic.

What is exact
-------------
* On one server everything is: as many gates as like let through exactly what one gate would.
* What an account had is remembered as 30 bits a recording, mixed with the account's secret code.  Taking a new one for
  one that was had, once in 300,000 times with 3,500 recordings, favours the listener.
* In a cluster an account is in one slot, and exact.  Its parent (payment, device) is in another: it is asked before and
  charged afterwards, so that as many recordings more as are under way at that moment may get through; the parent
  owes them, and earns them back before it gives the next.
* The time is the server's, so that the clocks of gates do not matter.  A clock that goes back earns nothing.  When the
  server's and the gate's are more than five minutes apart, nothing is decided there: a clock that was set wrong can
  neither give away budgets nor lock anybody out for a year.

When nobody answers
-------------------
Restraints are known here and hold.  What else is asked is answered by the failure policy of its kind, as
:class:`Undecided`, and counted: media are open as long as a grant that was issued just before would be (``grant_s``
and ``media_open_s``) and then closed; licences and keys are closed; metadata and bulk are closed or under
``down_per_minute``, a limit of this gate alone.  In shadow mode all of it is served.  A request that was charged
though its answer was lost is had: asking again is free.

What the server forgets
-----------------------
* Nothing may be evicted: with another ``maxmemory-policy`` than ``noeviction`` the gate does not open.
* Who asks for nothing for 400 days is forgotten.  Every bucket is full by then, and is so again; what was had is not
  known any more.
* A server that begins with nothing, after a crash without its files or at the very first time, says since when it
  remembers.  Buckets are full, and for 28 days whatever an older account asks for is remembered and not charged, as
  at the beginning of a log; who is slowed is charged instead of refused.  It is counted
  (:attr:`SharedGate.losses`), logged, and ended by :meth:`SharedGate.backfill`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import OutsideError, RiparianError
from riparian.gate.admit import RULES, Answer, Gate, Kind, Rule
from riparian.gate.limits import interval_us, paid_until, wait_us, within
from riparian.gate.policy import Down, Instead, Mode, Policy, Restraint
from riparian.stores import asked
from riparian.stores.asked import Codes, Facts, Request
from riparian.stores.coalesce import BATCH_MOST, Line
from riparian.stores.scripted import CAUSES, Script, Sharing, cause_of

__all__ = ["CAUSES", "SharedGate", "Sharing", "Undecided"]

_AGAIN_S: Final = 5
_US: Final = 1_000_000
_UNASKED: Final = "parent"


@dataclass(frozen=True, slots=True)
class Undecided(Answer):
    """What a request is answered while nobody can say what was counted.

    Parameters
    ----------
    cause
        Why, one of ``CAUSES``.
    """

    cause: str = ""


class SharedGate:
    """A gate whose budgets, limits and sets of what was had lie in a server that other gates ask, too.

    It belongs to one event loop.

    Parameters
    ----------
    policy
        As of any gate; the same for gates that share.
    sharing
        Where, and how.

    Raises
    ------
    PolicyError
        When a bucket is too large to be counted there.
    """

    def __init__(self, policy: Policy, sharing: Sharing) -> None:
        self.policy = policy
        self.known = Gate.open(policy)
        """What is known of accounts: to be enrolled, judged and exempted as in any gate."""
        self.let_through: Counter[tuple[Kind, str]] = Counter()
        """Requests served though nobody answered, by kind and cause."""
        self.closed: Counter[tuple[Kind, str]] = Counter()
        """Requests refused because nobody answered, by kind and cause."""
        self.failures: Counter[str] = Counter()
        """How often what failed, by cause; ``parent`` where a parent could not be asked, and so refused nobody."""
        terms = asked.terms(policy, idle_days=sharing.idle_days, apart_us=sharing.apart_s * _US)
        self._shadowed = asked.shadowed(policy)
        self._script = Script(sharing, terms)
        self._is_cluster = sharing.is_cluster
        self._lines: list[Line[Request, Answer]] = [
            Line(
                partial(self._decided, slot),
                partial(self._script.mend, slot),
                cause=cause_of,
                patience=sharing.patience,
                failures=self.failures,
            )
            for slot in range(self._script.n_slots)
        ]
        self._counts: Counter[tuple[Kind, int]] = Counter()
        self._answers: dict[int, Answer] = {}
        self._paid: dict[tuple[Kind, int], int] = {}

    @classmethod
    async def open(cls, policy: Policy, sharing: Sharing) -> "SharedGate":
        """Open a gate that knows nobody, and connect.

        A server that is out of reach is no error: it is tried again and again, and the failure policy holds.

        Raises
        ------
        LifecycleError
            When redis-py is not installed, or the server may evict keys.
        PolicyError
            As above.
        """
        gate = cls(policy, sharing)
        await asyncio.gather(*(line.open() for line in gate._lines))
        for line in gate._lines:
            if isinstance(line.error, RiparianError):
                await gate.close()
                raise line.error
        return gate

    async def close(self) -> None:
        """Let go of the server; whoever waits is answered as if it were out of reach."""
        await asyncio.gather(*(line.close() for line in self._lines))
        await self._script.close()

    @property
    def ailing(self) -> str:
        """Why somebody is not decided about, one of ``CAUSES``; empty while all is well."""
        return next((line.broken for line in self._lines if line.broken), "")

    @property
    def losses(self) -> int:
        """How often a server was found to have forgotten what it knew."""
        return self._script.losses

    @property
    def since_us(self) -> int:
        """Since when all that was asked is remembered; 0 before the first request."""
        return max(self._script.since_us.values(), default=0)

    async def admit(self, account: int, recording: int, kind: Kind, now_us: int, rows: int = 0) -> Answer:
        """Answer one request, together with all that wait; as :meth:`riparian.gate.admit.Gate.admit` does.

        Parameters
        ----------
        account, recording
            Codes, unsigned and of 64 bits; 0 where the request names none.
        kind
            What is asked for.
        now_us
            UTC; restraints and exemptions end by it, and budgets too where ``apart_s`` is 0.
        rows
            Rows of metadata asked for.

        Returns
        -------
        Answer
            An :class:`Undecided` where nobody answered in time.
        """
        request = account, recording, kind, now_us, rows
        line = self._lines[account >> 58 if self._is_cluster else 0]
        return await line.told(request) or self._undecided(line, request)

    async def backfill(self, accounts: Codes, recordings: Codes, *, since_us: int | None = None) -> None:
        """Let it be known what accounts had before, at no charge.

        Parameters
        ----------
        accounts, recordings
            Pairs of codes [each shape=(pairs,)].
        since_us
            Since when nothing is missing in what was handed in: where that is 28 days, whatever else is asked for is
            charged from now on.  Where not given, the server goes on remembering at no charge.

        Raises
        ------
        OutsideError
            When the server is out of reach; part of it may be known by then, and twice is as good as once.
        """
        named = recordings != 0
        accounts, recordings = np.maximum(accounts[named], 1).astype(np.uint64), recordings[named]
        slots = asked.buckets(accounts) if self._is_cluster else np.zeros(accounts.size, np.int64)
        try:
            for slot in np.unique(slots).tolist():
                of_slot = np.flatnonzero(slots == slot)
                for begin in range(0, of_slot.size, BATCH_MOST):
                    some = of_slot[begin : begin + BATCH_MOST]
                    record = np.zeros(some.size, asked.RECORD)
                    record["op"], record["now"] = asked.REMEMBER, time.time_ns() // 1000
                    record["mark"] = asked.marks(accounts[some], recordings[some])
                    await self._script.run(slot, "a", accounts[some], record)
            if since_us is not None:
                await self._script.remember_since(since_us)
        except Exception as error:
            raise _out_of_reach(error) from error

    async def forget(self, account: int) -> bool:
        """Forget an account: its budgets, and what it had.

        What its payment or device has drawn stays, since others draw on it.  What gates were told of the account, they
        forget when they end; a gate that it asks afterwards knows it as a new one.

        Parameters
        ----------
        account
            Its code.

        Returns
        -------
        bool
            Whether anything was kept of it.

        Raises
        ------
        OutsideError
            When the server is out of reach; once more is as good as once.
        """
        try:
            return await self._script.forget(account)
        except Exception as error:
            raise _out_of_reach(error) from error

    def counts(self) -> dict[tuple[Kind, Rule, bool], int]:
        """Count answers, as :meth:`riparian.gate.admit.Gate.counts` does; those that nobody decided are elsewhere."""
        counts: dict[tuple[Kind, Rule, bool], int] = {}
        for (kind, code), n in self._counts.items():
            applied, would = RULES[code & 7], RULES[code >> asked.WOULD & 7]
            shadow = applied is Rule.NONE and would is not Rule.NONE
            key = kind, would if shadow else applied, not shadow
            counts[key] = counts.get(key, 0) + n
        return counts

    # A batch.

    async def _decided(self, slot: int, batch: Sequence[Request]) -> list[Answer]:
        found = self._facts(batch)
        here = found.action == 0
        answers = [_LET] * len(batch)
        for i in np.flatnonzero(~here).tolist():
            rule = int(found.rule[i])
            answers[i] = _restrained(int(found.action[i]), rule, int(found.left_us[i]), batch[i][3])
            self._counts[batch[i][2], rule] += 1
        if here.any():
            told = await self._told(slot, found, here)
            places = np.flatnonzero(here).tolist()
            for i, code, wait in zip(places, told["code"].tolist(), told["wait"].tolist(), strict=True):
                answers[i] = self._answers.get(code) or self._answer(
                    code, int(wait), batch[i][3], int(found.left_us[i])
                )
                self._counts[batch[i][2], code & 63] += 1
        if self._paid:
            self._paid.clear()
        return answers

    def _facts(self, batch: Sequence[Request]) -> Facts:
        previews = self.policy.refused is Instead.PREVIEW
        return asked.facts(self.known.ledger, batch, shadowed=self._shadowed, previews=previews)

    async def _told(self, slot: int, found: Facts, here: NDArray[np.bool_]) -> NDArray[np.void]:
        account, record, parent = found.account, found.record, found.parent
        if not here.all():
            account, record, parent = account[here], record[here], parent[here]
        drawing = (parent != 0) & (record["flags"] & asked.ASKED != 0)
        if not drawing.any():
            return await self._script.run(slot, "a", account, record)
        if self._is_cluster:
            return await self._told_apart(slot, account, record, parent, drawing)
        record["flags"][drawing] |= asked.PARENT_HERE
        return await self._script.run(slot, "a", account, record, np.where(drawing, parent, np.uint64(0)))

    async def _told_apart(
        self, slot: int, account: Codes, record: NDArray[np.void], parent: Codes, drawing: NDArray[np.bool_]
    ) -> NDArray[np.void]:
        # The parent is in another slot: it is asked before, and charged afterwards.
        up = np.zeros(int(drawing.sum()), asked.RECORD)
        up["op"], up["now"] = asked.PEEK, record["now"][drawing]
        left = await self._of_parents(parent[drawing], up)
        record["flags"][drawing] |= np.where(left["code"] != 0, asked.NO_PARENT_LEFT, 0).astype(np.uint8)
        told = await self._script.run(slot, "a", account, record)
        refused = drawing & (told["code"] & 7 == RULES.index(Rule.PARENT))
        told["wait"][refused] = left["wait"][refused[drawing]]
        drew = told["code"][drawing] & asked.DREW != 0
        up["op"] = asked.DRAW
        await self._of_parents(parent[drawing][drew], up[drew])
        return told

    async def _of_parents(self, parent: Codes, record: NDArray[np.void]) -> NDArray[np.void]:
        # A parent that cannot be asked refuses nobody; its account's own budget holds.
        told, slots = np.zeros(parent.size, asked.TOLD), asked.buckets(parent)
        groups = [np.flatnonzero(slots == slot) for slot in np.unique(slots)]
        replies = await asyncio.gather(
            *(self._script.run(int(slots[g[0]]), "p", parent[g], record[g]) for g in groups), return_exceptions=True
        )
        for group, reply in zip(groups, replies, strict=True):
            if isinstance(reply, BaseException):
                self.failures[_UNASKED] += group.size
            else:
                told[group] = reply
        return told

    def _answer(self, code: int, wait: int, now_us: int, left_us: int) -> Answer:
        rule, would = RULES[code & 7], RULES[code >> asked.WOULD & 7]
        preview, marked_only = bool(code & asked.PREVIEW), bool(code & asked.MARKED)
        if rule is Rule.NONE:
            self._answers[code] = Answer(200, would=would, marked_only=marked_only)
            return self._answers[code]
        again_s, until_us = _again(left_us if code & asked.SLOWED else wait, now_us)
        return Answer(200 if preview else 429, Restraint.SLOW, rule, again_s, until_us, preview=preview)

    # Nobody answers.

    def _undecided(self, line: Line[Request, Answer], request: Request) -> Answer:
        account, _, kind, now_us, _ = request
        action, rule, left_us = asked.restraint(self.known.ledger, account, now_us, shadowed=self._shadowed)
        if action:
            self._counts[kind, rule] += 1
            return _restrained(action, rule, left_us, now_us)
        cause = line.broken or line.cause
        answer = self._by_policy(kind, account, now_us, line.broken_s, cause)
        if answer.status != 200 and self.policy.mode is Mode.SHADOW:
            answer = Undecided(200, cause=cause)
        (self.let_through if answer.status == 200 else self.closed)[kind, cause] += 1
        return answer

    def _by_policy(self, kind: Kind, account: int, now_us: int, broken_s: float, cause: str) -> Undecided:
        if kind is Kind.MEDIA:
            is_open = broken_s < self.policy.grant_s + self.policy.media_open_s
            return Undecided(200, cause=cause) if is_open else Undecided(503, retry_after_s=_AGAIN_S, cause=cause)
        if self.policy.down(kind) is Down.CLOSE:
            return Undecided(503, retry_after_s=_AGAIN_S, cause=cause)
        burst = self.policy.down_per_minute
        interval = interval_us(burst)
        paid = within(self._paid.get((kind, account), 0), now_us, interval, burst)
        wait = wait_us(paid, now_us, interval, burst)
        if wait:
            return Undecided(429, Restraint.SLOW, Rule.LIMIT, *_again(wait, now_us), cause=cause)
        self._paid[kind, account] = paid_until(paid, now_us, interval)
        return Undecided(200, cause=cause)


_LET: Final = Answer(200)


def _out_of_reach(error: Exception) -> OutsideError:
    return OutsideError(f"the shared store is out of reach ({cause_of(error)}), wanted to tell it")


def _restrained(action: int, rule: int, left_us: int, now_us: int) -> Answer:
    status = 401 if action == Restraint.STEP_UP else 403
    return Answer(status, Restraint(action), RULES[rule], *_again(left_us, now_us))


def _again(wait_us: int, now_us: int) -> tuple[int, int]:
    # In how many seconds, and when; 0 where that is not known.
    return -(-wait_us // _US), min(max(now_us, 0), asked.LATEST_US) + wait_us if wait_us else 0
