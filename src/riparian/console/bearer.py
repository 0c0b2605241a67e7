"""By which token does a program ask?"""

from typing import Final

from starlette.requests import Request

_SCHEME: Final = "bearer"


def bearer_in(request: Request) -> str | None:
    """Read the token that a program sends; None where none is sent, empty where more than one is."""
    sent = [text.partition(" ") for text in request.headers.getlist("authorization")]
    # A server in front may ask for a name and a word of its own, which browsers then send by themselves: no token.
    found = [secret.strip() for scheme, _, secret in sent if scheme.lower() == _SCHEME]
    return None if not found else found[0] if len(found) == 1 else ""
