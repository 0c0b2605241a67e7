"""Which authority says when something was there, and how is it asked?

The operator names one, and the certificates that vouch for it; both are in ``timestamps.json`` in the workspace.  It is
sent a digest, and nothing else.  What it answers counts only when its signature leads to one of those certificates, so
that nobody in between, nor another authority, can say anything in its place.

Nothing waits in a queue: what is not stamped yet is what stands in a case behind its last token, and whoever stamps
later stamps all of it with one.

Source
------
RFC 3161, section 3.4 (over HTTP).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from riparian.cases.stamps import TOKEN_MAX, answers, certificates, question, stamped
from riparian.errors import CustodyError, InputError, OutsideError
from riparian.stores.files import reaching, write_whole

NAME: Final = "timestamps.json"
_VERSION: Final = 1
_TIMEOUT_S: Final = 20.0
_OK: Final = 200

Ask = Callable[[str, bytes], bytes]


class TimestampAuthority:
    """``ports.cases.Timestamps`` of the authority that a workspace names.

    Parameters
    ----------
    folder
        The workspace.
    ask
        Sends a question to an address, and gives the answer.
    """

    def __init__(self, folder: Path, ask: Ask | None = None) -> None:
        self._path = folder / NAME
        self._ask = ask or asked

    @property
    def is_named(self) -> bool:
        """See ``ports.cases.Timestamps``."""
        return self._path.exists()

    def name(self, address: str, roots: bytes) -> None:
        """See ``ports.cases.Timestamps``."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InputError(f"`{address[:80]}` is no address of an authority, wanted one as in https://tsa.example/")
        certificates(roots)
        said = {"version": _VERSION, "address": address, "roots": roots.decode("ascii")}
        with reaching("naming an authority"):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, lambda file: file.write(json.dumps(said, indent=1).encode() + b"\n"))

    @property
    def roots(self) -> bytes:
        """See ``ports.cases.Timestamps``."""
        return self._settings()[1]

    def stamp(self, octets: bytes) -> bytes:
        """See ``ports.cases.Timestamps``."""
        address, roots = self._settings()
        asking = question(octets)
        token = self._ask(address, asking)
        if not answers(asking, token, octets, stamped(token, [roots])):
            raise CustodyError(
                "the authority answered another question, wanted a token over what it was asked",
                hint="Ask it again; if it stays so, name another.",
            )
        return token

    def _settings(self) -> tuple[str, bytes]:
        if not self.is_named:
            raise InputError(
                "no authority is named in this workspace, wanted one that says when something was there",
                hint="Run `riparian case stamp --authority URL --root FILE.pem` once.",
            )
        with reaching("reading which authority is named"):
            text = self._path.read_text(encoding="utf-8")
        try:
            said = json.loads(text)
            return {_VERSION: (str(said["address"]), str(said["roots"]).encode())}[said["version"]]
        except (ValueError, TypeError, KeyError) as error:
            raise CustodyError(
                f"`{NAME}` cannot be read, wanted what riparian wrote into it", hint="Name the authority again."
            ) from error


def asked(address: str, asking: bytes) -> bytes:
    """Ask an authority over HTTP.

    Raises
    ------
    OutsideError
        When it does not answer, or with something else than a token.
    """
    import httpx  # noqa: PLC0415 -- heavy

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    octets = bytearray()
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", address, content=asking, headers=headers) as answer,
        ):
            status = answer.status_code
            for part in answer.iter_bytes():
                octets += part
                if len(octets) > TOKEN_MAX:
                    break
    except (httpx.HTTPError, OSError) as error:
        raise OutsideError(
            f"`{address}` cannot be reached: {error}", hint="What is not stamped now is stamped next time."
        ) from error
    if status != _OK or len(octets) > TOKEN_MAX:
        raise OutsideError(
            f"`{address}` answered {status} with {len(octets):,} octets, wanted a token",
            hint="Check the address of the authority.",
        )
    return bytes(octets)
