"""What in a message is as lures have it?

Each sign is a number from 0, not there, to 1; none of them is a wrong, and each is found in genuine mail, too.  They
look at what a message does, before what it says: who it claims to be beside where it comes from and where it leads.
Words are lists in six languages (``lures.toml``), compared without accents and case.

A notice of infringement that is one has what the law asks for: which work, where, who says so, under oath.  A message
that speaks of infringement and has none of it, but a button, is no notice.

Source
------
17 U.S.C. 512(c)(3)(A) (elements of a notice); RFC 8601 (results of authentication); Unicode Technical Standard
39 section 5.2 (words of several scripts).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from riparian.creators.letters import Letter, Link
from riparian.creators.lookalikes import Suffixes

HOST_MAX: Final = 253
"""A longer one is none (RFC 1035, section 2.3.4)."""
_LITTLE: Final = 300
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_NAME_MIN: Final = 4
_FEW: Final = 4
_WHOLE: Final = 5
_SHORT: Final = 1_500
_BEGIN: Final = 1_200
"""Of a long text so many letters are read for phrases: a lure does not hide what it asks for."""
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2800\u3164\ufeff]")
_IP: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]+|\d{8,10}|\[.*\]")
_RANDOM: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|\d[a-z]+\d|[a-z]\d[a-z]+\d|\d{4}|[0-9a-f]{12}")
_REPLY: Final = re.compile(r"\s*(?:re|fw|fwd|aw|enc|wg|tr|rv)\s*:", re.IGNORECASE)
_SHOWN_HOST: Final = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/:?#].*)?", re.IGNORECASE)
_RUNS: Final = re.compile(
    r"\.(?:s?html?|zip|rar|7z|iso|img|exe|scr|js|vbs|lnk|docm|xlsm|one|eml|svg|gz|cab|jar|ace|r\d\d)$", re.IGNORECASE
)
_GOOD: Final = frozenset({"pass", "bestguesspass"})
_RIGHTS: Final = re.compile(
    r"copyright|infring|dmca|takedown|take-down|copystrike|strike|royalt|derechos|urheber|droits"
)
_OATH: Final = re.compile(r"perjury|good faith|good-faith")
_SUM: Final = re.compile(
    r"[$\u20ac\u00a3]\s?\d[\d.,]+|\d[\d.,]*\s?(?:[$\u20ac\u00a3]|usd\b|eur\b|btc\b|eth\b|dollars?\b|euros?\b)|r\$\s?\d|\d+\s?%"
)
_WORDS: Final = re.compile(r"[^\W_]+")
_PERSON: Final = re.compile(r"[^\W\d_]{1,20}[.,]?(?:[ '\u2019&-]{1,3}[^\W\d_]{1,20}[.,]?){0,4}")
_ALPHABETS: Final = frozenset(
    {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "SYRIAC", "ARABIC", "HEBREW", "COPTIC", "LISU", "GEORGIAN"}
)
_ENTITY: Final = re.compile(r"[\u2100-\u214f\u2460-\u24ff\U0001d400-\U0001d7ff\uff21-\uff5a]")
_EMOJI: Final = re.compile(r"[\u2600-\u27bf\u2b50\U0001f300-\U0001faff]")


@dataclass(frozen=True, slots=True)
class Known:
    """What signs compare with.

    Parameters
    ----------
    words
        Lists of phrases, by sign: folded, without accents, lower case.
    endings
        Endings of domains that cost next to nothing.
    open_hosts
        Registrable domains where anybody puts a page, or an address that leads elsewhere.
    free_mail
        Registrable domains where anybody has an address.
    roles
        Words by which a sender says that it is no person.
    houses
        Names that are much imitated.
    suffixes
        Under what anybody registers.
    """

    words: Mapping[str, re.Pattern[str]]
    endings: frozenset[str]
    open_hosts: frozenset[str]
    free_mail: frozenset[str]
    roles: re.Pattern[str]
    houses: re.Pattern[str]
    suffixes: Suffixes

    def registrable(self, host: str) -> str:
        """Give what was registered of a host; the host where that is nothing."""
        if len(host) > HOST_MAX:
            return host.lower()
        labels = [label for label in host.lower().strip(".").split(".") if label]
        cut = self.suffixes.cut(labels) if len(labels) > 1 else 0
        return ".".join(labels[cut - 1 :]) if cut else host.lower()


def known(said: Mapping[str, Any], suffixes: Suffixes) -> Known:
    """Read the lists of ``lures.toml``.

    Examples
    --------
    >>> lists = known({"words": {"asks": ["verify your"]}, "endings": ["top"], "open_hosts": ["bit.example"],
    ...                "free_mail": ["mail.example"], "roles": ["team"], "houses": ["reed"]}, Suffixes.of(["example"]))
    >>> bool(lists.words["asks"].search("please verify your account")), lists.registrable("a.b.example")
    (True, 'b.example')
    """
    return Known(
        {sign: _any(phrases) for sign, phrases in said["words"].items()},
        frozenset(said["endings"]),
        frozenset(said["open_hosts"]),
        frozenset(said["free_mail"]),
        _any(said["roles"]),
        _any(said["houses"], end=r"(?!\w)"),
        suffixes,
    )


def signs(letter: Letter, lists: Known) -> dict[str, float]:
    """Look for every sign.

    Parameters
    ----------
    letter
        The message.
    lists
        What is compared with.

    Returns
    -------
    dict
        By name of the sign, from 0 to 1; the same names for every message.
    """
    seen = _Seen(letter, lists)
    found = {name: float(look(seen)) for name, look in _LOOKS.items()}
    for name, pattern in lists.words.items():
        found[name] = min(len({one.group() for one in pattern.finditer(seen.begin)}), 3) / 3
    return found


def folded(text: str) -> str:
    r"""Give a text as lists of phrases are written.

    Examples
    --------
    >>> folded("  Última\u200b  Açao ")
    'ultima acao'
    """
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


class _Seen:
    """A message beside what signs need of it several times."""

    def __init__(self, letter: Letter, lists: Known) -> None:
        self.letter, self.lists = letter, lists
        self.text = folded(f"{letter.subject}\n{letter.text}")
        self.begin = self.text[:_BEGIN]
        self.body = folded(letter.text)
        self.host = letter.sender.rpartition("@")[2]
        self.home = lists.registrable(self.host)
        self.local = letter.sender.rpartition("@")[0]
        self.is_mail = "from" in letter.headers and bool(letter.headers & {"received", "message-id", "date"})
        self.calls = _calls(letter.links)
        self.hosts = [host for host in (_host(link.target) for link in self.calls) if host]
        self.homes = {lists.registrable(host) for host in self.hosts}
        self.is_free = self.home in lists.free_mail


def _calls(links: tuple[Link, ...]) -> list[Link]:
    """List the links that are to be followed: those that show something else than where they lead, and the only ones.

    An address that stands in a text among many others, as in a list of what infringes, is read and not followed.
    """
    led = [link for link in links if _host(link.target)]
    return [link for link in led if _is_call(link)] if len({link.target for link in led}) > _FEW else led


def _is_call(link: Link) -> bool:
    return bool(link.shown) and link.shown.strip().rstrip("/").lower() != link.target.strip().rstrip("/").lower()


def _host(target: str) -> str:
    plain = target.strip()
    plain = (
        f"http://{plain}" if plain.lower().startswith("www.") else re.sub("^hxxp", "http", plain, flags=re.IGNORECASE)
    )
    try:
        parts = urlsplit(plain)
        host = (parts.hostname or "").lower() if parts.scheme in ("http", "https") else ""
        return host if len(host) <= HOST_MAX else ""
    except ValueError:
        return ""


def _name_unlike(seen: _Seen) -> bool:
    words = [word for word in _WORDS.findall(folded(seen.letter.name)) if len(word) >= _NAME_MIN]
    address = re.sub(r"[^a-z0-9]", "", folded(seen.letter.sender))
    return bool(words) and bool(seen.letter.sender) and not any(word in address for word in words)


def _is_person(seen: _Seen) -> bool:
    """Say whether a name is as people and firms have them: few words, all letters, and none that claims something."""
    name = folded(seen.letter.name)
    claims = (seen.lists.houses, seen.lists.roles, *seen.lists.words.values())
    return _PERSON.fullmatch(name) is not None and not any(one.search(name) for one in claims)


def _is_office(seen: _Seen) -> bool:
    """Say whether a name is that of an office, and says nothing of whose."""
    return not any(
        len(word) >= _NAME_MIN for word in _WORDS.findall(seen.lists.roles.sub(" ", folded(seen.letter.name)))
    )


def _name_claims(seen: _Seen) -> bool:
    return _name_unlike(seen) and not _is_person(seen) and not _is_office(seen)


def _person_unlike(seen: _Seen) -> bool:
    return _name_unlike(seen) and _is_person(seen) and _wants(seen)


def _is_role(seen: _Seen) -> bool:
    return seen.lists.roles.search(folded(seen.letter.name)) is not None


def _sender_none(seen: _Seen) -> bool:
    return seen.is_mail and "." not in seen.host


def _sender_deep(seen: _Seen) -> bool:
    return seen.host.count(".") - seen.home.count(".") > 1


def _is_random(label: str) -> bool:
    return _RANDOM.search(label) is not None or len(label) > 22


def _sender_random(seen: _Seen) -> bool:
    return any(_is_random(label) for label in seen.host.split(".")) or _is_random(seen.local)


def _elsewhere(address: str, seen: _Seen) -> bool:
    home = seen.lists.registrable(address.rpartition("@")[2])
    return bool(address) and bool(seen.home) and home != seen.home


def _reply_elsewhere(seen: _Seen) -> bool:
    return _elsewhere(seen.letter.reply_to, seen)


def _unproven(seen: _Seen) -> bool:
    """Say whether the receiver looked, and nothing of it passed; of what wants nothing, many a small firm's is so."""
    passed = seen.letter.passed
    return bool(passed) and not any(result in _GOOD for result in passed.values()) and _wants(seen)


