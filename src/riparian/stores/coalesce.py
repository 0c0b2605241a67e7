"""How do all who wait travel in one round trip, and nobody wait for a server that does not answer?

A :class:`Line` takes what is waiting at the moment, asks once for all of it, and takes what came meanwhile.  Alone,
a decision waits for nobody; the more there are at once, the less each costs.

Rules
-----
* One batch is under way at a time, so what one asks after another is asked in that order.
* An answer comes within ``answer_s`` or not at all: whoever waits is then told None.  What was asked may have been
  carried out all the same; what that means is for the caller to say.
* After a failure the line is *broken*: whoever asks is told None at once.  Nobody waits for a trial: a task of its own
  mends the line, at once, then after ``pause_s``, then after twice as long each time, at most ``LONGEST_S``.
* Every failure is counted under its cause, and logged once when a line breaks and once when it is mended.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")

LONGEST_S: Final = 5.0
"""Longest pause between two trials of a line that is broken."""
BATCH_MOST: Final = 512
"""How many travel at once; a server does nothing else meanwhile, for some three milliseconds."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long anything may take.

    Parameters
    ----------
    answer_s
        From sending a batch to having its answers; above 0, seconds.
    connect_s
        To connect and be ready, while nobody waits for it; above 0, seconds.
    pause_s
        Before a broken line is tried for the second time; above 0, seconds.
    """

    answer_s: float = 0.1
    connect_s: float = 1.0
    pause_s: float = 0.2

    def __post_init__(self) -> None:
        for name in ("answer_s", "connect_s", "pause_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` is {getattr(self, name)}, wanted seconds above 0")


class Line(Generic[Asked, Told]):
    """Those who wait for one server.

    Parameters
    ----------
    ask
        Asks for a batch; answers are in its order.
    mend
        Connects anew, from whatever state; returns when a batch can be asked.
    cause
        A word for an error, under which it is counted; one that took too long is ``timeout``.
    patience
        How long each may take.
    failures
        Where failures are counted, by cause; lines may count in one place.

    Examples
    --------
    >>> async def doubled(batch):
    ...     print(f"asked once for {len(batch)}")
    ...     return [2 * n for n in batch]
    >>> async def mended(): ...
    >>> async def main():
    ...     line = Line(doubled, mended, cause=str)
    ...     await line.open()
    ...     print(await asyncio.gather(*(line.told(n) for n in range(4))))
    ...     await line.close()
    >>> asyncio.run(main())
    asked once for 4
    [0, 2, 4, 6]
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Asked]], Awaitable[Sequence[Told]]],
        mend: Callable[[], Awaitable[None]],
        *,
        cause: Callable[[Exception], str],
        patience: Patience | None = None,
        failures: Counter[str] | None = None,
    ) -> None:
        self._ask, self._mend, self._cause = ask, mend, cause
        self._patience = patience or Patience()
        self._waiting: deque[tuple[Asked, asyncio.Future[Told | None]]] = deque()
        self._moving: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self.broken = "closed"
        """Why nobody is served, or empty."""
        self.cause = ""
        """Why it was broken the last time."""
        self.error: Exception | None = None
        """What broke it then."""
        self.failures: Counter[str] = Counter() if failures is None else failures
        """How often what failed."""
        self._broken_at_s = 0.0

    async def open(self) -> None:
        """Make the first connection; where there is none, the line is broken, and is being mended."""
        self._broken_at_s = asyncio.get_running_loop().time()
        if not await self._is_mended():
            _LOG.warning("decisions are made without the shared store (%s)", self.broken, exc_info=self.error)
            self._mending = asyncio.create_task(self._mend_later())

    async def close(self) -> None:
        """Send nobody any more; whoever waits is told so."""
        self.broken = "closed"
        tasks = [task for task in (self._moving, self._mending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tell_the_rest()

    @property
    def broken_s(self) -> float:
        """For how long nobody has been served, in seconds; about 0 where the line holds."""
        return asyncio.get_running_loop().time() - self._broken_at_s if self.broken else 0.0

    def told(self, asked: Asked) -> "asyncio.Future[Told | None]":
        """Ask, and wait together with all others; None where nobody answers, for the cause in :attr:`broken`."""
        future: asyncio.Future[Told | None] = asyncio.get_running_loop().create_future()
        if self.broken:
            future.set_result(None)
            return future
        self._waiting.append((asked, future))
        if self._moving is None:
            self._moving = asyncio.create_task(self._move())
        return future

    async def _move(self) -> None:
        try:
            while self._waiting and not self.broken:
                batch = [self._waiting.popleft() for _ in range(min(BATCH_MOST, len(self._waiting)))]
                answers: Sequence[Told | None] = [None] * len(batch)
                try:
                    async with asyncio.timeout(self._patience.answer_s):
                        answers = await self._ask([asked for asked, _ in batch])
                except Exception as error:  # noqa: BLE001 - whatever failed out there, those who wait are told
                    self._break(error)
                finally:
                    for (_, future), answer in zip(batch, answers, strict=True):
                        if not future.done():
                            future.set_result(answer)
        finally:
            self._moving = None

    def _break(self, error: Exception) -> None:
        self._broken_at_s = asyncio.get_running_loop().time()
        self._count(error)
        _LOG.warning("decisions are made without the shared store (%s)", self.broken, exc_info=error)
        self._tell_the_rest()
        self._mending = asyncio.create_task(self._mend_later(at_once=True))

    async def _mend_later(self, *, at_once: bool = False) -> None:
        pause_s = self._patience.pause_s
        is_mended = at_once and await self._is_mended()
        while not is_mended:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_S)
            is_mended = await self._is_mended()
        _LOG.warning("the shared store answers again")

    async def _is_mended(self) -> bool:
        try:
            async with asyncio.timeout(self._patience.connect_s):
                await self._mend()
        except Exception as error:  # noqa: BLE001 - counted under its cause, and tried again
            self._count(error)
            return False
        self.broken = ""
        return True

    def _count(self, error: Exception) -> None:
        self.error = error
        self.broken = self.cause = "timeout" if isinstance(error, TimeoutError) else self._cause(error)
        self.failures[self.cause] += 1

    def _tell_the_rest(self) -> None:
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
