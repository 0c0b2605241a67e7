"""May this be done with this recording, and which row of the ledger decides?

The rules are those of :mod:`riparian.catalogue.terms`: nothing said is reserved, the more particular row decides, of
rows as particular one that reserves does.  Two more follow from what the uses are:

5. Whoever trains a model mines: where a row reserves mining, training is reserved, unless a more particular row
   permits it.
6. Asked of everywhere, a permission counts if it holds everywhere, a reservation wherever it holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from riparian.catalogue.names import folded
from riparian.catalogue.terms import Says, Scope, Term, Use, terms_of

NOBODY: Final = "nobody"
"""What decides where no row speaks."""


class Stance(StrEnum):
    """What holds, in three words; the later, the less may be done."""

    PERMITTED = "permitted"
    CONSTRAINED = "constrained"
    """Permitted on conditions, or reserved with an address where it may be had: nobody may without asking."""
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know.

    Parameters
    ----------
    recording, label
        As the catalogue names them; empty for one of which nothing particular is said.
    territory
        A country of ISO 3166 alpha-2; empty for everywhere.
    at_us
        When it is done; microseconds since 1970, UTC.
    grantee
        Who does it; empty for anybody.
    as_of_us
        As far as was stated by then; None for all that is known.
    """

    use: Use
    at_us: int
    recording: str = ""
    label: str = ""
    territory: str = ""
    grantee: str = ""
    as_of_us: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What holds, and why.

    Parameters
    ----------
    by
        The row that decides; None where nobody says anything.
    conditions
        What the permission asks for, or where a reserved use may be had.
    """

    stance: Stance
    by: Term | None = None
    conditions: str = ""

    @property
    def is_permitted(self) -> bool:
        """Whether it may be done without asking."""
        return self.stance is Stance.PERMITTED

    @property
    def document(self) -> str:
        """The document that says so."""
        return self.by.document if self.by is not None else NOBODY


class Ledger:
    """Rows of the ledger, and what they decide.

    Parameters
    ----------
    terms
        In the order in which they came.
    digests
        By which rows take them back: those of the terms, or, where the catalogue has renamed recordings since, of the
        rows as they were said.

    Examples
    --------
    >>> rows = [Term(Scope.ALL, "", Use.SEARCH, Says.PERMITTED, "policy.pdf"),
    ...         Term(Scope.RECORDING, "r-2", Use.SEARCH, Says.RESERVED, "letter.eml")]
    >>> ledger = Ledger(rows)
    >>> [str(ledger.decide(Asked(Use.SEARCH, 0, recording)).stance) for recording in ("r-1", "r-2")]
    ['permitted', 'reserved']
    >>> ledger.decide(Asked(Use.TRAIN, 0, "r-1")).document
    'nobody'
    """

    def __init__(self, terms: Iterable[Term], digests: Sequence[str] = ()) -> None:
        self.terms: Final = tuple(terms)
        self._digests = dict(zip(self.terms, digests, strict=True)) if digests else {}

    @classmethod
    def of(cls, table: pa.Table, *, as_said: pa.Table | None = None, uses: Iterable[Use] = tuple(Use)) -> "Ledger":
        """Take rows of schema ``TERM`` about some uses, and all that take rows back.

        Parameters
        ----------
        as_said
            The same rows with recordings as their documents name them; None where that is what the table has.

        Raises
        ------
        ValueError
            As :func:`riparian.catalogue.terms.terms_of`.
        """
        wanted = pc.is_in(table["use"], value_set=pa.array([str(use) for use in uses], pa.string()))
        kept = pc.or_(wanted, pc.is_valid(table["withdraws"]))
        # Digests are for rows that are taken back: where none is, nobody needs any.
        if as_said is None or table["withdraws"].null_count == table.num_rows:
            return cls(terms_of(table.filter(kept)))
        return cls(terms_of(table.filter(kept)), [term.digest for term in terms_of(as_said.filter(kept))])

    @cached_property
    def _withdrawn(self) -> dict[str, int | None]:
        """Digest of a row to when it was taken back; None for since ever."""
        found: dict[str, int | None] = {}
        for term in self.terms:
            if term.withdraws:
                earlier = found.get(term.withdraws, term.stated_us)
                both = (earlier, term.stated_us)
                found[term.withdraws] = None if None in both else min(at for at in both if at is not None)
        return found

    @cached_property
    def _by_subject(self) -> dict[tuple[Scope, str], list[Term]]:
        found: dict[tuple[Scope, str], list[Term]] = {}
        for term in self.terms:
            if not term.withdraws:
                found.setdefault((term.scope, _subject(term.scope, term.subject)), []).append(term)
        return found

    @cached_property
    def recordings(self) -> tuple[str, ...]:
        """Recordings that rows name, in order."""
        named = (subject for scope, subject in self._by_subject if scope is Scope.RECORDING)
        return tuple(sorted(named))

    def speaking(self, asked: Asked) -> list[Term]:
        """List the rows that speak of it, the one that decides first."""
        keys = ((Scope.RECORDING, asked.recording), (Scope.LABEL, asked.label), (Scope.ALL, ""))
        of_it = (
            term
            for scope, name in keys
            if scope is Scope.ALL or name
            for term in self._by_subject.get((scope, _subject(scope, name)), ())
        )
        found = [term for term in of_it if speaks(term, asked) and self._stands(term, asked)]
        return sorted(found, key=_particular, reverse=True)

    def decide(self, asked: Asked) -> Decided:
        """Say what holds."""
        found = self._alone(asked)
        if asked.use is Use.TRAIN and found.by is not None and found.stance is not Stance.RESERVED:
            mining = self._alone(replace(asked, use=Use.MINE))
            is_less = _LESS.index(mining.stance) > _LESS.index(found.stance)
            if is_less and mining.by is not None and _reach(mining.by) >= _reach(found.by):
                return mining
        return found

    def decide_all(self, asked: Asked, recordings: Sequence[str], labels: Sequence[str]) -> list[Decided]:
        """Say what holds of many recordings, each with its label; those that no row names are decided once a label."""
        of_label: dict[str, Decided] = {}
        decided = []
        for recording, label in zip(recordings, labels, strict=True):
            if (Scope.RECORDING, recording) in self._by_subject:
                decided.append(self.decide(replace(asked, recording=recording, label=label)))
                continue
            if label not in of_label:
                of_label[label] = self.decide(replace(asked, recording="", label=label))
            decided.append(of_label[label])
        return decided

    def changes_after(self, at_us: int) -> int | None:
        """Tell when what holds may change next because a period begins or ends; None for never."""
        moments = (moment for term in self.terms for moment in (term.begins_us, term.ends_us) if moment is not None)
        return min((moment for moment in moments if moment > at_us), default=None)

    def _alone(self, asked: Asked) -> Decided:
        speaking = self.speaking(asked)
        if not speaking:
            return Decided(Stance.RESERVED)
        by = speaking[0]
        if by.conditions:
            return Decided(Stance.CONSTRAINED, by, by.conditions)
        return Decided(Stance.PERMITTED if by.says is Says.PERMITTED else Stance.RESERVED, by)

    def _stands(self, term: Term, asked: Asked) -> bool:
        if asked.as_of_us is not None and term.stated_us is not None and term.stated_us > asked.as_of_us:
            return False
        digest = (self._digests.get(term) or term.digest) if self._withdrawn else ""
        if digest not in self._withdrawn:
            return True
        ended = self._withdrawn[digest]
        return asked.as_of_us is not None and ended is not None and ended > asked.as_of_us


_LESS: Final = tuple(Stance)
_SCOPES: Final = tuple(Scope)


def speaks(term: Term, asked: Asked) -> bool:
    """Say whether a row is about this use, then, there, and for this grantee.

    Examples
    --------
    >>> row = Term(Scope.ALL, "", Use.TRAIN, Says.PERMITTED, "deal.pdf", territories=frozenset({"DE"}), ends_us=5)
    >>> [speaks(row, Asked(Use.TRAIN, at, territory=place)) for at, place in ((1, "DE"), (1, "FR"), (5, "DE"), (1, ""))]
    [True, False, False, False]
    """
    if term.use is not asked.use or (term.grantee and folded(term.grantee) != folded(asked.grantee)):
        return False
    if term.begins_us is not None and asked.at_us < term.begins_us:
        return False
    if term.ends_us is not None and asked.at_us >= term.ends_us:
        return False
    if not asked.territory:
        return term.says is Says.RESERVED or not (term.territories or term.except_in)
    named = not term.territories or asked.territory in term.territories
    return named and asked.territory not in term.except_in


def _reach(term: Term) -> tuple[int, bool, bool]:
    return _SCOPES.index(term.scope), bool(term.grantee), bool(term.territories)


def _particular(term: Term) -> tuple[tuple[int, bool, bool], bool, bool]:
    # Rules 2 and 3; of two that reserve, one without an address is the plainer.
    return _reach(term), term.says is Says.RESERVED, not term.conditions


def _subject(scope: Scope, name: str) -> str:
    return folded(name) if scope is Scope.LABEL else name
