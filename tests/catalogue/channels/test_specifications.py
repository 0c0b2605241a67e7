"""The examples of each specification, read as it says that they are read.

Copied from: draft-ietf-aipref-attach-05 and -vocab-08 (IETF Trust, code components under the Revised BSD License);
TDM Reservation Protocol, W3C Community Group Final Report of 10 May 2024 (W3C Software and Document License); CAWG
Training and Data Mining Assertion 1.1 (Apache-2.0); RFC 9309 section 5.  Of RSL 1.0 and ai.txt, whose texts are under
no licence of that kind, the situations of the examples, written anew.
"""

import json

import pytest

from riparian.catalogue.channels import aipref, cawg, tdmrep
from riparian.catalogue.channels.aitxt import AiTxt
from riparian.catalogue.channels.pages import Headers, Pages
from riparian.catalogue.channels.robots import Robots
from riparian.catalogue.channels.rsl import Rsl
from riparian.catalogue.channels.says import Deed, matches
from riparian.catalogue.channels.structured import dictionary
from riparian.catalogue.consent import Stance

ATTACH_3_4 = b"""
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y

User-Agent: ExampleBot
Allow: /
Content-Usage: train-ai=y
"""


@pytest.mark.parametrize(
    ("path", "agent", "crawl", "usage"),
    [
        ("/test", "*", True, ["train-ai=n"]),
        ("/never/test", "*", False, []),
        ("/ai-ok/test", "*", True, ["train-ai=y"]),
        ("/test", "examplebot", True, ["train-ai=y"]),
        ("/never/test", "examplebot", True, ["train-ai=y"]),
    ],
)
def test_aipref_attach_figure_2_and_its_table(path: str, agent: str, *, crawl: bool, usage: list[str]) -> None:
    robots = Robots(ATTACH_3_4)
    assert robots.may_fetch(path, agent) == crawl
    assert [said.text for said in robots.at(path, agent)] == usage
    assert robots.faults == []


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("train-ai=y, search=n", {"train-ai": "permitted", "search": "reserved"}),
        ('train-ai=y, train-ai, search=n, search="n"', {}),
        ("train-ai;allow=n, train-ai=y", {"train-ai": "permitted"}),
        ('train-ai;has;parameters="?"', {}),
        ("train-ai=n", {"train-ai": "reserved"}),
        ("bots=n, search=y", {"search": "permitted"}),
        ("train-ai=maybe", {}),
        ("", {}),
    ],
)
def test_aipref_vocab_sections_6_and_7(text: str, means: dict[str, str]) -> None:
    assert {label: str(stance) for label, stance in aipref.preferences(text).items()} == means


@pytest.mark.parametrize("text", ["Train-AI=n", "train-ai=n,", "train-ai=n search=y", "=n", 'train-ai="n', "a=(1 2"])
def test_what_is_no_dictionary_says_nothing_of_anything(text: str) -> None:
    with pytest.raises(ValueError, match=r"character|comma"):
        aipref.preferences(text)


@pytest.mark.parametrize(
    "text",
    ['a=1, b=-1.5, c=?0, d=:YQ==:, e=@1659578233, f=%"%c3%bc", g=(a "b" 1;x);y, h', "a=1;q=*tok/en", "a=1 ,\tb=2"],
)
def test_every_kind_of_item_of_rfc_9651_is_read(text: str) -> None:
    assert "a" in dictionary(text)


TDM_ORIGIN = """[
  {"location": "/directory-a/", "tdm-reservation": 1},
  {"location": "/directory-b/html/", "tdm-reservation": 1,
   "tdm-policy": "https://provider.com/policies/policy.json"},
  {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0}
]"""


@pytest.mark.parametrize(
    ("path", "stance"),
    [
        ("/directory-a/paper.pdf", Stance.RESERVED),
        ("/directory-b/html/1.html", Stance.CONSTRAINED),
        ("/directory-b/images/a.jpg", Stance.PERMITTED),
        ("/directory-b/images/a.png", None),
        ("/Directory-A/paper.pdf", None),
    ],
)
def test_tdmrep_example_of_three_groups_of_files(path: str, stance: Stance | None) -> None:
    file = tdmrep.TdmFile(TDM_ORIGIN.encode())
    assert [said.stance for said in file.at(path)] == ([stance] if stance is not None else [])
    assert file.faults == []


