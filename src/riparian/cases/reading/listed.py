"""What does a list say in the form in which search engines take many addresses at once?

Lines that begin with ``#`` say what the work is, the lines after them where it is infringed; empty lines end nothing.

Source
------
Google, Trusted Copyright Removal Program, bulk submission in TXT (a slide deck of 2014 and support.google.com; the
form was not tried against the service).
"""

from typing import Final

from riparian.cases.facts import Location, Work
from riparian.cases.notice import Element, Kind, Notice
from riparian.cases.reading.elements import ASKED
from riparian.cases.reading.places import PLACES_MAX, addresses, cleaned
from riparian.cases.reading.plain import quoted
from riparian.cases.reading.seen import Form, Read, Seen, Standing

_OTHERS: Final = "such a list has no place for it; it is stated once, elsewhere"


def is_listed(text: str) -> bool:
    r"""Say whether a text is such a list: lines of ``#`` and addresses, both, and no other.

    Examples
    --------
    >>> is_listed("# A song\nhttps://a.example/1\n"), is_listed("# A page\n\nHello.\n")
    (True, False)
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    comments = sum(line.startswith("#") for line in lines)
    return 0 < comments < len(lines) and all(line.startswith("#") or _is_address(line) for line in lines)


def read_listed(text: str) -> Read:
    """Read such a list.

    Returns
    -------
    Read
        Its works are named ``W1`` and so on; each place belongs to the work above it, one above any work to none.
    """
    works: list[Work] = []
    locations: list[Location] = []
    pairs: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    before_addresses = False
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if said.startswith("#"):
            _name(works, said.lstrip("# \t"), goes_on=before_addresses)
            before_addresses = True
        elif said and len(locations) == PLACES_MAX:
            remarks.append(f"the list has more than {PLACES_MAX} addresses; from line {number} on it was not read")
            break
        elif said and _is_address(said):
            locations.append(Location(f"L{len(locations) + 1}", cleaned(said)))
            pairs[locations[-1].key] = (works[-1].recording,) if works else ()
            before_addresses = False
        elif said:
            remarks.append(f"line {number} is no address")
    elements = tuple(_seen(element, works, locations) for element in ASKED["dmca", Kind.TAKEDOWN])
    notice = Notice(
        Kind.TAKEDOWN, form="google_txt", works=tuple(works), locations=tuple(locations), pairs=pairs, statements=()
    )
    return Read(notice, Form.GOOGLE, elements, text, remarks=tuple(remarks))


def _name(works: list[Work], said: str, *, goes_on: bool) -> None:
    if goes_on and works:
        works[-1] = Work(works[-1].recording, title=f"{works[-1].title} {said}".strip())
    else:
        works.append(Work(f"W{len(works) + 1}", title=said))


def _seen(element: Element, works: list[Work], locations: list[Location]) -> Seen:
    said = {
        Element.WORKS: "; ".join(one.title for one in works),
        Element.LOCATIONS: " ".join(one.url for one in locations),
    }.get(element)
    if said is None:
        return Seen(element, Standing.UNKNOWN, note=_OTHERS)
    if not said:
        return Seen(element, Standing.MISSING, note="the list names none")
    return Seen(element, Standing.PRESENT, quote=quoted(said, (0, len(said))))


def _is_address(line: str) -> bool:
    return len(found := addresses(line)) == 1 and cleaned(line) == found[0]
