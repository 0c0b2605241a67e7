"""What is a form: which letters it can carry, what it asks of them, and how it is written?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from riparian.cases.facts import Addressee
from riparian.cases.notice import Element, Kind, Notice

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
XML: Final = "application/xml"


def anything(_notice: Notice) -> str:
    """Say nothing against a notice."""
    return ""


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which a letter can leave.

    Parameters
    ----------
    name
        Its name, as in ``dmca_text``.
    title
        What a person calls it.
    kinds
        The letters that it can carry.
    asks
        The elements without which it is not written; for a takedown notice.
    write
        Writes it.
    regime
        The regime under which it asks; empty when it takes any.
    unfit
        Says why a notice cannot be said in it, as a sentence without its stop; empty when it can.
    instead
        Which form to take when this one cannot say it.
    source
        Where its shape is from, and what of that was not checked.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    asks: tuple[Element, ...]
    write: Callable[[Notice], bytes]
    media_type: str = TEXT
    suffix: str = "txt"
    regime: str = ""
    unfit: Callable[[Notice], str] = anything
    instead: str = "dmca_text"
    source: str = ""


def asked_by(form: Form, addressee: Addressee) -> Addressee:
    """Give an addressee as it is asked in a form, under the regime of that form.

    Examples
    --------
    >>> from riparian.cases.facts import Layer
    >>> host = Addressee("example", "Example Hosting", Layer.HOST)
    >>> dsa16 = Form("dsa16", "", (), (), lambda _: b"", regime="dsa")
    >>> asked_by(dsa16, host).form, asked_by(dsa16, host).regime
    ('dsa16', 'dsa')
    """
    return replace(addressee, form=form.name, regime=form.regime or addressee.regime)