def _failed(seen: _Seen) -> bool:
    """Say whether something failed, and no domain that the sender claims was confirmed."""
    passed = seen.letter.passed
    return passed.get("dmarc") not in _GOOD and any("fail" in one or "error" in one for one in passed.values())


def _subject_disguised(seen: _Seen) -> bool:
    return _is_disguised(f"{seen.letter.subject} {seen.letter.name}")


def _text_disguised(seen: _Seen) -> float:
    text = seen.letter.text[:20_000]
    odd = len(_INVISIBLE.findall(text)) + len(_ENTITY.findall(text)) + 5 * sum(map(_is_mixed, _WORDS.findall(text)))
    return min(odd / 10, 1)


def _is_disguised(line: str) -> bool:
    is_odd = _INVISIBLE.search(line) is not None or line.count("\ufffd") > 1 or len(_ENTITY.findall(line)) > 1
    return is_odd or any(map(_is_mixed, _WORDS.findall(line)))


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in word if c.isalpha()}
    return "LATIN" in scripts and len(scripts & _ALPHABETS) > 1


def _subject_replies(seen: _Seen) -> bool:
    has_earlier = bool(seen.letter.headers & {"in-reply-to", "references"})
    return seen.is_mail and _REPLY.match(seen.letter.subject) is not None and not has_earlier


