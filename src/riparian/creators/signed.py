"""Is this message to an artist really from us, and whole?

Whoever writes to artists signs each message: which template it was made from, when, a hash of the recipient's address,
and the domains that it comes from and leads to.  The signature is a token (JWS, Ed25519) that stands in the message;
its short form is a code of twenty letters that fits on a line, and that we look up.  Both say the same: *this was sent
by us, to you, then, and leads nowhere else*.  A token is checked by anybody who has our public key; a code by asking
us.

A message that is forwarded to somebody else, whose links were exchanged, or with which files come is not what was
signed.  Its words are not signed, for mail is changed on its way: whoever gets hold of a message to an artist can write
other words beside its code, to the same artist, but lead them nowhere.

Source
------
RFC 7515 (JWS, compact), RFC 8037 (Ed25519); alphabet of codes: Crockford's Base32, without I, L, O and U.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from riparian.errors import InputError

TYPE: Final = "riparian-message+jws"
HEADER: Final = "X-Riparian-Message"
VERSION: Final = 1
LETTERS: Final = 20
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAKEN_FOR: Final = str.maketrans("OIL", "011", "- \u2010\u2011\u2012\u2013")
_TOKEN: Final = re.compile(r"(?<![\w-])eyJ[\w-]{10,400}\.[\w-]{10,4000}\.[\w-]{86}(?![\w-])")
_BROKEN: Final = re.compile(r"eyJ[\w-]{10,400}\.[\w-]{10,4000}\.[\w-]{86}")
_TOKEN_MAX: Final = 6_000
_TRIED_MAX: Final = 10
_CODE: Final = re.compile(r"(?<![0-9A-Z])RM(?:[- ]?[0-9A-Z]{5}){4}(?![0-9A-Z])")
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"
)
_DOMAINS_MAX: Final = 50
_NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed of a message.

    Parameters
    ----------
    template
        What it was made from, as the sender names it: ``royalty-statement``.
    recipient
        SHA-256 of the salt and the recipient's address, see :func:`hashed`; hex.
    salt
        16 octets, hex: without it, addresses could be tried.
    domains
        From which it is sent and to which its links lead, with all under them.
    at_us
        When; microseconds since 1970, UTC.
    by
        Who sends it.
    """

    template: str
    recipient: str
    salt: str
    domains: tuple[str, ...]
    at_us: int
    by: str

    @property
    def said(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "kind": "message",
            "version": VERSION,
            "template": self.template,
            "recipient": self.recipient,
            "salt": self.salt,
            "domains": list(self.domains),
            "at": datetime.fromtimestamp(self.at_us / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "by": self.by,
        }


class Fault(StrEnum):
    """Why a message with a good signature is not what was signed."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    LINKS = "links"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Came:
    """What is compared of a message that came.

    Parameters
    ----------
    recipients
        Addresses of whoever asks, or of those to whom it was sent; where there is none, this is not compared.
    senders
        Hosts from which it claims to be, and to which answers go.
    hosts
        Hosts to which it leads.
    has_files
        Whether files came with it: nothing of files is signed.
    """

    recipients: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    has_files: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A signed message beside one that came.

    Parameters
    ----------
    said
        What was signed, as JSON has it.
    faults
        What is other than signed; empty where nothing is.
    strangers
        Hosts that it leads to and that were not signed.
    """

    said: Mapping[str, Any]
    faults: tuple[Fault, ...]
    strangers: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is what was signed."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sends a message, when, and what makes its hash its own.

    Parameters
    ----------
    by
        The sender.
    at_us
        Microseconds since 1970, UTC.
    salt
        16 random octets.
    """

    by: str
    at_us: int
    salt: bytes


def message(template: str, recipient: str, domains: Iterable[str], sending: Sending) -> Message:
    """Say what is to be signed.

    Parameters
    ----------
    template
        What it was made from.
    recipient
        An address of mail, or whatever the recipient knows to be theirs.
    domains
        From which it is sent and to which its links lead.
    sending
        Who sends it, when.

    Raises
    ------
    InputError
        When a part is missing, or a domain is none.

    Examples
    --------
    >>> one = message("statement", "Ann@post.example", ["riverwave.example"], Sending("Riverwave", 0, bytes(16)))
    >>> one.recipient == hashed("ann@POST.example", bytes(16)), one.domains
    (True, ('riverwave.example',))
    >>> message("statement", "ann@post.example", ["river wave"], Sending("Riverwave", 0, bytes(16)))
    Traceback (most recent call last):
    riparian.errors.InputError: `river wave` is no domain, wanted one such as riverwave.example
    """
    for name, value in (("template", template), ("recipient", recipient), ("sender", sending.by)):
        if not value.strip() or len(value) > _NAME_MAX:
            raise InputError(f"the {name} has {len(value)} letters, wanted 1 to {_NAME_MAX}")
    held = tuple(dict.fromkeys(one.strip().lower().rstrip(".") for one in domains))
    for one in held:
        if not _DOMAIN.fullmatch(one):
            raise InputError(f"`{one[:80]}` is no domain, wanted one such as riverwave.example")
    if len(held) > _DOMAINS_MAX:
        raise InputError(f"found {len(held)} domains, wanted at most {_DOMAINS_MAX}")
    return Message(
        template.strip(), hashed(recipient, sending.salt), sending.salt.hex(), held, sending.at_us, sending.by.strip()
    )


def hashed(recipient: str, salt: bytes) -> str:
    """Hash a recipient: salted, without case and spaces around."""
    return hashlib.sha256(salt + recipient.strip().casefold().encode()).hexdigest()


def signed(one: Message, key: str, sign: Callable[[bytes], bytes]) -> str:
    """Sign it: the token.

    Parameters
    ----------
    key
        The public key, in hex.
    sign
        Ed25519, with its private half.

    Examples
    --------
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    >>> key = own.public_key().public_bytes_raw().hex()
    >>> token = signed(message("statement", "ann@post.example", [], Sending("Riverwave", 0, bytes(16))), key, own.sign)
    >>> verified(token, key)["template"], verified(token, "00" * 32)
    ('statement', None)
    >>> code(token) == code_in(f"Code: {code(token).lower()}")
    True
    """
    head = {"alg": "Ed25519", "kid": key[:16], "typ": TYPE}
    payload = json.dumps(one.said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    body = f"{_base64(json.dumps(head, separators=(',', ':')).encode())}.{_base64(payload.encode())}"
    return f"{body}.{_base64(sign(body.encode()))}"


def verified(token: str, key: str) -> dict[str, Any] | None:
    """Read a token; None where the holder of the key did not sign it so.

    Raises
    ------
    InputError
        When the key is none.
    """
    try:
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _base64(bytes.fromhex(key))})
    except (ValueError, JoseError) as error:
        raise InputError(f"`{key[:80]}` is no public key, wanted 64 hexadecimal digits") from error
    try:
        found = jws.deserialize_compact(token.strip().encode(), public, algorithms=["Ed25519"])
        said: dict[str, Any] = json.loads(found.payload or b"")
        is_ours = found.headers().get("typ") == TYPE and said["version"] == VERSION and said["kind"] == "message"
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return said if is_ours else None


def code(token: str) -> str:
    """Give the short form of a token, with its letters in fours of five: 100 bits of its SHA-256."""
    number = int.from_bytes(hashlib.sha256(token.strip().encode()).digest()[:13]) >> 4
    letters = "".join(_ALPHABET[number >> (5 * i) & 31] for i in reversed(range(LETTERS)))
    return "RM-" + "-".join(letters[i : i + 5] for i in range(0, LETTERS, 5))


def code_in(text: str) -> str:
    """Give the first code of a text as :func:`code` writes it; nothing where there is none.

    Letters that are taken for others are taken back.

    Examples
    --------
    >>> code_in("RM-OOOOI-L2345-6789A-BCDEF"), code_in("rm 00001 12345 6789a bcdef"), code_in("RM-12")
    ('RM-00001-12345-6789A-BCDEF', 'RM-00001-12345-6789A-BCDEF', '')
    """
    found = _CODE.search(text.upper())
    if found is None:
        return ""
    letters = found.group()[2:].translate(_TAKEN_FOR)
    return "RM-" + "-".join(letters[i : i + 5] for i in range(0, LETTERS, 5))


def token_in(text: str) -> str:
    """Give the first token of a text, whole or broken by mail at the ends of lines; nothing where there is none."""
    found = _TOKEN.search(text)
    if found is not None:
        return found.group()
    for begun in islice(re.finditer(r"(?<![\w-])eyJ", text), _TRIED_MAX):
        joined = re.sub(r"=?\r?\n[>\s]*", "", text[begun.start() : begun.start() + _TOKEN_MAX])
        broken = _BROKEN.match(joined)
        if broken is not None:
            return broken.group()
    return ""


def compared(said: Mapping[str, Any], came: Came) -> Compared:
    """Compare what was signed with a message that came.

    Parameters
    ----------
    said
        As :func:`verified` gives it.
    came
        What came.

    Examples
    --------
    >>> sending = Sending("Riverwave", 0, bytes(16))
    >>> said = message("statement", "ann@post.example", ["riverwave.example"], sending).said
    >>> compared(said, Came(("ann@post.example",), (), ("artists.riverwave.example",))).is_whole
    True
    >>> other = compared(said, Came(("bo@post.example",), ("mail.example",), ("riverwave.example.top",), True))
    >>> [str(fault) for fault in other.faults], other.strangers
    (['recipient', 'sender', 'links', 'files'], ('mail.example', 'riverwave.example.top'))
    """
    salt = bytes.fromhex(str(said["salt"]))
    own = {hashed(one, salt) for one in came.recipients}
    domains = [str(one) for one in said["domains"]]
    senders = [host for host in came.senders if not _is_under(host, domains)]
    hosts = [host for host in came.hosts if not _is_under(host, domains)]
    found = {
        Fault.RECIPIENT: bool(own) and said["recipient"] not in own,
        Fault.SENDER: bool(senders),
        Fault.LINKS: bool(hosts),
        Fault.FILES: came.has_files,
    }
    faults = tuple(fault for fault, is_there in found.items() if is_there)
    return Compared(said, faults, tuple(dict.fromkeys([*senders, *hosts])))


def _is_under(host: str, domains: Iterable[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
