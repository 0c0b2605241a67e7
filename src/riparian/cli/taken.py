"""Is an address free that is to be listened at?

Found out before anything begins: a child that cannot listen would be begun again and again, and say the same each time.
"""

import errno
import os
import socket
from collections.abc import Iterable

from riparian.edges.listen import split
from riparian.errors import OutsideError


def require_free(addresses: Iterable[tuple[str, str]]) -> None:
    """Refuse to begin where somebody else listens already.

    Parameters
    ----------
    addresses
        Each ``HOST:PORT``, with what names another one, as it stands in a command or a file.

    Raises
    ------
    OutsideError
        When one is taken, or is none of this machine's.
    PolicyError
        When one is no address.

    Examples
    --------
    >>> require_free([("127.0.0.1:0", "--listen")])
    """
    for address, name in addresses:
        host, port = split(address)
        try:
            _listened(host, port)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is in use" if taken else f"cannot be listened on ({error})"
            look = f"End what listens there (`ss -ltnp` names it), or name another one with {name}."
            raise OutsideError(
                f"port {port} of `{host}` {why}, wanted a free address",
                hint=look if taken else f"Name an address of this machine with {name}.",
            ) from error


def _listened(host: str, port: int) -> None:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, _, _, _, place in found[:1]:
        with socket.socket(family) as tried:
            if os.name == "posix":
                # What was closed a moment ago lingers, and hinders nobody.
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
            tried.listen(1)
