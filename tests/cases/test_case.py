"""What contradicts what stands in a case is refused; what does not is in it."""

from datetime import datetime, timedelta

import pytest

from riparian.cases.case import applied, folded
from riparian.cases.events import Proposed
from riparian.cases.facts import How, Layer
from riparian.cases.joining import suggested
from riparian.cases.plain import moment
from riparian.errors import InputError, RiparianError
from tests.cases.making import AT, FIRST, case_in, said

CASE = folded("C1", FIRST)
LATER = AT + timedelta(days=3)
LATEST = AT + timedelta(days=9)


def looked(at: datetime = AT, *, live: bool | None) -> Proposed:
    return said("looked", location="L1", live=live, at=moment(at))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(said("location", key="L1", url="https://x.example"), id="a location that is there"),
        pytest.param(said("looked", location="L2", live=True), id="looked at a place that is not there"),
        pytest.param(said("looked", location="L1", live="yes"), id="looked, and half an answer"),
        pytest.param(said("looked", location="L1", live=True, at="2026-11-23"), id="looked at a time without a zone"),
        pytest.param(said("found", location="L1", recording="r2", how="sound"), id="a recording that is no work of it"),
        pytest.param(said("found", location="L9", recording="r1", how="sound"), id="found where nothing is"),
        pytest.param(said("found", location="L1", recording="r1", how="feeling"), id="found in a way nobody knows"),
        pytest.param(said("found", location="L1", recording="r1", how="sound", error="low"), id="a chance in words"),
        pytest.param(said("work", recording="r1", colour="red"), id="a field that a work has not"),
        pytest.param(said("work", title="Tide"), id="a work without a name"),
        pytest.param(said("party", role="judge", party={"name": "x"}), id="a role that nobody has"),
        pytest.param(said("party", role="owner", party="Reed"), id="a party that is a word"),
        pytest.param(said("considered", note="fair", locations=["L7"]), id="considered a place that is not there"),
        pytest.param(said("released", because="x"), id="a release of what is not sealed"),
        pytest.param(said("joined", case="C1", because="x"), id="joined with itself"),
        pytest.param(said("signalled", signal="s", action="sold"), id="a signal that was sold"),
        pytest.param(said("opened", title="again"), id="opened twice"),
        pytest.param(said("person", name="ann"), id="a person, who is in no case"),
        pytest.param(said("drafted", notice={"kind": "takedown", "key": "N1"}, digest="ab"), id="half a digest"),
        pytest.param(said("drafted", notice={"kind": "takedown"}, digest="ab" * 32), id="a notice without a key"),
        pytest.param(Proposed("considered", {"note": "fine"}, AT, "ann"), id="considered, and not signed"),
        pytest.param(Proposed("cleared", {}, AT, "ann"), id="a kind that nobody knows"),
    ],
)
def test_what_contradicts_it_is_refused_and_changes_nothing(event: Proposed) -> None:
    with pytest.raises(RiparianError):
        applied(CASE, event)
    assert folded("C1", FIRST) == CASE


def test_a_case_begins_by_being_opened() -> None:
    with pytest.raises(RiparianError, match="begins with"):
        folded("C1", FIRST[1:])
    with pytest.raises(InputError, match="no events"):
        folded("C1", [])


def test_what_was_said_is_in_it_with_the_number_of_its_event() -> None:
    case = folded(
        "C1",
        [
            *FIRST,
            said("party", role="owner", party={"name": "Reed Records", "country": "US"}),
            said("authority", document="agreement.pdf"),
            said("found", location="L1", recording="r1", how="sound", error=1e-12, bits=40, flags=["short"]),
            said("checked", check="licence", recording="r1", clear=True, source="ledger", at=moment(AT), by="ann"),
            said("considered", note="The whole recording, no comment.", locations=["L1"]),
            said("issued", text="Issued to promo-17."),
            said("addressee", key="host", name="A Host", layer="cdn"),
            said("addressee", key="host", name="A Host", layer="host"),
        ],
    )
    facts = case.facts
    (finding,) = facts.findings
    assert (facts.owner.name, facts.authority) == ("Reed Records", "agreement.pdf")  # type: ignore[union-attr]
    assert (finding.how, finding.error, finding.flags, finding.event) == (How.SOUND, 1e-12, ("short",), 5)
    assert (facts.checks[0].clear, facts.considered[0].by, facts.issued) == (True, "ann", ("Issued to promo-17.",))
    assert [one.layer for one in facts.addressees] == [Layer.HOST]
    assert case.length == 11


