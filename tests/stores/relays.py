"""Real servers that take mail, on this machine, for as long as a test runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller

from riparian.stores.replies import Relay
from tests.ports import free_port


class Taking:
    """A server that takes what it is sent, or answers as it is told."""

    def __init__(self, answer: str = "250 taken") -> None:
        self.answer = answer
        self.taken: list[Any] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 -- theirs
        self.taken.append(envelope)
        return self.answer


@contextmanager
def served(handler: Taking) -> Iterator[Relay]:
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield Relay("127.0.0.1", port)
    finally:
        controller.stop()
