"""How is Envoy answered when it asks over gRPC?

The same :class:`~riparian.edges.door.Door` as over HTTP, behind two services of Envoy's own:

=================================================  =======================================================
``envoy.service.auth.v3.Authorization/Check``      a whole request is asked about: account and device as
                                                   ``edge.toml`` says, the rest from its routes
``envoy.service.ratelimit.v3.RateLimitService``    descriptors are asked about, each by itself: ``account``
``/ShouldRateLimit``                               with ``path``, or with ``kind``, ``recording`` and ``rows``;
                                                   ``device`` may stand beside them
=================================================  =======================================================

Rules
-----
* ``Check`` is told in true status codes, with the headers and the letter that HTTP has.
* The rate limit service knows two words: ``OK``, and ``OVER_LIMIT`` for whatever is not served. Envoy makes 429 of
  that; ``X-Riparian-Status`` says what it is.
* A descriptor with a key that is unknown, or with no account, is a mistake of whoever wrote it: the call fails, and
  Envoy does what it was told to do then.  A path that is not ours is ``OK``.
* A grant that Envoy found to be past its end (``context_extensions: {riparian: late}``) is followed by a fresh one, or
  refused (:mod:`riparian.edges.renewal`).

A question costs three to four times what it costs over HTTP (``bench/gate_envoy.py``): this is for whoever has
it already.  It needs the extra ``envoy``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from riparian.edges.answers import Answers, Told, plain
from riparian.edges.asking import KINDS, Asked, rows_of
from riparian.edges.door import Door
from riparian.edges.renewal import renewed
from riparian.errors import InputError, OutsideError, PolicyError
from riparian.gate.admit import Answer

try:
    import grpc  # type: ignore[import-untyped]
    from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption  # type: ignore[import-untyped]
    from envoy.service.auth.v3 import external_auth_pb2 as auth  # type: ignore[import-untyped]
    from envoy.service.ratelimit.v3 import rls_pb2 as limit  # type: ignore[import-untyped]
    from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]
except ImportError:  # the extra is not installed: said when somebody wants to serve
    grpc = None

AUTHORIZATION: Final = "envoy.service.auth.v3.Authorization"
RATE_LIMIT: Final = "envoy.service.ratelimit.v3.RateLimitService"
MESSAGE_MAX_BYTES: Final = 65_536
CALLS_MAX: Final = 1024
DRAIN_S: Final = 5.0

_DENIED: Final = 7  # PERMISSION_DENIED of google.rpc.Code
_UPSTREAM: Final = frozenset({"X-Riparian-Grant", "X-Riparian-Late", "X-Riparian-Rate"})
_KEYS: Final = frozenset({"account", "device", "kind", "recording", "rows", "path"})


class Authorization:
    """``Check``.

    Parameters
    ----------
    door
        Answers.
    shard
        This gate and of how many, from 0.
    """

    def __init__(self, door: Door, *, shard: tuple[int, int] = (0, 1)) -> None:
        edge = door.edge
        self._door = door
        self._answers = Answers(
            explain=edge.explain, step_up_url=edge.step_up_url, appeal_url=edge.appeal_url, shard=shard
        )

    def check(self, request: Any) -> bytes:
        """Answer a ``CheckRequest`` with a ``CheckResponse``, written."""
        http = request.attributes.request.http
        path, _, query = http.path.partition("?")
        fields = {name.encode(): value.encode() for name, value in http.headers.items()}
        try:
            asked = self._door.asked(fields, path.encode(), query.encode())
        except InputError as error:
            return _checked(plain(400, {"error": error.message}))
        if asked is None:
            return _checked(Told(200, ()))
        if request.attributes.context_extensions.get("riparian") == "late":
            return _checked(renewed(self._door, self._answers, asked, query.encode()))
        answer, because = self._door.answer(asked)
        return _checked(self._answers.told(answer, because=because))


class RateLimit:
    """``ShouldRateLimit``.

    Parameters
    ----------
    door
        Answers.
    shard
        This gate and of how many, from 0.
    """

    def __init__(self, door: Door, *, shard: tuple[int, int] = (0, 1)) -> None:
        self._door = door
        self._answers = Answers(explain=door.edge.explain, shard=shard)

    def should_rate_limit(self, request: Any) -> bytes:
        """Answer a ``RateLimitRequest`` with a ``RateLimitResponse``, written.

        Raises
        ------
        InputError
            When a descriptor cannot be read; nothing is charged then.
        """
        every = [self._asked(descriptor) for descriptor in request.descriptors]
        answered = [None if asked is None else self._door.answer(asked) for asked in every]
        statuses = [_status(None if each is None else each[0]) for each in answered]
        response = limit.RateLimitResponse(overall_code=max((status.code for status in statuses), default=_OK))
        response.statuses.extend(statuses)
        ours = [each for each in answered if each is not None]
        if ours:
            answer, because = max(ours, key=lambda each: each[0].status)
            told = self._answers.told(answer, because=because)
            headers = [("X-Riparian-Status", str(answer.status)), *told.headers]
            response.response_headers_to_add.extend(
                HeaderValue(key=name, value=value) for name, value in headers if name != "Content-Type"
            )
        written: bytes = response.SerializeToString()
        return written

    def _asked(self, descriptor: Any) -> Asked | None:
        said = {entry.key: entry.value for entry in descriptor.entries}
        if not said.get("account") or not said.keys() <= _KEYS or len(said) < len(descriptor.entries):
            found = ", ".join(f"`{key}`" for key in said)
            raise InputError(
                f"the descriptor has {found or 'nothing'}, wanted `account` with `path`, or with `kind`, `recording`"
                " and `rows`, each once",
                hint="Correct the actions of rate_limits in the configuration of Envoy.",
            )
        if "path" not in said:
            return _by_kind(said)
        path = said["path"].partition("?")[0]
        wanted = self._door.edge.routes.find(path)
        if wanted is None:
            return None
        account, device = said["account"].encode(), said.get("device", "").encode()
        return Asked(account, wanted.kind, unquote_to_bytes(wanted.recording), path, wanted.rows, device)


async def serve(
    door: Door,
    *,
    address: str,
    stop: asyncio.Event,
    shard: tuple[int, int] = (0, 1),
    ready: Callable[[str], None] | None = None,
) -> None:
    """Listen for both services until told to stop; then drain.

    Parameters
    ----------
    door
        Answers; the same one may stand behind HTTP, in the same loop.
    address
        ``HOST:PORT``; port 0 takes any that is free.  Not for the public: whoever reaches it asks in anybody's name.
    stop
        Ends it.
    shard
        This gate and of how many, from 0.
    ready
        Told the address once it is open.

    Raises
    ------
    PolicyError
        When the extra ``envoy`` is not installed.
    OutsideError
        When the address cannot be listened on.
    """
    if grpc is None:
        raise PolicyError(
            "`grpcio` and `xds-protos` are not installed, wanted them for a gate that speaks gRPC",
            hint="Install the extra with `pip install 'riparian[envoy]'`, or ask over HTTP, which costs less.",
        )
    options = (
        ("grpc.so_reuseport", 0),  # two gates on one port would share an account's limits by chance
        ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
    )
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=CALLS_MAX)
    server.add_generic_rpc_handlers(_handlers(door, shard))
    host = address.rpartition(":")[0]
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        await server.stop(None)
        raise OutsideError(f"`{address}` cannot be listened on ({error}), wanted a free address") from error
    await server.start()
    if ready is not None:
        ready(f"{host}:{port}")
    await stop.wait()
    await server.stop(DRAIN_S)


_OK: Final = 1
_OVER_LIMIT: Final = 2


def _handlers(door: Door, shard: tuple[int, int]) -> tuple[Any, ...]:
    authorization, rate_limit = Authorization(door, shard=shard), RateLimit(door, shard=shard)
    return (
        _service(AUTHORIZATION, "Check", authorization.check, auth.CheckRequest),
        _service(RATE_LIMIT, "ShouldRateLimit", rate_limit.should_rate_limit, limit.RateLimitRequest),
    )


def _service(service: str, method: str, answer: Callable[[Any], bytes], request: Any) -> Any:
    async def called(message: Any, context: Any) -> bytes:
        try:
            return answer(message)
        except InputError as error:
            refuse: Callable[..., Awaitable[None]] = context.abort
            await refuse(grpc.StatusCode.INVALID_ARGUMENT, error.message)
            raise

    # The answer is bytes already.
    handler = grpc.unary_unary_rpc_method_handler(called, request_deserializer=request.FromString)
    return grpc.method_handlers_generic_handler(service, {method: handler})


def _checked(told: Told) -> bytes:
    response = auth.CheckResponse()
    if told.is_served:
        response.status.code = 0
        ok = response.ok_response
        for name, value in told.headers:
            option = HeaderValueOption(header=HeaderValue(key=name, value=value))
            ok.response_headers_to_add.append(option)
            if name in _UPSTREAM:
                ok.headers.append(option)
    else:
        response.status.code = _DENIED
        denied = response.denied_response
        denied.status.code = told.status
        denied.headers.extend(HeaderValueOption(header=HeaderValue(key=n, value=v)) for n, v in told.headers)
        denied.body = told.body.decode()
    written: bytes = response.SerializeToString()
    return written


def _by_kind(said: Mapping[str, str]) -> Asked:
    kind, rows = KINDS.get(said.get("kind", "media").encode()), rows_of(said.get("rows", "").encode())
    if kind is None or rows is None:
        raise InputError("`kind` or `rows` of a descriptor is unknown, wanted a kind of request and a number")
    account, recording = said["account"].encode(), said.get("recording", "").encode()
    return Asked(account, kind, recording, "", rows, said.get("device", "").encode())


def _status(answer: Answer | None) -> Any:
    """Say one answer; there is none where the path is not ours."""
    code = _OK if answer is None or answer.status == 200 else _OVER_LIMIT
    status = limit.RateLimitResponse.DescriptorStatus(code=code)
    if answer is not None and answer.retry_after_s:
        status.duration_until_reset.CopyFrom(Duration(seconds=answer.retry_after_s))
    return status
