"""One page, and one sheet of paper, that say to an artist what of theirs was found: both of a signed statement.

Either holds the statement itself as well, signed, so that who has the page can check what it says.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from riparian import __version__
from riparian.console import setting, words
from riparian.creators.statement import SORTS, Statement

ROWS_MAX: Final = 500
_TOKEN: Final = re.compile(rb'id="statement">([A-Za-z0-9_.-]+)<')
_UNBROKEN: Final = "\N{NON-BREAKING HYPHEN}"
_USES: Final[Mapping[str, str]] = {
    "train": "training models",
    "mine": "mining text and data",
    "download": "downloading",
    "stream": "streaming",
}
_STANCES: Final[Mapping[str, str]] = {
    "permitted": "permitted",
    "constrained": "only on conditions",
    "reserved": "reserved",
}


def stated_page(statement: Statement, token: str, key: str) -> str:
    """Write the page: one HTML document, UTF-8, that needs nothing else.

    Parameters
    ----------
    token
        The statement, signed.
    key
        The public key, in hex.
    """
    said = statement.said
    return (
        _environment()
        .get_template("stated.html.j2")
        .render(
            said=said,
            headline=headline(said),
            rows=said["found"][:ROWS_MAX],
            more=max(0, len(said["found"]) - ROWS_MAX),
            consent=list(map(consent, said["consent"])),
            mistakes=mistakes(said),
            token=Markup(token),  # noqa: S704 -- letters of base64 alone: it was signed here, or verified
            key=key,
            css=setting.style(),
            version=__version__,
        )
    )


def headline(said: Mapping[str, Any]) -> str:
    """Say in one sentence what was found."""
    name, found = said["of"]["name"], said["totals"]
    if not found["findings"]:
        return f"Nothing of {name} was found in what was looked at."
    places = len({row["where"] for row in said["found"]})
    return (
        f"{words.counted(found['recordings'], 'recording')} of {name}, of {words.count(said['held'])} that are held,"
        f" {'was' if found['recordings'] == 1 else 'were'} found in {words.counted(places, 'place')}."
    )


def mistakes(said: Mapping[str, Any]) -> str:
    """Say how many of the findings are expected to be mistakes; nothing where there is none."""
    found = said["totals"]
    if not found["findings"]:
        return ""
    expected, bare = found["expected_mistakes"], found["without_error"]
    if bare == found["findings"]:
        return "How likely each is a mistake is not stated: they are known by a code, a digest or a name alone."
    verb = "is" if expected <= 1 else "are"
    told = (
        f"About {expected:.2g} of {words.counted(found['findings'] - bare, 'finding')} {verb} expected to be a mistake"
    )
    if bare:
        told += f"; of {words.count(bare)} more, known by a code, a digest or a name alone, no chance is stated"
    return f"{told}."


def consent(row: Mapping[str, Any]) -> str:
    """Say in one sentence what may be done with recordings."""
    counts = [(_STANCES[stance], n) for stance, n in row["recordings"].items() if n]
    told = ", ".join(f"{stance} for {words.count(n)}" for stance, n in counts)
    said_in = f"; said in {words.listed(row['documents'][:5])}"
    by = said_in if row["documents"] else "; nobody has permitted it, and no document speaks of it"
    return f"{_USES[row['use']].capitalize()}: {told}{by}."


def terms_of(row: Mapping[str, Any]) -> str:
    """Say what the ledger says of training with a recording that was found."""
    train = row["terms"]["train"]
    # A day is not broken at the end of a line.
    since = f" since {train['stated'].replace('-', _UNBROKEN)}" if train["stated"] else ""
    by = f" ({train['document']})" if train["document"] != "nobody" else ", since nobody permits it"
    return f"{_STANCES[train['stance']]}{since}{by}"


def how(row: Mapping[str, Any]) -> str:
    """Say what was the same."""
    return SORTS[row["by"]].sentence


def token_in_page(page: bytes) -> str | None:
    """Find the signed statement in a page; None where there is none."""
    found = _TOKEN.search(page)
    return found.group(1).decode() if found else None


@cache
def _environment() -> Environment:
    return setting.environment({"terms_of": terms_of, "how": how})
