"""What did somebody send, and did one of our pages make the form for them?"""

import hmac
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from riparian.errors import InputError

_OCTETS_MAX: Final = 64 << 10
_FIELDS_MAX: Final = 50


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


def require_own(form: dict[str, str], token: str) -> None:
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
