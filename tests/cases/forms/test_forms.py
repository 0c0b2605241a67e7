"""Every form says the notice that it is given, refuses what it cannot say, and lets nobody write into it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from riparian.cases.facts import Facts, Layer, Location, Party
from riparian.cases.forms import FORMS, asked_by, fits, forms_for, render
from riparian.cases.forms.form import Form
from riparian.cases.notice import Element, Kind, Notice
from riparian.cases.reading.sniff import read
from riparian.cases.statements import drafted
from riparian.errors import InputError
from tests.cases.told import AGENT, FACTS, HOST, OWNER, clear, in_form, wanted

URLS = {one.url for one in FACTS.locations}

READ_BACK = {
    "dmca_text": Kind.TAKEDOWN,
    "dsa16_text": Kind.TAKEDOWN,
    "dsa16": Kind.TAKEDOWN,
    "github": Kind.TAKEDOWN,
    "lumen_json": Kind.TAKEDOWN,
    "google_txt": Kind.TAKEDOWN,
    "acns": Kind.TAKEDOWN,
    "web_generic": Kind.TAKEDOWN,
    "dsa_reasons": Kind.REASONS,
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_the_notice_and_always_the_same(name: str) -> None:
    found = in_form(name)
    assert found.blocks == ()

    written = render(found.notice)

    assert written == render(found.notice, name)
    assert written.name == f"C1-N1.{name}.{FORMS[name].suffix}"
    text = written.content.decode()
    if name != "dsa_reasons":
        assert "Low Tide" in text or name == "dsa_reasons_text"
    if name not in {"inquiry", "dsa_reasons"}:
        assert all(one.url in text for one in found.notice.locations)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_where_its_shape_is_from_and_names_another_that_exists(name: str) -> None:
    form = FORMS[name]

    assert form.source.endswith(".")
    assert form.instead in FORMS
    assert form.instead != name


@pytest.mark.parametrize("name", READ_BACK)
def test_what_is_written_reads_back_with_nothing_missing(name: str) -> None:
    kind = READ_BACK[name]

    notice = in_form(name).notice
    back = read(render(notice).content)

    assert back.kind is kind
    assert back.missing == ()
    if kind is Kind.TAKEDOWN:
        assert {one.url for one in back.notice.locations} == {one.url for one in notice.locations}


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        pytest.param(("github.com/a", "gist.github.com/b"), "GitHub", id="GitHub alone"),
        pytest.param(("www.npmjs.com/package/a", "registry.npmjs.org/b"), "npm.js", id="npm alone"),
        pytest.param(("npmjs.com/package/a", "raw.githubusercontent.com/b"), "GitHub and npm.js", id="both"),
    ],
)
def test_the_form_of_github_says_which_of_its_services_it_is_about(hosts: tuple[str, ...], said: str) -> None:
    notice = in_form("github").notice
    places = tuple(replace(one, url=f"https://{host}") for one, host in zip(notice.locations, hosts, strict=True))

    text = render(replace(notice, locations=places)).content.decode()

    assert f"npm.js?**\n\n{said}\n\n**" in text


def test_the_form_of_github_is_for_github_alone() -> None:
    notice = in_form("github").notice
    elsewhere = tuple(replace(one, url=f"https://hostly.example/{one.key}") for one in notice.locations)

    assert "L1, L2 is elsewhere" in fits(replace(notice, locations=elsewhere), FORMS["github"])


def lacking(notice: Notice, element: Element) -> Notice:
    return replace(notice, statements=tuple(one for one in notice.statements if one.element is not element))


@pytest.mark.parametrize(
    ("name", "element"), [(form.name, element) for form in FORMS.values() for element in form.asks]
)
def test_a_form_refuses_a_notice_that_lacks_what_it_asks_for(name: str, element: Element) -> None:
    notice = lacking(in_form(name).notice, element)

    assert fits(notice, FORMS[name]) == f"it lacks {element.value}"
    with pytest.raises(InputError, match=f"it lacks {element.value}"):
        render(notice)


def without(facts: Facts, **changed: Any) -> Facts:
    return replace(facts, complainant=replace(AGENT, **changed))


def told(name: str, facts: Facts = FACTS, **changed: Any) -> Notice:
    given = {"addressee": asked_by(FORMS[name], HOST), **changed}
    return drafted(facts, wanted(**given)).notice


UNFIT: dict[str, tuple[Notice, str, str]] = {
    "a letter of another kind": (told("dsa16", kind=Kind.RETRACTION, about=clear()), "dsa16", "has no place in it"),
    "videos elsewhere": (told("web_youtube"), "web_youtube", "and L1, L2 is elsewhere"),
    "a host whose name only ends like it": (
        told(
            "web_youtube",
            replace(FACTS, locations=(replace(FACTS.locations[0], url="https://notyoutube.com/watch?v=1"),)),
            locations=("L1",),
        ),
        "web_youtube",
        "and L1 is elsewhere",
    ),
    "a form that needs a telephone number": (
        told("web_cloudflare", without(FACTS, phone="")),
        "web_cloudflare",
        "`Telephone number` is needed, and what goes there is not known",
    ),
    "a list to a host": (told("google_txt"), "google_txt", "a list for search engines"),
    "a torrent in a list of pages": (
        told(
            "google_txt",
            replace(FACTS, locations=(replace(FACTS.locations[0], url="urn:btih:" + "0" * 40),)),
            locations=("L1",),
            addressee=asked_by(FORMS["google_txt"], replace(HOST, layer=Layer.SEARCH)),
        ),
        "google_txt",
        "and L1 is none",
    ),
    "a delivery to somebody who is none of our services": (
        told("ddex_request"),
        "ddex_request",
        "the addressee is none",
    ),
    "a question to a host": (told("inquiry", kind=Kind.INQUIRY), "inquiry", "it lacks explanation"),
    "an archive for everybody, and only persons": (
        told("lumen_json", replace(without(FACTS, organisation=""), owner=Party("Jo Reed"), works=())),
        "lumen_json",
        "the archive is public, and only a person would be named",
    ),
    "reasons that say nothing of redress": (
        replace(in_form("dsa_reasons_text").notice, decision=None),
        "dsa_reasons_text",
        "nothing was decided",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_a_form_cannot_say_is_refused_with_the_reason(name: str) -> None:
    notice, form, why = UNFIT[name]

    assert why in fits(notice, FORMS[form])
    with pytest.raises(InputError) as refused:
        render(notice, form)
    assert "Take `" in refused.value.hint


def test_a_list_for_a_search_engine_has_an_end() -> None:
    places = tuple(
        Location(f"L{n}", f"https://hostly.example/{'a' * 200}/{n}", seen=FACTS.locations[0].seen, live=True)
        for n in range(5000)
    )
    notice = told("google_txt", addressee=asked_by(FORMS["google_txt"], replace(HOST, layer=Layer.SEARCH)))
    found = replace(notice, locations=places, pairs={one.key: ("r1",) for one in places})

    assert "1,000,000 octets" in fits(found, FORMS["google_txt"])


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="`fax` is no form, wanted one of dmca_text,"):
        render(clear(), "fax")


def test_it_is_said_of_every_form_why_it_cannot_say_a_notice() -> None:
    why = forms_for(clear())

    assert set(why) == set(FORMS)
    assert {name for name, reason in why.items() if not reason} == {
        *("dmca_text", "lumen_json", "web_cloudflare", "web_generic", "web_google_search"),
    }


HOSTILE = "Low Tide\n\nI consent to nothing.\u202e\r\nSignature: /s/ Mallory\x00"


@pytest.mark.parametrize("name", [form.name for form in FORMS.values() if form.suffix == "txt"])
def test_nobody_writes_a_line_into_a_letter_by_naming_a_thing(name: str) -> None:
    facts = replace(
        FACTS,
        works=tuple(replace(one, title=HOSTILE, artist=HOSTILE) for one in FACTS.works),
        locations=tuple(
            replace(one, title=HOSTILE, url=f"{one.url}\nhttps://others.example/") for one in FACTS.locations
        ),
        complainant=replace(AGENT, address=HOSTILE, organisation=HOSTILE),
        owner=OWNER,
    )
    known = set(render(in_form(name).notice).content.decode().splitlines())

    text = render(in_form(name, facts).notice).content.decode()

    assert "\u202e" not in text
    assert "\x00" not in text
    starts = [line.strip() for line in text.splitlines() if line not in known]
    assert not [line for line in starts if line.startswith(("I consent", "Signature: /s/ Mallory", "https://others"))]


def test_the_archive_is_given_no_address_of_anybody() -> None:
    text = render(in_form("lumen_json").notice).content.decode()

    for private in (AGENT.name, AGENT.email, AGENT.phone, AGENT.address, OWNER.email, HOST.email, HOST.address):
        assert private not in text
    assert "entity_notice_roles_attributes" in json.loads(text)["notice"]


def test_a_question_to_a_recipient_names_no_place_and_accuses_nobody() -> None:
    text = render(in_form("inquiry").notice).content.decode()

    assert not [one for one in FACTS.locations if one.url in text]
    assert "nothing follows from this letter" in text


def test_a_request_to_a_service_says_that_it_is_no_message_of_ddex() -> None:
    assert "This is a letter and no DDEX message" in render(in_form("ddex_request").notice).content.decode()


def test_a_form_is_a_value_and_asks_under_its_regime() -> None:
    assert isinstance(FORMS["dmca_text"], Form)
    assert {form.regime for form in FORMS.values()} <= {"", "dmca", "dsa"}
