"""Which forms are there, which of them can say a notice, and what does it read like in one?"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from riparian.cases.forms.acns import ACNS
from riparian.cases.forms.fields import WEB
from riparian.cases.forms.form import Form
from riparian.cases.forms.letters import LETTERS
from riparian.cases.forms.listed import LISTED
from riparian.cases.forms.reasons import REASONS
from riparian.cases.forms.records import RECORDS
from riparian.cases.notice import Element, Kind, Notice, Rendered
from riparian.cases.statements import needed
from riparian.errors import InputError

FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {form.name: form for form in (*LETTERS, *RECORDS, *WEB, LISTED, REASONS, ACNS)}
)
"""Every form in which something of ours can leave, by name."""


def render(notice: Notice, form: str = "") -> Rendered:
    """Write a notice in a form: exactly what a person reads, signs, and what leaves.

    Parameters
    ----------
    form
        By name; the one that its addressee takes when none is named.

    Returns
    -------
    Rendered
        The same bytes for the same notice, on any machine and at any time.

    Raises
    ------
    InputError
        When there is no such form, when the notice lacks an element that it asks for, or when it cannot say the
        notice; with the reason, and another form.
    """
    name = form or notice.form
    if name not in FORMS:
        raise InputError(
            f"`{name}` is no form, wanted one of {', '.join(FORMS)}",
            hint="Name one of these, or give the addressee another form.",
        )
    chosen = FORMS[name]
    if why := fits(notice, chosen):
        raise InputError(
            f"the form `{name}` cannot say this notice: {why}, wanted one that it can",
            hint=f"Take `{chosen.instead}`, or add what is missing.",
        )
    return Rendered(name, chosen.media_type, _called(notice, chosen), chosen.write(notice))


def fits(notice: Notice, form: Form) -> str:
    """Say why a form cannot say a notice, as a sentence without its stop; empty when it can."""
    if notice.kind not in form.kinds:
        return f"a letter of the kind `{notice.kind.value}` has no place in it"
    asked = form.asks if notice.kind is Kind.TAKEDOWN else needed(notice.kind, notice.regime)
    if lacking := [one.value for one in asked if not _has(notice, one)]:
        return f"it lacks {', '.join(lacking)}"
    return form.unfit(notice)


def forms_for(notice: Notice) -> Mapping[str, str]:
    """Say of each form why it cannot say a notice; empty for those that can."""
    return {name: fits(notice, form) for name, form in FORMS.items()}


def _has(notice: Notice, element: Element) -> bool:
    found = notice.statement(element)
    return found is not None and bool(found.text.strip())


def _called(notice: Notice, form: Form) -> str:
    key = "-".join(one for one in (notice.case, notice.key) if one) or "notice"
    return f"{''.join(c if c.isalnum() or c in '-_' else '-' for c in key)}.{form.name}.{form.suffix}"
