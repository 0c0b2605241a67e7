"""Which of these domains look as if they were yours, to somebody who reads in haste?

Nobody lists all that a domain could be mistaken for: a name and a word, or two, are more than anybody can write out.
So it is asked the other way round.  Names that people trust are kept in an index, and each domain of a list (new
registrations, certificates, links in messages) is cut into what people read in it, and looked up:

- ``same``: the name itself under another ending, ``reed.top`` for ``reed.example``
- ``host``: the name is a label of somebody else's domain, ``reed.com-claims.net``
- ``words``: the name with words of such letters, joined or not, ``reed-royalties.com``, ``reedforartists.com``
- ``letters``: any of these, in letters that look alike, also of other alphabets, ``r1verwave``, ``rivervvave``
- ``typo``: one letter is missing, too many, another, or two are exchanged
- ``joined``: the name beside anything else, ``reed-xyz.com``; where that is asked for, also ``reedxyz.com``

A name that is an ordinary word, or short, says nothing inside of others: somebody named Amuse
is told of ``amuse-login``, and not of ``hotelamusementpark``.  Suffixes under which anybody registers (``com``,
``de.com``, ``github.io``) are no part of a name.  To look alike is no wrong: a person looks.

Source
------
Public Suffix List, with its private section (publicsuffix.org, format of the list); Unicode Technical Standard 39
section 4 (what looks alike), by :mod:`riparian.catalogue.names`; RFC 3492 (Punycode), RFC 5891 section 5.4 (domains as
they are looked up).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from riparian.catalogue.names import look
from riparian.errors import InputError

ORDINARY_MAX: Final = 5
"""A name of at most so many letters counts as an ordinary word."""
NAME_MIN: Final = 3
_TYPO_MIN: Final = 6
_HEAD: Final = NAME_MIN
_DOMAIN_MAX: Final = 253
_LABELS_MAX: Final = 12
_SAID_MAX: Final = 8_192
WORDS: Final = frozenset(
    """
    access account accounts activate activation admin advance agent alert alerts analytics and app appeal apply artist
    artists at auth authorize award awards backstage balance bank beta billing bonus brief business by cancel care case
    center centre certificate check claim claims collect com confirm connect contact content contract copyright corp
    creator creators dashboard deal direct distribution distributor dmca docs document documents download earn earnings
    edit email enforcement eu events expired fan fans feedback file files finance fix for form forms free from fund
    funds gift global go group grant grants guard help helpdesk hq hub id identity inc income info infringement
    international invoice invoices invite is it join key label labels legal licence license licensing link live log
    login logon mail manage manager me media member members message messages mobile money music musician musicians my
    net network new news notice notices notification official on online open org os our page pass password pay payee
    payment payments payout payouts playlist playlists podcast policy portal premium press pro producer producers
    profile promo promotion publisher publishers publishing rebate recover recovery redeem refund register registration
    release releases renew renewal report reports reset resolution review rewards rights royalties royalty safe safety
    sale secure secured security service services session settlement shop sign signin signup site sound splits
    statement statements status store streaming streams studio submission submit subscription support survey suspended
    tax taxes team terms the ticket tickets to token tracks transfer trust unlock unsubscribe update updates upgrade
    upload us user users validate validation verification verified verify violation wallet web webmail wire withdraw
    withdrawal with www you your
    """.split()  # noqa: SIM905 -- two hundred words are read as a text
)
"""Words of letters that ask artists for something."""
_DIGRAPHS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_ASCII: Final = str.maketrans({**{str(d): c for d, c in zip("0134578", "oleastb", strict=True)}, "i": "l"})
_DIGRAPHS_HASTY: Final = (("nn", "m"), ("lb", "b"), ("dl", "d"))
_LOOKS_LIKE: Final = {"\u0259": "a", "\u0185": "b", "\u0299": "b", "\u01bf": "p"}
"""Letters that look other than they are read, in data that are made for reading."""
_HASTY: Final = str.maketrans("ednqgyv", "cbmoouu")
_BESIDE: Final = ("letters", "typo")
_Ways = dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Name:
    """A name that people trust.

    Parameters
    ----------
    name
        As it stands in domains, lower case: letters and digits.
    domains
        Whose it is: registrable domains, and all under them, that are never told.
    ordinary
        Whether it is a word that many use; None: when it is short, see :data:`ORDINARY_MAX`.
    """

    name: str
    domains: tuple[str, ...] = ()
    ordinary: bool | None = None

    @property
    def is_ordinary(self) -> bool:
        """Whether the name says something only alone, or beside :data:`WORDS`."""
        return len(self.name) <= ORDINARY_MAX if self.ordinary is None else self.ordinary


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A domain that somebody may take for one of ours.

    Parameters
    ----------
    domain
        As the list has it.
    registrable
        What was registered of it: the label before the public suffix, and this.
    name
        For which name.
    ways
        How, in the module's words; the first is where the name stands, ``letters`` or ``typo`` come after it.
    words
        What else is there.
    """

    domain: str
    registrable: str
    name: str
    ways: tuple[str, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suffixes:
    """Under what anybody may register: rules of the Public Suffix List.

    Examples
    --------
    >>> some = Suffixes.of(["com", "de.com", "*.ck", "!www.ck"])
    >>> some.cut(["reed", "de", "com"]), some.cut(["a", "b", "ck"]), some.cut(["www", "ck"]), some.cut(["a", "zz"])
    (1, 1, 1, 1)
    """

    rules: frozenset[str] = field(repr=False)
    wild: frozenset[str] = field(default=frozenset(), repr=False)
    excepted: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, rules: Iterable[str]) -> "Suffixes":
        """Take rules as the list writes them, in any spelling of other alphabets."""
        held = {unicodedata.normalize("NFC", rule.strip().lower()) for rule in rules if rule.strip()}
        wild = frozenset(rule[2:] for rule in held if rule.startswith("*."))
        return cls(frozenset(held), wild, frozenset(rule[1:] for rule in held if rule.startswith("!")))

    def cut(self, labels: Sequence[str]) -> int:
        """Say how many labels stand before the suffix; 0 where all of it is one."""
        rest = ".".join(labels)
        for i in range(len(labels) - 1):
            if rest in self.rules:
                return i
            _, _, parent = rest.partition(".")
            if parent in self.wild:
                return i + 1 if rest in self.excepted else i
            rest = parent
        return len(labels) - 1


