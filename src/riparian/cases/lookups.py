"""What do the catalogue and the ledger of terms say of a recording, before anybody is written to?

Four look-ups, each with the document that answers it.  What cannot be told is None, and keeps a notice from leaving
until somebody who knows writes it down.

Source
------
17 U.S.C. 1401 (recordings of before 1972) and Directive 2006/116/EC as amended by 2011/77/EU, Article 3: a recording
that was published in the last seventy years is protected on both sides; of older ones a person has to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from riparian.cases.facts import Addressee, Check, Checked, Party
from riparian.catalogue.consent import Asked, Ledger
from riparian.catalogue.names import folded
from riparian.catalogue.terms import Use

LEDGER: Final = "ledger of terms"
CATALOGUE: Final = "catalogue"
_USES: Final = (Use.STREAM, Use.DOWNLOAD)
_PROTECTED_YEARS: Final = 70


@dataclass(frozen=True, slots=True)
class Known:
    """A recording, as the catalogue has it.

    Parameters
    ----------
    owner, label
        Who the catalogue says owns it.
    released
        When it was first published, as far as that is known.
    """

    recording: str
    owner: str = ""
    label: str = ""
    released: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a recording.

    Parameters
    ----------
    owner
        In whose name a notice would be.
    to
        Who would be written to; None where that is not known.
    territories
        Where; everywhere when there are none.
    """

    owner: Party
    at: datetime
    by: str
    to: Addressee | None = None
    territories: tuple[str, ...] = ()


def looked_up_of(known: Known, ledger: Ledger, question: Question) -> Iterator[Checked]:
    """Look a recording up: licence, chain of title, public domain, open licence.

    Examples
    --------
    >>> from datetime import UTC
    >>> question = Question(Party("Reed Records"), datetime(2026, 11, 23, tzinfo=UTC), "case found")
    >>> known = Known("r1", owner="Reed Records", released=date(2020, 1, 1))
    >>> [(str(one.check), one.clear) for one in looked_up_of(known, Ledger([]), question)]
    [('licence', True), ('chain_of_title', True), ('public_domain', True), ('open_licence', True)]
    >>> [one.clear for one in looked_up_of(Known("r1", owner="Quay"), Ledger([]), question)]
    [True, False, None, True]
    """
    plain = Checked(Check.LICENCE, known.recording, None, "", question.at, question.by)
    territories = " ".join(question.territories)
    grantees = [""] if question.to is None else [question.to.key, question.to.name]
    permitted = _permission(known, ledger, question, grantees)
    source = f"{LEDGER}: {permitted}" if permitted else LEDGER
    yield replace(plain, clear=not permitted, source=source, territories=territories)
    yield replace(plain, check=Check.CHAIN_OF_TITLE, clear=_is_owned(known, question.owner), source=_owner_of(known))
    year = known.released.year if known.released is not None else None
    is_young = year is not None and question.at.year - year < _PROTECTED_YEARS
    said = f"{CATALOGUE}: published {year}" if year is not None else f"{CATALOGUE}: no date of publication"
    yield replace(plain, check=Check.PUBLIC_DOMAIN, clear=True if is_young else None, source=said)
    everybody = _permission(known, ledger, question, [""])
    source = f"{LEDGER}: {everybody}" if everybody else LEDGER
    yield replace(plain, check=Check.OPEN_LICENCE, clear=not everybody, source=source)


def _permission(known: Known, ledger: Ledger, question: Question, grantees: Sequence[str]) -> str:
    """Find the document that permits it, anywhere that is asked about; empty when none does."""
    at_us = round(question.at.timestamp() * 1e6)
    for grantee in grantees:
        for territory in question.territories or ("",):
            for use in _USES:
                label = known.label or known.owner
                decided = ledger.decide(Asked(use, at_us, known.recording, label, territory, grantee))
                if decided.by is not None and (decided.is_permitted or decided.conditions):
                    return decided.document
    return ""


def _is_owned(known: Known, owner: Party) -> bool | None:
    said = {folded(one) for one in (known.owner, known.label) if one}
    names = {folded(one) for one in (owner.name, owner.organisation) if one}
    return bool(said & names) if said else None


def _owner_of(known: Known) -> str:
    said = known.owner or known.label
    return f"{CATALOGUE}: {said}" if said else f"{CATALOGUE}: no owner"
