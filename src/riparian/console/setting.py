"""What have all pages in common?

A page is one file: its style and its pictures stand in it, nothing is fetched.  Words and numbers are written as
:mod:`riparian.console.words` says, and no text that is not ours reaches a page unseen.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from riparian.console import words

_LONGEST: Final = 2000
_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "count": words.count,
    "counted": words.counted,
    "percent": words.percent,
    "bits": words.bits,
    "exact_bits": words.exact_bits,
    "total_bits": lambda value: words.exact_bits(value).lstrip("+"),
    "chance": words.chance,
    "listed": words.listed,
}


def environment(filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Make what fills the templates of a page.

    Parameters
    ----------
    filters
        Of this page, beside those that all have.
    """
    made = Environment(
        loader=PackageLoader("riparian.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters |= {**_FILTERS, **filters}
    return made


@cache
def style() -> Markup:
    """Give the style that all pages have."""
    return Markup((files("riparian.console") / "static" / "report.css").read_text(encoding="utf-8"))  # noqa: S704  our own file


def _shown(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.visible(value, longest=_LONGEST)
    return value
