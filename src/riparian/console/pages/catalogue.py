"""What do we hold, what may be done with it, and what of it did restrained accounts take?"""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any, Final

from riparian import assembly
from riparian.assembly import Given, WallClock
from riparian.catalogue.consent import Asked, Ledger
from riparian.catalogue.terms import Says, Use
from riparian.console.declared import AFTER, OneOf, tells
from riparian.console.page import Question as Looked
from riparian.console.remembered import Lately, Remembered
from riparian.errors import InputError
from riparian.flows.cataloguing import day_of, plain_row
from riparian.flows.exposed import Taken, by_plays, taken_of_each
from riparian.flows.findings import left
from riparian.flows.reserving import Office
from riparian.ports.catalogue import Holdings, Question, Sort

ROWS: Final = 50
USES: Final = (Use.STREAM, Use.DOWNLOAD, Use.TRAIN, Use.MINE)
FIELDS: Final = ("artist", "owner", "isrc", "released_from", "released_to", "territory", "term")
MINUTE_US: Final = 60_000_000
_AMISS_MAX: Final = 1_000
_THROUGH: Final = {"held": "accounts on hold", "restrained": "all restrained accounts", "everybody": "everybody"}
Exposed = tuple[Taken, dict[str, Any]]
_REMEMBERED: Final[Remembered[Exposed]] = Remembered()
Searched = tuple[Mapping[str, int], int, list[dict[str, Any]], list[dict[str, str]], int]
_LATELY: Final[Lately[Searched]] = Lately(100)


@tells(
    "catalogue",
    text="Words, or an identifier.",
    artist="An artist.",
    owner="Who delivers it.",
    isrc="An ISRC, or how it begins.",
    released_from="The first day of release, as in 2026-01-31.",
    released_to="The last day of release, as in 2026-01-31.",
    territory="A country of two letters, as in DE.",
    term="What a term says.",
    sort=OneOf("In which order.", tuple(one.value for one in Sort)),
    reverse="Anything, for the order turned around.",
    after=AFTER,
)
def facts(given: Given, question: Looked) -> dict[str, Any]:
    """Tell what is held, as it is searched for, by a page; kind ``catalogue``.

    Raises
    ------
    InputError
        When a filter is none, or the page begins nowhere.
    """
    asked, after = _asked(question), question.of("after")
    # What may be done is decided as of now: of this minute.
    key = given.workspace, assembly.catalogue_stamp(given), WallClock().now_us() // MINUTE_US, asked, after
    totals, found, rows, holds, amiss = _LATELY.of(key, lambda: _searched(given, asked, after))
    shown = rows[:ROWS]
    exposed, is_current = exposed_of(given) if totals["recordings"] else (None, True)
    taken = exposed[0].of([row["recording"] for row in shown]) if exposed is not None else []
    return {
        "kind": "catalogue",
        "totals": totals,
        "amiss": amiss,
        "asked": {"text": asked.text, **{name: question.of(name).strip() for name in FIELDS}},
        "sort": asked.sort.value,
        "reverse": asked.reverse,
        "is_whole": not asked.text and not any(question.of(name).strip() for name in FIELDS),
        "found": found,
        "recordings": [
            {
                **row,
                "terms": holds[place] if totals["terms"] else None,
                "taken": taken[place] if taken else None,
            }
            for place, row in enumerate(shown)
        ],
        "exposed": None if exposed is None else exposed[1],
        "exposed_is_current": is_current,
        "after": shown[-1]["recording"] if len(rows) > ROWS else "",
        "is_first": not question.of("after"),
        "uses": [use.value for use in Use],
        "says": [one.value for one in Says],
        "sorts": [one.value for one in Sort],
        "recompute": shlex.join(_command(asked, given)),
    }


def _searched(given: Given, asked: Question, after: str) -> Searched:
    found, rows, holds, amiss = 0, list[dict[str, Any]](), list[dict[str, str]](), 0
    with assembly.terms_office(given) as office, opened_once(given, office):
        holdings = office.holdings
        totals = holdings.totals()
        if totals["recordings"]:
            page = holdings.search(asked, rows=ROWS + 1, after=after)
            found, rows = page.total, [plain_row(row) for row in page.recordings.to_pylist()]
            holds = _stances(office, rows[:ROWS], asked.territory) if totals["terms"] else []
            amiss = _amiss(holdings) if totals["files"] else 0
    return totals, found, rows, holds, amiss


def opened_once(given: Given, office: Office) -> AbstractContextManager[None]:
    """Open the catalogue for all that a page asks of it; opening it is what takes the time."""
    return office.holdings.open() if any(assembly.catalogue_stamp(given)) else nullcontext()


def exposed_of(given: Given) -> tuple[Exposed | None, bool]:
    """Tell what restrained accounts took, of each recording and by plays; None where nothing was scanned."""
    with assembly.opened(given) as world:
        if not world.scans.summaries():
            return None, True
        version = world.decisions.version()

    def looked() -> Exposed:
        with assembly.kept_house(given) as house:
            taken = taken_of_each(house.world)
            reached = left(house.world, house.terms)
            bands = by_plays(taken, house.terms.popularity)
        through = [{"through": said, **reached[name]} for name, said in _THROUGH.items()]
        return taken, {"accounts": taken.accounts, "left": through, "by_plays": bands}

    return _REMEMBERED.of(given.workspace, (assembly.catalogue_stamp(given), *version), looked)


def _asked(question: Looked) -> Question:
    said = {name: question.of(name).strip() for name in FIELDS}
    sort = question.of("sort") or Sort.RELEVANCE.value
    if sort not in {one.value for one in Sort}:
        raise InputError(f"`{sort[:40]}` is no order, wanted one of {', '.join(one.value for one in Sort)}")
    return Question(
        question.of("text").strip(),
        said["artist"],
        said["owner"],
        said["isrc"],
        day_of(said["released_from"]),
        day_of(said["released_to"]),
        said["territory"],
        said["term"],
        Sort(sort),
        bool(question.of("reverse")),
    )


def _stances(office: Office, rows: Sequence[Mapping[str, Any]], territory: str) -> list[dict[str, str]]:
    names = [row["recording"] for row in rows]
    ledger, now_us = office.ledger(names), WallClock().now_us()
    decided = {use: _decided(ledger, Asked(use, now_us, territory=territory.upper()), rows) for use in USES}
    return [{use.value: decided[use][place] for use in USES} for place in range(len(names))]


def _decided(ledger: Ledger, asked: Asked, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    labels = [row.get("label") or row.get("owner") or "" for row in rows]
    found = ledger.decide_all(asked, [row["recording"] for row in rows], labels)
    return [str(one.stance) if one.by is not None else "nothing said" for one in found]


def _amiss(holdings: Holdings) -> int:
    return sum(1 for _ in islice(holdings.amiss(), _AMISS_MAX))


def _command(asked: Question, given: Given) -> list[str]:
    said = {
        "--artist": asked.artist,
        "--owner": asked.owner,
        "--isrc": asked.isrc,
        "--released-from": asked.released_from.isoformat() if asked.released_from else "",
        "--released-to": asked.released_to.isoformat() if asked.released_to else "",
        "--territory": asked.territory,
        "--term": asked.term,
        "--sort": asked.sort.value if asked.sort is not Sort.RELEVANCE else "",
    }
    options = [word for name, value in said.items() if value for word in (f"{name}={value}",)]
    options += ["--reverse"] if asked.reverse else []
    text = ["--", asked.text] if asked.text else []
    return ["riparian", "catalogue", "search", "--workspace", str(given.workspace), *options, *text]
