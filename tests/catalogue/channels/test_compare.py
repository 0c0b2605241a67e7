"""Every planted contradiction is found, and none is invented: a table of sites."""

from dataclasses import replace

import pytest

from riparian.catalogue.channels.cawg import Told, Trust
from riparian.catalogue.channels.compare import PROBES_MAX, Site, check
from riparian.catalogue.channels.emit import Layout, LedgerSays
from riparian.catalogue.consent import Ledger
from riparian.catalogue.terms import Says, Scope, Term, Use

USAGE, SIGNAL, RSL, TDM, AITXT = "robots.txt Content-Usage", "robots.txt Content-Signal", "RSL", "tdmrep.json", "ai.txt"
HEADER_USAGE, HEADER_TDM, NOAI = "header Content-Usage", "header tdm-reservation", "header X-Robots-Tag"
META_TDM, CAWG = "HTML head tdm-reservation", "cawg.training-mining"
DOCUMENT = "https://music.example/license.xml"


def _robots(*lines: str) -> bytes:
    return "\n".join(["User-agent: *", *lines]).encode()


def _rsl(*licenses: str, url: str = "/") -> dict[str, bytes]:
    inside = "".join(f"<license>{one}</license>" for one in licenses)
    text = f'<rsl xmlns="https://rslstandard.org/rsl"><content url="{url}">{inside}</content></rsl>'
    return {DOCUMENT: text.encode()}


def _cawg(**entries: str) -> Told:
    return Told(Trust.TRUSTED, {"entries": {f"cawg.{name}": {"use": use} for name, use in entries.items()}})


def _tdm(value: int, location: str = "/", policy: str = "") -> bytes:
    more = f', "tdm-policy": "{policy}"' if policy else ""
    return f'[{{"location": "{location}", "tdm-reservation": {value}{more}}}]'.encode()


NAMED = f"License: {DOCUMENT}"
NO, YES = "Content-Usage: train-ai=n", "Content-Usage: train-ai=y"
PROHIBITS, PERMITS = '<prohibits type="usage">ai-train</prohibits>', '<permits type="usage">ai-train</permits>'

