"""What does a notice say, whoever it is to and in whatever form?

One model.  What we write is made of it (:mod:`riparian.cases.forms`), and what we are sent is read into it
(:mod:`riparian.cases.reading`), so that a platform and an owner speak of the same elements by the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from riparian.cases.facts import Addressee, Location, Party, Work


class Kind(StrEnum):
    """What a letter is."""

    TAKEDOWN = "takedown"
    COUNTER = "counter_notice"
    RETRACTION = "retraction"
    COUNTER_RETRACTION = "counter_notice_retraction"
    REVERSAL = "reversal"
    INQUIRY = "inquiry"
    REASONS = "statement_of_reasons"
    ACKNOWLEDGEMENT = "acknowledgement"
    COURT_ORDER = "court_order"
    OTHER = "other"


class Element(StrEnum):
    """What a law or a form asks a letter to have; 17 U.S.C. 512(c)(3), 512(g)(3), DSA Article 16(2)."""

    SIGNATURE = "signature"
    WORKS = "works"
    LOCATIONS = "locations"
    CONTACT = "contact"
    GOOD_FAITH = "good_faith"
    ACCURACY = "accuracy"
    AUTHORITY = "authority"
    FAIR_USE = "fair_use"
    EXPLANATION = "explanation"
    NAME_AND_EMAIL = "name_and_email"
    BONA_FIDE = "bona_fide"
    MISTAKE = "mistake"
    FORMER_LOCATIONS = "former_locations"
    JURISDICTION = "jurisdiction"
    SERVICE_OF_PROCESS = "service_of_process"
    RETRACTS = "retracts"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence that fulfils an element, and the numbers of the events that prove it."""

    element: Element
    text: str
    proven_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A letter.

    Parameters
    ----------
    key
        Its number in the case, as in ``N1``; empty for a letter that is not of a case.
    pairs
        Which recording is where: location key to recordings.
    reference
        What the other side calls it; for an answer, what it answers.
    signed_by
        Who signs; empty until a person does.
    """

    kind: Kind
    case: str = ""
    key: str = ""
    regime: str = "dmca"
    form: str = "dmca_text"
    sender: Party | None = None
    owner: Party | None = None
    addressee: Addressee | None = None
    works: tuple[Work, ...] = ()
    locations: tuple[Location, ...] = ()
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    dated: datetime | None = None
    signed_by: str = ""
    reference: str = ""
    language: str = "en"

    def statement(self, element: Element) -> Statement | None:
        """Find the sentence that fulfils an element."""
        return next((one for one in self.statements if one.element is element), None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice in one form: exactly what a person reads, signs, and what leaves.

    Parameters
    ----------
    form
        Which.
    media_type
        As in ``text/plain; charset=utf-8``.
    name
        What a file of it is called.
    content
        Its bytes; a person signs their SHA-256.
    """

    form: str
    media_type: str
    name: str
    content: bytes = field(repr=False)
