"""How is a notice written as a list of addresses under their works, for search engines that take many at once?"""

from typing import Final

from riparian.cases.facts import Layer
from riparian.cases.forms import words
from riparian.cases.forms.form import Form
from riparian.cases.notice import Element, Kind, Notice

OCTETS_MAX: Final = 1_000_000


def _listed(notice: Notice) -> bytes:
    lines = []
    for work in notice.works:
        urls = [words.address(one.url) for one in notice.locations if work in words.works_at(notice, one)]
        if urls:
            original = [f"# {words.address(work.original)}"] if work.original else []
            lines += [f"# {words.named(work)}", *original, *urls, ""]
    return "\n".join(lines).encode()


def _unfit(notice: Notice) -> str:
    if notice.addressee is not None and notice.addressee.layer is not Layer.SEARCH:
        return "it is a list for search engines, which hold each other statement once for all lists"
    if other := [one.key for one in notice.locations if not one.url.strip().lower().startswith(("http:", "https:"))]:
        return f"a search engine lists web pages, and {', '.join(other)} is none"
    if len(_listed(notice)) > OCTETS_MAX:
        return f"a list has at most {OCTETS_MAX:,} octets, and this one has more"
    return ""


LISTED: Final = Form(
    "google_txt",
    "A list of addresses for a search engine",
    (Kind.TAKEDOWN,),
    (
        *(Element.WORKS, Element.LOCATIONS, Element.GOOD_FAITH),
        *(Element.ACCURACY, Element.AUTHORITY, Element.SIGNATURE),
    ),
    _listed,
    regime="dmca",
    unfit=_unfit,
    instead="web_google_search",
    source="Google's talk on its notice and takedown tools (U.S. Patent and Trademark Office, May 2014): lines of `#`"
    " for the work, then addresses; 1 MB; statements made once. Not tried against the service.",
)