class Index:
    """Names, to be looked for in domains.

    Parameters
    ----------
    names
        Ours.
    suffixes
        Under what anybody registers.
    passed
        Registrable domains that are known, and passed over with all under them.
    words
        What else stands beside names in such domains, besides :data:`WORDS`.
    is_wide
        Whether a name that is no ordinary word is told wherever it begins or ends a word, whatever the rest is.

    Raises
    ------
    InputError
        When there is no name, or one is no label of a domain.

    Examples
    --------
    >>> names = [Name("riverwave", ("riverwave.example",)), Name("amuse")]
    >>> index = Index(names, Suffixes.of(["com", "net", "de.com"]))
    >>> [one.ways for one in index.find(["riverwave-royalties.com", "r1verwaveforfans.com", "riverwave.com-pay.net"])]
    [('words',), ('words', 'letters'), ('host', 'words')]
    >>> list(index.find(["hotelamusementpark.com", "pay.riverwave.example", "riverbank.de.com"]))
    []
    >>> [one.name for one in index.find(["amuse-login.com", "rivervvave.com", "riverwav.com"])]
    ['amuse', 'riverwave', 'riverwave']
    """

    def __init__(
        self,
        names: Iterable[Name],
        suffixes: Suffixes,
        passed: Iterable[str] = (),
        words: Collection[str] = (),
        *,
        is_wide: bool = False,
    ) -> None:
        held = list(names)
        for one in held:
            if not re.fullmatch(r"[a-z0-9]+", one.name) or len(one.name) < NAME_MIN:
                raise InputError(
                    f"the name `{one.name[:80]}` is none of a domain, wanted {NAME_MIN} lower-case letters or more",
                    hint="Write it as it stands in your domain, without an ending: reedrecords.",
                )
        if not held:
            raise InputError("there is no name to look for, wanted one or more", hint="Name one with --name.")
        self._suffixes = suffixes
        self._passed = frozenset(domain.lower() for one in held for domain in one.domains) | frozenset(passed)
        self._labels = _Labels(held, frozenset(words) | WORDS, is_wide=is_wide)

    def find(self, domains: Iterable[str]) -> Iterator[Lookalike]:
        """Look at domains, one after another; whatever is no domain is passed over."""
        for domain in domains:
            found = self.look(domain)
            if found is not None:
                yield found

    def look(self, domain: str) -> Lookalike | None:
        """Look at one domain."""
        plain = domain.strip().lower().rstrip(".").removeprefix("*.")
        if "." not in plain or len(plain) > _DOMAIN_MAX:
            return None
        labels = plain.split(".")
        if "xn--" in plain:
            labels = [_shown(label) for label in labels]
        cut = self._suffixes.cut(labels)
        for at in range(cut - 1, max(cut - _LABELS_MAX, 0) - 1, -1):
            found = self._label(labels[at])
            if found is None:
                continue
            name, ways, more = found
            if at < cut - 1:
                more += self._labels.words(labels[cut - 1])
                if name.is_ordinary and not more:
                    continue
                ways = ("host", *(["words"] if more else []), *(way for way in ways if way in _BESIDE))
            # Hardly any domain of a list comes so far: what is known is asked for last.
            registrable = ".".join(labels[cut - 1 :])
            if registrable in self._passed or self._is_passed(plain):
                return None
            return Lookalike(domain, registrable, name.name, ways, more)
        return None

    def _is_passed(self, domain: str) -> bool:
        while domain:
            if domain in self._passed:
                return True
            domain = domain.partition(".")[2]
        return False

    def _label(self, label: str) -> "_Seen | None":
        seen = label if label.isascii() else "".join(map(_latin, label))
        found = self._labels.find(seen.translate(_ASCII), label)
        if found is None and ("rn" in seen or "vv" in seen or "cl" in seen):
            found = self._labels.find(_alike_twice(seen), "")
        # Who writes one letter of another alphabet writes another that looks alike in haste only.
        return self._labels.hasty(seen) if found is None and not label.isascii() else found


