"""What was read of a letter that came in: what it is, and which elements it has, lacks, or leaves open."""

from dataclasses import dataclass
from enum import StrEnum

from riparian.cases.notice import Element, Kind, Notice


class Form(StrEnum):
    """In what a letter came."""

    ACNS = "acns"
    GITHUB = "github"
    LETTER = "letter"
    DSA16 = "dsa16"
    DSA_REASONS = "dsa_reasons"
    LUMEN = "lumen_json"
    GOOGLE = "google_txt"


class Standing(StrEnum):
    """Whether a letter has an element.

    ``missing`` is said only where nothing is there that could be meant as it; ``unknown`` where something is, in words
    of its own, in part, taken out before it came to us, or in a language that is not read: a person looks.
    """

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """One element of a letter.

    Parameters
    ----------
    span
        From which character of :attr:`Read.text` to which; None when nothing is there.
    quote
        The text there, white space as single blanks, at most 300 characters.
    note
        Why it is not simply present.
    """

    element: Element
    standing: Standing
    span: tuple[int, int] | None = None
    quote: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of a form that was read, and what was answered.

    Parameters
    ----------
    field
        What is asked for, as in ``works``; ``other`` for a question that we do not know.
    """

    field: str
    question: str
    answer: str
    question_span: tuple[int, int]
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Read:
    """A letter that was read.

    Parameters
    ----------
    notice
        What it says, in the model in which we write too; its statements are the sentences that were found.
    form
        In what it came.
    version
        Of that form, as in ``1.2``; empty when it has none.
    elements
        One for each element that its kind is asked for.
    text
        What the spans count in.
    answers
        Of a form with questions, in their order.
    answers_to
        For an answer: to what kind of letter.
    references
        Addresses and numbers of the letter that this one is about.
    originals
        Where the sender says that the works are.
    remarks
        What could not be read, in sentences.
    """

    notice: Notice
    form: Form
    elements: tuple[Seen, ...]
    text: str
    version: str = ""
    answers: tuple[Answer, ...] = ()
    answers_to: Kind | None = None
    references: tuple[str, ...] = ()
    originals: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the letter is."""
        return self.notice.kind

    @property
    def missing(self) -> tuple[Element, ...]:
        """The elements that it is asked for and has no trace of."""
        return tuple(one.element for one in self.elements if one.standing is Standing.MISSING)

    def element(self, element: Element) -> Seen | None:
        """Find what was seen of an element; None when its kind is not asked for it."""
        return next((one for one in self.elements if one.element is element), None)
