"""What did somebody send, and did one of our pages make the form for them?

A file that comes with a form goes to the disk as it comes, and only behind the token of the form: of what nobody's page
asked for, and of what is too large, nothing is written.  What is not wanted is still read, and thrown away, since a
browser shows no answer before it has sent everything.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from riparian.console.parts import Parts, boundary_of
from riparian.errors import InputError

_OCTETS_MAX: Final = 64 << 10
_FIELDS_MAX: Final = 50
_THROWN_MAX: Final = 8 << 30


async def octets_of(request: Request) -> bytes:
    """Read what was sent.

    Raises
    ------
    InputError
        When it is too long.
    """
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > _OCTETS_MAX:
            raise InputError(f"more than {_OCTETS_MAX:,} octets were sent, wanted fewer")
    return bytes(held)


async def form_of(request: Request) -> dict[str, str]:
    """Read a form that was sent; of a field that stands twice the first.

    Raises
    ------
    InputError
        When it is none, or too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise InputError(f"`{kind[:80]}` was sent, wanted a form")
    try:
        text = (await octets_of(request)).decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise InputError("the form cannot be read, wanted one of UTF-8 and of few fields") from error
    return dict(reversed(fields))


def require_own(form: Mapping[str, str], token: str) -> None:
    """Refuse a form that no page of ours made for whoever sends it.

    Raises
    ------
    InputError
        When it has another token, or none.
    """
    if not hmac.compare_digest(form.get("token", "").encode(), token.encode()):
        raise InputError(
            "the form is not from a page that was made for you, wanted one that is",
            hint="Go back, load the page again, and send its form once more.",
        )


@dataclass(frozen=True, slots=True)
class Room:
    """Where a file that comes may lie, and how large it may be."""

    folder: Path
    octets: int


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that came: ``name`` is what whoever sent it calls it, and names nothing here."""

    path: Path
    name: str
    octets: int
    sha256: str


@dataclass(slots=True)
class _Coming:
    """A file that comes."""

    file: Any
    room: Room
    token: str | None
    name: str = ""
    octets: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)

    def begun(self, fields: dict[str, str], name: str) -> None:
        self._require_own(fields)
        if self.name or self.octets:
            raise InputError("more than one file was sent, wanted one", hint="Send one after the other.")
        self.name = name

    def require_whole(self, fields: dict[str, str]) -> None:
        self._require_own(fields)
        if not self.octets:
            raise _no_file()

    def _require_own(self, fields: dict[str, str]) -> None:
        if self.token is not None:
            require_own(fields, self.token)

    def taken(self, block: bytes) -> None:
        self.octets += len(block)
        if self.octets > self.room.octets:
            raise InputError(
                f"the file has more than {self.room.octets >> 20:,} MiB, wanted a smaller one",
                hint="Use the command at your own machine, or raise upload_mib in console.toml.",
            )
        self.sha256.update(block)
        self.file.write(block)


async def file_of(request: Request, token: str | None, room: Room) -> tuple[dict[str, str], Brought]:
    """Read a form that brings a file, whose token, where one is wanted, stands before it.

    The file is whoever calls' to keep or remove.

    Raises
    ------
    InputError
        When it is none, not made for whoever sends it, without a file, or the file is too large.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip() == "application/x-www-form-urlencoded":
        form = await form_of(request)
        if token is not None:
            require_own(form, token)
        raise _no_file()
    boundary = boundary_of(kind)
    room.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=room.folder, prefix="coming-", delete=False) as file:
        coming = _Coming(file, room, token)
        try:
            parts = Parts(boundary, coming.begun, coming.taken)
            await _read(request, parts)
            coming.require_whole(parts.fields)
        except BaseException:
            await run_in_threadpool(os.unlink, file.name)
            raise
    return parts.fields, Brought(Path(file.name), coming.name, coming.octets, coming.sha256.hexdigest())


async def _read(request: Request, parts: Parts) -> None:
    refused: InputError | None = None
    thrown = 0
    try:
        async for block in request.stream():
            if refused is None:
                try:
                    await run_in_threadpool(parts.put, block)
                except InputError as error:
                    refused = error
            else:
                thrown += len(block)
                if thrown > _THROWN_MAX:
                    break
    except ClientDisconnect:
        refused = InputError("the form broke off, wanted a whole one", hint="Send it once more.")
    if refused is not None:
        raise refused
    parts.end()


def _no_file() -> InputError:
    return InputError("no file was sent, or an empty one, wanted one", hint="Choose a file, and send it once more.")
