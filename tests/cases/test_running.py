"""Which clocks run in a case, from which step, until which, and how a known chain of letters went."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from riparian.cases.case import Case, folded
from riparian.cases.clocks import deadlines
from riparian.cases.events import PERSONAL, Proposed, acted
from riparian.cases.facts import Addressee, Layer
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import moment, plain
from riparian.cases.steps import State, Step
from riparian.errors import LifecycleError
from tests.cases.making import ANN, DIGEST, FIRST

HOST = Addressee("host", "A Host", Layer.HOST)
GITHUB = Addressee("github", "GitHub", Layer.HOST, country="US")
YOUTUBE = Addressee("youtube", "YouTube", Layer.STREAMING, country="US")
BAVARIAN = Addressee("bavarian", "Ein Hoster", Layer.HOST, regime="dsa", country="de")
SENT = "lock review approve send"
"""The steps by which a notice leaves."""


def at(day: str) -> datetime:
    """Noon of a day; UTC."""
    return datetime.fromisoformat(f"{day}T12:00:00Z")


def noted(day: str, step: str, *, received: str = "", key: str = "N1") -> Proposed:
    what: dict[str, Any] = {"notice": key, "digest": DIGEST, **({"received": received} if received else {})}
    proposed = Proposed(step, what, at(day), "ann")
    return acted("C1", proposed, ANN) if step in PERSONAL else proposed


def case_of(addressee: Addressee, *steps: str, kind: Kind = Kind.TAKEDOWN, key: str = "N1") -> Case:
    """Make a case with one notice, which took steps: each ``day step...``."""
    notice = Notice(kind, "C1", key, regime=addressee.regime, addressee=addressee)
    first = Proposed("drafted", {"notice": plain(notice), "digest": DIGEST}, at("2020-01-01"), "ann")
    taken = [noted(day, step, key=key) for day, *names in map(str.split, steps) for step in names]
    return folded("C1", [*FIRST, first, *taken])


def told(case: Case, now: str) -> dict[str, tuple[str, str]]:
    """Give the clocks that run, with their days."""
    running = deadlines(case, at(now))
    return {clock: (str(one.earliest), str(one.latest)) for _, clock, one in running}


RUNNING: Mapping[str, tuple[Addressee, tuple[str, ...], str, dict[str, tuple[str, str]]]] = {
    "nothing has left": (HOST, ("2026-11-23 lock review approve",), "2026-11-24", {}),
    "sent, and nobody answers": (
        HOST,
        (f"2026-11-23 {SENT}",),
        "2026-11-24",
        {"generic.reminder": ("2026-11-23", "2026-11-27")},
    ),
    "still nobody, long after": (
        HOST,
        (f"2026-11-23 {SENT}",),
        "2027-11-24",
        {"generic.reminder": ("2026-11-23", "2026-11-27")},
    ),
    "acknowledged": (
        HOST,
        (f"2026-11-23 {SENT}", "2026-11-24 acknowledge"),
        "2026-11-24",
        {"generic.decision": ("2026-11-24", "2026-12-04")},
    ),
    "the host asks": (
        HOST,
        (f"2026-11-23 {SENT}", "2026-11-24 ask"),
        "2026-11-24",
        {"generic.answer": ("2026-11-24", "2026-11-27")},
    ),
    "and is answered": (
        HOST,
        (f"2026-11-23 {SENT}", "2026-11-24 ask", "2026-11-25 answer"),
        "2026-11-26",
        {"generic.decision": ("2026-11-25", "2026-12-07")},
    ),
    "removed: no law has a clock in it": (
        HOST,
        (f"2026-11-23 {SENT}", "2026-11-24 remove"),
        "2026-11-24",
        {},
    ),
    "countered": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter"),
        "2026-11-24",
        {"dmca.action": ("2026-11-23", "2026-12-07"), "dmca.restore": ("2026-12-08", "2026-12-14")},
    ),
    "and the copy forwarded: counted from the host's receipt": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter", "2026-11-25 forward"),
        "2026-11-26",
        {"dmca.action": ("2026-11-23", "2026-12-07"), "dmca.restore": ("2026-12-08", "2026-12-14")},
    ),
    "countered, and the window is over: it is still said": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter"),
        "2027-01-24",
        {"dmca.action": ("2026-11-23", "2026-12-07"), "dmca.restore": ("2026-12-08", "2026-12-14")},
    ),
    "countered, and an action filed": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter", "2026-11-30 file_action"),
        "2026-12-01",
        {},
    ),
    "countered, and taken back": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter", "2026-11-24 retract"),
        "2026-12-01",
        {},
    ),
    "countered, restored, removed again and countered again: from the second": (
        HOST,
        (
            f"2026-09-01 {SENT}",
            "2026-09-02 remove",
            "2026-09-03 counter",
            "2026-09-18 restore",
            "2026-11-01 remove",
            "2026-11-23 counter",
        ),
        "2026-11-24",
        {"dmca.action": ("2026-11-23", "2026-12-07"), "dmca.restore": ("2026-12-08", "2026-12-14")},
    ),
    "GitHub, acknowledged": (
        GITHUB,
        (f"2026-11-23 {SENT}", "2026-11-25 acknowledge"),
        "2026-11-25",
        {"generic.decision": ("2026-11-25", "2026-12-07"), "github.changes": ("2026-11-25", "2026-11-27")},
    ),
    "GitHub, countered: its days beside the law's": (
        GITHUB,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter"),
        "2026-11-24",
        {
            "dmca.action": ("2026-11-23", "2026-12-07"),
            "dmca.restore": ("2026-12-08", "2026-12-14"),
            "github.restore": ("2026-12-03", "2026-12-07"),
        },
    ),
    "YouTube, removed: a strike": (
        YOUTUBE,
        (f"2026-11-02 {SENT}", "2026-11-23 remove"),
        "2026-11-24",
        {"youtube.strike": ("2026-11-23", "2027-02-21")},
    ),
    "YouTube, removed: a strike that lapsed": (
        YOUTUBE,
        (f"2026-11-02 {SENT}", "2026-11-23 remove"),
        "2027-02-23",
        {},
    ),
    "in Bavaria, rejected: by the calendar of Germany": (
        BAVARIAN,
        (f"2026-06-01 {SENT}", "2026-07-03 reject"),
        "2026-07-04",
        {"dsa.complaint": ("2026-07-03", "2027-01-04")},
    ),
    "rejected half a year ago": (
        BAVARIAN,
        (f"2026-06-01 {SENT}", "2026-07-03 reject"),
        "2027-01-05",
        {},
    ),
    "removed, and whoever put it there may complain": (
        BAVARIAN,
        (f"2026-06-01 {SENT}", "2026-07-03 remove"),
        "2026-07-04",
        {"dsa.their_complaint": ("2026-07-03", "2027-01-04")},
    ),
    "what will be received is not counted yet": (
        HOST,
        (f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter"),
        "2026-11-22",
        {},
    ),
}


@pytest.mark.parametrize("name", RUNNING)
def test_the_clocks_that_run(name: str) -> None:
    addressee, steps, now, wanted = RUNNING[name]
    assert told(case_of(addressee, *steps), now) == wanted


def test_it_is_counted_from_the_receipt_and_not_from_when_it_was_written_down() -> None:
    case = case_of(HOST, f"2026-11-02 {SENT}", "2026-11-04 remove")
    late = folded("C1", [noted("2026-11-30", "counter", received="2026-11-24T04:59:59Z")], case)
    assert told(late, "2026-11-30")["dmca.restore"] == ("2026-12-08", "2026-12-14")


def test_what_ends_first_comes_first_and_says_whether_it_is_law() -> None:
    case = case_of(GITHUB, f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter")
    running = [(key, clock, one.legal) for key, clock, one in deadlines(case, at("2026-11-24"))]
    assert running == [
        ("N1", "dmca.action", False),
        ("N1", "github.restore", False),
        ("N1", "dmca.restore", True),
    ]


def test_other_letters_have_other_clocks() -> None:
    inquiry = case_of(HOST, f"2026-11-23 {SENT}", kind=Kind.INQUIRY)
    assert told(inquiry, "2026-11-24") == {"generic.reminder": ("2026-11-23", "2026-11-27")}
    reasons = case_of(BAVARIAN, f"2026-11-23 {SENT}", kind=Kind.REASONS)
    assert told(reasons, "2026-11-24") == {"dsa.reasons_complaint": ("2026-11-23", "2027-05-24")}


def test_a_notice_under_a_regime_that_is_not_here_has_our_own_clocks() -> None:
    elsewhere = Addressee("host", "A Host", Layer.HOST, regime="elsewhere")
    assert set(told(case_of(elsewhere, f"2026-11-23 {SENT}"), "2026-11-24")) == {"generic.reminder"}


# The dates are those of the letters that GitHub published: 2020/10/2020-10-23-RIAA, 2020/11/2020-11-16-RIAA-reversal,
# 2021/04/2021-04-13-RIAA-counternotice.  The reversal was of the parent repository; the counter-notice is of one fork.
CHAIN = [
    (f"2020-10-23 {SENT}", State.SENT),
    ("2020-10-23 remove", State.REMOVED),
    ("2020-11-16 restore", State.RESTORED),
    ("2020-11-16 close", State.CLOSED),
    ("2021-04-13 counter", State.COUNTERED),
    ("2021-04-14 forward", State.WAITING),
]


def test_youtube_dl_from_the_notice_to_the_reversal_and_a_counter_notice_months_later() -> None:
    case = case_of(GITHUB)
    for said, state in CHAIN:
        day, *steps = said.split()
        case = folded("C1", [noted(day, step) for step in steps], case)
        assert case.notices["N1"].state is state, said
    taken = {one.step: moment(one.at)[:10] for one in case.notices["N1"].taken}
    wanted = {Step.SEND: "2020-10-23", Step.RESTORE: "2020-11-16", Step.COUNTER: "2021-04-13"}
    assert {step: taken[step] for step in wanted} == wanted
    assert told(case, "2021-04-14") == {
        "dmca.action": ("2021-04-13", "2021-04-26"),
        "dmca.restore": ("2021-04-27", "2021-05-03"),
        "github.restore": ("2021-04-23", "2021-04-27"),
    }
    back = folded("C1", [noted("2021-04-28", "restore")], case)
    assert (back.notices["N1"].state, told(back, "2021-04-28")) == (State.RESTORED, {})


def test_youtube_dl_by_location_the_parent_is_back_while_a_fork_is_countered() -> None:
    case = case_of(GITHUB, f"2020-10-23 {SENT}", "2020-10-23 remove")
    fork = Proposed("location", {"key": "L2", "url": "https://github.com/fork/youtube-dl"}, at("2020-10-23"), "ann")

    def looked(key: str, day: str, *, live: bool) -> Proposed:
        return Proposed("looked", {"location": key, "live": live}, at(day), "ann")

    case = folded(
        "C1",
        [
            fork,
            looked("L1", "2020-10-24", live=False),
            looked("L2", "2020-10-24", live=False),
            looked("L1", "2020-11-16", live=True),
            noted("2021-04-13", "counter"),
        ],
        case,
    )
    parent, forked = case.facts.locations
    assert (parent.back, forked.back) == (at("2020-11-16"), None)
    assert case.notices["N1"].state is State.COUNTERED
    assert told(case, "2021-04-13")["dmca.restore"] == ("2021-04-27", "2021-05-03")


def test_what_came_in_another_order_than_is_possible_is_refused() -> None:
    with pytest.raises(LifecycleError):
        case_of(GITHUB, "2020-11-16 restore")


def test_a_clock_that_has_just_begun_and_one_that_ends_now() -> None:
    case = case_of(HOST, f"2026-11-02 {SENT}", "2026-11-04 remove", "2026-11-23 counter")
    assert {clock for _, clock, _ in deadlines(case, at("2026-11-23"))} == {"dmca.action", "dmca.restore"}
    assert deadlines(case, at("2026-11-23") - timedelta(microseconds=1)) == ()
    restore = next(one for _, clock, one in deadlines(case, at("2026-11-24")) if clock == "dmca.restore")
    assert restore.closes == datetime(2026, 12, 15, 5, tzinfo=UTC)