@pytest.mark.parametrize(
    ("looks", "live", "gone", "back"),
    [
        pytest.param([], None, None, None, id="nobody looked"),
        pytest.param([(True, AT)], True, None, None, id="there"),
        pytest.param([(True, AT), (False, LATER)], False, LATER, None, id="gone"),
        pytest.param([(False, AT), (None, LATER)], None, AT, None, id="gone, then nobody could tell"),
        pytest.param([(False, AT), (True, LATER)], True, AT, LATER, id="gone, and back"),
        pytest.param([(False, AT), (True, LATER), (True, LATEST)], True, AT, LATER, id="back, and still there"),
        pytest.param([(True, LATER), (False, AT)], True, None, None, id="an older look comes later"),
        pytest.param([(False, AT), (True, LATER), (False, LATEST)], False, AT, LATER, id="gone for the second time"),
    ],
)
def test_looking_tells_when_something_went_and_came_back(
    *, looks: list[tuple[bool | None, datetime]], live: bool | None, gone: object, back: object
) -> None:
    case = folded("C1", [*FIRST, *(looked(at, live=one) for one, at in looks)])
    location = case.facts.locations[0]
    assert (location.live, location.gone, location.back) == (live, gone, back)


@pytest.mark.parametrize(
    ("state", "gone", "is_open"),
    [
        pytest.param("sent", True, True, id="gone, and an answer is awaited"),
        pytest.param("closed", True, False, id="gone, and closed"),
        pytest.param("closed", False, True, id="closed, and still there"),
        pytest.param("withdrawn", True, False, id="gone, and withdrawn"),
    ],
)
def test_a_case_is_open_while_something_is_there_or_awaited(*, state: str, gone: bool, is_open: bool) -> None:
    assert applied(case_in(state), looked(live=not gone)).is_open is is_open


WORKS = tuple(said("work", recording=f"w{n}") for n in range(6))
FOUND = said("found", location="L1", recording="r1", how="hash", digest="ef" * 32)
HOST = said("addressee", key="host", name="A Host", layer="host", web_form="https://mirror-example.to/dmca")


def other(url: str, *more: Proposed) -> tuple[Proposed, ...]:
    return (said("opened", title="B"), said("work", recording="r1"), said("location", key="L1", url=url), *more)


@pytest.mark.parametrize(
    ("ours", "theirs", "because"),
    [
        pytest.param(FIRST, other("https://else.example.org/x"), "", id="nothing in common but one recording"),
        pytest.param(FIRST, other("https://www.mirror-example.to/b"), "the same domain", id="the same domain"),
        pytest.param(
            FIRST, other("https://mirror-example.co.uk/b"), "under another ending", id="a hop to another ending"
        ),
        pytest.param((*FIRST, FOUND), other("https://q.example.org", FOUND), "the same file", id="the same file"),
        pytest.param(
            (*FIRST, *WORKS), other("https://q.example.org", *WORKS[1:]), "the same recordings", id="a re-release"
        ),
        pytest.param((*FIRST, *WORKS[:2]), other("https://q.example.org", *WORKS[:2]), "", id="three popular ones"),
        pytest.param((*FIRST, HOST), other("https://mirror-example.to/b"), "", id="a host where everybody's files are"),
        pytest.param(FIRST, other("http://127.0.0.1/x"), "", id="an address without a name"),
        pytest.param(FIRST, other("http://[half"), "", id="an address that is none"),
    ],
)
def test_what_two_matters_do_not_share_by_chance_suggests_that_they_are_one(
    ours: tuple[Proposed, ...], theirs: tuple[Proposed, ...], because: str
) -> None:
    both = folded("C1", ours), folded("C2", theirs)
    found = suggested(both[0], [*both])
    assert bool(found) is bool(because)
    assert all(because in one.because and one.case == "C2" for one in found)


def test_torrents_are_one_however_they_are_written() -> None:
    one, same = (folded(key, other(f"urn:btih:{digits}")) for key, digits in (("C1", "ab" * 20), ("C2", "AB" * 20)))
    assert suggested(one, [same])[0].because.startswith("the same torrent")


def test_what_is_joined_is_suggested_no_more() -> None:
    one, two = folded("C1", FIRST), folded("C2", other("https://mirror-example.to/b"))
    assert suggested(one, [two])
    assert suggested(applied(one, said("joined", case="C2", because="the same site")), [two]) == ()