def _names_recipient(seen: _Seen) -> bool:
    locals_ = {one.partition("@")[0] for one in seen.letter.recipients} - {"info", "mail", "me", "list", "all"}
    subject = folded(seen.letter.subject)
    start = seen.body[:300]
    return any(one in subject or one in start for one in seen.letter.recipients) or any(
        len(one) > _NAME_MIN and re.search(rf"\b{re.escape(folded(one))}\b", subject) for one in locals_
    )


def _to_nobody(seen: _Seen) -> bool:
    return seen.is_mail and not seen.letter.recipients


def _link_machine(seen: _Seen) -> bool:
    return any(_IP.fullmatch(host) for host in seen.hosts)


def _link_open(seen: _Seen) -> bool:
    hosts = [host.split(".") for host in seen.hosts]
    return any(".".join(host[i:]) in seen.lists.open_hosts for host in hosts for i in range(len(host) - 1))


def _cheap(seen: _Seen, hosts: Iterable[str]) -> bool:
    return any(host.rpartition(".")[2] in seen.lists.endings for host in hosts)


def _link_other(seen: _Seen) -> float:
    if not seen.home or not seen.homes:
        return 0
    return 1 if seen.home not in seen.homes else 0.3 if len(seen.homes) > 1 else 0


def _link_shows_other(seen: _Seen) -> bool:
    for link in seen.letter.links:
        shown = _SHOWN_HOST.fullmatch(link.shown.strip())
        host = _host(link.target)
        if shown and host and seen.lists.registrable(shown.group(1)) != seen.lists.registrable(host):
            return True
    return False


