"""The gate over gRPC, asked by a client that is not Envoy; and without the extra."""

import asyncio
import builtins
import gc
import importlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
from envoy.service.auth.v3 import external_auth_pb2 as auth  # type: ignore[import-untyped]
from envoy.service.ratelimit.v3 import rls_pb2 as limit  # type: ignore[import-untyped]

from riparian.codes import codes_of
from riparian.edges import grpc as ours
from riparian.edges.door import Clocks, Door, Keys
from riparian.errors import OutsideError, PolicyError
from riparian.gate.admit import Gate
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

KEY = bytes(16)
LOOP = asyncio.Runner()  # gRPC keeps to the first loop that it meets
ROUTES = [
    {"path": "/licence/{recording}", "kind": "licence"},
    {"path": "/api/tracks/{rows}", "kind": "metadata"},
    {"path": "/media/{recording}/**", "kind": "media"},
]


@pytest.fixture(scope="module", autouse=True)
def _loop() -> Iterator[None]:
    with LOOP:
        yield
        gc.collect()  # a server of gRPC asks its loop to end it, however it ended before
        LOOP.run(asyncio.sleep(0.1))


def a_door(**policy: Any) -> Door:
    read = parse_policy({"mode": "enforce", "requests_burst": 3, "requests_per_minute": 1, "rows_burst": 100, **policy})
    clocks = Clocks(lambda: time.time_ns() // 1000, time.monotonic)
    return Door(Gate.open(read), parse_edge({"account": "cookie:who", "route": ROUTES}), read, Keys(KEY), clocks)


def asked(call: Callable[[Any], Any], door: Door) -> Any:
    """Serve, call, stop."""

    async def both() -> Any:
        stop, bound = asyncio.Event(), asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(ours.serve(door, address="127.0.0.1:0", stop=stop, ready=bound.set_result))
        async with grpc.aio.insecure_channel(await bound) as channel:
            told = await call(channel)
        stop.set()
        await serving
        return told

    return LOOP.run(both())


def check(path: str, account: str = "a1", **extensions: str) -> Callable[[Any], Any]:
    request = auth.CheckRequest()
    request.attributes.request.http.path = path
    request.attributes.request.http.headers["cookie"] = f"theme=dark; who={account}"
    request.attributes.context_extensions.update(extensions)

    async def call(channel: Any) -> list[Any]:
        method = channel.unary_unary(
            f"/{ours.AUTHORIZATION}/Check",
            request_serializer=auth.CheckRequest.SerializeToString,
            response_deserializer=auth.CheckResponse.FromString,
        )
        return [await method(request) for _ in range(5)]

    return call


def should_rate_limit(*descriptors: dict[str, str]) -> Callable[[Any], Any]:
    request = limit.RateLimitRequest(domain="riparian")
    for descriptor in descriptors:
        entries = request.descriptors.add().entries
        for key, value in descriptor.items():
            entries.add(key=key, value=value)

    async def call(channel: Any) -> list[Any]:
        method = channel.unary_unary(
            f"/{ours.RATE_LIMIT}/ShouldRateLimit",
            request_serializer=limit.RateLimitRequest.SerializeToString,
            response_deserializer=limit.RateLimitResponse.FromString,
        )
        return [await method(request) for _ in range(5)]

    return call


def status_of(told: Any) -> int:
    return int(told.denied_response.status.code) if told.status.code else 200


CHECKED = {
    "a limit of three": ("/licence/r1", {}, [200, 200, 200, 429, 429]),
    "a path that is not ours": ("/about", {}, [200] * 5),
    "a path that can be read in two ways": ("/licence/../r1", {}, [400] * 5),
    "a grant past its end": ("/media/r1/1", {"riparian": "late"}, [403] * 5),
    "rows beyond what is left": ("/api/tracks/60", {}, [200, 429, 429, 429, 429]),
}


@pytest.mark.parametrize("situation", CHECKED)
def test_check_says_true_statuses(situation: str) -> None:
    path, extensions, statuses = CHECKED[situation]
    told = asked(check(path, **extensions), a_door())
    assert [status_of(each) for each in told] == statuses


def test_check_says_the_headers_and_the_letter_that_http_has() -> None:
    told = asked(check("/licence/r1"), a_door())
    served = {option.header.key: option.header.value for option in told[0].ok_response.response_headers_to_add}
    refused = {option.header.key: option.header.value for option in told[4].denied_response.headers}
    assert (served["X-Riparian-Action"], served["X-Riparian-Shard"]) == ("allow", "0/1")
    assert refused["X-Riparian-Because"] == "limit"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert '"because": "limit"' in told[4].denied_response.body


LIMITED = {
    "by kind": (({"account": "a1", "kind": "licence", "recording": "r1"},), [1, 1, 1, 2, 2]),
    "by path": (({"account": "a1", "path": "/licence/r1?x=1"},), [1, 1, 1, 2, 2]),
    "by a path that is not ours": (({"account": "a1", "path": "/about"},), [1] * 5),
    "rows": (({"account": "a1", "kind": "metadata", "rows": "60"},), [1, 2, 2, 2, 2]),
    "two, one of them refused": (
        ({"account": "a1", "kind": "metadata", "rows": "60"}, {"account": "a2", "path": "/about"}),
        [1, 2, 2, 2, 2],
    ),
}


@pytest.mark.parametrize("situation", LIMITED)
def test_the_rate_limit_service_answers_for_each_descriptor(situation: str) -> None:
    descriptors, codes = LIMITED[situation]
    told = asked(should_rate_limit(*descriptors), a_door())
    assert [each.overall_code for each in told] == codes
    assert all(len(each.statuses) == len(descriptors) for each in told)
    if codes[-1] == 2:
        headers = {header.key: header.value for header in told[-1].response_headers_to_add}
        assert headers["X-Riparian-Status"] == "429"
        assert told[-1].statuses[0].duration_until_reset.seconds == int(headers["Retry-After"])


def test_a_recording_that_is_no_text_is_the_same_one_to_both() -> None:
    door = a_door(requests_burst=100, novelty_burst=1, novelty_per_day=1)
    assert [status_of(each) for each in asked(check("/licence/%FE"), door)] == [200] * 5
    for path, code in (("/licence/%FE", 1), ("/licence/%FF", 2)):
        told = asked(should_rate_limit({"account": "a1", "path": path}), door)
        assert [each.overall_code for each in told] == [code] * 5, path


MISTAKEN = {
    "nothing": {},
    "no account": {"kind": "media"},
    "an empty account": {"account": "", "kind": "media"},
    "an unknown key": {"account": "a1", "remote_address": "192.0.2.1"},
    "an unknown kind": {"account": "a1", "kind": "video"},
    "rows that are no number": {"account": "a1", "kind": "metadata", "rows": "-1"},
    "a path with two spellings": {"account": "a1", "path": "/licence//r1"},
}


@pytest.mark.parametrize("situation", MISTAKEN)
def test_a_descriptor_that_cannot_be_read_fails_and_costs_nothing(situation: str) -> None:
    door = a_door()
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        asked(should_rate_limit(MISTAKEN[situation]), door)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert not any(door.gate.counts().values())


def test_who_is_held_is_refused_by_both() -> None:
    door = a_door()
    code = codes_of(pa.array(["a1"]), KEY)
    door.gate.judge(code, [3], [0], ["person"], full=True)
    assert [status_of(each) for each in asked(check("/licence/r1"), door)] == [403] * 5
    told = asked(should_rate_limit({"account": "a1", "path": "/licence/r1"}), door)
    assert [each.overall_code for each in told] == [2] * 5


def test_an_address_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OutsideError, match="cannot be listened on"):
            LOOP.run(ours.serve(a_door(), address=address, stop=asyncio.Event()))


def test_without_the_extra_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "grpc" or name.startswith("envoy"):
            raise ImportError(name)
        return real(name, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", missing)
        patched.delitem(sys.modules, ours.__name__)
        alone = importlib.import_module(ours.__name__)
        with pytest.raises(PolicyError) as told:
            LOOP.run(alone.serve(a_door(), address="127.0.0.1:0", stop=asyncio.Event()))
    assert "riparian[envoy]" in told.value.hint
