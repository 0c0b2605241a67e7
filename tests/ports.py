"""Which ports can a server of a test have?

Asking the system for any port and letting it go again is a race: until the server listens, the system may give the
same port to a connection, and another test may be told the same. So a worker of pytest draws from ports of its own,
below those that systems give to connections, and each is drawn once in a turn.
"""

import contextlib
import os
import socket
import threading

FIRST, EACH, WORKERS = 12_000, 2_000, 10

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_drawn = [os.getpid() * 17]
_lock = threading.Lock()


def free_port() -> int:
    """Find a port that nobody listens at."""
    return free_ports(1)[0]


def free_ports(n: int) -> list[int]:
    """Find so many ports in a row that nobody listens at."""
    for _ in range(EACH):
        with _lock:
            base = FIRST + _worker % WORKERS * EACH + _drawn[0] % (EACH - n)
            _drawn[0] += n
        with contextlib.ExitStack() as held:
            try:
                for port in range(base, base + n):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return list(range(base, base + n))
    raise AssertionError(f"of {EACH} ports none is free")