_Seen = tuple[Name, tuple[str, ...], tuple[str, ...]]


class _Labels:
    """Names and words as they look when letters that look alike are one, and labels looked up in them."""

    def __init__(self, names: Sequence[Name], words: Iterable[str], *, is_wide: bool) -> None:
        self._is_wide = is_wide
        self._names = {fold(one.name): one for fold in (_alike_twice, _alike) for one in names}
        self._hasty = {_hasty(one.name): one for one in names}
        self._lengths = _by_letter(self._names, slice(0, _HEAD))
        self._words = {fold(word): word for word in words for fold in (_alike_twice, _alike)}
        self._first = _by_letter(self._words, slice(0, 1))
        self._last = _by_letter(self._words, slice(-1, None))
        # Lists have the same few words again and again.
        self._said = lru_cache(_SAID_MAX)(self._read)
        near = [name for name, one in self._names.items() if len(name) >= _TYPO_MIN and not one.is_ordinary]
        self._near: dict[str, list[str]] = {}
        for name in near:
            for less in (name, *_without_one(name)):
                self._near.setdefault(less, []).append(name)
        self._near_lengths = {len(name) + more for name in near for more in (-1, 0, 1)}
        self._near_ends = {name[:2] for name in near}, {name[-2:] for name in near}

    def find(self, folded: str, label: str) -> _Seen | None:
        """Look at one label, folded, and as it was written; empty where letters moved."""
        if "-" not in folded:
            return self._token(folded, label, 0)
        tokens = folded.split("-")
        joined = self._names.get("".join(tokens))
        if joined is not None and not joined.is_ordinary:
            return joined, ("typo",), ()
        at = 0
        for n, token in enumerate(tokens):
            found = self._token(token, label, at) if token else None
            at += len(token) + 1
            if found is not None:
                beside = self._beside(found, [other for m, other in enumerate(tokens) if m != n and other])
                if beside is not None:
                    return beside
        return None

    def hasty(self, seen: str) -> _Seen | None:
        """Look at a label as a whole, when letters that look alike in haste are one, too."""
        name = self._hasty.get(_hasty(seen))
        return (name, ("same", "letters"), ()) if name is not None else None

    def words(self, label: str) -> tuple[str, ...]:
        """List the words of a label."""
        said = [self._said(token) for token in label.translate(_ASCII).split("-")]
        return tuple(word for some in said for word in some or ())

    def _beside(self, found: _Seen, others: Sequence[str]) -> _Seen | None:
        """Weigh what a part of a label is like by what else the label has."""
        name, ways, words = found
        said = [self._said(other) for other in others]
        words += tuple(word for some in said for word in some or ())
        whole = all(some is not None for some in said)
        if (name.is_ordinary and not (whole and words)) or ("typo" in ways and not whole):
            return None
        place = "words" if whole and words else "joined"
        return name, (place, *(way for way in ways if way in _BESIDE)), words

    def _token(self, token: str, label: str, at: int) -> _Seen | None:
        name = self._names.get(token)
        if name is not None:
            return name, ("same", *self._letters(name, label, at, len(token))), ()
        lengths = self._lengths
        for i in range(len(token) - _HEAD + 1):
            some = lengths.get(token[i : i + _HEAD])
            if some is not None:
                for k in some:
                    name = self._names.get(token[i : i + k])
                    found = self._within(name, token, label[at : at + len(token)], i, k) if name is not None else None
                    if name is not None and found is not None:
                        place, words = found
                        return name, (place, *self._letters(name, label, at + i, k)), words
        return self._typo(token) if self._near else None

    def _within(self, name: Name, token: str, raw: str, i: int, k: int) -> tuple[str, tuple[str, ...]] | None:
        before, after = self._led(token[:i], raw[:i]), self._led(token[i + k :], raw[i + k :])
        if before is not None and after is not None and (before or after or not name.is_ordinary):
            return ("words" if before or after else "joined"), (*before, *after)
        is_edge = i == 0 or i + k == len(token)
        return ("joined", ()) if self._is_wide and is_edge and not name.is_ordinary else None

    def _led(self, part: str, raw: str) -> tuple[str, ...] | None:
        """Read a part as words and digits; None where it is not made of them."""
        return () if raw.isdigit() or not part else self._said(part)

    def _typo(self, token: str) -> _Seen | None:
        shortest = min(self._near_lengths)
        if len(token) < shortest:
            return None
        heads, tails = self._near_ends
        ends = self._reaching(token, shortest)
        for i, before in self._reached(token, shortest).items():
            for j, after in ends.items():
                part = token[i:j]
                if len(part) not in self._near_lengths or (part[:2] not in heads and part[-2:] not in tails):
                    continue
                for less in (part, *_without_one(part)):
                    for folded in self._near.get(less, ()):
                        if _is_one_off(part, folded):
                            words = (*before, *after)
                            return self._names[folded], (("words", "typo") if words else ("typo",)), words
        return None

    def _reached(self, token: str, left: int) -> _Ways:
        """Say to where words lead from the beginning, and which, where so many letters are left."""
        found: _Ways = {0: ()}
        todo = [0]
        while todo:
            i = todo.pop()
            for k in self._first.get(token[i : i + 1], ()):
                if i + k > len(token) - left or i + k in found:
                    continue
                word = self._words.get(token[i : i + k])
                if word is not None:
                    found[i + k] = (*found[i], word)
                    todo.append(i + k)
        return found

    def _reaching(self, token: str, left: int) -> _Ways:
        """Say from where words lead to the end, and which, where so many letters are left."""
        found: _Ways = {len(token): ()}
        todo = [len(token)]
        while todo:
            j = todo.pop()
            for k in self._last.get(token[j - 1 : j], ()):
                if j - k < left or j - k in found:
                    continue
                word = self._words.get(token[j - k : j])
                if word is not None:
                    found[j - k] = (word, *found[j])
                    todo.append(j - k)
        return found

    def _read(self, token: str) -> tuple[str, ...] | None:
        """Read a token as words; None where it is not made of them."""
        word = self._words.get(token)
        return (word,) if word is not None else self._reached(token, 0).get(len(token))

    @staticmethod
    def _letters(name: Name, label: str, at: int, n: int) -> tuple[str, ...]:
        return () if label[at : at + n] == name.name else ("letters",)


