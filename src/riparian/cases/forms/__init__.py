"""One notice in the form that its recipient takes: letters, field sets, lists, JSON and XML.

A form refuses what it cannot say (:func:`render`), with the reason and another form; it never leaves anything out in
silence.
"""

from riparian.cases.forms.form import Form, asked_by
from riparian.cases.forms.registry import FORMS, fits, forms_for, render

__all__ = ["FORMS", "Form", "asked_by", "fits", "forms_for", "render"]
