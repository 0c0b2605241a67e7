"""Restraints that are pushed to nginx: at once, all of them, and still there after a reload and a restart."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from riparian.edges.nginx import Build, Grants, List, configuration
from riparian.edges.push import HttpEdge
from riparian.errors import LifecycleError, OutsideError
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.gate.routes import parse_edge
from riparian.ports import Delta, Standing, Verdict
from tests.edges.nginx import Nginx, Said, nginx, origin, until
from tests.edges.nginx_gate import PUSH, RING
from tests.edges.test_nginx_grants import token
from tests.ports import free_port

MANY = 100_000
FAR_US = 2_000_000_000_000_000
GRANTED = Grants.HMAC
ROUTES = [{"path": "/media/{recording}/**", "kind": "media"}, {"path": "/licence/{recording}", "kind": "licence"}]


APPEAL = {"appeal_url": "https://example.org/appeal", "step_up_url": "https://example.org/confirm"}


def texts(port: int, at: int, verdicts: List, *, room: int = 200_000) -> dict[str, str]:
    said = {
        "origin": f"http://127.0.0.1:{at}",
        "listen": f"127.0.0.1:{port}",
        "gates": ["127.0.0.1:1"],
        "route": ROUTES,
    }
    build = Build(GRANTED, verdicts, room)
    return configuration(parse_edge(said | APPEAL), Policy(mode=Mode.ENFORCE), RING, push_secret=PUSH, build=build)


@pytest.fixture(params=list(List), ids=str)
def verdicts(request: pytest.FixtureRequest) -> List:
    chosen: List = request.param
    return chosen


@pytest.fixture
def edge(verdicts: List, tmp_path: Path) -> Iterator[Nginx]:
    port = free_port()
    with origin() as at, nginx(tmp_path, texts(port, at, verdicts), port) as running:
        yield running


def pusher(edge: Nginx, secret: str = PUSH) -> HttpEdge:
    return HttpEdge(f"http://127.0.0.1:{edge.port}", secret, timeout_s=30)


def said(
    account: str, restraint: Restraint = Restraint.HOLD, until_us: int = FAR_US, rule: str = "evidence"
) -> Verdict:
    return Verdict(account, restraint, until_us, rule)


def delta(start: int, end: int, *verdicts: Verdict, epoch: str = "e1") -> Delta:
    return Delta(epoch, start, end, verdicts)


def played(edge: Nginx, account: str) -> Said:
    return edge.ask(f"/media/r-5512/1.m4s?{token(GRANTED, account=account)}", x_account=quote(account, safe="@"))


LADDER = {
    Restraint.SLOW: (200, "", ""),
    Restraint.STEP_UP: (401, "step_up", 'StepUp url="https://example.org/confirm"'),
    Restraint.HOLD: (403, "hold", ""),
    Restraint.END: (403, "end", ""),
}


@pytest.mark.parametrize("restraint", LADDER, ids=lambda restraint: restraint.name.lower())
def test_a_restraint_is_in_force_at_once_however_good_the_grant(edge: Nginx, restraint: Restraint) -> None:
    push = pusher(edge)
    assert push.resync(delta(0, 1)) == Standing("e1", 1, 0)
    assert played(edge, "a").status == 200
    assert push.publish(delta(1, 2, said("a", restraint, rule="person"))) == Standing("e1", 2, 1)
    status, action, challenge = LADDER[restraint]
    answer = played(edge, "a")
    assert (answer.status, answer["WWW-Authenticate"]) == (status, challenge)
    if action:
        assert (answer["X-Riparian-Action"], answer["X-Riparian-Because"]) == (action, "person")
        assert answer["X-Riparian-Until"] == "2000000000"
        assert answer.letter["appeal"] == "https://example.org/appeal"
    assert played(edge, "b").status == 200
    assert push.publish(delta(2, 3, said("a", Restraint.ALLOW))) == Standing("e1", 3, 0)
    assert played(edge, "a").status == 200


def test_a_restraint_ends_at_its_own_time_without_anybody(edge: Nginx) -> None:
    soon_us = (int(time.time()) + 2) * 1_000_000
    pusher(edge).resync(delta(0, 1, said("a", until_us=soon_us), said("b", until_us=1_000_000), said("c", until_us=0)))
    assert [played(edge, account).status for account in "abc"] == [403, 200, 403]
    until(lambda: played(edge, "a").status == 200)


def test_the_whole_list_takes_the_place_of_what_was_there(edge: Nginx) -> None:
    push = pusher(edge)
    push.resync(delta(0, 5, said("a"), said("b"), said("c")))
    assert push.resync(delta(0, 9, said("b"), said("d"), epoch="e2")) == Standing("e2", 9, 2)
    assert [played(edge, account).status for account in "abcd"] == [200, 403, 200, 403]


@pytest.mark.parametrize("account", ["ann@x.org", "a b", "50%", "a%2Fb", "constructor", ":at", "a" * 256])
def test_an_account_may_be_called_anything(edge: Nginx, account: str) -> None:
    pusher(edge).resync(delta(0, 1, said(account)))
    answer = edge.ask(f"/media/r-5512/1.m4s?{token(GRANTED, account=account)}")
    assert (answer.status, answer["X-Riparian-Action"]) == (403, "hold")


def test_who_pushes_for_another_standing_is_told_where_it_is_and_nothing_changes(edge: Nginx) -> None:
    push = pusher(edge)
    push.resync(delta(0, 7, said("a")))
    for other in (
        delta(6, 8, said("a", Restraint.ALLOW)),
        delta(8, 9),
        delta(7, 8, said("a", Restraint.ALLOW), epoch="x"),
    ):
        with pytest.raises(LifecycleError, match="stands elsewhere"):
            push.publish(other)
    assert push.seen() == Standing("e1", 7, 1)
    assert played(edge, "a").status == 403


BROKEN = {
    "no epoch": ({"x_riparian_from": "0", "x_riparian_to": "1", "x_riparian_full": "1"}, b"", 400),
    "no number": (
        {"x_riparian_epoch": "e", "x_riparian_from": "x", "x_riparian_to": "1", "x_riparian_full": "1"},
        b"",
        400,
    ),
    "an unknown restraint": ({}, b"a\tban\t0\tperson\n", 400),
    "no tabs": ({}, b"a hold 0 person\n", 400),
    "half a line": ({}, b"b\thold\t0\tperson\na\tho", 400),
    "no account": ({}, b"\thold\t0\tperson\n", 400),
    "half a percent sign": ({}, b"a%4\thold\t0\tperson\n", 400),
    "a wrong secret": ({"authorization": "Bearer another"}, b"", 401),
    "no secret": ({"authorization": ""}, b"", 401),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_push_that_is_none_changes_nothing(edge: Nginx, broken: str) -> None:
    pusher(edge).resync(delta(0, 1, said("a")))
    headers, body, status = BROKEN[broken]
    whole = {"x_riparian_epoch": "e", "x_riparian_from": "0", "x_riparian_to": "2", "x_riparian_full": "1"}
    said_too = {"authorization": f"Bearer {PUSH}"} | ({} if "x_riparian_from" in headers else whole) | headers
    assert edge.ask("/riparian/verdicts", method="POST", body=body, **said_too).status == status
    assert pusher(edge).seen() == Standing("e1", 1, 1)
    assert [played(edge, account).status for account in "ab"] == [403, 200]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.slow
def test_a_hundred_thousand_arrive_and_outlive_a_reload_and_a_restart(
    verdicts: List, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    port = free_port()
    everybody = delta(0, 1, *(said(f"a-{number}") for number in range(MANY)))
    with origin() as at:
        written = texts(port, at, verdicts)
        with nginx(tmp_path, written, port) as edge:
            push, before = pusher(edge), sum(cpu_s(pid) for pid in edge.workers())
            begun = time.monotonic()
            assert push.resync(everybody) == Standing("e1", 1, MANY)
            took_s, spent_s = time.monotonic() - begun, sum(cpu_s(pid) for pid in edge.workers()) - before
            record_property("took_s", took_s)
            record_property("nginx_cpu_s", spent_s)
            print(f"{verdicts}: {MANY} in {took_s:.3f} s, of which nginx {spent_s:.2f} s")  # noqa: T201 -- a measurement
            assert [played(edge, f"a-{number}").status for number in (0, 77_777, MANY - 1, MANY)] == [
                403,
                403,
                403,
                200,
            ]
            push.publish(delta(1, 1))
            assert [played(edge, f"a-{number}").status for number in (0, 77_777, MANY - 1, MANY)] == [
                403,
                403,
                403,
                200,
            ]
            edge.reload()
            assert push.seen() == Standing("e1", 1, MANY)
            assert [played(edge, f"a-{number}").status for number in (5, MANY)] == [403, 200]
            push.publish(delta(1, 2, said("a-5", Restraint.ALLOW)))
            # What is in memory is written down within a second or so.
            until(lambda: '"e1 2 ' in (tmp_path / "riparian_verdicts.json").read_text(), deadline_s=30)
        with nginx(tmp_path, written, port) as edge:
            assert [played(edge, f"a-{number}").status for number in (5, 6, MANY - 1, MANY)] == [200, 403, 403, 200]
            assert pusher(edge).publish(delta(2, 2)) == Standing("e1", 2, MANY - 1)
            assert [played(edge, f"a-{number}").status for number in (5, 6, MANY - 1, MANY)] == [200, 403, 403, 200]


def test_a_list_that_has_no_room_is_no_list_and_lets_nobody_go(verdicts: List, tmp_path: Path) -> None:
    port = free_port()
    with origin() as at, nginx(tmp_path, texts(port, at, verdicts, room=1), port) as edge:
        pusher(edge).resync(delta(0, 1, said("held")))
        with pytest.raises(OutsideError, match="507"):
            pusher(edge).resync(delta(0, 2, *(said(f"{'a' * 200}-{number}") for number in range(40_000))))
        assert pusher(edge).seen().epoch == "", "it stands nowhere, and asks for the whole"
        assert played(edge, "held").status == 403
        assert "no room" in edge.errors()


def test_who_hears_nothing_from_the_pusher_says_so(edge: Nginx) -> None:
    assert edge.counts()['riparian_gate_degraded{why="push"}'] == 1, "nobody has pushed yet"
    pusher(edge).resync(delta(0, 1, said("a")))
    counts = edge.counts()
    assert counts['riparian_gate_degraded{why="push"}'] == 0
    assert counts["riparian_verdicts"] == 1
    assert 0 <= counts["riparian_push_age_seconds"] < 5


@pytest.mark.slow
def test_five_seconds_without_the_pusher_are_noticed_and_the_list_holds(edge: Nginx) -> None:
    pusher(edge).resync(delta(0, 1, said("a")))
    until(lambda: edge.counts()['riparian_gate_degraded{why="push"}'] == 1)
    assert played(edge, "a").status == 403
    pusher(edge).publish(delta(1, 1))
    assert edge.counts()['riparian_gate_degraded{why="push"}'] == 0