def _alike(text: str) -> str:
    return text.translate(_ASCII)


def _alike_twice(text: str) -> str:
    for two, one in _DIGRAPHS:
        text = text.replace(two, one)
    return text.translate(_ASCII)


def _hasty(text: str) -> str:
    text = _alike_twice(text)
    for two, one in _DIGRAPHS_HASTY:
        text = text.replace(two, one)
    return text.translate(_HASTY)


def _by_letter(texts: Iterable[str], part: slice) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for text in texts:
        found.setdefault(text[part], set()).add(len(text))
    return {letter: tuple(sorted(some, reverse=True)) for letter, some in found.items()}


@lru_cache(4096)
def _latin(letter: str) -> str:
    if letter.isascii() or letter in _LOOKS_LIKE:
        return _LOOKS_LIKE.get(letter, letter)
    seen = look(letter)
    return seen if seen.isascii() else anyascii(letter).lower()


def _shown(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFKC", label[4:].encode("ascii").decode("punycode")).lower()
    except UnicodeError:
        return label


def _without_one(text: str) -> list[str]:
    return [text[:i] + text[i + 1 :] for i in range(len(text))]


def _is_one_off(some: str, other: str) -> bool:
    if len(some) != len(other):
        longer, shorter = (some, other) if len(some) > len(other) else (other, some)
        return len(longer) - len(shorter) == 1 and shorter in _without_one(longer)
    unlike = [i for i, (a, b) in enumerate(zip(some, other, strict=True)) if a != b]
    if len(unlike) == 2:
        i, j = unlike
        return j == i + 1 and some[i] == other[j] and some[j] == other[i]
    # Another word of six letters is too often one letter away.
    return len(unlike) == 1 and len(some) > _TYPO_MIN
