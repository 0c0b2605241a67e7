"""What did somebody send who need not be signed in: a text, or a file?

It is held in memory and kept nowhere, so that it is bounded.  A file stands in the field ``file`` as text, with what is
no UTF-8 as lone surrogates: :func:`octets_in` gives it back as it was.
"""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from riparian.console.page import Form
from riparian.console.parts import Parts, boundary_of
from riparian.errors import InputError

FILE: Final = "file"
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 20
_LOSSLESS: Final = "surrogateescape"


async def open_form_of(request: Request, most: int) -> dict[str, str]:
    """Read a form, with or without a file; of a field that stands twice the first.

    Parameters
    ----------
    most
        How many octets may be sent.

    Raises
    ------
    InputError
        When it is none, or too long.
    """
    kind = request.headers.get("content-type", "")
    held = bytearray()
    async for block in request.stream():
        held += block
        if len(held) > most:
            raise InputError(f"more than {most:,} octets were sent, wanted fewer", hint="Send the message alone.")
    return _with_file(bytes(held), kind) if kind.startswith("multipart/") else _plain(bytes(held), kind)


def octets_in(form: Form, name: str) -> bytes:
    """Give back what stands in a field, octet by octet."""
    return form.get(name, "").encode("utf-8", _LOSSLESS)


def _plain(octets: bytes, kind: str) -> dict[str, str]:
    if kind.partition(";")[0].strip() != _FORM:
        raise InputError(f"`{kind[:80]}` was sent, wanted a form")
    try:
        fields = parse_qsl(octets.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise InputError("the form cannot be read, wanted one of UTF-8 and of few fields") from error
    return dict(reversed(fields))


def _with_file(octets: bytes, kind: str) -> dict[str, str]:
    held = bytearray()
    parts = Parts(boundary_of(kind), _begun, held.extend)
    parts.put(octets)
    parts.end()
    return {**parts.fields, FILE: held.decode("utf-8", _LOSSLESS)}


def _begun(fields: dict[str, str], name: str) -> None:
    """Take any file: what it is called says nothing, and two are as one."""
    del fields, name