def test_tdmrep_example_of_a_whole_server() -> None:
    file = tdmrep.TdmFile(b'[\n{\n"location": "/",\n"tdm-reservation": 1\n}\n]')
    assert [said.stance for said in file.at("/any/thing")] == [Stance.RESERVED]


@pytest.mark.parametrize(
    ("headers", "stance"),
    [
        ([("tdm-reservation", "1")], Stance.RESERVED),
        (
            [("tdm-reservation", "1"), ("tdm-policy", "https://provider.com/policies/policy.json")],
            Stance.CONSTRAINED,
        ),
        ([("TDM-Reservation", "0")], Stance.PERMITTED),
    ],
)
def test_tdmrep_examples_of_headers(headers: list[tuple[str, str]], stance: Stance) -> None:
    said = Headers([("/a$", [("Content-type", "image/jpg"), *headers])])
    assert [one.stance for one in said.at("/a")] == [stance]


def test_tdmrep_example_of_html() -> None:
    page = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="tdm-reservation" content="1">
<meta name="tdm-policy" content="https://provider.com/policies/policy.json">
<title>Document title</title>
</head>
<body>...</body></html>"""
    assert [one.stance for one in Pages({"/p": page}).at("/p")] == [Stance.CONSTRAINED]


TDM_POLICY = {
    "@context": ["http://www.w3.org/ns/odrl.jsonld", "http://www.w3.org/ns/tdmrep.jsonld"],
    "@type": "Offer",
    "profile": "http://www.w3.org/ns/tdmrep",
    "uid": "https://provider.com/policies/1",
    "assigner": {
        "uid": "https://provider.com",
        "vcard:fn": "Provider",
        "vcard:hasEmail": "mailto:contact@provider.com",
    },
    "permission": [{"action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}],
}


def test_tdmrep_full_example_of_a_policy_is_right_and_ours_is_of_its_form() -> None:
    assert tdmrep.policy_faults(TDM_POLICY, "policy") == []
    ours = tdmrep.policy_of("https://provider.com/policies/1", "Provider", "contact@provider.com")
    assert ours == TDM_POLICY


CAWG = """{"entries": {
    "cawg.ai_training": {"use": "allowed"},
    "cawg.ai_generative_training": {"use": "notAllowed"},
    "cawg.data_mining": {"use": "constrained",
                         "constraint_info": "may only be mined on days whose names end in 'y'"}}}"""
"""The example of the specification, with the braces around its entries that its CDDL has and its print lacks."""


def test_cawg_example() -> None:
    said, faults = cawg.statements(json.loads(CAWG), "a.wav")
    assert {next(iter(one.deeds)): one.stance for one in said} == {
        Deed.TRAINING: Stance.PERMITTED,
        Deed.GENERATIVE: Stance.RESERVED,
        Deed.MINING: Stance.CONSTRAINED,
    }
    assert faults == []


def _rsl(inside: str) -> Rsl:
    return Rsl(f'<rsl xmlns="https://rslstandard.org/rsl">{inside}</rsl>'.encode())


def _license(*inside: str, url: str = "/", more: str = "") -> str:
    return f'<content url="{url}" {more}><license>{"".join(inside)}</license></content>'


AI_ALL = {Deed.GENERATIVE, Deed.TRAINING, Deed.INFERENCE, Deed.INDEX}
RSL = {
    "search only, no use by AI (1.1)": (
        _license('<prohibits type="usage">ai-all</prohibits>'),
        "/",
        {Stance.RESERVED: AI_ALL},
    ),
    "AI under a licence of one's own (1.1)": (
        _license(
            '<permits type="usage">ai-all</permits>',
            "<payment><custom>https://example.com/ai-license-request</custom></payment>",
        ),
        "/",
        {Stance.CONSTRAINED: AI_ALL, Stance.RESERVED: {Deed.SEARCH}},
    ),
    "free, since nothing is written (3.7)": (
        _license('<permits type="usage">search ai-input</permits>', '<prohibits type="usage">ai-train</prohibits>'),
        "/",
        {
            Stance.PERMITTED: {Deed.SEARCH, Deed.INFERENCE},
            Stance.RESERVED: {Deed.GENERATIVE, Deed.TRAINING, Deed.INDEX},
        },
    ),
    "named as free": (
        _license('<permits type="usage">all</permits>', '<payment type="free"/>'),
        "/",
        {Stance.PERMITTED: set(Deed)},
    ),
    "for credit (3.7)": (
        _license('<permits type="usage">all</permits>', '<payment type="attribution"/>'),
        "/",
        {Stance.CONSTRAINED: set(Deed)},
    ),
    "for some users only (3.4.1.2)": (
        _license('<permits type="usage">search</permits>', '<permits type="user">education</permits>'),
        "/",
        {Stance.CONSTRAINED: {Deed.SEARCH}, Stance.RESERVED: set(Deed) - {Deed.SEARCH, Deed.MINING}},
    ),
    "with a token of a licence server (3.3)": (
        _license('<permits type="usage">search</permits>', more='server="https://licensing.example.com"'),
        "/",
        {Stance.CONSTRAINED: {Deed.SEARCH}, Stance.RESERVED: set(Deed) - {Deed.SEARCH, Deed.MINING}},
    ),
    "all of a site but not training on its articles, on an article (3.1.2)": (
        _license('<permits type="usage">all</permits>')
        + _license('<prohibits type="usage">ai-train</prohibits>', url="/articles/"),
        "/articles/1",
        {
            Stance.RESERVED: {Deed.GENERATIVE, Deed.TRAINING},
            Stance.PERMITTED: set(Deed) - {Deed.GENERATIVE, Deed.TRAINING},
        },
    ),
    "all of a site but not training on its articles, elsewhere (3.1.2)": (
        _license('<permits type="usage">all</permits>')
        + _license('<prohibits type="usage">ai-train</prohibits>', url="/articles/"),
        "/about",
        {Stance.PERMITTED: set(Deed)},
    ),
    "an address in full": (
        _license('<prohibits type="usage">all</prohibits>', url="https://example.com/media/*.mp3$"),
        "/media/a.mp3",
        {Stance.RESERVED: set(Deed)},
    ),
}


@pytest.mark.parametrize("situation", RSL)
def test_rsl(situation: str) -> None:
    inside, path, means = RSL[situation]
    document = _rsl(inside)
    found: dict[Stance, set[Deed]] = {}
    for said in document.at(path):
        found.setdefault(said.stance, set()).update(said.deeds)
    assert found == means
    assert document.faults == []


def test_rsl_in_robots_txt_is_for_all_but_those_whose_group_names_its_own() -> None:
    robots = Robots(
        b"License: https://e.com/all.xml\nUser-agent: A\nLicense: https://e.com/a.xml\nUser-agent: *\nAllow: /\n"
    )
    assert robots.licenses_for("a") == ["https://e.com/a.xml"]
    assert robots.licenses_for("b") == ["https://e.com/all.xml"]


def test_ai_txt_as_its_generator_writes_it() -> None:
    file = AiTxt(
        b"# Spawning AI\n# Prevent datasets from using the following file types\n\n"
        b"User-Agent: *\nDisallow: /\nDisallow: *\n"
    )
    assert {said.stance for said in file.at("/a/b.mp3")} == {Stance.RESERVED}
    assert file.faults == []


@pytest.mark.parametrize(
    ("pattern", "path", "does"),
    [
        ("/example/page/disallowed.gif", "/example/page/disallowed.gif", True),
        ("/*.gif$", "/images/a.gif", True),
        ("/*.gif$", "/images/a.gif?x", False),
        ("/this/*/then", "/this/or/that/then", True),
        ("/this/path/exactly$", "/this/path/exactly", True),
        ("/this/path/exactly$", "/this/path/exactly/not", False),
        ("*", "/", True),
        ("", "/", True),
        ("/$", "/", True),
        ("/a*a*a*a*a*a*a*a*a*a*a*b", "/" + "a" * 5000, False),
    ],
)
def test_paths_match_as_rfc_9309_has_it(pattern: str, path: str, *, does: bool) -> None:
    assert matches(pattern, path) == does
