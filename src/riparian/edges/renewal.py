"""What follows a grant that has ended?

A grant lasts a minute or two, and a player fetches the playlist of a long recording once.  So an edge that finds a
grant past its end asks about it, and the answer is another: 307 to the same address with a fresh one.

Rules
-----
* The grant has to be one of ours that was good for this request: its key, account, path and device are right, and
  only its end is past.  It ended less than ``RENEWED_S`` ago.
* The operator's own authentication has to name the account.  Whoever has nothing but an address that was passed on
  sees it end with its grant.
* The gate is asked as for anything else: who is held or ended is refused, and a recording that the account has had
  is free.
* A grant that still holds by the clock here is answered as the gate answers, and never with a redirect: an edge whose
  clock is ahead would send a listener round in a circle.  ``X-Riparian-Late``, empty, tells Envoy so.
* The address that follows is a path of this server, spelt as it was asked for; nothing of the request gets into a
  header that has not been encoded.
* It is told because of ``grant``: so a scan of the log knows that nothing was had with this one.
* In shadow nothing is refused, so nothing is renewed.
"""

from typing import Final
from urllib.parse import quote

from riparian.edges.answers import COOKIE, GRANT, Answers, Told
from riparian.edges.asking import Asked, token_in
from riparian.edges.door import Door, home_of, under
from riparian.gate.grants import RENEWED_S, Form, Grant, verify
from riparian.gate.policy import Mode
from riparian.gate.refused import Refused
from riparian.gate.routes import Kind

_US: Final = 1_000_000
_AS_IT_IS: Final = "!$&'()*+,;=:@/?%~-._[]"


def may_follow(door: Door, asked: Asked, token: str) -> bool:
    """Say whether a grant that has ended may be followed by another, should the gate agree.

    Parameters
    ----------
    door
        Knows keys and time.
    asked
        Of a request for media.
    token
        That :meth:`~riparian.edges.door.Door.granted` has found to be ``Refused.ENDED``.
    """
    ring = door.keys.ring
    if ring is None or not asked.account or door.policy.mode is Mode.SHADOW:
        return False
    account, device = asked.account.decode(), asked.device.decode()
    # It was looked at by today's keys already: this asks for its end only.
    then_s = door.clocks.now_us() // _US - RENEWED_S
    held = verify(token, ring, account=account, path=asked.path, device=device, now_s=then_s)
    return isinstance(held, Grant)


def renewed(door: Door, answers: Answers, asked: Asked, query: bytes) -> Told:
    """Answer a request for media whose grant an edge has found past its end.

    Parameters
    ----------
    door
        Answers, verifies and issues.
    answers
        In true status codes.
    asked
        What the request asks for.
    query
        As it stands in the request, with the grant.

    Raises
    ------
    InputError
        When the account or the device is no text.
    """
    token = token_in(query)
    held: Grant | Refused = Refused.MALFORMED
    if asked.kind is Kind.MEDIA and token:
        held = door.granted(token, asked)
    if isinstance(held, Grant):
        answer, because = door.answer(under(asked, held))
        told = answers.told(answer, because=because)
        return Told(200, (*told.headers, ("X-Riparian-Late", ""))) if told.is_served else told
    if held is Refused.ENDED and may_follow(door, asked, token):
        return followed(door, answers, asked, query, with_cookie=True)
    answer, because = door.ungranted(asked.kind)
    return answers.told(answer, because=because)


def followed(door: Door, answers: Answers, asked: Asked, query: bytes, *, with_cookie: bool = False) -> Told:
    """Ask the gate about a grant that may be followed, and send to the same address with a fresh one where it agrees.

    Parameters
    ----------
    door, answers, asked, query
        As in :func:`renewed`.
    with_cookie
        For an edge that looks at ``COOKIE``, too: a player that keeps cookies is asked about once in ``grant_s`` then,
        and not once for a segment.

    Raises
    ------
    InputError
        When the account or the device cannot stand in a grant.
    """
    answer, because = door.answer(asked)
    if answer.status != 200:
        return answers.told(answer, because=because)
    fresh = door.grant(asked, answer, form_of(token_in(query)))
    moved = [("Location", address(asked.path, query, fresh)), ("Cache-Control", "no-store")]
    if with_cookie:
        terms = f"Path={home_of(asked)}; Max-Age={door.policy.grant_s}; HttpOnly; SameSite=Lax"
        moved.append(("Set-Cookie", f"{COOKIE}={fresh}; {terms}"))
    return Told(307, (*answers.told(answer, because=GRANT).headers, *moved))


def form_of(token: str) -> Form:
    """Say in which form a grant is written, so that the next one is written so, too.

    Examples
    --------
    >>> form_of("rg1.k1.1800000060.full.YQ.Lw.T2Dm"), form_of("e30.e30.T2Dm")
    (<Form.HMAC: 'hmac'>, <Form.JWT: 'jwt'>)
    """
    if token.startswith("rg1."):
        return Form.HMAC
    return Form.JWT if token.count(".") == 2 else Form.CAT


def address(path: str, query: bytes, token: str) -> str:
    r"""Write the address of the same thing with another grant.

    Parameters
    ----------
    path
        Plain (:mod:`riparian.gate.spelling`): so it begins with one slash, and names no other server.
    query
        As it stands in the request.
    token
        The grant that stands in it then, alone.

    Examples
    --------
    >>> address("/m/r/1.ts", b"a=1&g=old&b=%20&G=older", "new")
    '/m/r/1.ts?a=1&b=%20&g=new'
    >>> address("/m/r/1.ts", b"a=\r\nSet-Cookie: b", "new")
    '/m/r/1.ts?a=%0D%0ASet-Cookie:%20b&g=new'
    """
    # In nginx, an argument has the same name in capitals.
    kept = [part for part in query.split(b"&") if part and not part.lower().startswith(b"g=")]
    return f"{path}?{'&'.join([*(quote(part, safe=_AS_IT_IS) for part in kept), f'g={token}'])}"
