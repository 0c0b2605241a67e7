"""Do four eyes look, or two twice?

A person is known here by the name that is given: who may run a command, and under which name, is for the operator
to see to.  Two names are one person's when nothing is left between them but case, spaces, punctuation, accents,
width, and characters that nobody sees; a person who shares all of that with another adds something to the name.
"""

import unicodedata
from typing import Final

from riparian.errors import LifecycleError

_KEPT: Final = ("L", "N")


def folded(person: str) -> str:
    """Reduce a name to its letters and digits, without case and accents; empty where it has none.

    Examples
    --------
    >>> folded("Ada  Lovelace") == folded("\uff41DA\u200b-love\u0301lace") == "adalovelace"
    True
    >>> folded(" .-")
    ''
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", person).casefold())
    return "".join(c for c in plain if unicodedata.category(c)[0] in _KEPT)


def require_said(step: str, person: str, reason: str) -> None:
    """Refuse a step that nobody takes, or for no reason.

    Raises
    ------
    LifecycleError
        When the name has neither a letter nor a digit, or the reason is empty.
    """
    if not folded(person) or not reason.strip():
        raise LifecycleError(
            f"the account was to be `{step}` without {'a person' if not folded(person) else 'a reason'}, wanted both",
            hint="Name yourself with --person and say why with --reason.",
        )
