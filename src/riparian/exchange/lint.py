"""Is there anybody in it?

What is shared with peers says nothing of people: no names, addresses of mail, telephones, network addresses or
accounts.  Every string of every object is looked at before it leaves, and one that may be somebody stops all of it.
What machines need (identifiers, digests, times, codes of recordings) is known by its shape, not by trust.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from riparian.errors import InputError

# Each takes time that grows with the length of a text and no faster: peers choose the texts.
_MAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"(?<![\w.-])\+?\d[\d ()/.-]{7,40}\d(?![\w-])")
_IPV4: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6: Final = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_ACCOUNT: Final = re.compile(
    r"(?i)\b(?:user|uid|account|acct|member|subscriber|customer|login|session|device|msisdn|imei|ssn)"
    r"(?:[_-]?(?:id|name|no|number))?\s*[=:#/]\s*[\w.@-]{2,}"
)
_IDENT: Final = re.compile(r"^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$")
_CODE: Final = re.compile(r"^(?:[A-Z]{2}[A-Z0-9]{3}\d{7}|[0-9a-f]{32,128}|\d+\.\d+(?:\.\d+)?)$")
_PERSONAL: Final = frozenset(
    {"contact_information", "roles", "first_name", "last_name", "account_login", "display_name"}
)
_PEOPLE: Final = frozenset({"individual"})


@dataclass(frozen=True, slots=True)
class Somebody:
    """Where somebody may be in it: the property, and as what."""

    where: str
    what: str


def people_in(objects: Sequence[Mapping[str, Any]]) -> tuple[Somebody, ...]:
    """List where somebody may be in objects of STIX.

    Examples
    --------
    >>> people_in([{"type": "note", "content": "Ask ann@reed.example"}])
    (Somebody(where='0.content', what='an address of mail'),)
    >>> people_in([{"type": "indicator", "pattern": "[url:value = 'https://mirror.example/a.mp3']"}])
    ()
    """
    return tuple(one for n, said in enumerate(objects) for one in _within(said, str(n), ""))


def checked(objects: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Give the same objects when nobody is in them.

    Raises
    ------
    InputError
        When somebody may be; nothing is shared then.
    """
    found = people_in(objects)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise InputError(
            f"`{found[0].where}` holds {found[0].what}{more}, wanted nothing of people",
            hint="Take it out; people stay here. Nothing was shared.",
        )
    return objects


def _within(said: object, where: str, name: str) -> Iterator[Somebody]:
    if isinstance(said, Mapping):
        if said.get("type") in ("user-account", "email-addr", "email-message", "ipv4-addr", "ipv6-addr", "mac-addr"):
            yield Somebody(where, f"an object of the type {said['type']}")
        if said.get("identity_class") in _PEOPLE:
            yield Somebody(f"{where}.identity_class", "a person")
        for key, one in said.items():
            if key in _PERSONAL and one:
                yield Somebody(f"{where}.{key}", "what is said of people")
            else:
                yield from _within(one, f"{where}.{key}", str(key))
                yield from _told(str(key), f"{where}.{key}")
    elif isinstance(said, list | tuple):
        for n, one in enumerate(said):
            yield from _within(one, f"{where}.{n}", name)
    elif isinstance(said, str):
        yield from _told(said, where)


def _told(text: str, where: str) -> Iterator[Somebody]:
    if _IDENT.match(text) or _TIME.match(text) or _CODE.match(text):
        return
    for form in dict.fromkeys((text, unquote(text))):
        for what, found in (
            ("an address of mail", _MAIL.search(form)),
            ("an account", _ACCOUNT.search(form)),
            ("a network address", _address_in(form)),
            ("a telephone", _PHONE.search(_without_digests(form))),
        ):
            if found:
                yield Somebody(where, what)
                return
        if _has_user(form):
            yield Somebody(where, "a user in an address")
            return


def _address_in(text: str) -> bool:
    return any(_is_address(one) for one in (*_IPV4.findall(text), *_IPV6.findall(text)))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_digests(text: str) -> str:
    without = re.sub(r"[0-9a-fA-F]{32,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "", text)
    return re.sub(r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?", "", without)


def _has_user(text: str) -> bool:
    try:
        return any(urlsplit(one).username for one in re.findall(r"(?i)[a-z][a-z0-9+.-]{0,30}://[^\s'\"]+", text))
    except ValueError:
        return False