PLANTED = {
    "robots.txt permits training, TDMRep reserves it": (
        Site(robots=_robots(YES), tdmrep=_tdm(1)),
        {(USAGE, TDM)},
    ),
    "robots.txt reserves training, TDMRep reserves nothing": (
        Site(robots=_robots(NO), tdmrep=_tdm(0)),
        {(TDM, USAGE)},
    ),
    "a policy does not make it free": (
        Site(robots=_robots(YES), tdmrep=_tdm(1, policy="https://music.example/p")),
        {(USAGE, TDM)},
    ),
    "a header says otherwise than robots.txt": (
        Site(robots=_robots(NO), headers=[("/tracks/*$", [("Content-Usage", "train-ai=y, search=y")])]),
        {(HEADER_USAGE, USAGE)},
    ),
    "a header says otherwise than the file of TDMRep": (
        Site(tdmrep=_tdm(1), headers=[("/a$", [("tdm-reservation", "0")])]),
        {(HEADER_TDM, TDM)},
    ),
    "a page says otherwise than the file of TDMRep": (
        Site(tdmrep=_tdm(0), pages={"/p.html": b'<meta name="tdm-reservation" content="1">'}),
        {(TDM, META_TDM)},
    ),
    "a licence of RSL that forgot its price": (
        Site(robots=_robots(NO, NAMED), documents=_rsl(PERMITS)),
        {(RSL, USAGE)},
    ),
    "a licence of RSL prohibits what robots.txt permits": (
        Site(robots=_robots(YES, NAMED), documents=_rsl(PROHIBITS)),
        {(USAGE, RSL)},
    ),
    "a licence of RSL that names only search leaves nothing else": (
        Site(robots=_robots(YES, NAMED), documents=_rsl('<permits type="usage">search</permits>')),
        {(USAGE, RSL)},
    ),
    "two licences of RSL as narrow": (
        Site(robots=_robots(NAMED), documents=_rsl(PROHIBITS, PERMITS)),
        {(RSL, RSL)},
    ),
    "a licence that a header names": (
        Site(
            tdmrep=_tdm(1),
            headers=[("/*$", [("Link", f'<{DOCUMENT}>; rel="license"; type="application/rsl+xml"')])],
            documents=_rsl(PERMITS),
        ),
        {(RSL, TDM)},
    ),
    "a licence within a page": (
        Site(
            tdmrep=_tdm(1),
            pages={
                "/p.html": b'<script type="application/rsl+xml"><rsl xmlns="https://rslstandard.org/rsl">'
                b'<content url=""><license><permits type="usage">all</permits></license></content></rsl></script>'
            },
        ),
        {(RSL, TDM)},
    ),
    "ai.txt keeps sound out that robots.txt lets in": (
        Site(robots=_robots(YES), aitxt=b"User-Agent: *\nDisallow: *.mp3\nAllow: *.txt\n"),
        {(USAGE, AITXT)},
    ),
    "ai.txt lets in what TDMRep reserves, in one folder": (
        Site(tdmrep=_tdm(1, "/tracks/"), aitxt=b"User-Agent: *\nAllow: *.flac\n"),
        {(AITXT, TDM)},
    ),
    "the sound says otherwise than robots.txt": (
        Site(robots=_robots(YES), sealed={"/a.mp3": _cawg(ai_generative_training="notAllowed")}),
        {(USAGE, CAWG)},
    ),
    "the sound permits mining that TDMRep reserves": (
        Site(tdmrep=_tdm(1), sealed={"/a.mp3": _cawg(data_mining="allowed", ai_training="notAllowed")}),
        {(CAWG, TDM)},
    ),
    "Content-Signal says otherwise than Content-Usage": (
        Site(robots=_robots("Content-Signal: ai-train=yes, search=yes", "Content-Usage: train-ai=n, search=y")),
        {(SIGNAL, USAGE)},
    ),
    "search is kept from search engines in one place only": (
        Site(robots=_robots("Content-Signal: search=yes", "Content-Usage: search=n")),
        {(SIGNAL, USAGE)},
    ),
    "noai in a header": (
        Site(robots=_robots(YES), headers=[("/a$", [("X-Robots-Tag", "noai, noimageai")])]),
        {(USAGE, NOAI)},
    ),
    "two rules for one path": (
        Site(robots=_robots("Content-Usage: /a train-ai=n", "Content-Usage: /a train-ai=y")),
        {(USAGE, USAGE)},
    ),
    "two rules of TDMRep for one path": (
        Site(tdmrep=b'[{"location":"/a","tdm-reservation":1},{"location":"/a","tdm-reservation":0}]'),
        {(TDM, TDM)},
    ),
    "a path below a path": (
        Site(robots=_robots(NO, "Content-Usage: /free/ train-ai=y"), tdmrep=_tdm(1)),
        {(USAGE, TDM)},
    ),
    "only where an ending and a folder meet": (
        Site(
            headers=[("/tracks/*$", [("tdm-reservation", "0")])],
            tdmrep=_tdm(1, "/*.wav$"),
        ),
        {(HEADER_TDM, TDM)},
    ),
    "two forms contradict a third": (
        Site(robots=_robots(YES), tdmrep=_tdm(1), aitxt=b"User-Agent: *\nDisallow: /\n"),
        {(USAGE, TDM), (USAGE, AITXT)},
    ),
    "within the group of one agent": (
        Site(robots=b"User-agent: GPTBot\nContent-Signal: ai-train=yes\nContent-Usage: train-ai=n\n"),
        {(SIGNAL, USAGE)},
    ),
}