def _link_marked(seen: _Seen) -> bool:
    targets = [unquote(link.target).lower() for link in seen.letter.links]
    return any(one in target for target in targets for one in seen.letter.recipients)


def _link_random(seen: _Seen) -> bool:
    return any(_is_opaque(link) for link in seen.calls) or any(
        _is_random(label) for home in seen.homes for label in home.split(".")[:-1]
    )


def _is_opaque(link: Link) -> bool:
    try:
        parts = urlsplit(link.target)
    except ValueError:
        return True
    return any(len(part) > 24 and re.search(r"\d", part) is not None for part in re.split(r"[/?&=#]", parts.path))


def _link_plain(seen: _Seen) -> bool:
    return any(link.target.lower().startswith("http://") for link in seen.calls)


def _one_place(seen: _Seen) -> bool:
    return len(seen.homes) == 1


def _leads(seen: _Seen) -> bool:
    return bool(seen.letter.links or seen.letter.files or seen.letter.images or seen.letter.has_form)


def _wants(seen: _Seen) -> bool:
    """Say whether anything is to be followed, opened, filled in or answered, or there is nothing else to it."""
    leads = seen.calls or seen.letter.files or seen.letter.has_form
    answers = seen.is_free or _answers_free(seen) or _reply_elsewhere(seen)
    return bool(leads or answers or len(seen.body) < _LITTLE or seen.lists.words["asks"].search(seen.begin))


def _little(seen: _Seen) -> float:
    return max(0.0, 1 - len(seen.body) / _LITTLE) if _leads(seen) else 0


def _answers_free(seen: _Seen) -> bool:
    """Say whether the text gives an address that anybody can have, and the sender's is another."""
    found = {one.lower() for one in _ADDRESS.findall(seen.letter.text[:20_000])} - {seen.letter.sender}
    return any(one.rpartition("@")[2] in seen.lists.free_mail for one in found - set(seen.letter.recipients))


def _short(seen: _Seen) -> float:
    wants = _leads(seen) or seen.is_free or _reply_elsewhere(seen) or _answers_free(seen)
    return max(0.0, 1 - len(seen.body) / _SHORT) if wants else 0


def _picture_calls(seen: _Seen) -> float:
    """Say how much of what is to be followed is a picture."""
    return min(seen.letter.pictured, 2) / 2


def _hollow(seen: _Seen) -> float:
    """Say whether it speaks of infringement, and has nothing of a notice but something to follow."""
    if not _RIGHTS.search(seen.text) or not _leads(seen) or _OATH.search(seen.text):
        return 0
    asks = {one.group() for name in ("asks", "secrets") for one in seen.lists.words[name].finditer(seen.text)}
    return min(len(asks), 2) / 2


