"""The client of the push protocol against edges that misbehave; those that behave are in tests/contracts."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from riparian.edges.push import LATE, HttpEdge, Pushing, Reach, State, body_of
from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.gate.policy import Restraint
from riparian.ports import Delta, Standing, Verdict

NOTHING = Delta("e1", 3, 3, ())
WELL = b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{"epoch":"e1","seq":3,"count":0}  '
Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """Answer each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    serve(connection)
                except OSError:
                    return  # the client had enough of it

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def answering(raw: bytes, *, pause_s: float = 0.0) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        for at in range(len(raw)) if pause_s else [0]:
            connection.sendall(raw[at : at + 1] if pause_s else raw)
            time.sleep(pause_s)

    return serve


def silent(connection: socket.socket) -> None:
    connection.recv(65_536)
    time.sleep(2)


def hanging_on(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(WELL)
    time.sleep(2)


MISBEHAVING: dict[str, tuple[Serve, str]] = {
    "takes the request and says nothing": (silent, "timed out"),
    "drips": (answering(WELL, pause_s=0.05), "slow|timed out"),
    "hangs up": (answering(b""), "out of reach"),
    "breaks off in its headers": (answering(b"HTTP/1.1 200 OK\r\nConte"), "epoch, seq and count"),
    "answers no HTTP": (answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "out of reach"),
    "fails": (answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), "answers 500"),
    "knows another secret": (answering(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), "answers 401"),
    "answers something else": (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "epoch, seq and count"),
}


@pytest.mark.parametrize("name", MISBEHAVING)
def test_an_edge_that_misbehaves_is_out_of_reach_in_time(name: str) -> None:
    serve, told = MISBEHAVING[name]
    with listening(serve) as url:
        begun = time.monotonic()
        with pytest.raises(OutsideError, match=told):
            HttpEdge(url, "s", timeout_s=0.4).publish(NOTHING)
        assert time.monotonic() - begun < 2, "the deadline is for the whole exchange"


def test_an_edge_that_does_not_hang_up_is_not_waited_for() -> None:
    with listening(hanging_on) as url:
        assert HttpEdge(url, "s", timeout_s=1.5).publish(NOTHING) == Standing("e1", 3, 0)


def test_nobody_there_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OutsideError, match="out of reach"):
        HttpEdge(f"http://127.0.0.1:{port}", "s").seen()


def test_a_conflict_is_no_failure() -> None:
    conflict = WELL.replace(b"200 OK", b"409 Conflict")
    with listening(answering(conflict)) as url:
        with pytest.raises(LifecycleError, match="elsewhere"):
            HttpEdge(url, "s").publish(NOTHING)
        with pytest.raises(OutsideError, match="answers 409"):
            HttpEdge(url, "s").resync(NOTHING)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://x", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no URL"):
        HttpEdge(url, "s")


def test_an_account_cannot_break_out_of_its_line() -> None:
    odd = Verdict("a\tallow\n\u00e9 %", Restraint.SLOW, 1, "novelty")
    assert body_of([odd]) == b"a%09allow%0A%C3%A9%20%25\tslow\t1\tnovelty\n"


def ignored(edge: str, state: State) -> None:
    del edge, state


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_dead_edge_and_a_frozen_one_delay_nobody() -> None:
    reached: list[float] = []
    frozen = threading.Event()

    def dead() -> bool:
        raise OutsideError("it is out of reach")

    def stuck() -> bool:
        frozen.wait(5)
        return True

    def well() -> bool:
        reached.append(time.monotonic())
        return True

    told: list[tuple[str, State]] = []
    pushing = Pushing({"dead": dead, "stuck": stuck, "well": well}, told=lambda edge, state: told.append((edge, state)))
    try:
        until(lambda: len(reached) >= 1)
        until(lambda: pushing.states()["dead"].failures >= LATE + 1)
        said, before = time.monotonic(), len(reached)
        pushing.wake()
        until(lambda: len(reached) > before)
        assert reached[before] - said < 1
        states = {edge: state.reach for edge, state in pushing.states().items()}
        assert states == {"dead": Reach.OUT_OF_REACH, "stuck": Reach.BEHIND, "well": Reach.IN_STEP}
        assert pushing.states()["dead"].why == "it is out of reach"
        assert [edge for edge, _ in told].count("dead") == 1, "told when it changes, not each time"
    finally:
        frozen.set()
        pushing.close()


@pytest.mark.parametrize(("status", "hint"), [(401, "secret"), (403, "--push-from"), (404, "`push`"), (500, "")])
def test_who_refuses_a_push_is_told_of_with_what_to_do(status: int, hint: str) -> None:
    told: list[State] = []
    raw = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    with listening(answering(raw)) as url:
        edge = HttpEdge(url, "s")
        pushing = Pushing({url: lambda: bool(edge.publish(NOTHING))}, told=lambda _, state: told.append(state))
        try:
            until(lambda: bool(told))
        finally:
            pushing.close()
    assert f"answers {status}" in told[0].why
    assert hint in told[0].hint
    assert bool(hint) == bool(told[0].hint)


def test_an_edge_that_comes_back_is_in_step_again_soon() -> None:
    alive = threading.Event()

    def step() -> bool:
        if not alive.is_set():
            raise OutsideError("not yet")
        return True

    pushing = Pushing({"edge": step}, told=ignored)
    try:
        until(lambda: pushing.states()["edge"].failures >= 3)
        alive.set()
        until(lambda: pushing.states()["edge"].reach is Reach.IN_STEP)
    finally:
        pushing.close()


def test_an_edge_hears_something_every_second() -> None:
    beats: list[float] = []

    def step() -> bool:
        beats.append(time.monotonic())
        return True

    pushing = Pushing({"edge": step}, told=ignored)
    try:
        until(lambda: len(beats) == 3)
        assert beats[2] - beats[0] < 5, "an edge that hears nothing for so long believes that it is cut off"
    finally:
        pushing.close()