AGREEING = {
    "nothing there": Site(),
    "everything reserves": Site(
        robots=_robots("Content-Usage: train-ai=n, ai-use=n, search=n", NAMED),
        tdmrep=_tdm(1),
        documents=_rsl('<prohibits type="usage">all</prohibits>'),
        aitxt=b"User-Agent: *\nDisallow: /\nDisallow: *\n",
        sealed={"/a.mp3": _cawg(ai_generative_training="notAllowed", data_mining="constrained")},
        headers=[("/*$", [("Content-Usage", "train-ai=n"), ("tdm-reservation", "1")])],
        pages={"/p": b'<meta name="tdm-reservation" content="1"><meta name="robots" content="noai">'},
    ),
    "everything permits": Site(
        robots=_robots(YES, NAMED),
        tdmrep=_tdm(0),
        documents=_rsl('<permits type="usage">all</permits>'),
        aitxt=b"User-Agent: *\nAllow: /\n",
    ),
    "reserved, and to be had for a price": Site(
        robots=_robots(NO, NAMED),
        tdmrep=_tdm(1, policy="https://music.example/p"),
        documents=_rsl(PERMITS + '<payment type="training"><amount currency="EUR">9</amount></payment>'),
    ),
    "generative training is reserved, other training is not": Site(
        robots=_robots(NO), sealed={"/a.mp3": _cawg(ai_training="allowed", ai_generative_training="notAllowed")}
    ),
    "search permitted, training reserved": Site(
        robots=_robots("Content-Usage: train-ai=n, search=y"),
        tdmrep=_tdm(1),
        aitxt=b"User-Agent: *\nDisallow: /\n",
    ),
    "an exception for a named agent": Site(
        robots=b"User-agent: *\nContent-Usage: train-ai=n\nUser-agent: ExampleBot\nContent-Usage: train-ai=y\n",
        tdmrep=_tdm(1),
    ),
    "what may not be fetched has no preference": Site(
        robots=_robots("Disallow: /never/", "Content-Usage: /never/ train-ai=y", NO), tdmrep=_tdm(1)
    ),
    "a longer path of the same form": Site(robots=_robots(NO, "Content-Usage: /free/ train-ai=y")),
    "an earlier rule of the same form": Site(
        tdmrep=b'[{"location":"/free/","tdm-reservation":0},{"location":"/","tdm-reservation":1}]'
    ),
    "each form of a folder of its own": Site(robots=_robots("Content-Usage: /a/ train-ai=y"), tdmrep=_tdm(1, "/b/")),
    "ai.txt is of other files": Site(
        robots=_robots(NO, "Content-Usage: /texts/*.txt$ train-ai=y"), aitxt=b"User-Agent: *\nDisallow: *.mp3\n"
    ),
    "the head of a page is not for its sound": Site(
        pages={"/p.html": b'<meta name="tdm-reservation" content="0">'},
        sealed={"/p.mp3": _cawg(data_mining="notAllowed")},
    ),
    "one of two licences is enough": Site(
        robots=_robots(YES, NAMED),
        documents=_rsl('<permits type="usage">search</permits>', PERMITS),
    ),
    "a licence for named users alone": Site(
        robots=_robots(YES, NAMED), documents=_rsl('<permits type="user">education</permits>' + PROHIBITS)
    ),
    "a manifest that is invalid says nothing": Site(
        robots=_robots(YES),
        sealed={"/a.mp3": replace(_cawg(ai_generative_training="notAllowed"), trust=Trust.INVALID)},
    ),
    "a value that is no preference": Site(robots=_robots("Content-Usage: train-ai=maybe"), tdmrep=_tdm(1)),
    "a broken file": Site(robots=_robots(YES), tdmrep=b'{"location": "/", "tdm-reservation": 1}'),
    "a document that nobody names": Site(robots=_robots(YES), documents=_rsl(PROHIBITS)),
}


@pytest.mark.parametrize("situation", PLANTED)
def test_every_planted_contradiction_is_found_and_no_other(situation: str) -> None:
    site, planted = PLANTED[situation]
    found = check(site).contradictions
    assert {(one.permits.channel, one.reserves.channel) for one in found} == planted
    assert len(found) == len(planted)


@pytest.mark.parametrize("situation", AGREEING)
def test_none_is_invented(situation: str) -> None:
    assert check(AGREEING[situation]).contradictions == ()


def test_what_several_paths_share_is_told_once() -> None:
    one, *more = check(Site(robots=_robots(YES), tdmrep=_tdm(1), other=[f"/{i}.mp3" for i in range(50)])).contradictions
    assert not more
    assert one.paths > 50


def test_the_ledger_is_one_more_voice() -> None:
    layout = Layout("https://music.example", "/tracks/{recording}")
    ledger = Ledger([Term(Scope.RECORDING, "r-1", Use.TRAIN, Says.RESERVED, "letter.eml")])
    found = check(Site(robots=_robots(YES)), [LedgerSays(ledger, layout, 0, {})]).contradictions
    assert [(one.path, one.reserves.where) for one in found] == [("/tracks/r-1", "letter.eml")]