def _named_elsewhere(seen: _Seen) -> bool:
    """Say whether it bears the name of a house that is much imitated, and comes from elsewhere."""
    line = folded(f"{seen.letter.name} . {seen.letter.subject}")
    claimed = {one.group() for one in seen.lists.houses.finditer(line)}
    address = re.sub(r"[^a-z0-9]", "", seen.home.rpartition(".")[0])
    return bool(seen.host) and any(one.replace(" ", "").replace("-", "") not in address for one in claimed)


def _shouts(seen: _Seen) -> bool:
    letters = [c for c in seen.letter.subject if c.isalpha()]
    return len(letters) > 8 and sum(c.isupper() for c in letters) > 0.6 * len(letters)


_LOOKS: Final[Mapping[str, Callable[[_Seen], float]]] = {
    "name_claims": _name_claims,
    "person_unlike_sender": _person_unlike,
    "role_unlike_sender": lambda seen: _is_role(seen) and _name_unlike(seen),
    "role_free_mail": lambda seen: seen.is_free and _is_role(seen),
    "free_mail": lambda seen: seen.is_free,
    "sender_none": _sender_none,
    "senders_many": lambda seen: seen.letter.senders > 1,
    "sender_deep": _sender_deep,
    "sender_random": _sender_random,
    "sender_ending": lambda seen: _cheap(seen, [seen.host]),
    "sender_open": lambda seen: seen.home in seen.lists.open_hosts or seen.host.endswith(".onmicrosoft.com"),
    "reply_elsewhere": _reply_elsewhere,
    "reply_free_mail": lambda seen: (
        _reply_elsewhere(seen)
        and seen.lists.registrable(seen.letter.reply_to.rpartition("@")[2]) in seen.lists.free_mail
    ),
    "return_elsewhere": lambda seen: _elsewhere(seen.letter.return_path, seen),
    "unproven": _unproven,
    "failed": _failed,
    "to_nobody": _to_nobody,
    "subject_disguised": _subject_disguised,
    "subject_pictures": lambda seen: bool(_EMOJI.search(f"{seen.letter.subject} {seen.letter.name}")),
    "subject_replies": _subject_replies,
    "subject_shouts": _shouts,
    "names_recipient": _names_recipient,
    "link_machine": _link_machine,
    "link_open": _link_open,
    "link_ending": lambda seen: _cheap(seen, seen.hosts),
    "link_other": _link_other,
    "link_shows_other": _link_shows_other,
    "link_marked": _link_marked,
    "link_random": _link_random,
    "link_plain": _link_plain,
    "one_place": _one_place,
    "little_text": _little,
    "short_text": _short,
    "pictures": lambda seen: bool(seen.letter.images) and len(seen.body) < 2 * _LITTLE,
    "hidden_text": lambda seen: min(seen.letter.hidden / 200, 1),
    "text_disguised": _text_disguised,
    "picture_calls": _picture_calls,
    "form": lambda seen: seen.letter.has_form,
    "file_runs": lambda seen: any(_RUNS.search(name) for name in seen.letter.files),
    "file_little": lambda seen: bool(seen.letter.files) and len(seen.body) < _LITTLE,
    "answers_free": _answers_free,
    "sums": lambda seen: _SUM.search(seen.begin) is not None,
    "notice_hollow": _hollow,
    "named_elsewhere": _named_elsewhere,
}


def _any(phrases: Iterable[str], end: str = "") -> re.Pattern[str]:
    """Match phrases where words begin: the long ones with any ending, the short ones as they are."""
    some = sorted(phrases, key=len, reverse=True)
    ended = (re.escape(one) + (end or (r"(?!\w)" if len(one) <= _WHOLE else "")) for one in some)
    return re.compile(r"(?<!\w)(?:" + "|".join(ended) + ")")
