"""Is this message from us, is it made as lures are, or does nobody know?

Three answers, and never "genuine" by what a message looks like:

- *verified*: it bears a code that we signed, for this recipient, and leads nowhere else
  (:mod:`riparian.creators.signed`)
- *suspicious*: it has more of the signs of lures than hardly any genuine message has; which ones is said
- *unknown*: neither; look in your dashboard, by the address that you know

A message is worth what its signs weigh together (:mod:`riparian.creators.signs`), by weights that are fitted and
shipped as a table.  No weight is below zero, and no sign says that a message is genuine: the words of a genuine notice
take nothing off a lure, but for its being short.  A sender or a link that looks like a name of ours decides alone.

Source
------
Weights: logistic regression (Cox 1958), bounded below by zero; ``bench/lures.py --fit`` says on what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from riparian.creators.letters import Letter
from riparian.creators.lookalikes import Index, Lookalike, Suffixes
from riparian.creators.signs import HOST_MAX, Known, known, signs
from riparian.errors import InputError

_TOLD: Final = 5
_MIN: Final = 0.25
"""A sign that weighs less is no reason."""


class Answer(StrEnum):
    """What is said of a message."""

    VERIFIED = "verified"
    SUSPICIOUS = "suspicious"
    UNKNOWN = "unknown"


SENTENCES: Final[Mapping[str, str]] = {
    "name_claims": "the name of the sender claims something, and is not in the address",
    "person_unlike_sender": "the name of the sender is not in the address",
    "role_unlike_sender": "it calls itself an office, and its address is of somebody else",
    "role_free_mail": "it calls itself an office, and writes from an address that anybody can have",
    "free_mail": "it comes from an address that anybody can have",
    "sender_none": "it has no address of a sender",
    "senders_many": "it claims several senders",
    "sender_deep": "the address of the sender has many parts",
    "sender_random": "the address of the sender looks as if a machine had made it",
    "sender_ending": "the sender's domain has an ending that costs next to nothing",
    "sender_open": "the sender's domain is one where anybody gets a name",
    "reply_elsewhere": "answers go elsewhere",
    "reply_free_mail": "answers go to an address that anybody can have",
    "return_elsewhere": "failures are returned elsewhere",
    "unproven": "the receiver could not confirm who sent it",
    "failed": "the receiver found that it is not from the domain that it claims",
    "to_nobody": "it is addressed to nobody",
    "subject_disguised": "letters of its subject are disguised",
    "subject_pictures": "its subject has pictures",
    "subject_replies": "it answers a message that there never was",
    "subject_shouts": "its subject is in capitals",
    "names_recipient": "it calls you by your address",
    "link_machine": "a link leads to a machine without a name",
    "link_open": "a link leads to where anybody puts a page, or hides where it leads",
    "link_ending": "a link leads to a domain with an ending that costs next to nothing",
    "link_other": "its links lead to others than the sender",
    "link_shows_other": "a link shows another address than it leads to",
    "link_marked": "a link has your address in it",
    "link_random": "a link looks as if a machine had made it",
    "link_plain": "a link is not encrypted",
    "one_place": "all of its links lead to one place",
    "little_text": "it has hardly any text",
    "short_text": "it is short, and wants something to be followed or answered",
    "pictures": "it shows pictures in place of text",
    "hidden_text": "it has text that is not shown",
    "text_disguised": "letters of its text are disguised",
    "picture_calls": "a picture of it leads somewhere",
    "form": "it has a form to fill in",
    "file_runs": "a file comes with it that can run",
    "file_little": "a file comes with it, and hardly any text",
    "answers_free": "it names an address that anybody can have",
    "sums": "it names a sum",
    "notice_hollow": "it speaks of infringement, and has nothing that a notice must have",
    "named_elsewhere": "it bears a well-known name, and comes from elsewhere",
    "asks": "it asks to click, to sign in or to confirm",
    "secrets": "it speaks of passwords, cards or wallets",
    "urgency": "it says that there is no time",
    "threat": "it says that something will be blocked or lost",
    "prize": "it promises something for nothing",
    "money": "it speaks of money",
    "goods": "it speaks of what is much advertised",
    "greets": "it greets nobody in particular",
}
"""What is told of each sign."""


@dataclass(frozen=True, slots=True)
class Model:
    """What each sign weighs.

    Parameters
    ----------
    weights
        By sign, 0 or more.
    enough
        At what sum a message is suspicious, at least.
    lists
        What signs compare with.
    """

    weights: Mapping[str, float]
    enough: float
    lists: Known = field(repr=False)


@dataclass(frozen=True, slots=True)
class Triage:
    """What is said of a message.

    Parameters
    ----------
    answer
        One of three.
    weight, enough
        What its signs weigh together, and from where it is suspicious; they say nothing of a single message's chance.
    reasons
        Sentences, the weightiest first; those of an unknown message, too.
    lookalikes
        Domains in it that look like a name of ours.
    """

    answer: Answer
    weight: float
    enough: float
    reasons: tuple[str, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


def model(lists: Mapping[str, Any], weights: Mapping[str, Any], suffixes: Suffixes) -> Model:
    """Read ``lures.toml`` and ``lure_weights.toml``.

    Raises
    ------
    InputError
        When a weight is of no sign, or below zero.
    """
    held = {str(name): float(weight) for name, weight in weights["weights"].items()}
    for name, weight in held.items():
        if name not in SENTENCES or weight < 0:
            raise InputError(f"`{name}` weighs {weight}, wanted a sign, and a weight of 0 or more")
    return Model(held, float(weights["enough"]), known(lists, suffixes))


def triage(read: Sequence[Letter], by: Model, ours: Index | None = None) -> Triage:
    """Say what a message is made like; *verified* is not for this to say.

    Parameters
    ----------
    read
        The message, and those in it: the heaviest counts.
    by
        What signs weigh.
    ours
        Names that people trust; None where there are none.

    Examples
    --------
    >>> import tomllib
    >>> from importlib.resources import files
    >>> here = files("riparian.creators")
    >>> lists, weights = (tomllib.loads((here / name).read_text()) for name in ("lures.toml", "lure_weights.toml"))
    >>> by = model(lists, weights, Suffixes.of(["com", "top", "example"]))
    >>> triage([Letter(text="The mixes are done; shall we listen on Friday?")], by).answer
    <Answer.UNKNOWN: 'unknown'>
    """
    weighed = []
    for n, letter in enumerate(read):
        found = {name: value * by.weights.get(name, 0.0) for name, value in signs(letter, by.lists).items()}
        weighed.append((sum(found.values()), -n, found))
    weight, _, found = max(weighed, default=(0.0, 0, {}))
    alike = tuple(ours.find(hosts(read))) if ours is not None else ()
    reasons = [f"`{one.domain}` looks like {one.name}" for one in alike]
    heavy = sorted(((value, name) for name, value in found.items() if value >= _MIN), reverse=True)
    reasons += [SENTENCES[name] for _, name in heavy[:_TOLD]]
    is_lure = weight >= by.enough or bool(alike)
    answer = Answer.SUSPICIOUS if is_lure else Answer.UNKNOWN
    return Triage(answer, round(weight, 3), by.enough, tuple(reasons), alike)


def hosts(read: Sequence[Letter]) -> list[str]:
    """List the hosts to which messages lead, and their senders': each once.

    Examples
    --------
    >>> from riparian.creators.letters import Link
    >>> hosts([Letter(sender="a@reed.example", links=(Link("https://Reed.example/x"), Link("//pay.example:80/")))])
    ['reed.example', 'pay.example']
    """
    found = [host for letter in read for host in (letter.sender.rpartition("@")[2], *leads(letter))]
    return list(dict.fromkeys(host for host in found if host))


def leads(letter: Letter) -> list[str]:
    """List the hosts to which the links of a message lead."""
    return [host for host in (host_of(link.target) for link in letter.links) if host]


def host_of(target: str) -> str:
    """Give the host of an address; nothing where it has none, or leads to no host."""
    plain = target.strip()
    try:
        parts = urlsplit(f"//{plain}" if plain.lower().startswith("www.") else plain)
        host = (parts.hostname or "").lower() if parts.scheme in ("http", "https", "") else ""
        return host if len(host) <= HOST_MAX else ""
    except ValueError:
        return ""