FAULTY = {
    "JSON that is none": (Site(tdmrep=b"[{'location': '/'}]"), "is no JSON"),
    "an object for an array": (Site(tdmrep=b'{"location": "/", "tdm-reservation": 1}'), "wanted an array"),
    "true for 1": (Site(tdmrep=b'[{"location": "/", "tdm-reservation": true}]'), "has `tdm-reservation` true"),
    "a text for 1": (Site(tdmrep=b'[{"location": "/", "tdm-reservation": "1"}]'), "wanted 1 or 0"),
    "no location": (Site(tdmrep=b'[{"tdm-reservation": 1}]'), "has no `location`"),
    "JSON a thousand deep": (Site(tdmrep=b"[" * 200_000), "is no JSON"),
    "a preference that does not parse": (Site(robots=_robots("Content-Usage: Train-AI=n")), "is no statement"),
    "words of an earlier draft": (Site(robots=_robots("Content-Usage: bots=n")), "says nothing of"),
    "a rule for nobody": (Site(robots=b"Content-Usage: train-ai=n\n"), "stands before any `User-agent`"),
    "a robots.txt that is too long": (Site(robots=_robots(NO, *["#" * 99] * 6000)), "of which readers read"),
    "a document that is not there": (Site(robots=_robots(NAMED)), "was not found"),
    "a document that nobody names": (Site(documents=_rsl(PROHIBITS)), "nothing on the site names it"),
    "an XML bomb": (
        Site(
            robots=_robots(NAMED),
            documents={DOCUMENT: b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rsl>&b;</rsl>'},
        ),
        "declares a document type",
    ),
    "an entity from outside": (
        Site(
            robots=_robots(NAMED),
            documents={DOCUMENT: b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rsl/>'},
        ),
        "declares a document type",
    ),
    "elements a thousand deep": (
        Site(robots=_robots(NAMED), documents={DOCUMENT: b"<a>" * 1000 + b"</a>" * 1000}),
        "deeper ones, than any licence",
    ),
    "another namespace": (
        Site(robots=_robots(NAMED), documents={DOCUMENT: b"<rsl><content/></rsl>"}),
        "wanted `rsl` of https://rslstandard.org/rsl",
    ),
    "a misspelt element": (
        Site(robots=_robots(NAMED), documents=_rsl("<permit>all</permit>")),
        "is no element of RSL",
    ),
    "commas between words": (
        Site(robots=_robots(NAMED), documents=_rsl('<permits type="usage">search,ai-input</permits>')),
        "has commas",
    ),
    "the same list twice": (
        Site(robots=_robots(NAMED), documents=_rsl(PROHIBITS + PROHIBITS)),
        "has `prohibits` of type `usage` twice",
    ),
    "a signature that nobody vouches for": (
        Site(sealed={"/a.mp3": replace(_cawg(ai_training="allowed"), trust=Trust.UNTRUSTED, signer="x")}),
        "whom no list vouches for",
    ),
}


@pytest.mark.parametrize("situation", FAULTY)
def test_what_says_nothing_though_it_was_meant_to_is_told(situation: str) -> None:
    site, why = FAULTY[situation]
    assert any(why in fault.why for fault in check(site).faults)


@pytest.mark.parametrize("part", [b"<!--", b"<![ent[", b"<a b='", b"<meta name=x content=", b"<a><b>", b"&#", b"\0<"])
def test_a_hostile_page_is_read_as_far_as_it_can_be(part: bytes) -> None:
    page = b'<meta name="tdm-reservation" content="1">' + part * 20_000
    found = check(Site(robots=_robots(YES), pages={"/": page})).contradictions
    assert [one.reserves.channel for one in found] == [META_TDM]


def test_a_hostile_site_is_looked_at_in_part_and_the_rest_is_told() -> None:
    wild = _robots(*(f"Content-Usage: /{i}*a*b*c train-ai={'yn'[i % 2]}" for i in range(2_000)))
    found = check(Site(robots=wild, other=[f"/{i}" for i in range(50_000)]))
    assert found.paths <= PROBES_MAX
    assert found.passed_over > 0
