"""One suite over every edge that verdicts are pushed to: in memory, and a gate on a socket."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from riparian.codes import codes_of
from riparian.edges.door import Clocks, Door, Keys
from riparian.edges.push import HttpEdge
from riparian.edges.wire import Addresses, Wire, serve
from riparian.errors import LifecycleError, OutsideError
from riparian.gate.admit import Gate
from riparian.gate.policy import Mode, Policy, Restraint
from riparian.gate.routes import Kind, parse_edge
from riparian.ports import Delta, Standing, Verdict, Verdicts
from tests.contracts.holding import Edge

SECRET = "ab" * 32
KEY = bytes(16)
FAR_US = 4_000_000_000_000_000
EDGE = parse_edge({"route": [{"path": "/media/{recording}/**", "kind": "media"}]})
ODD = ["ann@x.org", "a b", "tab\tand\nline", "50%", "é", "-", "%41"]


@dataclass
class Held:
    """An edge, and what it does about an account."""

    edge: Verdicts
    status: Callable[[str], int]


@contextmanager
def on_a_socket() -> Iterator[tuple[str, Gate]]:
    policy = Policy(mode=Mode.ENFORCE)
    gate = Gate.open(policy)
    door = Door(gate, EDGE, policy, Keys(KEY, SECRET), Clocks(lambda: time.time_ns() // 1000, time.monotonic))
    loop, ended, opened = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    bound: list[Addresses] = []

    def ready(at: Addresses) -> None:
        bound.append(at)
        opened.set()

    def run() -> None:
        at = Addresses("127.0.0.1:0", "127.0.0.1:0")
        loop.run_until_complete(serve(Wire(door), at, stop=ended, ready=ready))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert opened.wait(30)
        yield f"http://{bound[0].control}", gate
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.fixture(params=["memory", "wire"])
def held(request: pytest.FixtureRequest) -> Iterator[Held]:
    if request.param == "memory":
        edge = Edge()

        def status(account: str) -> int:
            restraint = (edge.held or {}).get(account)
            answers = {Restraint.SLOW: 429, Restraint.STEP_UP: 401, Restraint.HOLD: 403, Restraint.END: 403}
            return 200 if restraint is None else answers[restraint.restraint]

        yield Held(edge, status)
        return
    with on_a_socket() as (url, gate):

        def asked(account: str) -> int:
            code = int(codes_of(pa.array([account.encode()], pa.binary()), KEY)[0])
            return gate.admit(code, 1, Kind.MEDIA, time.time_ns() // 1000).status

        yield Held(HttpEdge(url, SECRET), asked)


def verdict(account: str, restraint: Restraint = Restraint.HOLD, until_us: int = FAR_US) -> Verdict:
    return Verdict(account, restraint, until_us, "person" if restraint is Restraint.END else "evidence")


def delta(begin: int, end: int, *verdicts: Verdict, epoch: str = "e1") -> Delta:
    return Delta(epoch, begin, end, verdicts)


def test_an_edge_that_begins_stands_nowhere_and_takes_the_whole_list(held: Held) -> None:
    assert held.edge.seen().count == 0
    with pytest.raises(LifecycleError):
        held.edge.publish(delta(0, 1, verdict("ann")))
    assert held.status("ann") == 200
    assert held.edge.resync(delta(0, 4, verdict("ann"))) == Standing("e1", 4, 1) == held.edge.seen()
    assert held.status("ann") == 403


def test_a_delta_changes_what_changed(held: Held) -> None:
    held.edge.resync(delta(0, 1, verdict("ann"), verdict("bob", Restraint.SLOW)))
    step = delta(1, 2, verdict("ann", Restraint.ALLOW, 0), verdict("cy", Restraint.STEP_UP))
    assert held.edge.publish(step) == Standing("e1", 2, 2)
    assert [held.status(a) for a in ("ann", "bob", "cy")] == [200, 429, 401]
    assert held.edge.publish(delta(2, 2)) == Standing("e1", 2, 2), "a heartbeat changes nothing"


@pytest.mark.parametrize(
    "elsewhere", [delta(0, 2), delta(2, 3), delta(1, 2, epoch="e2")], ids=["early", "gap", "epoch"]
)
def test_a_delta_from_elsewhere_changes_nothing(held: Held, elsewhere: Delta) -> None:
    held.edge.resync(delta(0, 1, verdict("ann")))
    wrong = Delta(elsewhere.epoch, elsewhere.from_seq, elsewhere.to_seq, (verdict("bob"),))
    with pytest.raises(LifecycleError):
        held.edge.publish(wrong)
    assert held.edge.seen() == Standing("e1", 1, 1)
    assert held.status("bob") == 200


def test_the_whole_list_replaces_everything_wherever_the_edge_stands(held: Held) -> None:
    held.edge.resync(delta(0, 9, verdict("ann"), verdict("bob")))
    assert held.edge.resync(delta(0, 1, verdict("cy"), epoch="e2")) == Standing("e2", 1, 1)
    assert [held.status(a) for a in ("ann", "bob", "cy")] == [200, 200, 403]


def test_a_restraint_without_an_end_and_one_that_has_ended(held: Held) -> None:
    held.edge.resync(delta(0, 1, verdict("ann", Restraint.END, 0)))
    assert held.status("ann") == 403


@pytest.mark.parametrize("account", ODD)
def test_an_identifier_may_be_anything(held: Held, account: str) -> None:
    held.edge.resync(delta(0, 1, verdict(account)))
    assert held.status(account) == 403
    held.edge.publish(delta(1, 2, verdict(account, Restraint.ALLOW, 0)))
    assert held.status(account) == 200


def test_a_hundred_thousand_at_once(held: Held) -> None:
    many = tuple(verdict(f"account-{i}") for i in range(100_000))
    assert held.edge.resync(delta(0, 1, *many)).count == 100_000
    assert held.status("account-99999") == 403


def test_a_gate_takes_nothing_from_whoever_does_not_know_the_secret() -> None:
    with on_a_socket() as (url, _):
        edge = HttpEdge(url, "cd" * 32)
        with pytest.raises(OutsideError, match="401"):
            edge.resync(delta(0, 1, verdict("ann")))
        with pytest.raises(OutsideError, match="401"):
            edge.seen()


def test_a_push_that_tells_something_is_a_span_and_carries_it() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with on_a_socket() as (url, _):
        edge = HttpEdge(url, SECRET, tracer=provider.get_tracer("test"))
        edge.resync(delta(0, 1, verdict("ann")))
        edge.publish(delta(1, 1))
    (span,) = exporter.get_finished_spans()
    assert span.name == "riparian.push"
    assert dict(span.attributes or {})["riparian.verdicts"] == 1
    provider.shutdown()
