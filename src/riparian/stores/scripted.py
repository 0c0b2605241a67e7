"""How is the script of shared budgets run, on one server or on those of a cluster?

:class:`Script` sends records (:mod:`riparian.stores.asked`) and returns what the script told; a server that has lost
the script (restarted, or flushed) is sent it again within the same question.  It retries nothing else: a question
that failed may have been carried out.

Each answer says since when the server remembers.  When that is later than it was, the server has forgotten, and
``losses`` counts it.
"""

import hashlib
import logging
import time
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.errors import LifecycleError
from riparian.stores.asked import TOLD, Codes, keys, packed
from riparian.stores.coalesce import Patience

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

CAUSES: Final = ("access", "clock", "closed", "connection", "error", "eviction", "memory", "readonly", "timeout")
"""Why nobody may have answered."""

APART_S: Final = 300
IDLE_DAYS: Final = 400

_US: Final = 1_000_000
_AT_GATE: Final = 9
_CLOCK: Final = "CLOCK"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where gates share budgets, and how.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` or ``unix://``, as redis-py has it, with user, password and database.
    is_cluster
        Whether it is a cluster.
    prefix
        What every key begins with; the same for gates that share.
    patience
        How long anything may take.
    idle_days
        How long an account is remembered that asks for nothing; 0 for ever.
    apart_s
        How far the clocks of server and gate may be apart; 0: the server's does not count, and the time is what the
        gate is told.
    """

    url: str
    is_cluster: bool = False
    prefix: str = "riparian"
    patience: Patience = field(default_factory=Patience)
    idle_days: int = IDLE_DAYS
    apart_s: int = APART_S


class Script:
    """The script, where it runs.

    Parameters
    ----------
    sharing
        Where that is.
    terms
        As :func:`riparian.stores.asked.terms` lays them down.
    """

    def __init__(self, sharing: Sharing, terms: NDArray[np.float64]) -> None:
        self._sharing = sharing
        self._terms = terms
        self._text = files("riparian.stores").joinpath("scripts", "admit.lua").read_text(encoding="utf-8")
        self._sha = ""
        self._client: Redis | RedisCluster | None = None
        self.n_slots = BUCKETS if sharing.is_cluster else 1
        """Slots that may be asked each by itself."""
        self.since_us: dict[int, int] = {}
        """Since when each slot that was ever asked is remembered."""
        self.losses = 0
        """How often it was found that a slot had been forgotten."""

    async def mend(self, slot: int) -> None:
        """Connect anew, and see that what answers for a slot can be relied on.

        Raises
        ------
        LifecycleError
            When it may evict keys, or redis-py is not installed.
        """
        if self._client is None or not self._sharing.is_cluster:
            await self.close()
            self._client = self._connected()
        client: Any = self._client
        where: dict[str, Any] = {}
        if self._sharing.is_cluster:
            await client.initialize()
            where = {"target_nodes": client.get_node_from_key(self._since_key(slot))}
        seconds, micros = await client.execute_command("TIME", **where)
        apart_us = abs(int(seconds) * _US + int(micros) - time.time_ns() // 1000)
        if 0 < self._sharing.apart_s * _US < apart_us:
            raise LifecycleError(f"{_CLOCK}s of server and gate are {apart_us // _US} s apart, wanted them together")
        _require_kept(await client.execute_command("INFO", "memory", **where))
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()
        await client.execute_command("SCRIPT LOAD", self._text, **where)

    async def close(self) -> None:
        """Let go of every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def run(
        self, slot: int, letter: str, codes: Codes, record: NDArray[np.void], parent: Codes | None = None
    ) -> NDArray[np.void]:
        """Run the script for records of one slot.

        Parameters
        ----------
        slot
            Of all the codes; 0 where there is only one.
        letter
            ``a`` for accounts, ``p`` for parents.
        codes, record
            Whose, and what [each shape=(records,)].
        parent
            Parents in the same slot, 0 for none [shape=(records,)].

        Returns
        -------
        np.ndarray
            ``TOLD`` [shape=(records,)].
        """
        named = keys(self._sharing.prefix, letter, codes)
        if parent is not None:
            up = keys(self._sharing.prefix, "p", parent)
            given = (parent != 0).tolist()
            named = [key for i, own in enumerate(named) for key in ((own, up[i]) if given[i] else (own,))]
        terms = self._terms.copy()
        terms[_AT_GATE] = record["now"].max()
        reply = await self._evaluated([self._since_key(slot), *named], terms.tobytes(), record.tobytes())
        self._heed(slot, int(np.frombuffer(reply, "<f8", 1)[0]))
        return np.frombuffer(reply, TOLD, offset=16).copy()

    async def forget(self, account: int) -> bool:
        """Take out what is counted for an account; False where nothing was."""
        client: Any = self._client
        (key,) = keys(self._sharing.prefix, "a", np.array([account], np.uint64))
        return bool(await client.execute_command("DEL", key))

    async def remember_since(self, since_us: int) -> None:
        """Let every slot be remembered since a time, where it is not since an earlier one."""
        client: Any = self._client
        for slot in range(self.n_slots):
            known = await client.get(self._since_key(slot))
            since = since_us if known is None else min(since_us, int(known))
            await client.set(self._since_key(slot), since)
            self.since_us[slot] = since

    async def _evaluated(self, named: list[str], *args: bytes) -> bytes:
        from redis.exceptions import NoScriptError  # noqa: PLC0415 - an extra; it is there once there is a client

        client: Any = self._client
        try:
            if self._sharing.is_cluster:
                return bytes(await client.execute_command("EVALSHA", self._sha, len(named), *named, *args))
            return await self._sent(client, packed(self._sha.encode(), *args, named=named))
        except NoScriptError:
            return bytes(await client.execute_command("EVAL", self._text, len(named), *named, *args))

    async def _sent(self, client: Any, command: bytes) -> bytes:
        # What redis-py's execute_command does, without writing hundreds of keys one by one.
        connection = await client.connection_pool.get_connection()
        try:
            await connection.send_packed_command(command)
            return bytes(await connection.read_response())
        finally:
            await client.connection_pool.release(connection)

    def _heed(self, slot: int, since_us: int) -> None:
        if self.since_us.get(slot, since_us) < since_us:
            self.losses += 1
            _LOG.error("the shared store has forgotten what it knew; it remembers since %d us", since_us)
        self.since_us[slot] = since_us

    def _since_key(self, slot: int) -> str:
        inner = f"{{{slot:02}}}:" if self._sharing.is_cluster else ""
        return f"{self._sharing.prefix}:{inner}since"

    def _connected(self) -> "Redis | RedisCluster":
        try:
            from redis.asyncio import Redis  # noqa: PLC0415 - an extra
            from redis.asyncio.cluster import RedisCluster  # noqa: PLC0415 - an extra
            from redis.asyncio.retry import Retry  # noqa: PLC0415 - an extra
            from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise LifecycleError(
                "`redis` is not installed, wanted it for budgets that gates share",
                hint="Install it with riparian's extra: pip install 'riparian[valkey]'.",
            ) from error
        settings: dict[str, Any] = {
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "socket_connect_timeout": self._sharing.patience.connect_s,
            "socket_timeout": None,
        }
        if self._sharing.is_cluster:
            return RedisCluster.from_url(self._sharing.url, require_full_coverage=False, **settings)
        return Redis.from_url(self._sharing.url, **settings)


def cause_of(error: Exception) -> str:
    """Name the cause of a failure, one of ``CAUSES``.

    Examples
    --------
    >>> cause_of(ConnectionRefusedError())
    'connection'
    """
    if isinstance(error, LifecycleError):
        return "clock" if error.message.startswith(_CLOCK) else "eviction"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        return "connection"
    from redis import exceptions as of_redis  # noqa: PLC0415 - an extra; whatever else fails here is its

    if isinstance(error, of_redis.ResponseError) and str(error).startswith(_CLOCK):
        return "clock"
    causes: dict[type[Exception], str] = {
        of_redis.AuthenticationError: "access",
        of_redis.NoPermissionError: "access",
        of_redis.OutOfMemoryError: "memory",
        of_redis.ReadOnlyError: "readonly",
        of_redis.TimeoutError: "timeout",
        of_redis.ConnectionError: "connection",
        of_redis.RedisClusterException: "connection",
    }
    return next((cause for kind, cause in causes.items() if isinstance(error, kind)), "error")


def _require_kept(memory: dict[str, Any]) -> None:
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and memory.get("maxmemory", 0):
        raise LifecycleError(
            f"`maxmemory-policy` is `{policy}`, wanted `noeviction` for budgets",
            hint="Set maxmemory-policy noeviction: a server that throws keys away gives budgets away.",
        )
