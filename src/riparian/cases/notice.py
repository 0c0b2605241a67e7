"""What does a notice say, whoever it is to and in whatever form?

One model.  What we write is made of it (:mod:`riparian.cases.forms`), and what we are sent is read into it
(:mod:`riparian.cases.reading`), so that a platform and an owner speak of the same elements by the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from riparian.cases.facts import Addressee, Finding, Location, Party, Work


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
class Decision:
    """What a platform decided about something on it, and why; Regulation (EU) 2022/2065, Article 17(3).

    Names and values are those of the DSA Transparency Database (:mod:`riparian.cases.forms.reasons`), without the
    prefix that repeats the name of the field.

    Parameters
    ----------
    visibility, monetary, provision, account
        What was restricted, as in ``("CONTENT_REMOVED",)``, ``SUSPENSION``, ``TOTAL_SUSPENSION``, ``TERMINATED``.
    ground
        ``ILLEGAL_CONTENT`` or ``INCOMPATIBLE_CONTENT``.
    ground_named, explanation
        The law or the clause, and why it is met.
    facts
        The facts and circumstances relied on.
    source
        ``ARTICLE_16``, ``TRUSTED_FLAGGER``, ``TYPE_OTHER_NOTIFICATION`` or ``VOLUNTARY``.
    automated_detection, automated_decision
        Whether it was found by a machine; ``NOT_AUTOMATED``, ``PARTIALLY`` or ``FULLY``.
    content_date, application_date
        When it was put there, and from when the decision holds.
    territories
        Of the European Economic Area, two letters each; empty for all of it.
    until
        When the restriction ends; None when it does not.
    redress
        What the other side can do: complain, go to a body or to court.
    """

    ground_named: str
    explanation: str
    facts: str
    content_date: datetime
    application_date: datetime
    puid: str
    visibility: tuple[str, ...] = ("CONTENT_REMOVED",)
    monetary: str = ""
    provision: str = ""
    account: str = ""
    ground: str = "ILLEGAL_CONTENT"
    source: str = "ARTICLE_16"
    automated_detection: bool = False
    automated_decision: str = "NOT_AUTOMATED"
    territories: tuple[str, ...] = ()
    until: datetime | None = None
    redress: str = ""


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
    findings
        What was compared for each pair; never of a title alone.
    signed_by
        Whose name stands under it.  Nothing leaves unless that person signs its bytes (:mod:`riparian.cases.approval`).
    because
        Why a notice is taken back.
    decision
        Of a statement of reasons.
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
    findings: tuple[Finding, ...] = ()
    dated: datetime | None = None
    signed_by: str = ""
    reference: str = ""
    language: str = "en"
    because: str = ""
    decision: Decision | None = None

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
