"""Locations that are looked at again, as tables of what was seen when."""

from datetime import timedelta

import pytest

from riparian.cases.again import Row, Standing, by_addressee, due, standings, still
from riparian.cases.case import folded
from riparian.cases.events import Event, Proposed, acted
from riparian.cases.facts import Addressee, Layer, Location
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import moment, plain
from riparian.cases.steps import Step
from riparian.console import words
from riparian.console.removals import removals_page
from tests.cases.making import ANN, AT, DIGEST

SENT = (Step.LOCK, Step.REVIEW, Step.APPROVE, Step.SEND)
HOST = Addressee("host", "A Host", Layer.HOST)


def lived(*happened: tuple[float, str]) -> tuple[Standing, ...]:
    """Send a notice about L1 on day 0; then days and what happens: ``there``, ``gone`` or a step of the notice."""
    location = Location("L1", "https://mirror-example.to/a")
    notice = Notice(Kind.TAKEDOWN, "C1", "N1", addressee=HOST, locations=(location,))
    said = [
        Proposed("opened", {"title": "A mirror"}, AT, "ann"),
        Proposed("location", plain(location), AT, "ann"),
        Proposed("drafted", {"notice": plain(notice), "digest": DIGEST}, AT, "ann"),
        *(_step(step, AT) for step in SENT),
    ]
    for day, what in happened:
        at = AT + timedelta(days=day)
        if what in {"there", "gone"}:
            said.append(Proposed("looked", {"location": "L1", "live": what == "there", "at": moment(at)}, at, "ann"))
        else:
            said.append(_step(Step(what), at))
    events = [Event("C1", n, one.kind, one.at, one.by, one.what, "", "", "") for n, one in enumerate(said)]
    return standings(folded("C1", events), events)


def _step(step: Step, at: object) -> Proposed:
    proposed = Proposed(step, {"notice": "N1", "digest": DIGEST}, at, "ann")  # type: ignore[arg-type]
    return acted("C1", proposed, ANN) if step is Step.APPROVE else proposed


@pytest.mark.parametrize(
    ("happened", "wanted"),
    [
        ((), (0, None, 0, False, False)),
        (((3, "there"),), (3, None, 0, False, False)),
        (((1, "there"), (2, "gone")), (1, 2, 0, False, False)),
        (((2, "gone"),), (0, 2, 0, False, False)),
        (((-1, "gone"), (1, "there"), (2, "gone")), (1, 2, 0, False, False)),
        (((2, "gone"), (9, "gone")), (0, 2, 7, False, False)),
        (((2, "gone"), (9, "gone"), (12, "there")), (0, 2, 10, True, False)),
        (((2, "gone"), (9, "remove"), (10, "counter"), (11, "forward"), (25, "restore"), (26, "there")),
         (0, 2, 24, False, True)),
        (((2, "gone"), (9, "there"), (10, "retract")), (0, 2, 7, True, False)),
        (((2, "gone"), (3, "retract"), (9, "there")), (0, 2, 7, False, True)),
        (((3, "there"), (4, "retract")), (3, None, 0, False, True)),
        (((5, "there"), (2, "gone")), (0, 2, 3, True, False)),
    ],
)  # fmt: skip
def test_what_was_seen_says_how_long_it_took(
    happened: tuple[tuple[float, str], ...], wanted: tuple[object, ...]
) -> None:
    (one,) = lived(*happened)
    assert (one.least, one.most, one.gone_days, one.back, one.rightly) == wanted
    assert one.addressee == "host"


def test_whoever_was_asked_nothing_is_in_no_table() -> None:
    first = Proposed("opened", {"title": "A mirror"}, AT, "ann")
    assert standings(folded("C1", [first]), []) == ()
    assert by_addressee([]) == ()


def _ones(*spans: tuple[float, float | None], addressee: str = "host") -> list[Standing]:
    return [Standing("C1", f"L{n}", addressee, AT, least, most, 40.0) for n, (least, most) in enumerate(spans)]


def test_what_still_stands_is_not_left_out() -> None:
    (row,) = by_addressee(_ones((0, 1), (1, 2), (30, None), (30, None)))
    assert (row.asked, row.gone, row.median_least, row.median_most, row.within_week) == (4, 2, 1, 2, 0.5)
    (row,) = by_addressee(_ones((0, 1), (30, None), (30, None)))
    assert row.median_most is None


def test_what_stands_rightly_counts_neither_way() -> None:
    ones = [*_ones((0, 1)), Standing("C1", "L9", "host", AT, 3.0, None, rightly=True)]
    (row,) = by_addressee(ones)
    assert (row.asked, row.gone, row.rightly, row.within_week) == (2, 1, 1, 1.0)


def test_the_product_limit_is_that_of_the_textbook() -> None:
    """Freireich et al. (1963), 6-MP: 21 remissions in weeks, of which 9 ended, as in every textbook of survival."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    ended = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = still([float(week) for week in weeks], [bool(one) for one in ended])
    steps = [(6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448)]
    assert [(day, round(share, 3)) for day, share in curve[1:]] == steps


@pytest.mark.parametrize(
    ("url", "seen", "live", "gone", "is_due"),
    [
        ("https://a.example/", None, None, None, True),
        ("https://a.example/", 0.5, True, None, False),
        ("https://a.example/", 1.0, True, None, True),
        ("https://a.example/", 1.5, False, 2.0, True),
        ("https://a.example/", 1.5, False, 40.0, False),
        ("https://a.example/", 31.0, False, 400.0, True),
        ("urn:btih:" + "0" * 40, None, None, None, False),
    ],
)
def test_what_is_due(url: str, seen: float | None, live: bool | None, gone: float | None, is_due: bool) -> None:  # noqa: FBT001
    """Days before now."""
    said = [Proposed("opened", {"title": "A"}, AT, "ann"), Proposed("location", {"key": "L1", "url": url}, AT, "ann")]
    for at in (gone, seen):
        if at is not None:
            what = {"location": "L1", "live": live, "at": moment(AT - timedelta(days=at))}
            said.append(Proposed("looked", what, AT, "ann"))
    assert bool(due(folded("C1", said), AT, timedelta(days=1))) is is_due


def test_the_page_says_what_the_table_says_and_names_nobody_unseen() -> None:
    rows = by_addressee([*_ones((0, 1), (3, 4), (9, None)), *_ones((0, 0.5), addressee="<b>evil</b>")])
    page = removals_page(rows, "2026-11-23")
    assert "<b>evil" not in page
    assert "&lt;b&gt;evil" in page
    assert page.count("<svg") == 2
    assert words.percent(2 / 3) in page
    assert "Nobody was asked" in removals_page((), "2026-11-23")
    assert isinstance(rows[0], Row)
