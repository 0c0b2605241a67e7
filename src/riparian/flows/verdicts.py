"""Which verdicts are in force, and what has each edge missed of them?

The workspace is the one truth: scans and people write decisions there, and :class:`Ledger` looks, numbers what
changed, and tells any edge what it has missed since the number at which it stands::

    decisions --look--> Ledger (epoch, seq) --since(seq)--> Follower --publish--> edge
                                            --whole()-----> Follower --resync---> edge that stands elsewhere

Rules
-----
* Only what is applied is pushed.  In shadow nothing is, and ``counts`` tells what would have been.
* Edges know no pseudonyms: a verdict names the operator's own identifier.  Of an account that the vault was told
  to forget there is nothing to say, and what edges still hold of it is taken back.
* A restraint ends by itself at every edge, at its own time; the ledger takes it back at that time as well.
* An edge that stands in another epoch, at another number, or holds fewer than it was given gets the whole list.
* What was taken back is remembered for as long as the ledger lives, so that any number of its epoch can be followed.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from riparian.errors import LifecycleError
from riparian.gate.decide import NEVER_US, PLACED
from riparian.gate.policy import Restraint
from riparian.ports import Delta, Standing, Verdict, Verdicts, World

_COLUMNS: Final = ("account", "restraint", "because", "bits", "threshold_bits", "until_us", "applied")
_PERSON, _EVIDENCE, _PARENT, _ROWS, _NOVELTY = "person", "evidence", "parent", "rows", "novelty"


@dataclass(slots=True)
class Ledger:
    """The verdicts in force, by number of their last change; may be looked at from several threads.

    Parameters
    ----------
    epoch
        Names this ledger among all that there ever were; made at random by who makes it.
    """

    epoch: str
    _seq: int = 0
    _held: dict[int, Verdict] = field(default_factory=dict)
    _changed: dict[int, tuple[int, Verdict]] = field(default_factory=dict)
    _counts: Counter[tuple[Restraint, bool]] = field(default_factory=Counter)
    _version: tuple[int, ...] = ()
    _ends_us: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return self._seq

    @property
    def count(self) -> int:
        """How many verdicts are in force."""
        return len(self._held)

    def counts(self) -> dict[tuple[Restraint, bool], int]:
        """Count the restraints in force, by whether they are applied; those that are not would have been."""
        return dict(self._counts)

    def look(self, world: World) -> bool:
        """Take up what was decided and what has ended since the last look; False when nothing changed."""
        now_us, version = world.clock.now_us(), world.decisions.version()
        if version == self._version and now_us < self._ends_us:
            return False
        running = _running(world.decisions.table(), now_us)
        kinds = zip(running["restraint"].to_pylist(), running["applied"].to_pylist(), strict=True)
        self._counts = Counter((Restraint(restraint), is_applied) for restraint, is_applied in kinds)
        changes = dict(self._changes(world, running.filter(running["applied"])))
        with self._lock:
            self._version = version
            self._ends_us = min(running["until_us"].to_pylist(), default=NEVER_US)
            if not changes:
                return False
            self._seq += 1
            for account, verdict in changes.items():
                # Taken out and put in again, so that the latest change stands last.
                self._changed.pop(account, None)
                self._changed[account] = (self._seq, verdict)
                if verdict.restraint is Restraint.ALLOW:
                    self._held.pop(account, None)
                else:
                    self._held[account] = verdict
        return True

    def since(self, seq: int) -> Delta:
        """Tell what an edge has missed that stands at a number of this epoch."""
        missed: list[Verdict] = []
        with self._lock:
            for number, verdict in reversed(self._changed.values()):
                if number <= seq:
                    break
                missed.append(verdict)
            return Delta(self.epoch, seq, self._seq, tuple(missed))

    def whole(self) -> Delta:
        """Tell everything that is in force."""
        with self._lock:
            return Delta(self.epoch, 0, self._seq, tuple(self._held.values()))

    def _changes(self, world: World, applied: pa.Table) -> Iterable[tuple[int, Verdict]]:
        # There may be a hundred thousand, of which few changed: only those few become objects.
        accounts = applied["account"].to_pylist()
        each = zip(accounts, applied["restraint"].to_pylist(), applied["until_us"].to_pylist(), strict=True)
        held = self._held
        changed = [
            row for row, (account, *what) in enumerate(each) if account not in held or _what(held[account]) != what
        ]
        rows = applied.take(pa.array(changed, pa.int64()))
        names = world.vault.ids_of(rows["account"].to_numpy())
        gone = set(held) - set(accounts)
        for row, name in zip(rows.to_pylist(), names, strict=True):
            if name is not None:
                until_us = 0 if row["until_us"] >= NEVER_US else row["until_us"]
                yield row["account"], Verdict(name, Restraint(row["restraint"]), until_us, _rule(row))
            elif row["account"] in held:
                gone.add(row["account"])
        for account in gone:
            yield account, Verdict(held[account].account_id, Restraint.ALLOW, 0, held[account].rule)


@dataclass(slots=True)
class Follower:
    """One edge that is kept in step with a ledger.

    Parameters
    ----------
    edge
        Where verdicts go.
    standing
        Where it stood when it last answered; None when it has not answered yet.
    pushes, resyncs
        How often something was published to it, and how often the whole list.
    short
        Whether it holds fewer verdicts than the whole list that it was given.
    """

    edge: Verdicts
    standing: Standing | None = None
    pushes: int = 0
    resyncs: int = 0
    short: bool = False

    def step(self, ledger: Ledger) -> None:
        """Bring the edge to where the ledger is; with nothing new to tell, that it is still there.

        Raises
        ------
        OutsideError
            When the edge cannot be reached; the next step begins where it is known to stand.
        """
        if self.standing is not None and self.standing.epoch == ledger.epoch:
            delta = ledger.since(self.standing.seq)
            try:
                self.standing = self.edge.publish(delta)
            except LifecycleError:
                self._resync(ledger)
                return
            self.pushes += bool(delta.verdicts)
            lacks = self.standing.count < ledger.count and self.standing.seq == ledger.seq
            if lacks and not self.short:
                self._resync(ledger)
            self.short = lacks and self.short
            return
        self._resync(ledger)

    def in_step(self, ledger: Ledger) -> bool:
        """Say whether the edge was last seen where the ledger is now, with all that was given to it."""
        return self.standing is not None and (self.standing.epoch, self.standing.seq, self.short) == (
            ledger.epoch,
            ledger.seq,
            False,
        )

    def _resync(self, ledger: Ledger) -> None:
        whole = ledger.whole()
        self.standing = self.edge.resync(whole)
        self.resyncs += 1
        # Who cannot hold the whole list is not sent it again and again.
        self.short = self.standing.count < len(whole.verdicts)


def _running(decisions: pa.Table, now_us: int) -> pa.Table:
    restrains = pc.greater(decisions["restraint"], int(Restraint.ALLOW))
    return decisions.filter(pc.and_(restrains, pc.greater(decisions["until_us"], now_us))).select(_COLUMNS)


def _what(held: Verdict) -> list[int]:
    return [int(held.restraint), held.until_us or NEVER_US]


def _rule(row: dict[str, Any]) -> str:
    restraint = Restraint(row["restraint"])
    if restraint > Restraint.HOLD:
        return _PERSON
    if restraint is Restraint.HOLD and row["because"][0].startswith(PLACED):
        return _PERSON
    if restraint is not Restraint.SLOW or row["bits"] >= row["threshold_bits"]:
        return _EVIDENCE
    # Slowed without the bits for it: a budget ran out, and its sentence says which.
    said = " ".join(row["because"])
    return _ROWS if "rows of metadata" in said else _PARENT if "as a new account" in said else _NOVELTY
